package receipt

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
	"trialnotary/notary/timestamp"
)

// TrustVersion is the comment line of a trust file, MaxTrustSize its bound.
const (
	TrustVersion = "trialnotary/trust@v1"
	MaxTrustSize = 1 << 20
)

// algorithms returns the names in the order in which a trust file lists them.
func algorithms() []string {
	return []string{"ed25519", "ecdsa-p256", "ml-dsa-44", "sha-256", "sha-512"}
}

// Trust is a trust file: the only thing a verifier believes.
//
//	trialnotary/trust@v1
//	-- policy --
//	log log.example/trials+6ac4ab15+Aa554rfm…
//	…
//	-- auditors --
//	auditor.example+6b721d90+BFKuQrro…
//	-- sponsors --
//	acme+6631cce8+AXRYHblI…
//	-- tsa.pem --
//	-- algorithms --
//	ed25519 2099-01-01T00:00:00Z
//	-- retired-1 --
//	until 70321
//	log log.example/trials+18bd3c90+AdcX9u2e…
//	…
//	-- handover-1 --
//	trialnotary/handover@v1
//	…
//
// Only the policy is required. For each time that the log's keys were changed, oldest
// first, there is what counted until then, and by which the change was signed, if it
// was. A part that is present and empty is another thing
// than an absent one: with an empty `sponsors` no sponsor is listed at all.
type Trust struct {
	Policy      *checkpoint.Policy
	Auditors    []string              // verifier keys of type 0x01, 0x04 or 0x06, none of them in the policy
	Sponsors    []statement.PublicKey // keys whose registrations are believed without a fingerprint
	HasSponsors bool                  // the part is present
	TSA         []byte                // PEM certificates of timestamp authorities; nil: absent
	Algorithms  map[string]time.Time  // until when each is accepted; one not listed always is
	Fingerprint string                // of the file, to be read aloud
	Raw         []byte                // the file
}

// ParseTrust parses a trust file of at most [MaxTrustSize] bytes. Errors wrap
// [text.ErrFormat].
func ParseTrust(b []byte) (*Trust, error) {
	a, err := text.ParseArchive(b, TrustVersion, MaxTrustSize)
	if err != nil {
		return nil, fmt.Errorf("trust file: %w", err)
	}
	return NewTrust(a.Parts)
}

// NewTrust returns the trust file of these parts, as they also stand, each under
// the prefix "trust.", in the files that a sponsor hands to a site.
func NewTrust(ps []text.Part) (*Trust, error) {
	t, err := parseTrust(parts{text.NewPartReader(ps)})
	if err == nil {
		t.Raw, err = text.Archive{Version: TrustVersion, Parts: ps}.Bytes()
	}
	if err != nil {
		return nil, fmt.Errorf("trust file: %w", err)
	}
	t.Fingerprint = text.Fingerprint(sha256.Sum256(t.Raw))
	if back, err := t.Bytes(); err != nil || !bytes.Equal(back, t.Raw) {
		return nil, fmt.Errorf("trust file: the parts are not written canonically: %w", text.ErrFormat)
	}
	return t, nil
}

func parseTrust(p parts) (*Trust, error) {
	policy := p.Take("policy")
	if p.Err() != nil {
		return nil, p.Err()
	}
	t := &Trust{}
	var err error
	if t.Policy, err = checkpoint.ParsePolicy(policy); err != nil {
		return nil, err
	}
	err = p.lines("auditors", func(l string) error {
		if t.Auditors == nil {
			t.Auditors = []string{}
		}
		if l == "" {
			return nil
		}
		t.Auditors = append(t.Auditors, l)
		return t.checkAuditor(l)
	})
	if err != nil {
		return nil, err
	}
	err = p.lines("sponsors", func(l string) error {
		t.HasSponsors = true
		if l == "" {
			return nil
		}
		k, err := statement.ParsePublicKey(l)
		if err == nil && slices.Contains(t.Sponsors, k) {
			err = fmt.Errorf("it stands twice")
		}
		t.Sponsors = append(t.Sponsors, k)
		return err
	})
	if err != nil {
		return nil, err
	}
	if p.Next("tsa.pem") {
		t.TSA = bytes.Clone(p.TakeAny("tsa.pem"))
		if _, err = timestamp.ParseAuthorities(t.TSA); err != nil {
			return nil, fmt.Errorf("part \"tsa.pem\": %w: %w", err, text.ErrFormat)
		}
	}
	last := -1
	err = p.lines("algorithms", func(l string) error {
		if t.Algorithms == nil {
			t.Algorithms = map[string]time.Time{}
		}
		if l == "" {
			return nil
		}
		name, until, _ := strings.Cut(l, " ")
		i := slices.Index(algorithms(), name)
		switch {
		case i < 0:
			return fmt.Errorf("the algorithm is not one of %s", strings.Join(algorithms(), ", "))
		case i <= last:
			return fmt.Errorf("each algorithm stands once, in the order %s", strings.Join(algorithms(), ", "))
		}
		last = i
		t.Algorithms[name], err = text.ParseTime(until)
		return err
	})
	if err != nil {
		return nil, err
	}
	if t.Policy, err = p.retired(t.Policy); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(t.Auditors, t.Policy.Has) {
		return nil, fmt.Errorf("part \"auditors\": an auditor's key was one of the log's policy: %w", text.ErrFormat)
	}
	return t, p.Done()
}

// retired reads the policies before p, oldest first.
func (p parts) retired(policy *checkpoint.Policy) (*checkpoint.Policy, error) {
	var all []checkpoint.Retired
	for n := "1"; p.Next("retired-" + n); n = strconv.Itoa(len(all) + 1) {
		k, err := checkpoint.ParseRetired(p.Take("retired-" + n))
		if err == nil && p.Next("handover-"+n) {
			k.Handover, err = checkpoint.ParseHandover(p.Take("handover-" + n))
		}
		if err != nil {
			return nil, fmt.Errorf("change of keys %s: %w", n, err)
		}
		all = append(all, k)
	}
	if p.Err() != nil {
		return nil, p.Err()
	}
	return policy.WithRetired(all)
}

// lines calls f for each line of the part, if it is next, after once with "".
func (p parts) lines(name string, f func(string) error) error {
	if !p.Next(name) {
		return p.Err()
	}
	d := string(p.TakeAny(name))
	f("")
	for i, l := range strings.SplitAfter(d, "\n") {
		if l == "" {
			continue
		}
		if l == "\n" {
			return fmt.Errorf("part %q: line %d is empty: %w", name, i+1, text.ErrFormat)
		}
		if err := f(strings.TrimSuffix(l, "\n")); err != nil {
			return fmt.Errorf("part %q: line %d: %w: %w", name, i+1, err, text.ErrFormat)
		}
	}
	return nil
}

// checkAuditor checks the last of t.Auditors. An auditor's signature says more
// than a witness's, so the two never share a key.
func (t *Trust) checkAuditor(vkey string) error {
	typ, err := checkpoint.TypeOf(vkey)
	switch {
	case err != nil:
		return err
	case typ == checkpoint.P256:
		return fmt.Errorf("an auditor's key is of type 0x01, 0x04 or 0x06")
	case t.Policy.Has(vkey):
		return fmt.Errorf("the auditor's key is one of the policy's")
	case slices.Contains(t.Auditors[:len(t.Auditors)-1], vkey):
		return fmt.Errorf("it stands twice")
	}
	return nil
}

// Bytes returns the file of the fields; Fingerprint and Raw are not read.
func (t *Trust) Bytes() ([]byte, error) {
	if t.Policy == nil {
		return nil, fmt.Errorf("trust file: no policy")
	}
	a := text.Archive{Version: TrustVersion, Parts: []text.Part{{Name: "policy", Data: t.Policy.Bytes()}}}
	add := func(name string, present bool, lines []string) {
		if present {
			a.Parts = append(a.Parts, text.Part{Name: name, Data: []byte(strings.Join(lines, ""))})
		}
	}
	var auditors, sponsors, until []string
	for _, k := range t.Auditors {
		auditors = append(auditors, k+"\n")
	}
	for _, k := range t.Sponsors {
		sponsors = append(sponsors, k.String()+"\n")
	}
	for _, name := range algorithms() {
		if at, ok := t.Algorithms[name]; ok {
			until = append(until, name+" "+text.FormatTime(at)+"\n")
		}
	}
	add("auditors", t.Auditors != nil, auditors)
	add("sponsors", t.HasSponsors || t.Sponsors != nil, sponsors)
	add("tsa.pem", t.TSA != nil, []string{string(t.TSA)})
	add("algorithms", t.Algorithms != nil, until)
	for i, k := range t.Policy.Retired() {
		add(fmt.Sprintf("retired-%d", i+1), true, []string{string(k.Bytes())})
		if k.Handover != nil {
			add(fmt.Sprintf("handover-%d", i+1), true, []string{string(k.Handover.Bytes())})
		}
	}
	return a.Bytes()
}

// Parts returns the parts of the file.
func (t *Trust) Parts() ([]text.Part, error) {
	b, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	a, err := text.ParseArchive(b, TrustVersion, 0)
	return a.Parts, err
}

// Meets says how a checkpoint meets the policy, and fails if it does not: the
// algorithms of its signatures, of the log's tree and of the statements are those
// accepted at the witnessed time or, where no witness proves one, at now.
func (t *Trust) Meets(s checkpoint.Signed, now time.Time) (checkpoint.Met, error) {
	accepts := func(algorithm string, at time.Time) bool { return t.Accepts(algorithm, at, now) }
	m, err := t.Policy.Verify(s, accepts)
	if err != nil {
		return m, err
	}
	for _, alg := range []string{"sha-256", "ed25519"} { // of the tree, and of the statements
		if !accepts(alg, m.NoLaterThan) {
			return m, fmt.Errorf("the algorithm %s is no longer accepted by the trust file", alg)
		}
	}
	return m, nil
}

// Accepts reports whether an algorithm is accepted at the witnessed time or, where
// that is zero, at now.
func (t *Trust) Accepts(algorithm string, witnessed, now time.Time) bool {
	if witnessed.IsZero() {
		witnessed = now
	}
	until, listed := t.Algorithms[algorithm]
	return !listed || !witnessed.After(until)
}

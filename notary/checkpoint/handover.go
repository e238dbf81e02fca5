package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"trialnotary/notary/text"
)

// HandoverVersion is the first line of a handover.
const HandoverVersion = "trialnotary/handover@v1"

// retiredVersion is the comment of a handovers/ object.
const retiredVersion = "trialnotary/retired@v1"

// Handover is by which a log goes on under new keys. It is signed by them and, but
// where those may be in other hands, by the old ones:
//
//	trialnotary/handover@v1
//	size 70321
//	root L6zoouF8/4UkXkVo91Etiam+SiqWwzk8fZRjTy0yCVE=
//	retired wZbJ2FZ5yZOC6kCJq8JZ2Jf2Z8Ck0z3VmYqvS8n2t1M=
//	new log.example/trials+0e4d7c1a+AVtY…
//	new log.example/trials+93bd02f6+BhcR…
//
//	— log.example/trials Dk18Gp…
//	…
//
// Size and root are the log's at the change; retired is the SHA-256 of the lines of
// the old policy, see [Retired]. The keys sign it as a checkpoint whose origin is the
// version line, whose size is the log's, and whose root is the SHA-256 of the lines
// above: so they sign nothing but what KMS and tlog-cosignature let them sign, and no
// log of ours can have such a checkpoint.
type Handover struct {
	Size    uint64
	Root    [32]byte
	Retired [32]byte
	New     []string // verifier keys, as [Policy.LogKeys] returns them
	Lines   []Line
}

// NewRetired returns the policy that ends at c, the log's head, with its handover to
// the keys next, still to be signed.
func NewRetired(old *Policy, c Checkpoint, next []string) (Retired, error) {
	k := Retired{Until: c.Size, Policy: old}
	k.Handover = &Handover{Size: c.Size, Root: c.Root, Retired: k.sum(), New: slices.Clone(next)}
	if len(next) != 2 {
		return Retired{}, fmt.Errorf("a log has two keys, not %d", len(next))
	}
	p, err := NewLogPolicy(next[0], next[1])
	if err == nil {
		_, err = p.WithRetired([]Retired{k})
	}
	return k, err
}

// body is what is signed.
func (h *Handover) body() []byte {
	b := fmt.Appendf(nil, "%s\nsize %d\nroot %s\nretired %s\n", HandoverVersion, h.Size, text.Base64(h.Root[:]), text.Base64(h.Retired[:]))
	for _, k := range h.New {
		b = append(b, "new "+k+"\n"...)
	}
	return b
}

// Bytes returns the handover.
func (h *Handover) Bytes() []byte {
	b := append(h.body(), '\n')
	for _, l := range h.Lines {
		b = append(b, l.String()...)
	}
	return b
}

// ParseHandover parses a handover and believes nothing. Errors wrap [text.ErrFormat].
func ParseHandover(b []byte) (*Handover, error) {
	body, lines, ok := bytes.Cut(b, []byte("\n\n"))
	r := text.NewReader(append(bytes.Clone(body), '\n'))
	r.Exact(HandoverVersion)
	h := &Handover{Size: r.Uint("size"), Root: r.Hash("root"), Retired: r.Hash("retired")}
	h.New = []string{r.Value("new"), r.Value("new")}
	err := r.Done()
	for i, k := range h.New {
		if err == nil {
			var t Type
			if t, err = TypeOf(k); err == nil && (t == MLDSA44) != (i == 1) {
				err = fmt.Errorf("the new keys are not a log's, in their order: %w", text.ErrFormat)
			}
		}
	}
	if err == nil {
		h.Lines, err = ParseLines(lines)
	}
	if err == nil && (!ok || len(h.Lines) == 0 || !bytes.Equal(h.Bytes(), b)) {
		err = fmt.Errorf("not written canonically: %w", text.ErrFormat)
	}
	if err != nil {
		return nil, fmt.Errorf("handover: %w", err)
	}
	return h, nil
}

// head is the handover in the form in which it is signed.
func (h *Handover) head() Checkpoint {
	return Checkpoint{HandoverVersion, h.Size, sha256.Sum256(h.body())}
}

// Sign adds the line of each signer.
func (h *Handover) Sign(signers []Signer) error {
	for _, k := range signers {
		sig, err := k.Sign(h.head().Text())
		if err != nil {
			return fmt.Errorf("sign the handover at size %d: %w", h.Size, err)
		}
		h.Lines = append(h.Lines, Line{k.Name(), k.KeyHash(), sig})
	}
	return nil
}

// Verify checks the handover against the keys that it retires. The new keys must
// have signed it; crossed reports whether both old ones did.
func (h *Handover) Verify(old Retired) (crossed bool, err error) {
	if h.Size != old.Until || h.Retired != old.sum() {
		return false, fmt.Errorf("the handover at size %d is not of the keys retired at size %d", h.Size, old.Until)
	}
	s, err := Parse(Signed{Checkpoint: h.head(), Lines: h.Lines}.format())
	if err != nil {
		return false, err
	}
	by := func(keys []string) (n int) {
		for _, k := range keys {
			var signed bool
			if _, signed, err = s.SignedBy(k); err != nil {
				return 0
			}
			if signed {
				n++
			}
		}
		return n
	}
	if n := by(h.New); err != nil || n < len(h.New) {
		return false, fmt.Errorf("the new keys did not sign the handover at size %d: %w", h.Size, orNotSigned(err))
	}
	n := by(old.Policy.LogKeys())
	if err != nil || (n > 0 && n < len(old.Policy.LogKeys())) {
		return false, fmt.Errorf("the old keys did not both sign the handover at size %d: %w", h.Size, orNotSigned(err))
	}
	return n > 0, nil
}

func orNotSigned(err error) error {
	if err == nil {
		return ErrNotSigned
	}
	return err
}

// HandedOver reports whether keys that were trusted handed the log over, step by
// step and each time signing it themselves, to those of p; and at which sizes.
// Empty where they are p's own.
func (p *Policy) HandedOver(trusted []string) (sizes []uint64, crossed bool) {
	on := false
	for _, k := range p.retired {
		if on = on || slices.Equal(k.Policy.LogKeys(), trusted); !on {
			continue
		}
		sizes = append(sizes, k.Until)
		if k.Handover == nil {
			return sizes, false
		}
		if crossed, err := k.Handover.Verify(k); err != nil || !crossed {
			return sizes, false
		}
	}
	return sizes, on || slices.Equal(p.LogKeys(), trusted)
}

// HandoverName returns the name of the log's n-th change of keys, n = 1, 2, 3 …
func HandoverName(n int) string { return fmt.Sprintf("handovers/%020d", n) }

// HandoverBytes returns the object of a change of keys: a txtar of the two parts that
// a trust file has of it.
func (k Retired) HandoverBytes() ([]byte, error) {
	return text.Archive{Version: retiredVersion, Parts: []text.Part{
		{Name: "retired", Data: k.Bytes()}, {Name: "handover", Data: k.Handover.Bytes()}}}.Bytes()
}

// ParseHandoverObject parses a handovers/ object and verifies what signed it.
func ParseHandoverObject(b []byte) (Retired, error) {
	a, err := text.ParseArchive(b, retiredVersion, MaxPolicySize+MaxSize)
	if err != nil {
		return Retired{}, err
	}
	r := text.NewPartReader(a.Parts)
	old, signed := r.Take("retired"), r.Take("handover")
	if err := r.Done(); err != nil {
		return Retired{}, err
	}
	k, err := ParseRetired(old)
	if err == nil {
		k.Handover, err = ParseHandover(signed)
	}
	if err == nil {
		_, err = k.Handover.Verify(k)
	}
	return k, err
}

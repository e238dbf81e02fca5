package checkpoint

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Errors of [Policy.Verify].
var (
	ErrOrigin    = errors.New("the checkpoint is of another log")
	ErrSignature = errors.New("a signature on the checkpoint does not verify")
	ErrNotSigned = errors.New("the checkpoint is not signed by the log")
	ErrRetired   = errors.New("the checkpoint is signed with keys that the log had given up by then")
	ErrQuorum    = errors.New("the checkpoint does not have the signatures that the policy asks for")
)

// Met says how a checkpoint meets a policy.
type Met struct {
	// Witnessed: the quorum has witnesses that are not the log. Without them no
	// time is proved and both times are zero.
	Witnessed bool
	// NoLaterThan: some satisfying quorum's cosignatures were all made by then; of
	// several quorums the earliest such time.
	NoLaterThan time.Time
	// NotBefore: some satisfying quorum's cosignatures were all made from then on;
	// of several quorums the latest such time.
	NotBefore time.Time
	Witnesses int      // witnesses of the quorum that cosigned
	Of        int      // witnesses of the quorum
	Names     []string // policy names of those that cosigned
}

// never and always are the times of the log's own key: the neutral elements of
// the latest and of the earliest time of a quorum.
const (
	never  = int64(-1 << 63)
	always = int64(1<<63 - 1)
)

// Verify checks s against the policy: the origin, the log's signature, every
// signature of a key the policy knows, and the quorum. accept reports whether an
// algorithm ("ed25519", "ecdsa-p256", "ml-dsa-44") is accepted for a checkpoint
// witnessed at that time, zero when no witness proves one; nil accepts all.
//
// Lines of unknown keys count for nothing and are in no error. A cosignature with
// timestamp 0, or one after the year 9999, counts for nothing but must verify.
// What retired keys signed is judged by the policy of then, up to its size.
func (p *Policy) Verify(s Signed, accept func(algorithm string, at time.Time) bool) (Met, error) {
	if s.Origin != p.Origin() {
		return Met{}, fmt.Errorf("%w: want one of %s", ErrOrigin, p.Origin())
	}
	p, err := p.judging(s)
	if err != nil {
		return Met{}, err
	}
	return p.verify(s, accept)
}

func (p *Policy) verify(s Signed, accept func(algorithm string, at time.Time) bool) (Met, error) {
	known := []note.Verifier{p.log.Verifier}
	for _, w := range p.witnesses {
		known = append(known, w.key.Verifier)
	}
	n, err := note.Open(s.Raw, note.VerifierList(known...))
	var invalid *note.InvalidSignatureError
	var unverified *note.UnverifiedNoteError
	switch {
	case errors.As(err, &invalid):
		return Met{}, fmt.Errorf("%w: that of %s+%08x", ErrSignature, invalid.Name, invalid.Hash)
	case errors.As(err, &unverified):
		return Met{}, fmt.Errorf("%w %s", ErrNotSigned, p.Origin())
	case err != nil:
		return Met{}, fmt.Errorf("open checkpoint: %w", err)
	case n.Text != string(s.Text()):
		return Met{}, fmt.Errorf("open checkpoint: its values are not those of its bytes")
	}
	if !signedBy(n, p.log) {
		return Met{}, fmt.Errorf("%w %s", ErrNotSigned, p.Origin())
	}

	times := map[*member]int64{}
	for _, w := range p.witnesses {
		if t, ok := cosigned(n, w.key); ok {
			times[w] = t
		}
	}
	m, err := p.evaluate(times)
	// Without an algorithm that was no longer accepted at the witnessed time, that
	// time can only become later: drop until nothing changes.
	for accept != nil && err == nil {
		if alg := p.log.Type.Algorithm(); !accept(alg, m.NoLaterThan) {
			return Met{}, fmt.Errorf("%w: the algorithm %s is no longer accepted for its log signature", ErrNotSigned, alg)
		}
		dropped := false
		for w := range times {
			if !accept(w.key.Type.Algorithm(), m.NoLaterThan) {
				delete(times, w)
				dropped = true
			}
		}
		if !dropped {
			break
		}
		if m, err = p.evaluate(times); err != nil {
			err = fmt.Errorf("%w, once those of algorithms no longer accepted are left out", err)
		}
	}
	return m, err
}

// evaluate evaluates the quorum once for those cosignature times.
func (p *Policy) evaluate(times map[*member]int64) (Met, error) {
	if !p.quorum.met(func(w *member) bool { _, ok := times[w]; return ok }) {
		return Met{}, ErrQuorum
	}
	m := Met{Of: p.count}
	p.quorum.each(func(w *member) {
		if _, ok := times[w]; ok && !w.own {
			m.Witnesses++
			m.Names = append(m.Names, w.name)
		}
	})
	late, _ := p.quorum.latest(times)
	early, _ := p.quorum.earliest(times)
	if late != never {
		m.Witnessed = true
		m.NoLaterThan = time.Unix(late, 0).UTC()
		m.NotBefore = time.Unix(early, 0).UTC()
	}
	return m, nil
}

// latest returns the minimum, over the satisfying quorums of m, of the latest
// cosignature time. Every witness is in one group at most, so the best k members
// of a group are those with the k smallest times, and the k-th is the answer.
func (m *member) latest(times map[*member]int64) (int64, bool) {
	if m.members == nil {
		t, ok := times[m]
		if m.own {
			t = never
		}
		return t, ok
	}
	ts := collect(m, times, (*member).latest)
	if len(ts) < m.k {
		return 0, false
	}
	slices.Sort(ts)
	return ts[m.k-1], true
}

// earliest returns the maximum, over the satisfying quorums of m, of the earliest
// cosignature time.
func (m *member) earliest(times map[*member]int64) (int64, bool) {
	if m.members == nil {
		t, ok := times[m]
		if m.own {
			t = always
		}
		return t, ok
	}
	ts := collect(m, times, (*member).earliest)
	if len(ts) < m.k {
		return 0, false
	}
	slices.Sort(ts)
	return ts[len(ts)-m.k], true
}

func collect(m *member, times map[*member]int64, f func(*member, map[*member]int64) (int64, bool)) (ts []int64) {
	for _, c := range m.members {
		if t, ok := f(c, times); ok {
			ts = append(ts, t)
		}
	}
	return ts
}

func signedBy(n *note.Note, k key) bool {
	return slices.ContainsFunc(n.Sigs, func(s note.Signature) bool { return s.Name == k.Name() && s.Hash == k.KeyHash() })
}

// lastSecond is the end of the year 9999, after which no format writes a time.
const lastSecond = 253402300799

// cosigned returns the time in k's verified cosignature.
func cosigned(n *note.Note, k key) (int64, bool) {
	for _, s := range n.Sigs {
		if s.Name == k.Name() && s.Hash == k.KeyHash() {
			b, err := base64.StdEncoding.DecodeString(s.Base64)
			if err != nil || len(b) < 12 {
				return 0, false
			}
			t := binary.BigEndian.Uint64(b[4:])
			return int64(t), 0 < t && t <= lastSecond
		}
	}
	return 0, false
}

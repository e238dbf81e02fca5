package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"trialnotary/notary/text"
)

// MaxRetired bounds how often the keys of one log were changed.
const MaxRetired = 64

// Retired is what checkpoints met before the log's keys were changed:
//
//	until 70321
//	log log.example/trials+6ac4ab15+Aa554rfm…
//	witness log.example/trials log.example/trials+cc5dc0e4+BtEOawbQ…
//	…
//
// Until is the size of the log at that change: what the old keys signed of a larger
// one was not signed by the log.
type Retired struct {
	Until    uint64
	Policy   *Policy
	Handover *Handover // nil: none is shown
}

// ParseRetired parses the lines of a retired policy. Errors wrap [text.ErrFormat].
func ParseRetired(b []byte) (Retired, error) {
	first, policy, _ := bytes.Cut(b, []byte("\n"))
	r := text.NewReader(append(bytes.Clone(first), '\n'))
	k := Retired{Until: r.Uint("until")}
	err := r.Done()
	if err == nil && k.Until == 0 {
		err = fmt.Errorf("line 1: nothing was signed until size 0: %w", text.ErrFormat)
	}
	if err == nil {
		k.Policy, err = ParsePolicy(policy)
	}
	if err != nil {
		return Retired{}, fmt.Errorf("retired keys: %w", err)
	}
	return k, nil
}

// Bytes returns the lines, as they were parsed.
func (k Retired) Bytes() []byte {
	return append(fmt.Appendf(nil, "until %d\n", k.Until), k.Policy.raw...)
}

func (k Retired) sum() [32]byte { return sha256.Sum256(k.Bytes()) }

// WithRetired returns the policy that p is together with those before it, oldest
// first, in place of any that p had. A checkpoint is judged by one of them alone:
// the newest whose log key signed it.
func (p *Policy) WithRetired(retired []Retired) (*Policy, error) {
	if len(retired) > MaxRetired {
		return nil, fmt.Errorf("retired keys: %d times, at most %d are allowed: %w", len(retired), MaxRetired, text.ErrFormat)
	}
	all := []*Policy{p}
	next := p
	for i, k := range slices.Backward(retired) {
		if err := k.before(next, all); err != nil {
			return nil, fmt.Errorf("retired keys %d: %w: %w", i+1, err, text.ErrFormat)
		}
		if i > 0 && retired[i-1].Until >= k.Until {
			return nil, fmt.Errorf("retired keys %d: they end at size %d, those before at %d: %w", i+1, k.Until, retired[i-1].Until, text.ErrFormat)
		}
		next, all = k.Policy, append(all, k.Policy)
	}
	with := *p
	with.retired = slices.Clone(retired)
	return &with, nil
}

// before checks that k can have come before next; all are the policies after k.
func (k Retired) before(next *Policy, all []*Policy) error {
	if k.Policy.Origin() != next.Origin() {
		return fmt.Errorf("they are of another log")
	}
	for _, p := range all {
		for _, vkey := range k.Policy.LogKeys() {
			if p.hasKey(vkey) {
				return fmt.Errorf("one of them stands in a later policy too")
			}
		}
		for _, vkey := range p.LogKeys() {
			if k.Policy.hasKey(vkey) {
				return fmt.Errorf("a later key of the log stands among them")
			}
		}
	}
	h := k.Handover
	switch {
	case h == nil:
	case h.Size != k.Until || h.Retired != k.sum():
		return fmt.Errorf("the handover is of other keys")
	case !slices.Equal(h.New, next.LogKeys()):
		return fmt.Errorf("the handover is not to the keys that follow")
	}
	return nil
}

// Retired returns the policies before this one, oldest first.
func (p *Policy) Retired() []Retired { return slices.Clone(p.retired) }

// Own returns the policy that the log's own keys meet alone, also those of before:
// what it signed before any witness saw it.
func (p *Policy) Own() (*Policy, error) {
	keys := p.LogKeys()
	own, err := NewLogPolicy(keys[0], keys[1])
	var retired []Retired
	for _, k := range p.retired {
		if err == nil {
			k.Handover = nil // of the whole policy
			k.Policy, err = k.Policy.Own()
			retired = append(retired, k)
		}
	}
	if err != nil {
		return nil, err
	}
	return own.WithRetired(retired)
}

// Doubtful returns the size up to which the keys count that s is judged by, where they
// were retired without signing the change themselves, and 0 otherwise: they may have
// been stolen, and whoever has them can sign what the log never did.
func (p *Policy) Doubtful(s Signed) (until uint64) {
	by, err := p.judging(s)
	if err != nil {
		return 0
	}
	for _, k := range p.retired {
		if k.Policy != by {
			continue
		}
		if k.Handover != nil {
			if crossed, err := k.Handover.Verify(k); err == nil && crossed {
				return 0
			}
		}
		return k.Until
	}
	return 0
}

// judging returns the policy that s is judged by.
func (p *Policy) judging(s Signed) (*Policy, error) {
	has := func(p *Policy) bool {
		return slices.ContainsFunc(s.Lines, func(l Line) bool { return l.Name == p.log.Name() && l.Hash == p.log.KeyHash() })
	}
	if has(p) {
		return p, nil
	}
	for _, k := range slices.Backward(p.retired) {
		if !has(k.Policy) {
			continue
		}
		if s.Size > k.Until {
			return nil, fmt.Errorf("%w: these count up to size %d, the checkpoint has size %d", ErrRetired, k.Until, s.Size)
		}
		return k.Policy, nil
	}
	return p, nil
}

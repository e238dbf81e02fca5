package notary

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"trialnotary/notary/checkpoint"
)

// ErrKeys: the log's newest checkpoint is signed with keys that this service neither
// has nor was handed the log by. Nothing was sealed.
var ErrKeys = errors.New("the log is under other keys than this service has")

// WithHandovers returns the policy of a log together with those that its handovers/
// objects retire, each verified. get returns a public object, or [ErrNotFound].
func WithHandovers(ctx context.Context, p *checkpoint.Policy, get func(ctx context.Context, name string) ([]byte, error)) (*checkpoint.Policy, error) {
	retired, err := handovers(ctx, get)
	if err != nil || len(retired) == 0 {
		return p, err
	}
	// Where a change was recorded and this process still has the keys of before, it
	// must not sign: the chain does not lead to them.
	with, err := p.WithRetired(retired)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	return with, nil
}

func handovers(ctx context.Context, get func(ctx context.Context, name string) ([]byte, error)) ([]checkpoint.Retired, error) {
	var all []checkpoint.Retired
	for len(all) <= checkpoint.MaxRetired {
		name := checkpoint.HandoverName(len(all) + 1)
		b, err := get(ctx, name)
		if errors.Is(err, ErrNotFound) {
			break
		} else if err != nil {
			return nil, err
		}
		k, err := checkpoint.ParseHandoverObject(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, k)
	}
	return all, nil
}

// HandOver gives a log to the keys next. What is waiting is sealed under the keys of
// old first; then the object handovers/<n> records, write-once, the size up to which
// old counts. Both sign it, but the old ones not where they were stolen. Called again,
// also after a crash, it returns what was recorded. Nobody else may be sealing.
func HandOver(ctx context.Context, store Store, old Config, next []checkpoint.Signer, stolen bool) (checkpoint.Retired, error) {
	k, err := handOver(ctx, store, old, next, stolen)
	if err != nil {
		return checkpoint.Retired{}, fmt.Errorf("hand over: %w", err)
	}
	return k, nil
}

func handOver(ctx context.Context, store Store, old Config, next []checkpoint.Signer, stolen bool) (checkpoint.Retired, error) {
	none := checkpoint.Retired{}
	var vkeys []string
	for _, k := range next {
		vkeys = append(vkeys, k.VerifierKey())
	}
	done, err := handovers(ctx, store.Get)
	if err != nil {
		return none, err
	}
	if n := len(done); n > 0 && slices.Equal(done[n-1].Handover.New, vkeys) {
		return done[n-1], nil
	}
	// A crash up to here leaves the log under its old keys.
	h, err := sealUnder(ctx, store, old)
	switch {
	case err != nil:
		return none, err
	case h.Batch == 0:
		return none, errors.New("nothing was ever sealed in this log, so there is nothing to hand over")
	case len(done) > 0 && done[len(done)-1].Until >= h.Size:
		return none, fmt.Errorf("the keys were changed at size %d already, and nothing was sealed since", h.Size)
	}
	k, err := checkpoint.NewRetired(old.Policy, checkpoint.Checkpoint{Origin: old.Origin, Size: h.Size, Root: h.Root}, vkeys)
	if err != nil {
		return none, err
	}
	signers := next
	if !stolen {
		signers = append(slices.Clone(old.Signers), next...)
	}
	if err := k.Handover.Sign(signers); err != nil {
		return none, err
	}
	if _, err := k.Handover.Verify(k); err != nil {
		return none, err
	}
	b, err := k.HandoverBytes()
	if err != nil {
		return none, err
	}
	// A crash after it leaves the log handed over: the old keys seal nothing any more.
	return k, store.Put(ctx, checkpoint.HandoverName(len(done)+1), b)
}

// sealUnder seals whatever was accepted and returns the head, published.
func sealUnder(ctx context.Context, store Store, c Config) (h head, err error) {
	if c.Policy, err = WithHandovers(ctx, c.Policy, store.Get); err != nil {
		return h, err
	}
	s, err := New(store, c)
	if err != nil {
		return h, err
	}
	for more := true; more; {
		sealed, err := s.Seal(ctx)
		if err != nil {
			return h, err
		}
		more = sealed.More
	}
	return s.readHead(ctx)
}

// underOurKeys returns ErrKeys if the newest checkpoint is not of this service's keys,
// so that two kinds of keys never sign one log without a handover. Once it was, it is.
func (s *Service) underOurKeys(ctx context.Context) error {
	if s.ours {
		return nil
	}
	b, err := s.store.Checkpoint(ctx)
	if err != nil || b == nil {
		return err
	}
	c, err := checkpoint.Parse(b)
	if err != nil {
		return err
	}
	if _, err := s.Policy.Verify(c, nil); errors.Is(err, checkpoint.ErrNotSigned) || errors.Is(err, checkpoint.ErrRetired) {
		s.Alarm("keys", "checkpoint")
		return fmt.Errorf("%w: %w; put its keys back, or hand it over to these", ErrKeys, err)
	}
	s.ours = true
	return nil
}

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

// HandOver records that the log goes on under the keys next from its size on, and
// until then was under those of the policy old: the object handovers/<n>, write-once.
// The keys of old that are given sign it too; none where they were stolen. The log must
// be at rest, its newest batch published. Called again, it returns what it recorded.
func HandOver(ctx context.Context, store Store, old *checkpoint.Policy, keys, next []checkpoint.Signer) (checkpoint.Retired, error) {
	fail := func(err error) (checkpoint.Retired, error) {
		return checkpoint.Retired{}, fmt.Errorf("hand over: %w", err)
	}
	var vkeys []string
	for _, k := range next {
		vkeys = append(vkeys, k.VerifierKey())
	}
	done, err := handovers(ctx, store.Get)
	if err != nil {
		return fail(err)
	}
	if n := len(done); n > 0 && slices.Equal(done[n-1].Handover.New, vkeys) {
		return done[n-1], nil
	}
	raw, err := store.Head(ctx)
	if err != nil {
		return fail(err)
	}
	h, err := parseHead(raw)
	switch {
	case err != nil:
		return fail(err)
	case h.Batch == 0:
		return fail(errors.New("nothing was ever sealed in this log, so there is nothing to hand over"))
	case h.Published != h.Batch:
		return fail(fmt.Errorf("batch %d is not published yet", h.Batch))
	case len(done) > 0 && done[len(done)-1].Until >= h.Size:
		return fail(fmt.Errorf("the keys were changed at size %d already, and nothing was sealed since", h.Size))
	}
	// Of a policy that has retired keys itself, these stand in their own objects.
	if old, err = checkpoint.ParsePolicy(old.Bytes()); err != nil {
		return fail(err)
	}
	k, err := checkpoint.NewRetired(old, checkpoint.Checkpoint{Origin: old.Origin(), Size: h.Size, Root: h.Root}, vkeys)
	if err == nil {
		err = k.Handover.Sign(append(slices.Clone(keys), next...))
	}
	if err == nil {
		_, err = k.Handover.Verify(k)
	}
	if err != nil {
		return fail(err)
	}
	b, err := k.HandoverBytes()
	if err == nil {
		err = store.Put(ctx, checkpoint.HandoverName(len(done)+1), b)
	}
	if err != nil {
		return fail(err)
	}
	return k, nil
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

package audit

import (
	"context"
	"errors"
	"fmt"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/tile"
)

// begins checks that the newest final checkpoint can be of the log of the state. proved
// reports whether the log's tiles show that what this auditor saw is its beginning;
// where they do not, the walk says what is wrong with them.
func (a *Auditor) begins(ctx context.Context, s *State, newest *checkpoint.Signed) (proved bool, err error) {
	if s.Origin == "" {
		return true, nil
	}
	if newest == nil {
		return false, found("checkpoint", "it is gone; size %d was audited", s.Size)
	}
	before, err := checkpoint.Parse(s.Final)
	switch {
	case err != nil:
		return false, fmt.Errorf("%w: %w", ErrState, err)
	case s.Origin != newest.Origin:
		return false, fmt.Errorf("%w: it is of the log %s, and this is %s", ErrState, s.Origin, newest.Origin)
	case newest.Size < before.Size:
		return false, found("checkpoint", "it has gone back to size %d; size %d was final already", newest.Size, before.Size)
	}
	proved, err = a.goesOn(ctx, newest, &before)
	if signed, bad := checkpoint.Parse(s.Signed); err == nil && bad == nil && signed.Size <= newest.Size {
		var both bool
		both, err = a.goesOn(ctx, newest, &signed)
		proved = proved && both
	}
	return proved, err
}

// goesOn reports whether the tiles of the newest checkpoint prove that it goes on from
// the one before it. That it does not is a finding.
func (a *Auditor) goesOn(ctx context.Context, newest, before *checkpoint.Signed) (bool, error) {
	root := newest.Root
	if before.Size < newest.Size {
		get := func(name string) (b []byte, err error) {
			err = a.read(ctx, name, func(raw []byte) error { b = raw; return nil })
			return b, err
		}
		var nodes []tile.Hash
		var err error
		if root, err = tile.RootAt(before.Size, newest.Size, get); err == nil {
			nodes, err = tile.Consistency(before.Size, newest.Size, get)
		}
		_, gone := errors.AsType[*Finding](err)
		switch {
		case gone || errors.Is(err, tile.ErrFormat):
			return false, nil
		case err != nil:
			return false, err
		case tile.VerifyConsistency(before.Size, newest.Size, nodes, root, newest.Root) != nil:
			return false, nil
		}
	}
	if root == before.Root {
		return true, nil
	}
	f := found("checkpoint", "at size %d it has another root than the checkpoint of that size that this auditor saw: the log's past was rewritten", before.Size)
	f.Signed = a.signed(before.Raw)
	return false, f
}

// onlyWhole saves no state of an audit that did not come to its end: it would forget
// what this auditor saw last, which is not yet known to be the beginning of the log.
func onlyWhole(r *Report, save func(*State) error) func(*State) error {
	if save == nil {
		return nil
	}
	return func(s *State) error {
		if !r.Whole {
			return nil
		}
		return save(s)
	}
}

// stillThere checks that the newest checkpoints that this auditor saw are of the log, as
// far as that has come, and has the state remember the newest of now.
func (a *Auditor) stillThere(ctx context.Context, s, state *State, at Position) error {
	for _, raw := range [][]byte{s.Final, s.Signed} {
		if c, err := checkpoint.Parse(raw); err == nil && c.Size <= at.Size {
			if err := a.covers(ctx, at, fmt.Sprintf("the log of size %d", at.Size), &c); err != nil {
				return err
			}
		}
	}
	if at.Size > state.Size {
		if signed, err := a.Log.Read(ctx, checkpoint.SignedName(at.Batch)); err == nil {
			state.Signed = signed
		}
	}
	if before, err := checkpoint.Parse(s.Signed); err == nil && before.Size > at.Size {
		state.Signed = s.Signed
	}
	return nil
}

// knownHeads checks that the log had the roots that it is known to have had. Whether it
// has come that far is only known after looking at all that is signed.
func (a *Auditor) knownHeads(ctx context.Context, at Position, all bool) error {
	for _, h := range a.Heads {
		switch {
		case h.Size > at.Size && all:
			return found("checkpoint", "the log ends at size %d, and it had size %d when its keys were changed: this is an old copy of it, or none", at.Size, h.Size)
		case h.Size > at.Size || h.Root == tile.Hash{}:
		default:
			if err := a.covers(ctx, at, "the change of the log's keys", &checkpoint.Signed{Checkpoint: h}); err != nil {
				return err
			}
		}
	}
	return nil
}

// covers checks that what was signed is the beginning of the log that was verified.
func (a *Auditor) covers(ctx context.Context, at Position, object string, signed *checkpoint.Signed) error {
	proof, err := tile.Consistency(signed.Size, at.Size, func(name string) (b []byte, err error) {
		err = a.read(ctx, name, func(raw []byte) error { b = raw; return nil })
		return b, err
	})
	if err != nil {
		return err
	}
	if tile.VerifyConsistency(signed.Size, at.Size, proof, signed.Root, at.Root) != nil {
		f := found(object, "at size %d its root is not the one that was signed for that size", signed.Size)
		f.Signed = a.signed(signed.Raw)
		return f
	}
	return nil
}

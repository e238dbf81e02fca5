package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/tile"
)

// saveEvery is how long an audit goes on before it is noted again how far it is.
const saveEvery = 15 * time.Second

// Report is what an audit came to.
type Report struct {
	From, To Position           // what it verified, beyond what the state had
	Final    *checkpoint.Signed // the newest final checkpoint; nil: the log has none yet
	// Whole reports whether all up to Final is verified, now or as the state says.
	Whole bool
	// Proof is what anyone can check of an operator who signed two histories.
	Proof *Equivocation
}

// Audit verifies a log from where the state was left, nil: from its beginning, up to
// its newest final checkpoint. It hands to save, if not nil, how far it is, now and
// then and at its end, and to progress the size of what is verified and of all. Errors
// are those of [Auditor.Walk]; [ErrState] where the state is not of use.
func (a *Auditor) Audit(ctx context.Context, s *State, save func(*State) error, progress func(size, of uint64)) (*Report, error) {
	if s == nil {
		s = &State{}
	}
	m, err := s.open()
	if err != nil {
		return nil, err
	}
	a.Map = m
	r := &Report{From: s.Position, To: s.Position}
	r.Final, err = a.Newest(ctx)
	if err == nil {
		err = a.begins(s, r.Final)
	}
	if err == nil && r.Final != nil {
		err = a.goOn(ctx, s, m, r, save, progress)
	}
	if f, ok := errors.AsType[*Finding](err); ok {
		if _, many := errors.AsType[Findings](err); !many {
			err = Findings{f}
		}
		r.Proof = a.prove(ctx, s, r, err)
	}
	return r, err
}

// begins checks that the newest final checkpoint can be of the log of the state.
func (a *Auditor) begins(s *State, newest *checkpoint.Signed) error {
	if s.Origin == "" {
		return nil
	}
	if newest == nil {
		return found("checkpoint", "it is gone; size %d was audited", s.Size)
	}
	before, err := checkpoint.Parse(s.Final)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrState, err)
	case s.Origin != newest.Origin:
		return fmt.Errorf("%w: it is of the log %s, and this is %s", ErrState, s.Origin, newest.Origin)
	case newest.Size < before.Size:
		return found("checkpoint", "it has gone back to size %d; size %d was final already", newest.Size, before.Size)
	case newest.Size == before.Size && newest.Root != before.Root:
		return found("checkpoint", "it has another root than the one of size %d that was audited: the log's past was rewritten", before.Size)
	}
	return nil
}

// goOn walks to the newest final checkpoint, which is how far a state goes, and then
// on to what is signed and not final yet: that is verified again when it is final.
func (a *Auditor) goOn(ctx context.Context, s *State, m *Memory, r *Report, save func(*State) error, progress func(size, of uint64)) error {
	lister, lists := a.Log.(Lister)
	if lists = lists && s.Batch == 0; lists {
		a.ends = []uint64{}
	}
	ahead := a.Ahead
	a.Ahead = false
	defer func() { a.Ahead = ahead }()
	state := s
	// note makes the state of a position up to which nothing was found.
	note := func(at Position) error {
		err := a.twiceSealed(ctx, at.Size)
		if err != nil || at.Size == 0 {
			return err
		}
		signed, err := a.Log.Read(ctx, checkpoint.SignedName(at.Batch))
		if err != nil {
			return fmt.Errorf("read %s: %w", checkpoint.SignedName(at.Batch), err)
		}
		state = stateAt(r.Final.Origin, at, m, a.Seen, signed, r.Final.Raw)
		return nil
	}
	last := time.Now()
	reached := func(at Position) error {
		if progress != nil {
			progress(at.Size, r.Final.Size)
		}
		if time.Since(last) < saveEvery {
			return nil
		}
		last = time.Now()
		if err := note(at); err != nil {
			return err
		}
		return a.keep(state, save)
	}
	to, err := a.Walk(ctx, s.Position, r.Final.Size, reached)
	if r.To = to; err == nil && to != s.Position {
		err = note(to)
	}
	if err != nil {
		if a.Seen != nil {
			r.To = state.Position // whether a statement stands twice was not looked for after it
		}
		return err
	}
	if r.Whole = to.Size >= r.Final.Size; !r.Whole {
		return a.keep(state, save)
	}
	if err := a.covers(ctx, to, "checkpoint", r.Final); err != nil {
		return err
	}
	if ahead {
		a.Ahead = true
		if r.To, err = a.Walk(ctx, to, r.Final.Size, func(Position) error { return nil }); err == nil {
			err = a.twiceSealed(ctx, r.To.Size)
		}
		if err != nil {
			r.To = to
			return err
		}
	}
	if lists {
		if err := a.surplus(ctx, lister, r.To); err != nil {
			return err
		}
	}
	if err := a.stillThere(ctx, s, state, r.To); err != nil || to.Size == 0 {
		return err
	}
	if string(state.Signed) == string(s.Signed) && string(s.Final) == string(r.Final.Raw) && to == s.Position {
		return nil
	}
	state.Final = r.Final.Raw
	return a.keep(state, save)
}

// keep hands a state to save, once all is on disk that it rests on.
func (a *Auditor) keep(s *State, save func(*State) error) error {
	if save == nil || s.Size == 0 {
		return nil
	}
	if a.Seen != nil {
		if err := a.Seen.file.Sync(); err != nil {
			return err
		}
	}
	return save(s)
}

// stillThere checks that the newest checkpoint that this auditor saw signed is one of
// the log, as far as that has come, and has the state remember the newest of now.
func (a *Auditor) stillThere(ctx context.Context, s, state *State, at Position) error {
	before, err := checkpoint.Parse(s.Signed)
	seen := err == nil
	if seen && before.Size <= at.Size {
		if err := a.covers(ctx, at, fmt.Sprintf("the log of size %d", at.Size), &before); err != nil {
			return err
		}
	}
	if at.Size > state.Size {
		if signed, err := a.Log.Read(ctx, checkpoint.SignedName(at.Batch)); err == nil {
			state.Signed = signed
		}
	}
	if seen && before.Size > at.Size {
		state.Signed = s.Signed
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

// prove looks among all that the log signed and this audit saw for two that contradict
// each other, nil if there are none.
func (a *Auditor) prove(ctx context.Context, s *State, r *Report, err error) *Equivocation {
	if a.Own == nil {
		return nil
	}
	var all []*checkpoint.Signed
	add := func(b []byte) {
		if c := a.signed(b); c != nil {
			all = append(all, c)
		}
	}
	add(s.Signed)
	add(s.Final)
	if r.Final != nil {
		add(r.Final.Raw)
	}
	var many Findings
	errors.As(err, &many)
	for _, f := range many[:min(len(many), 4)] {
		if f.Signed != nil {
			add(f.Signed.Raw)
		}
	}
	for _, batch := range []uint64{r.To.Batch, r.To.Batch + 1} {
		if b, err := a.Log.Read(ctx, checkpoint.SignedName(batch)); err == nil {
			add(b)
		}
	}
	for i, one := range all {
		for _, other := range all[:i] {
			if e, err := Prove(ctx, a.Log, one, other); err == nil {
				return e
			}
		}
	}
	return nil
}

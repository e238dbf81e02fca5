package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trialnotary/notary/checkpoint"
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
	proved := true
	if err == nil {
		proved, err = a.begins(ctx, s, r.Final)
	}
	if err == nil && r.Final != nil {
		if !proved {
			save = onlyWhole(r, save)
		}
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
	same := *s
	state := &same // s is what it was, to the end
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
		if before, err := checkpoint.Parse(s.Signed); err == nil && before.Size > r.Final.Size {
			signed = s.Signed // nothing final covers it, so that it is still to be looked for
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
	if err := a.knownHeads(ctx, r.To, ahead); err != nil {
		return err
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

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

func (a *Auditor) goOn(ctx context.Context, s *State, m *Memory, r *Report, save func(*State) error, progress func(size, of uint64)) error {
	lister, lists := a.Log.(Lister)
	if lists = lists && s.Batch == 0; lists {
		a.ends = []uint64{}
	}
	kept := s.Position
	keep := func(at Position) error {
		twice, err := a.twiceSealed(ctx, at.Size)
		if len(twice) > 0 {
			r.To = kept
			return twice
		}
		if err != nil || save == nil {
			kept = at
			return err
		}
		signed, err := a.Log.Read(ctx, checkpoint.SignedName(at.Batch))
		if err != nil {
			return fmt.Errorf("read %s: %w", checkpoint.SignedName(at.Batch), err)
		}
		if a.Seen != nil {
			if err := a.Seen.file.Sync(); err != nil {
				return err
			}
		}
		kept = at
		return save(stateAt(r.Final.Origin, at, m, a.Seen, signed, r.Final.Raw))
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
		return keep(at)
	}
	to, err := a.Walk(ctx, s.Position, r.Final.Size, reached)
	if r.To = to; err != nil {
		if kept.Size < to.Size && a.Seen != nil {
			r.To = kept // whether a statement stands twice was not looked for after it
		}
		return err
	}
	r.Whole = r.To.Size >= r.Final.Size
	if r.Whole {
		if err := a.covers(ctx, r.To, r.Final); err != nil {
			return err
		}
	}
	if lists && r.Whole {
		if more, err := a.surplus(ctx, lister, r.To); err != nil || len(more) > 0 {
			return errors.Join(asError(more), err)
		}
	}
	if r.To == kept && string(s.Final) == string(r.Final.Raw) || r.To.Size == 0 {
		return nil
	}
	return keep(r.To)
}

func asError(f Findings) error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// covers checks that the final checkpoint is of the log that was verified.
func (a *Auditor) covers(ctx context.Context, at Position, final *checkpoint.Signed) error {
	var last error
	proof, err := tile.Consistency(final.Size, at.Size, func(name string) (b []byte, err error) {
		err = a.read(ctx, name, func(raw []byte) error { b = raw; return nil })
		return b, err
	})
	if err == nil {
		last = tile.VerifyConsistency(final.Size, at.Size, proof, final.Root, at.Root)
	}
	if last != nil {
		f := found("checkpoint", "its root is not that of the log at size %d", final.Size)
		f.Signed = a.signed(final.Raw)
		return f
	}
	return err
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

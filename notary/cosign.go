package notary

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/semaphore"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/tile"
	"trialnotary/notary/witness"
)

// Witness cosigns checkpoints (c2sp.org/tlog-witness). Whatever it does, it can
// neither stop sealing nor change what is sealed: it is given a deadline, and what
// it returns counts only where the policy verifies it.
type Witness interface {
	// Name is what alarms call it.
	Name() string
	// Cosign returns the witness's signature line on the checkpoint, verified. prove
	// gives the consistency proof from an older size of the log.
	Cosign(ctx context.Context, c checkpoint.Signed, prove func(old uint64) ([]tile.Hash, error)) (checkpoint.Line, error)
}

const (
	askedAtOnce = 16
	// lateGrace is how long those are waited for that are not needed any more: each
	// further cosignature makes the evidence stronger, and none is worth a stop.
	lateGrace = 500 * time.Millisecond
	// unwellTimes in a row without a cosignature are an operator's business.
	unwellTimes = 10
	// retryLate is the least time between two attempts for one batch.
	retryLate = 10 * time.Second
)

// cosign returns c with the cosignatures of the witnesses that answer in time.
func (s *Service) cosign(ctx context.Context, c checkpoint.Signed) checkpoint.Signed {
	if len(s.Witnesses) == 0 {
		return c
	}
	asked, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	prove := func(old uint64) ([]tile.Hash, error) {
		return tile.Consistency(old, c.Size, func(name string) ([]byte, error) { return s.store.Get(asked, name) })
	}
	type answer struct {
		witness int
		line    checkpoint.Line
		err     error
	}
	answers := make(chan answer, len(s.Witnesses)) // so that one who is late blocks nobody
	slots := semaphore.NewWeighted(askedAtOnce)
	for i, w := range s.Witnesses {
		go func() {
			err := slots.Acquire(asked, 1)
			var line checkpoint.Line
			if err == nil {
				line, err = w.Cosign(asked, c, prove)
				slots.Release(1)
			}
			answers <- answer{i, line, err}
		}()
	}
	with := c // c itself is what those still asked are shown
	given := make([]error, len(s.Witnesses))
	for i := range given {
		given[i] = context.DeadlineExceeded
	}
	enough, met := asked.Done(), false
collect:
	for range s.Witnesses {
		var a answer
		select {
		case a = <-answers:
		case <-enough:
			break collect
		}
		if given[a.witness] = a.err; a.err != nil {
			continue
		}
		more, err := with.With(a.line)
		if err == nil {
			// A line that does not verify would spoil the checkpoint for everyone.
			_, err = s.Policy.Verify(more, nil)
		}
		if err != nil && !errors.Is(err, checkpoint.ErrQuorum) {
			given[a.witness] = err
			continue
		}
		with = more
		if err == nil && !met {
			met = true
			soon, stop := context.WithTimeout(asked, lateGrace)
			defer stop()
			enough = soon.Done()
		}
	}
	s.watchWitnesses(given)
	return with
}

// watchWitnesses tells the operator, once, of a witness that does not cosign any
// more: at once where it disagrees with the log, else after some patience.
func (s *Service) watchWitnesses(given []error) {
	for i, err := range given {
		switch {
		case err == nil:
			s.unwell[i] = 0
			continue
		case errors.Is(err, witness.ErrDisagrees) && s.unwell[i] < unwellTimes:
			s.unwell[i] = unwellTimes
		default:
			s.unwell[i]++
		}
		if s.unwell[i] == unwellTimes {
			s.Alarm("witness", s.Witnesses[i].Name()+": "+err.Error())
		}
	}
}

// finalizeLate tries again to make the newest batch final that got no quorum when
// it was sealed, so that its receipts do not wait for the next batch.
func (s *Service) finalizeLate(ctx context.Context, h head) error {
	now := time.Now() // not the operator's clock: a rhythm, not a claim
	if len(s.Witnesses) == 0 || s.final == h.Batch || h.Batch == 0 || now.Before(s.retry) {
		return nil
	}
	s.retry = now.Add(retryLate)
	v, err := s.store.GetRows(ctx, []Row{batchKey(h.Batch)})
	if err != nil || v[0] == nil {
		return err
	}
	b, err := parseBatchRow(v[0])
	if err != nil {
		return err
	}
	if b.Final == 0 {
		signed, err := s.store.Get(ctx, checkpoint.SignedName(h.Batch))
		if err != nil {
			return hide(err)
		}
		final, err := s.finalize(ctx, h, signed)
		if err != nil || final == nil {
			return err
		}
		if err := s.advance(ctx, h.Size, final); err != nil {
			return err
		}
	}
	s.final = h.Batch
	return nil
}

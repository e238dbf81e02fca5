package notary

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/receipt"
	"trialnotary/notary/timestamp"
)

// Timestamper is a time-stamping authority (RFC 3161). Sealing never waits for it:
// it is asked after a checkpoint is final, by [Service.Stamp], and what it fails to
// give is missing and nothing else.
type Timestamper interface {
	// Name is what alarms call it, and the token that it gave in the store.
	Name() string
	// Stamp returns a token over an imprint, verified, of at most timestamp.MaxToken
	// bytes.
	Stamp(ctx context.Context, imprint timestamp.Imprint) ([]byte, error)
}

const (
	// maxLacking is how many final checkpoints are stamped later than at once, when
	// authorities are slow or away. Older ones are given up.
	maxLacking = 128
	// stampsARound bounds what one authority is asked in one call of Stamp.
	stampsARound = 16
	stampBackoff = 30 * time.Second // after a failure, doubled with each
	maxBackoff   = 10 * time.Minute
)

// stamping is what a process remembers of the checkpoints that lack tokens.
type stamping struct {
	mu      sync.Mutex // one Stamp at a time
	walked  uint64     // batches up to this one were looked at
	lacking []*lack    // oldest first
	moods   []mood     // of each authority

	kept, failed, left atomic.Uint64
}

// lack is a final checkpoint without all the tokens that it is to have.
type lack struct {
	size uint64
	mu   sync.Mutex
	has  []stamp
}

type mood struct {
	failures int       // in a row
	next     time.Time // not asked before
}

// StampFigures are numbers for an operator, since the start of the process.
type StampFigures struct{ Kept, Failed, Lacking uint64 }

// StampFigures returns the numbers as of the last call of Stamp.
func (s *Service) StampFigures() StampFigures {
	return StampFigures{s.stamps.kept.Load(), s.stamps.failed.Load(), s.stamps.left.Load()}
}

// Stamp asks the authorities for a token over each final checkpoint that lacks one,
// the newest first, and keeps them. It never touches what sealing does, and may run
// beside it. An authority that fails is left alone for a while, and the operator is
// told of one that goes on failing; neither is an error of Stamp. A crash loses at
// most a token, which the next call asks for again.
func (s *Service) Stamp(ctx context.Context) error {
	if len(s.Timestampers) == 0 {
		return nil
	}
	s.stamps.mu.Lock()
	defer s.stamps.mu.Unlock()
	if err := s.findLacking(ctx); err != nil {
		return fmt.Errorf("find what lacks time-stamps: %w", err)
	}
	var g errgroup.Group // one authority's fault is not another's
	for i := range s.Timestampers {
		g.Go(func() error { return s.stampBy(ctx, i) })
	}
	err := g.Wait()
	s.stamps.lacking = slices.DeleteFunc(s.stamps.lacking, func(l *lack) bool { return s.whole(l.has) })
	s.stamps.left.Store(uint64(len(s.stamps.lacking)))
	return err
}

// findLacking looks at the batches published since the last call: at their final
// checkpoints, for which receipts are made, and at the tokens kept for them.
func (s *Service) findLacking(ctx context.Context) error {
	h, err := s.readHead(ctx)
	if err != nil {
		return err
	}
	from := s.stamps.walked
	if h.Published > maxLacking {
		from = max(from, h.Published-maxLacking)
	}
	var keys []Row
	for n := from + 1; n <= h.Published; n++ {
		keys = append(keys, batchKey(n))
	}
	if len(keys) == 0 {
		return nil
	}
	rows, err := s.store.GetRows(ctx, keys)
	if err != nil {
		return err
	}
	for i, v := range rows {
		if v == nil {
			return nil // not there yet
		}
		b, err := parseBatchRow(v)
		if err != nil {
			return err
		}
		if b.Final == 0 {
			return nil // and so have all after it
		}
		if !slices.ContainsFunc(s.stamps.lacking, func(l *lack) bool { return l.size == b.Final }) {
			l := &lack{size: b.Final}
			if l.has, err = s.keptStamps(ctx, b.Final); err != nil {
				return err
			}
			if !s.whole(l.has) {
				s.stamps.lacking = append(s.stamps.lacking, l)
			}
		}
		s.stamps.walked = from + 1 + uint64(i)
	}
	if n := len(s.stamps.lacking) - maxLacking; n > 0 {
		s.stamps.lacking = slices.Delete(s.stamps.lacking, 0, n)
	}
	return nil
}

// stampBy asks one authority for what it has not stamped, until it fails.
func (s *Service) stampBy(ctx context.Context, i int) error {
	a, m, now := s.Timestampers[i], &s.stamps.moods[i], s.Now()
	if wait := m.next.Sub(now); 0 < wait && wait <= maxBackoff { // a clock that was set back is no reason to wait for longer
		return nil
	}
	asked := 0
	for _, l := range slices.Backward(s.stamps.lacking) {
		if l.hasOf(a.Name()) {
			continue
		}
		if asked++; asked > stampsARound || ctx.Err() != nil {
			return nil
		}
		final, err := s.store.Get(ctx, checkpoint.FinalName(l.size))
		if err != nil {
			return fmt.Errorf("time-stamp: %w", hide(err))
		}
		token, err := s.askFor(ctx, a, timestamp.OfCheckpoint(final))
		if ctx.Err() != nil && err != nil {
			return nil // told to stop, which is not its fault
		}
		if err != nil {
			s.stamps.failed.Add(1)
			m.next = now.Add(min(maxBackoff, stampBackoff<<min(m.failures, 16)))
			if m.failures++; m.failures == unwellTimes {
				s.Alarm("timestamp", a.Name()+": "+err.Error())
			}
			return nil
		}
		m.failures, m.next = 0, time.Time{}
		if err := s.keepStamp(ctx, l, stamp{a.Name(), token}); err != nil {
			return fmt.Errorf("time-stamp: %w", err)
		}
		s.stamps.kept.Add(1)
	}
	return nil
}

func (s *Service) askFor(ctx context.Context, a Timestamper, imprint timestamp.Imprint) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.StampPatience)
	defer cancel()
	token, err := a.Stamp(ctx, imprint)
	if err == nil && (len(token) == 0 || len(token) > timestamp.MaxToken) {
		err = fmt.Errorf("a token of %d bytes, at most %d are kept", len(token), timestamp.MaxToken)
	}
	return token, err
}

// whole reports whether there is a token of each authority.
func (s *Service) whole(has []stamp) bool {
	return !slices.ContainsFunc(s.Timestampers, func(a Timestamper) bool {
		return !slices.ContainsFunc(has, func(st stamp) bool { return st.name == a.Name() })
	})
}

// Whole reports whether evidence has all the tokens that it will have, as far as
// this service knows: then it is the same for ever.
func (s *Service) Whole(e receipt.Evidence) bool { return len(e.Timestamps) >= len(s.Timestampers) }

// timestamps returns the tokens over the final checkpoint of a size. They are worth
// having and nobody's receipt waits for them: those that cannot be read are missing.
func (s *Service) timestamps(ctx context.Context, size uint64) (tokens [][]byte) {
	if len(s.Timestampers) == 0 {
		return nil
	}
	has, err := s.keptStamps(ctx, size)
	if err != nil {
		return nil
	}
	for _, st := range has {
		tokens = append(tokens, st.token)
	}
	return tokens
}

// keptStamps returns the tokens kept for a size. An object that cannot be parsed is
// as none: its tokens are asked for again.
func (s *Service) keptStamps(ctx context.Context, size uint64) ([]stamp, error) {
	b, err := s.store.GetState(ctx, stampsName(size), 0, -1)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	has, err := parseStamps(b)
	if err != nil {
		s.Alarm("unreadable", stampsName(size))
		return nil, nil
	}
	return has, nil
}

// keepStamp adds a token to those kept for a checkpoint: to what is stored now, for
// another process may have added one.
func (s *Service) keepStamp(ctx context.Context, l *lack, st stamp) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	has, err := s.keptStamps(ctx, l.size)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(has, func(h stamp) bool { return h.name == st.name }) {
		if len(has) == maxStamps {
			has = has[1:] // of an authority that is not asked any more
		}
		has = append(has, st)
		if err := s.store.PutState(ctx, stampsName(l.size), formatStamps(has)); err != nil {
			return err
		}
	}
	l.has = has
	return nil
}

func (l *lack) hasOf(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.has, func(st stamp) bool { return st.name == name })
}

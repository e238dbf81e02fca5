package notary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/tile"
)

// Sealed says what a call of Seal did.
type Sealed struct {
	Batch   uint64 // the batch published, 0 if none was
	Size    uint64 // of the tree after it
	Root    [32]byte
	Time    time.Time
	Entries int  // statements it entered
	Refused int  // statements it refused
	More    bool // more is waiting: seal again at once
}

// Seal publishes what is committed and seals one batch of what is waiting: at
// most MaxBatch statements, or an empty batch when the last one is older than
// Heartbeat. Then it anchors what was read, if that has waited for Anchor. It returns the zero Sealed when there was nothing to do.
//
// It may be called by any number of processes at any time. ErrLost means that
// another one was first. ErrForked and ErrRestored mean that nothing was signed
// and nothing will be until an operator acts. After any other error, call it
// again: it goes on from wherever the last call, or a crash, left off.
func (s *Service) Seal(ctx context.Context) (Sealed, error) {
	s.sealing.Lock()
	defer s.sealing.Unlock()
	sealed, err := s.seal(ctx)
	if err != nil {
		s.edge = nil // what is cached may not be what is committed
		return sealed, err
	}
	// Last, so that nobody's statement waits for the trail of reads: what this puts
	// into the inbox is sealed next. A crash leaves it to the next call.
	more, err := s.anchor(ctx)
	if err != nil && !errors.Is(err, errOvertaken) {
		return sealed, fmt.Errorf("anchor the trail of reads: %w", err)
	}
	sealed.More = sealed.More || more
	return sealed, nil
}

func (s *Service) seal(ctx context.Context) (Sealed, error) {
	// 1. A committed batch that is not published is published first, by the code
	// of the good day. A crash here leaves what it found.
	h, err := s.readHead(ctx)
	if err != nil {
		return Sealed{}, err
	}
	s.compareClock(h)
	if err := s.underOurKeys(ctx); err != nil {
		return Sealed{}, err
	}
	if h.Published != h.Batch {
		sealed, err := s.finishHead(ctx, h)
		sealed.More = true
		return sealed, err
	}

	// 2. The log must not be ahead of the database: its next head is written before
	// anything of that batch is signed, so a copy restored from yesterday stops here.
	if err := s.ahead(ctx, h); err != nil {
		return Sealed{}, fmt.Errorf("seal batch %d: %w", h.Batch+1, err)
	}

	// 3 and 4. Read the inbox and compute the batch: pure, a crash leaves nothing.
	b, more, err := s.compute(ctx, h)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal batch %d: %w", h.Batch+1, err)
	}
	if len(b.staged.Items) == 0 && len(b.staged.Refused) == 0 && (more || s.Now().Sub(h.Time) < s.Heartbeat) {
		// Nothing to seal. A batch that got no quorum is not left to wait for the next.
		if err := s.finalizeLate(ctx, h); err != nil {
			return Sealed{}, fmt.Errorf("final checkpoint of batch %d: %w", h.Batch, err)
		}
		return Sealed{More: more}, nil
	}
	edge, err := s.edgeAt(ctx, h)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal batch %d: %w", h.Batch+1, err)
	}
	next, err := b.finish(edge)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal batch %d: %w", h.Batch+1, err)
	}

	// 5. One staging object. A crash here leaves it to expire: nothing names it.
	if err := s.store.PutState(ctx, next.Staged, b.staged.bytes()); err != nil {
		return Sealed{}, fmt.Errorf("seal batch %d: stage: %w", next.Batch, err)
	}

	// 6. THE COMMIT. A crash after it leaves a committed batch that step 1 of the
	// next call, by whomever, publishes.
	if err := s.commit(ctx, h, next); err != nil {
		return Sealed{}, fmt.Errorf("seal batch %d: commit: %w", next.Batch, err)
	}

	// 7.
	sealed, err := s.publish(ctx, next, &b.staged)
	sealed.More = more
	return sealed, err
}

// ahead returns ErrRestored if the log has a batch after h, unless that is
// because another sealer has just moved the head on.
func (s *Service) ahead(ctx context.Context, h head) error {
	name := checkpoint.HeadName(h.Batch + 1)
	if _, err := s.store.Get(ctx, name); errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if now, err := s.readHead(ctx); err != nil {
		return err
	} else if now.Batch > h.Batch {
		return ErrLost
	}
	s.Alarm("restored", name)
	return fmt.Errorf("%w: %s exists; run repair", ErrRestored, name)
}

// readHead reads the head cell.
func (s *Service) readHead(ctx context.Context) (head, error) {
	raw, err := s.store.Head(ctx)
	if err != nil {
		return head{}, fmt.Errorf("read head: %w", err)
	}
	h, err := parseHead(raw)
	if err == nil && h.Batch > 0 {
		s.sealed.Store(max(s.sealed.Load(), h.Time.Unix()))
	}
	return h, err
}

// maxBehind is how far the clock may be behind the newest batch unsaid.
const maxBehind = time.Hour

// compareClock tells the operator, once, that the clock is far behind the newest
// batch, or was far ahead when that was sealed: until it gets there every batch has
// that time, keys granted until before it sign no more, and there is no heartbeat.
func (s *Service) compareClock(h head) {
	if h.Time.Sub(s.Now()) > maxBehind && !s.behind.Swap(true) {
		s.Alarm("clock", "far behind the time of "+checkpoint.HeadName(h.Batch))
	}
}

// compute reads what is waiting, drops what has its outcome already, and builds
// a batch on h of the rest. more says that the inbox may hold more.
func (s *Service) compute(ctx context.Context, h head) (b *builder, more bool, err error) {
	pending, err := s.store.Pending(ctx, s.MaxBatch)
	if err != nil {
		return nil, false, err
	}
	more = len(pending) == s.MaxBatch
	b = s.newBuilder(ctx, h)
	size := 0
	var done []Ref
	var fresh []Accepted
	for chunk := range slices.Chunk(pending, MaxCall) {
		keys := make([]Row, len(chunk))
		for i, a := range chunk {
			keys[i] = statementKey(a.Ref)
		}
		outcomes, err := s.store.GetRows(ctx, keys)
		if err != nil {
			return nil, false, err
		}
		if err := b.lookAhead(chunk); err != nil {
			return nil, false, err
		}
		for i, a := range chunk {
			if outcomes[i] != nil {
				if err := s.recall(ctx, a.Ref, outcomes[i], a.Note); err != nil {
					return nil, false, err
				}
				done = append(done, a.Ref)
				continue
			}
			if size += len(a.Note); size > maxBatchBytes {
				more = true
				break
			}
			fresh = append(fresh, a)
		}
	}
	if err := b.look(fresh); err != nil {
		return nil, false, err
	}
	for _, a := range fresh {
		if err := b.add(a); err != nil {
			return nil, false, err
		}
	}
	if len(done) > 0 {
		// They have their rows: a crash before their batch's last step left them.
		if err := s.store.Clear(ctx, done); err != nil {
			return nil, false, fmt.Errorf("clear what was sealed before: %w", err)
		}
	}
	return b, more, nil
}

// edgeAt returns the right edge of the tree at h, for the caller to extend: the
// one kept from the last batch, or else from the published tiles.
func (s *Service) edgeAt(ctx context.Context, h head) (*tile.Edge, error) {
	if e := s.edge; e != nil && e.Size() == h.Size && e.Root() == h.Root {
		return e.Clone(), nil
	}
	if err := s.holds(ctx, h); err != nil {
		return nil, err
	}
	e, err := tile.NewEdge(h.Size, func(name string) ([]byte, error) { return s.store.Get(ctx, name) })
	if err != nil {
		return nil, fmt.Errorf("read the tree's right edge at size %d: %w", h.Size, err)
	}
	if h.Size > 0 && e.Root() != h.Root {
		s.Alarm("unreadable", "the tiles below "+checkpoint.HeadName(h.Batch))
		return nil, fmt.Errorf("the published tiles at size %d give another root than the head", h.Size)
	}
	return e, nil
}

// holds returns ErrForked unless the log has what says that the batch of h was
// published: a log restored from an older copy than the database may have its
// tiles and yet lack it, for ever if the next batch came.
func (s *Service) holds(ctx context.Context, h head) error {
	if h.Batch == 0 {
		return nil
	}
	for _, name := range []string{checkpoint.HeadName(h.Batch), checkpoint.SignedName(h.Batch)} {
		b, err := s.store.Get(ctx, name)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err != nil || name == checkpoint.HeadName(h.Batch) && !bytes.Equal(b, h.object()) {
			s.Alarm("forked", name)
			return fmt.Errorf("%w: the database says that batch %d was published, %s says otherwise or is not there", ErrForked, h.Batch, name)
		}
	}
	return nil
}

// commit swaps the head from old to next. On any doubt it reads the head again:
// ours means won; anything else means that everything is dropped.
func (s *Service) commit(ctx context.Context, old, next head) error {
	var was []byte
	if old.Batch > 0 {
		was = old.bytes()
	}
	err := s.store.SwapHead(ctx, was, next.bytes())
	if err == nil {
		return nil
	}
	now, readErr := s.store.Head(ctx)
	switch {
	case readErr == nil && bytes.Equal(now, next.bytes()):
		return nil // it took effect and did not say so
	case readErr == nil && !bytes.Equal(now, was):
		return ErrLost
	case errors.Is(err, ErrConflict):
		return ErrLost
	}
	return err
}

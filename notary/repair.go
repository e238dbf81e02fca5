package notary

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/streammap"
	"trialnotary/notary/tile"
)

// Repair brings the database forward to the log, after it was restored from an
// older copy or lost: batch by batch from the database's own head, or with all
// set from the first batch, it rebuilds what each batch put into the database
// from its staging object, or where that has expired from the tiles, and runs the
// publishing code again. Notes that neither a staging object nor a row holds are
// lost to the service; when their authors submit them again the rows take them
// back, and Repair with all set then finds the keys they grant. What was erased since
// the copy was made is erased again.
//
// It writes nothing that the log does not already commit to, can be interrupted
// and run again, and must not run beside a sealer. progress, if not nil, is told
// of every batch done. ErrForked means that the log contradicts itself or lacks
// what the database says was published.
func (s *Service) Repair(ctx context.Context, all bool, progress func(batch uint64)) error {
	s.sealing.Lock()
	defer s.sealing.Unlock()
	s.edge = nil
	s.trials.forget()
	raw, err := s.store.Head(ctx)
	if err != nil {
		return fmt.Errorf("repair: read head: %w", err)
	}
	at, err := parseHead(raw)
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	lost, err := s.unstaged(ctx, at)
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	if at.Batch > 0 {
		known, err := s.store.Get(ctx, checkpoint.HeadName(at.Batch))
		switch {
		case errors.Is(err, ErrNotFound) && at.Published == at.Batch:
			return fmt.Errorf("repair: %w: the database says that batch %d was published, the log lacks %s", ErrForked, at.Batch, checkpoint.HeadName(at.Batch))
		case err != nil && !errors.Is(err, ErrNotFound):
			return fmt.Errorf("repair: %w", err)
		case all || lost || err == nil && !bytes.Equal(known, at.object()):
			// Committed here, but it is another batch that the log went on with; or what it
			// was is known to the log alone, if that came so far: otherwise nobody saw it,
			// and its statements are in the inbox still.
			at = head{}
		case at.Published != at.Batch:
			if _, err := s.finishHead(ctx, at); err != nil {
				return fmt.Errorf("repair: %w", err)
			}
			at.Published = at.Batch
			raw = at.bytes()
		}
	}
	for {
		next, g, err := s.rebuildBatch(ctx, at)
		if errors.Is(err, ErrNotFound) && at.Batch == 0 && lost {
			return errors.New("repair: the staging object of batch 1 is gone, and the log has nothing of it")
		} else if errors.Is(err, ErrNotFound) {
			return s.eraseAgain(ctx) // what was erased since the copy was made
		} else if err != nil {
			return fmt.Errorf("repair batch %d: %w", at.Batch+1, err)
		}
		// Staged and committed as on the good day: a crash after this is finished by the
		// next Seal or Repair.
		if err := s.store.PutState(ctx, next.Staged, g.bytes()); err != nil {
			return fmt.Errorf("repair batch %d: stage: %w", next.Batch, err)
		}
		if err := s.store.SwapHead(ctx, raw, next.bytes()); err != nil {
			return fmt.Errorf("repair batch %d: head: %w", next.Batch, err)
		}
		if _, err := s.publish(ctx, next, g); err != nil {
			return fmt.Errorf("repair: %w", err)
		}
		at = next
		at.Published = at.Batch
		raw = at.bytes()
		if progress != nil {
			progress(at.Batch)
		}
	}
}

// unstaged reports whether h is committed and not published, and cannot be because
// its staging object has expired or was damaged.
func (s *Service) unstaged(ctx context.Context, h head) (bool, error) {
	if h.Published == h.Batch {
		return false, nil
	}
	raw, err := s.store.GetState(ctx, h.Staged, 0, -1)
	if errors.Is(err, ErrNotFound) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	g, err := parseStaged(raw)
	if err == nil {
		_, err = g.rebuild(h)
	}
	return err != nil, nil
}

// rebuildBatch returns the batch that follows at in the log. ErrNotFound if there
// is none.
func (s *Service) rebuildBatch(ctx context.Context, at head) (head, *staged, error) {
	n := at.Batch + 1
	raw, err := s.store.Get(ctx, checkpoint.HeadName(n))
	if err != nil {
		return head{}, nil, err
	}
	want, err := checkpoint.ParseHead(raw)
	if err != nil || want.Batch != n {
		return head{}, nil, fmt.Errorf("%w: %s is unreadable", ErrForked, checkpoint.HeadName(n))
	}
	h := head{Batch: n, First: at.Size, Size: want.Size, Root: want.Root, Published: at.Batch}
	h.Staged = stagedName(h)

	// Its staging object has the notes, if it is there and whole.
	if raw, err = s.store.GetState(ctx, h.Staged, 0, -1); err == nil {
		if g, err := parseStaged(raw); err == nil && !g.Rebuilt {
			h.Time = g.Time
			if h.Map, err = streammap.ParseRoot([]byte(g.Map)); err == nil {
				_, err = g.rebuild(h)
			}
			if err == nil {
				return h, g, nil
			}
		}
	} else if !errors.Is(err, ErrNotFound) {
		return head{}, nil, err
	}
	next, g, err := s.readBatch(ctx, at, h)
	if err != nil {
		return head{}, nil, fmt.Errorf("from the tiles: %w", hide(err))
	}
	return next, g, nil
}

// readBatch rebuilds a batch from its entries in the public log, with the notes
// that the rows still have and what these change.
func (s *Service) readBatch(ctx context.Context, at, h head) (head, *staged, error) {
	edge, err := tile.NewEdge(at.Size, func(name string) ([]byte, error) { return s.store.Get(ctx, name) })
	if err != nil {
		return head{}, nil, err
	}
	b := s.newBuilder(ctx, at)
	var last *entry.Batch
	err = s.leaves(ctx, at.Size, h.Size, func(index uint64, leaf []byte) error {
		if index == h.Size-1 {
			l, err := entry.ParseBatch(leaf)
			last = &l
			return err
		}
		e, err := entry.Parse(leaf)
		if err != nil {
			return err
		}
		b.time = e.Time
		return b.readd(e, leaf)
	})
	if err != nil {
		return head{}, nil, err
	}
	b.time = last.Time
	next, err := b.finish(edge)
	if err != nil {
		return head{}, nil, err
	}
	if next.Root != h.Root {
		return head{}, nil, fmt.Errorf("%w: batch %d does not follow from its entries", ErrForked, h.Batch)
	}
	b.staged.Rebuilt = true
	return next, &b.staged, nil
}

// leaves calls f with every leaf from index from to size, read from the bundles
// of a tree of that size. The slice is f's to keep.
func (s *Service) leaves(ctx context.Context, from, size uint64, f func(index uint64, leaf []byte) error) error {
	for index := from; index < size; {
		first := index - index%256
		width := min(size-first, 256)
		name := tile.BundlePath(first/256, int(width))
		raw, err := s.store.Get(ctx, name)
		if err != nil {
			return err
		}
		leaves, err := tile.ParseBundle(raw)
		if err != nil || uint64(len(leaves)) != width {
			return fmt.Errorf("%w: %s is unreadable", ErrForked, name)
		}
		for ; index < first+width; index++ {
			if err := f(index, leaves[index-first]); err != nil {
				return fmt.Errorf("%w: index %d: %v", ErrForked, index, err)
			}
		}
	}
	return nil
}

// readd enters a statement that the log has already. What its note changes is
// taken from the row, if that still has the note.
func (b *builder) readd(e entry.Entry, leaf []byte) error {
	item := stagedItem{Stream: e.Stream, Statement: e.Statement, Seq: e.Seq}
	v, err := b.s.store.GetRows(b.ctx, []Row{statementKey(Ref{e.Stream, e.Statement})})
	if err != nil {
		return err
	}
	if v[0] != nil {
		if o, err := parseOutcome(v[0]); err == nil && o.Refused == "" && len(o.Note) > 0 {
			item.Note = o.Note
			if _, err := b.admit(&item); err != nil {
				return err
			}
		}
	}
	value, err := b.value(e.Stream)
	if err != nil {
		return err
	}
	b.values[e.Stream] = streammap.Value{Count: e.Seq, Head: streammap.Fold(value.Head, tile.LeafHash(leaf))}
	b.staged.Items = append(b.staged.Items, item)
	return nil
}

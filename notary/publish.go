package notary

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/statement"
	"trialnotary/notary/tile"
)

// finishHead publishes the committed batch of h from its staging object.
func (s *Service) finishHead(ctx context.Context, h head) (Sealed, error) {
	raw, err := s.store.GetState(ctx, h.Staged, 0, -1)
	if errors.Is(err, ErrNotFound) {
		s.Alarm("unreadable", h.Staged)
		return Sealed{}, fmt.Errorf("publish batch %d: its staging object %s is gone; run repair: %w", h.Batch, h.Staged, err)
	} else if err != nil {
		return Sealed{}, fmt.Errorf("publish batch %d: %w", h.Batch, err)
	}
	g, err := parseStaged(raw)
	if err != nil {
		return Sealed{}, fmt.Errorf("publish batch %d: %w", h.Batch, err)
	}
	return s.publish(ctx, h, g)
}

// publish makes a committed batch public. Every step is write-once or moves
// forward only, so that it can be run again from its start by anyone, also by
// two at once and by one that wakes late.
func (s *Service) publish(ctx context.Context, h head, g *staged) (Sealed, error) {
	fail := func(what string, err error) (Sealed, error) {
		return Sealed{}, fmt.Errorf("publish batch %d: %s: %w", h.Batch, what, err)
	}
	// a. What was staged must be what was committed. A crash leaves nothing.
	edge, err := g.rebuild(h)
	if err != nil {
		s.Alarm("unreadable", h.Staged)
		return fail("staged", err)
	}
	// b. The second, locked memory of the commit, before anything is signed. A crash
	// after it leaves a head without tiles; the next run goes on.
	if err := s.put(ctx, checkpoint.HeadName(h.Batch), h.object()); err != nil {
		return fail("head", err)
	}
	// c. Bundles and tiles. A crash leaves some of them; they are the only ones that
	// this batch can have.
	if err := s.putAll(ctx, edge.Objects()); err != nil {
		return fail("tiles", err)
	}
	// d. Sign, once: a signature that is stored is used by everyone after.
	signed, err := s.sign(ctx, h)
	if err != nil {
		return fail("sign", err)
	}
	// e. Final, if the publication policy is met, and recorded with the batch. A crash
	// after the Put leaves a final checkpoint that no receipt uses until the record.
	final, err := s.finalize(ctx, h, signed)
	if err != nil {
		return fail("final checkpoint", err)
	}
	// f. Rows and map nodes: private, derived, add-only. A crash leaves some of them.
	// A small pack is a row, so that a batch writes one object less.
	if len(g.Pack) > maxRowPack {
		if err := s.store.PutState(ctx, mapName(h.Batch), g.Pack); err != nil {
			return fail("map nodes", err)
		}
	}
	if err := s.store.AddRows(ctx, g.rows()); err != nil {
		return fail("rows", err)
	}
	// g. `checkpoint`, never backwards; head published; the inbox last: until then its
	// statements would be found sealed and dropped by the next batch.
	if final != nil {
		if err := s.advance(ctx, h.Size, final); err != nil {
			return fail("checkpoint", err)
		}
	}
	if err := s.markPublished(ctx, h); err != nil {
		return fail("mark published", err)
	}
	s.published.Store(max(s.published.Load(), h.Batch))
	for _, item := range g.Items {
		if item.Trial != (statement.StreamID{}) {
			// From here on this process accepts by the new keys.
			if _, err := s.authority(ctx, item.Trial, h.Size); err != nil && !errors.Is(err, ErrNotFound) {
				return fail("keys", err)
			}
		}
	}
	refs := g.refs()
	s.notes.drop(refs)
	if err := s.store.Clear(ctx, refs); err != nil {
		return fail("clear inbox", err)
	}
	s.edge = edge
	s.nodes.keep(h.Batch, g.Pack)
	sealed := Sealed{Batch: h.Batch, Size: h.Size, Root: h.Root, Time: h.Time, Entries: len(g.Items), Refused: len(g.Refused)}
	s.Announce(sealed)
	return sealed, nil
}

// put writes a public object; other bytes under its name mean a fork.
func (s *Service) put(ctx context.Context, name string, data []byte) error {
	err := s.store.Put(ctx, name, data)
	if errors.Is(err, ErrDiffers) {
		s.Alarm("forked", name)
		return fmt.Errorf("%w: %s holds other bytes; nothing was signed", ErrForked, name)
	}
	return err
}

func (s *Service) putAll(ctx context.Context, objects []tile.Object) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for _, o := range objects {
		g.Go(func() error { return s.put(ctx, o.Name, o.Data) })
	}
	return g.Wait()
}

// sign returns the log-signed checkpoint of h: the stored one, or a new one that
// it stores. ML-DSA signatures differ from run to run, so only stored bytes count.
func (s *Service) sign(ctx context.Context, h head) ([]byte, error) {
	name := checkpoint.SignedName(h.Batch)
	want := checkpoint.Checkpoint{Origin: s.Origin, Size: h.Size, Root: h.Root}
	b, err := s.store.Get(ctx, name)
	if errors.Is(err, ErrNotFound) {
		if b, err = checkpoint.Sign(want, s.Signers); err != nil {
			return nil, err
		}
		if err = s.store.Put(ctx, name, b); errors.Is(err, ErrDiffers) {
			b, err = s.store.Get(ctx, name) // another sealer was faster; both sign the same text
		}
	}
	if err != nil {
		return nil, err
	}
	signed, err := checkpoint.Parse(b)
	if err != nil || signed.Checkpoint != want {
		s.Alarm("forked", name)
		return nil, fmt.Errorf("%w: %s is not the checkpoint of the committed batch", ErrForked, name)
	}
	return b, nil
}

// finalize makes the signed checkpoint final if, with the cosignatures that the
// witnesses give in time, the policy is met; and records with every batch that it
// covers, and that none covered before, that it does. It returns nil when the
// policy is not met, or a larger checkpoint is final.
func (s *Service) finalize(ctx context.Context, h head, signed []byte) ([]byte, error) {
	if err := s.store.AddRows(ctx, []Row{batchRow{Number: h.Batch, Size: h.Size, Root: h.Root, Time: h.Time, Map: h.Map}.row()}); err != nil {
		return nil, err
	}
	name := checkpoint.FinalName(h.Size)
	if len(s.Witnesses) > 0 {
		// What was final before is used as it is: nobody is asked twice.
		final, err := s.store.Get(ctx, name)
		if err == nil {
			return final, s.recordFinal(ctx, h)
		} else if !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	cp, err := checkpoint.Parse(signed)
	if err != nil {
		return nil, err
	}
	cp = s.cosign(ctx, cp)
	if _, err := s.Policy.Verify(cp, nil); err != nil {
		return nil, nil // the next checkpoint that meets it covers this batch too
	}
	newest, err := s.newest(ctx)
	if err != nil {
		return nil, err
	}
	final := cp.Raw
	if newest > h.Size {
		// None becomes final once a larger one is; if this one did before, use it.
		if final, err = s.store.Get(ctx, name); errors.Is(err, ErrNotFound) {
			return nil, nil
		}
	} else if err = s.store.Put(ctx, name, final); errors.Is(err, ErrDiffers) {
		final, err = s.store.Get(ctx, name) // final before, with other cosignatures
	}
	if err != nil {
		return nil, err
	}
	return final, s.recordFinal(ctx, h)
}

// recordFinal records the final checkpoint of h with its batch and with those
// before it that have none yet.
func (s *Service) recordFinal(ctx context.Context, h head) error {
	for n := h.Batch; n > 0; n-- {
		v, err := s.store.GetRows(ctx, []Row{batchKey(n)})
		if err != nil {
			return err
		}
		if v[0] == nil {
			return fmt.Errorf("batch %d has no row: %w", n, ErrNotFound)
		}
		b, err := parseBatchRow(v[0])
		if err != nil {
			return err
		}
		if b.Final != 0 {
			return nil // and so have all before it
		}
		b.Final = h.Size
		if err := s.store.SwapRow(ctx, v[0], b.row()); errors.Is(err, ErrConflict) {
			n++ // someone else recorded it; look again
		} else if err != nil {
			return err
		}
	}
	return nil
}

// newest returns the size of the newest final checkpoint, 0 if there is none.
func (s *Service) newest(ctx context.Context) (uint64, error) {
	b, err := s.store.Checkpoint(ctx)
	if err != nil || b == nil {
		return 0, err
	}
	cp, err := checkpoint.Parse(b)
	return cp.Size, err
}

// advance moves the public `checkpoint` forward to a final one.
func (s *Service) advance(ctx context.Context, size uint64, final []byte) error {
	for {
		now, err := s.store.Checkpoint(ctx)
		if err != nil {
			return err
		}
		if now != nil {
			cp, err := checkpoint.Parse(now)
			if err != nil {
				return err
			}
			if cp.Size >= size {
				return nil
			}
		}
		if err := s.store.SwapCheckpoint(ctx, now, final); !errors.Is(err, ErrConflict) {
			return err
		}
	}
}

// markPublished records in the head that its batch is published.
func (s *Service) markPublished(ctx context.Context, h head) error {
	done := h
	done.Published = h.Batch
	err := s.store.SwapHead(ctx, h.bytes(), done.bytes())
	if err == nil {
		return nil
	}
	raw, readErr := s.store.Head(ctx)
	if readErr != nil {
		return err
	}
	if bytes.Equal(raw, done.bytes()) {
		return nil // it took effect, or another run of publish did it
	}
	if now, parseErr := parseHead(raw); parseErr == nil && now.Batch > h.Batch {
		return nil // a later batch is committed, which needs this one published
	}
	return err
}

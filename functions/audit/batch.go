package main

import (
	"bytes"
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/tile"
)

// walk goes through the log, batch by batch.
type walk struct {
	*auditor
	progress progress
	edge     *tile.Edge
}

// at begins a walk after what was verified.
func (a *auditor) at(ctx context.Context, p progress) (*walk, error) {
	edge, err := tile.NewEdge(p.Size, func(name string) ([]byte, error) { return a.get(ctx, name) })
	if err != nil {
		return nil, err
	}
	if p.Size > 0 && edge.Root() != p.Root {
		return nil, found(tile.HashPath(0, p.Size/256, int(p.Size%256)), "the tiles give another root than at the last audit")
	}
	return &walk{auditor: a, progress: p, edge: edge}, nil
}

// batch verifies the next batch: its leaves, from the bundles, give the head, the
// tiles, the map root and the signed checkpoints that are published, and all of
// these are locked. That no statement is twice in a stream it sees within a batch;
// across batches that needs the ids of all, and is for whoever audits a whole copy.
func (w *walk) batch(ctx context.Context) error {
	p := w.progress
	name := checkpoint.HeadName(p.Batch + 1)
	raw, err := w.get(ctx, name)
	if err != nil {
		return err
	}
	h, err := checkpoint.ParseHead(raw)
	if err != nil {
		return found(name, "%v", err)
	}
	if h.Batch != p.Batch+1 || h.Size <= p.Size {
		return found(name, "it is of batch %d, size %d, after size %d", h.Batch, h.Size, p.Size)
	}
	leaves, err := w.leaves(ctx, p.Size, h.Size)
	if err != nil {
		return err
	}
	b, err := entry.ParseBatch(leaves[len(leaves)-1])
	if err != nil {
		return found(name, "its last leaf: %v", err)
	}
	if b.Number != h.Batch || b.First != p.Size || b.Index != h.Size-1 || b.Time.Before(p.Time) {
		return found(name, "its batch leaf is not one of its place and time")
	}
	m, pack, err := w.streams(ctx, leaves[:len(leaves)-1], b)
	if err != nil {
		return err
	}
	for _, leaf := range leaves {
		w.edge.Append(leaf)
	}
	if w.edge.Root() != h.Root {
		return found(name, "its root is not that of its entries")
	}
	if err := w.objects(ctx, h); err != nil {
		return err
	}
	if len(pack) > 0 {
		if err := w.state.PutState(ctx, packName(h.Batch), pack); err != nil {
			return err
		}
		w.packs.keep(h.Batch, pack)
	}
	w.progress = progress{h.Batch, h.Size, h.Root, b.Time, m}
	return nil
}

// leaves reads the leaves from one size to another.
func (w *walk) leaves(ctx context.Context, from, size uint64) ([][]byte, error) {
	var all [][]byte
	for index := from; index < size; {
		first := index - index%256
		width := min(size-first, 256)
		name := tile.BundlePath(first/256, int(width))
		raw, err := w.get(ctx, name)
		if err != nil {
			return nil, err
		}
		bundle, err := tile.ParseBundle(raw)
		if err != nil || uint64(len(bundle)) != width {
			return nil, found(name, "%d entries, not %d: %v", len(bundle), width, err)
		}
		all = append(all, bundle[index-first:]...)
		index = first + width
	}
	return all, nil
}

// streams verifies the entries of a batch and returns the map after it.
func (w *walk) streams(ctx context.Context, leaves [][]byte, b entry.Batch) (streammap.Root, []byte, error) {
	fail := func(err error) (streammap.Root, []byte, error) { return streammap.Root{}, nil, err }
	entries := make([]entry.Entry, len(leaves))
	ids := make([]statement.StreamID, len(leaves))
	for i, leaf := range leaves {
		e, err := entry.Parse(leaf)
		if err != nil || e.Index != b.First+uint64(i) || e.Batch != b.Number || !e.Time.Equal(b.Time) {
			return fail(found(checkpoint.HeadName(b.Number), "entry %d is not one of its place and time: %v", b.First+uint64(i), err))
		}
		entries[i], ids[i] = e, e.Stream
	}
	old := streammap.Remember(nodes{w.auditor, ctx})
	values, err := streammap.LookupAll(old, w.progress.Map, ids)
	if err != nil {
		return fail(err)
	}
	now := map[statement.StreamID]streammap.Value{}
	seen := make(map[notary.Ref]bool, len(entries))
	for i, e := range entries {
		ref := notary.Ref{Stream: e.Stream, Statement: e.Statement}
		if seen[ref] {
			return fail(found(checkpoint.HeadName(b.Number), "entry %d is a statement that its stream has already", e.Index))
		}
		seen[ref] = true
		v, changed := now[e.Stream]
		if !changed {
			v = values[i]
		}
		if e.Seq != v.Count+1 {
			return fail(found(checkpoint.HeadName(b.Number), "entry %d has seq %d after %d", e.Index, e.Seq, v.Count))
		}
		now[e.Stream] = streammap.Value{Count: e.Seq, Head: streammap.Fold(v.Head, tile.LeafHash(leaves[i]))}
	}
	changes := make([]streammap.Change, 0, len(now))
	for id, v := range now {
		changes = append(changes, streammap.Change{Stream: id, Value: v})
	}
	m, pack, err := streammap.Update(old, w.progress.Map, b.Number, changes)
	if err != nil {
		return fail(err)
	}
	if m.Hash != b.MapRoot || m.Streams != b.Streams {
		return fail(found(checkpoint.HeadName(b.Number), "its stream map is not that of the entries so far"))
	}
	return m, pack, nil
}

// objects checks everything else that the batch published, and that all of it is
// locked.
func (w *walk) objects(ctx context.Context, h checkpoint.Head) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	check := func(name string, same func([]byte) error) {
		g.Go(func() error {
			raw, err := w.get(ctx, name)
			if err == nil {
				err = same(raw)
			}
			if err == nil {
				err = w.locks.CheckLock(ctx, name, w.app.Env.Retention)
			}
			return err
		})
	}
	check(checkpoint.HeadName(h.Batch), func([]byte) error { return nil })
	for _, o := range w.edge.Objects() {
		check(o.Name, func(b []byte) error {
			if !bytes.Equal(b, o.Data) {
				return found(o.Name, "it is not that of the entries")
			}
			return nil
		})
	}
	signed := func(name string, policy *checkpoint.Policy) func([]byte) error {
		return func(b []byte) error {
			cp, err := checkpoint.Parse(b)
			if err == nil {
				_, err = policy.Verify(cp, nil)
			}
			if policy == w.policy && errors.Is(err, checkpoint.ErrQuorum) {
				// It was final under the witnesses of its day. Under those of today the
				// newest one must be, which was seen to before.
				_, err = w.own.Verify(cp, nil)
			}
			if err != nil {
				return found(name, "%v", err)
			}
			if cp.Size != h.Size || cp.Root != h.Root {
				return found(name, "it is not the checkpoint of its head")
			}
			return nil
		}
	}
	check(checkpoint.SignedName(h.Batch), signed(checkpoint.SignedName(h.Batch), w.own)) // no witness saw it yet
	final := checkpoint.FinalName(h.Size)
	if _, err := w.state.Get(ctx, final); err == nil {
		check(final, signed(final, w.policy))
	} else if !errors.Is(err, notary.ErrNotFound) {
		return errors.Join(err, g.Wait())
	}
	return g.Wait()
}

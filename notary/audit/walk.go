package audit

import (
	"context"
	"errors"
	"sync"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/tile"
)

// Position is how far a log was verified: to the end of a batch.
type Position struct {
	Batch, Size uint64
	Root        tile.Hash
	Time        time.Time // of the batch
	Streams     uint64
	MapRoot     [32]byte
}

// window is how many pieces are read before they are needed.
const window = 32

// A walk rests, and tells how far it is, after so many batches or so long.
const (
	restAfter = 100
	restEvery = 2 * time.Second
)

// walk is one call of Walk.
type walk struct {
	*Auditor
	at     Position // what was entered
	rested Position // what was verified whole
	edge   *tile.Edge
	checks *checks
	time   time.Time // of the batch under way, if it has entries so far
	twice  twice     // of it, without Seen
	raws   map[string][]byte
}

// Walk verifies the batches after from until the log has size, which is that of a
// final checkpoint, and tells reached of each position before which all is verified.
// It returns the last of them. The error is [Findings] if something is wrong with the
// log: then the position is before that; or whatever else kept it from going on.
func (a *Auditor) Walk(ctx context.Context, from Position, size uint64, reached func(Position) error) (Position, error) {
	w := &walk{Auditor: a, at: from, rested: from, twice: twice{}, raws: map[string][]byte{}}
	var err error
	if w.edge, err = a.edgeAt(ctx, from); err != nil {
		return from, err
	}
	reading, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer cancel()
	parallel := a.Parallel
	if parallel <= 0 {
		parallel = 8
	}
	w.checks = newChecks(parallel)
	order, work := make(chan *piece, window), make(chan *piece, window)
	p := planner{a: a, size: size, order: order, work: work, heads: map[uint64]*headRead{}}
	wait.Go(func() { p.plan(reading, from) })
	for range parallel {
		wait.Go(func() {
			for p := range work {
				p.read(reading, a)
			}
		})
	}
	err = w.pieces(ctx, order, reached)
	if err == nil {
		err = ctx.Err()
	}
	cancel()
	for range order {
		// The planner may be waiting to hand one over.
	}
	if all := w.checks.wait(); all != nil {
		err = errors.Join(all, err)
	} else if err == nil {
		err = w.rest(reached)
	}
	return w.rested, err
}

// edgeAt returns the edge of the log where a walk begins.
func (a *Auditor) edgeAt(ctx context.Context, from Position) (*tile.Edge, error) {
	edge, err := tile.NewEdge(from.Size, func(name string) (b []byte, err error) {
		err = a.read(ctx, name, func(raw []byte) error { b = raw; return nil })
		return b, err
	})
	if errors.Is(err, tile.ErrFormat) {
		return nil, Findings{found("tile/", "%v", err)}
	}
	if f, ok := errors.AsType[*Finding](err); ok {
		return nil, Findings{found(f.Object, "%s, and it was there at the last audit: the log's past was rewritten, or a part of it is lost", f.Reason)}
	}
	if err == nil && from.Size > 0 && edge.Root() != from.Root {
		err = Findings{found(checkpoint.HeadName(from.Batch), "the tiles of size %d give another root than at the last audit: the log's past was rewritten", from.Size)}
	}
	return edge, err
}

// pieces enters piece after piece.
func (w *walk) pieces(ctx context.Context, order <-chan *piece, reached func(Position) error) error {
	last := time.Now()
	for batches := 0; ; {
		var p *piece
		select {
		case next, more := <-order:
			if !more {
				return nil
			}
			p = next
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-p.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if p.err == nil && p.from == w.at.Size && w.Stop != nil && w.Stop() {
			return nil
		}
		if err := w.enter(ctx, p); err != nil {
			var f *Finding
			if errors.As(err, &f) {
				w.checks.found(p.head.Batch, f)
				return nil
			}
			return err
		}
		if !p.last() {
			continue
		}
		if w.checks.failed() {
			return nil
		}
		if batches++; batches%restAfter == 0 || time.Since(last) > restEvery {
			if err := w.checks.wait(); err != nil {
				return nil // it is said again at the end
			}
			if err := w.rest(reached); err != nil {
				return err
			}
			last = time.Now()
		}
	}
}

// rest tells how far all is verified.
func (w *walk) rest(reached func(Position) error) error {
	if w.at == w.rested {
		return nil
	}
	w.rested = w.at
	return reached(w.rested)
}

// enter verifies a piece against what is before it.
func (w *walk) enter(ctx context.Context, p *piece) error {
	if p.err != nil {
		return p.err
	}
	if len(p.placed) > 0 {
		if w.time.IsZero() {
			w.time = p.time
		}
		if !p.time.Equal(w.time) {
			return found(p.name(), "entry %d has another time than the entries of batch %d before it", p.from, p.head.Batch)
		}
		wrong, count, err := w.Map.Fold(ctx, p.head.Batch, p.placed)
		if err != nil {
			return err
		}
		if wrong >= 0 {
			e := &p.placed[wrong]
			return found(p.name(), "entry %d has seq %d after %d", e.Index, e.Seq, count)
		}
		for i := range p.placed {
			e := &p.placed[i].Entry
			if w.Seen != nil {
				w.Seen.add(e)
			} else if w.twice.add(e) {
				return found(p.name(), "entry %d is a statement that its stream has already", e.Index)
			}
		}
	}
	if w.Seen != nil {
		if err := w.Seen.filled(p.first + uint64(p.width)); err != nil {
			return err
		}
	}
	if p.whole {
		w.edge.AppendTile(p.raw, p.hashes, p.root)
	} else {
		for i, leaf := range p.leaves {
			w.edge.AppendHashed(leaf, tile.Hash(p.hashes[i*tile.HashSize:]))
		}
		w.raws[p.name()] = p.raw
	}
	if p.last() {
		return w.end(ctx, p)
	}
	for _, o := range w.edge.Full() {
		w.object(ctx, p.head.Batch, o, true)
	}
	return nil
}

// end verifies what ends a batch: its leaf, and all that it published.
func (w *walk) end(ctx context.Context, p *piece) error {
	h, b := p.head, p.batch
	switch {
	case b.Number != h.Batch:
		return found(p.name(), "entry %d is the leaf of batch %d and stands where batch %d ends", h.Size-1, b.Number, h.Batch)
	case b.Index != h.Size-1:
		return found(p.name(), "the leaf of batch %d says index %d and has index %d", h.Batch, b.Index, h.Size-1)
	case b.First != w.at.Size:
		return found(p.name(), "the leaf of batch %d says that the batch begins at entry %d; it begins at %d", h.Batch, b.First, w.at.Size)
	case !w.time.IsZero() && !b.Time.Equal(w.time):
		return found(p.name(), "the leaf of batch %d has another time than its entries", h.Batch)
	case b.Time.Before(w.at.Time):
		return found(p.name(), "the leaf of batch %d has a time before that of batch %d", h.Batch, w.at.Batch)
	}
	root, streams, err := w.Map.Root(ctx, h.Batch)
	if err != nil {
		return err
	}
	if root != b.MapRoot || streams != b.Streams {
		return found(p.name(), "the leaf of batch %d has a stream map that is not that of the entries so far", h.Batch)
	}
	at := Position{h.Batch, h.Size, w.edge.Root(), b.Time, streams, root}
	same := at.Root == h.Root
	for _, o := range w.edge.Objects() {
		w.object(ctx, h.Batch, o, same)
	}
	if !same {
		// All that follows is built on entries that are not those of the head.
		w.signedObjects(ctx, at)
		return found(checkpoint.HeadName(h.Batch), "its root is not that of its entries")
	}
	w.checks.run(h.Batch, func() error { return w.check(ctx, checkpoint.HeadName(h.Batch)) })
	w.signedObjects(ctx, at)
	if w.ends != nil {
		w.ends = append(w.ends, at.Size)
	}
	w.at, w.time = at, time.Time{}
	clear(w.twice)
	clear(w.raws)
	return nil
}

func (w *walk) check(ctx context.Context, name string) error {
	if w.Check == nil {
		return nil
	}
	return w.Check(ctx, name)
}

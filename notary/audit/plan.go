package audit

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/tile"
)

// ahead is how many heads are read before they are needed.
const ahead = 8

// planner reads the heads, one after the other, and cuts their batches into pieces.
type planner struct {
	a     *Auditor
	size  uint64        // of the newest final checkpoint
	order chan<- *piece // in the order of the log
	work  chan<- *piece // to be read by whoever is free
	heads map[uint64]*headRead
	wait  sync.WaitGroup
}

type headRead struct {
	done chan struct{}
	raw  []byte
	err  error
}

// plan plans until size or until ctx ends, and closes its channels. It goes past size
// only for what is signed, if the auditor looks ahead.
func (p *planner) plan(ctx context.Context, from Position) {
	defer close(p.order)
	defer close(p.work)
	defer p.wait.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // heads that nobody waits for any more
	for at := from; at.Size < p.size || p.signed(ctx, at.Batch+1); {
		if p.a.Stop != nil && p.a.Stop() {
			return
		}
		h, err := p.head(ctx, at)
		if err != nil {
			failed := &piece{head: checkpoint.Head{Batch: at.Batch + 1}, err: err, done: make(chan struct{})}
			close(failed.done)
			p.send(ctx, failed, false)
			return
		}
		for first := at.Size - at.Size%tile.Width; first < h.Size; first += tile.Width {
			next := &piece{head: h, from: max(first, at.Size), first: first, width: int(min(h.Size-first, tile.Width)), done: make(chan struct{})}
			if !p.send(ctx, next, true) {
				return
			}
		}
		at.Batch, at.Size = h.Batch, h.Size
	}
}

func (p *planner) send(ctx context.Context, one *piece, read bool) bool {
	select {
	case p.order <- one:
	case <-ctx.Done():
		return false
	}
	if !read {
		return true
	}
	select {
	case p.work <- one:
		return true
	case <-ctx.Done():
		return false
	}
}

// signed reports whether the log signed a batch that is not final yet. All else that
// it publishes was there before.
func (p *planner) signed(ctx context.Context, batch uint64) bool {
	if !p.a.Ahead {
		return false
	}
	_, err := p.a.Log.Read(ctx, checkpoint.SignedName(batch))
	return err == nil
}

// head returns the head after at; the ones after it are being read meanwhile.
func (p *planner) head(ctx context.Context, at Position) (checkpoint.Head, error) {
	batch := at.Batch + 1
	if at.Size < p.size {
		for n := batch; n < batch+ahead; n++ {
			if p.heads[n] == nil {
				r := &headRead{done: make(chan struct{})}
				p.heads[n] = r
				p.wait.Go(func() {
					defer close(r.done)
					r.raw, r.err = p.a.Log.Read(ctx, checkpoint.HeadName(n))
				})
			}
		}
	}
	name := checkpoint.HeadName(batch)
	var h checkpoint.Head
	check := func(raw []byte) (err error) {
		if h, err = checkpoint.ParseHead(raw); err != nil {
			return found(name, "%v", err)
		}
		if h.Batch != batch || h.Size <= at.Size {
			return found(name, "it is of batch %d, size %d, after batch %d, size %d", h.Batch, h.Size, at.Batch, at.Size)
		}
		if at.Size < p.size && p.size < h.Size {
			return found("checkpoint", "it is of size %d, where no batch ends: batch %d ends at size %d", p.size, batch, h.Size)
		}
		return nil
	}
	if r := p.heads[batch]; r != nil {
		delete(p.heads, batch)
		<-r.done
		if r.err == nil && check(r.raw) == nil {
			return h, nil
		}
		if r.err != nil && !errors.Is(r.err, fs.ErrNotExist) {
			return h, r.err
		}
	}
	return h, p.a.read(ctx, name, check)
}

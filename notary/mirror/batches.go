package mirror

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"math"
	"sync"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/tile"
)

// maxBatch bounds the leaves of one batch, which are held in memory: well above what
// any notary seals together.
const maxBatch = 1 << 18

// sealed is what the log publishes of a batch beside its leaves, unverified.
type sealed struct {
	head, signed, final []byte // final is nil where there is none
	size                uint64
}

// batches copies the batches from the first that is not here to the one that the
// newest checkpoint covers last.
func (u *update) batches(ctx context.Context) error {
	if u.head.Size == u.shown.Size {
		return nil
	}
	edge, err := tile.NewEdge(u.head.Size, func(name string) ([]byte, error) { return u.dir.Object(ctx, name) })
	if err == nil && u.head.Size > 0 && edge.Root() != u.head.Root {
		err = errors.New("its tiles give another root than its newest head")
	}
	if err != nil {
		return damaged(u.Dir, err)
	}
	next, stop := u.leaves(ctx, u.head.Size)
	defer stop()
	for b, err := range inOrder(ctx, u.Parallel, u.head.Batch+1, math.MaxUint64, u.published) {
		if err != nil {
			return err
		}
		if b.head == nil || b.size > u.shown.Size {
			break // sealed since
		}
		if err := u.batch(b, edge, next); err != nil {
			return err
		}
		if u.writer.full() {
			if err := u.flush(); err != nil {
				return err
			}
		}
		if u.head.Size == u.shown.Size {
			break
		}
	}
	return u.flush()
}

func (u *update) flush() error {
	n, err := u.writer.flush()
	u.result.Objects += n
	if err == nil && u.Show != nil {
		u.Show(u.head.Size, u.shown.Size)
	}
	return err
}

// published gets what the log has of a batch; nothing where it has no such batch.
func (u *update) published(ctx context.Context, number uint64) (sealed, error) {
	var b sealed
	var err error
	if b.head, err = u.Source.Object(ctx, checkpoint.HeadName(number)); errors.Is(err, notary.ErrNotFound) {
		return sealed{}, nil
	} else if err != nil {
		return b, err
	}
	h, err := checkpoint.ParseHead(b.head)
	if err != nil {
		return b, refuse(checkpoint.HeadName(number), "%v", err)
	}
	if h.Batch != number {
		return b, refuse(checkpoint.HeadName(number), "it is of batch %d", h.Batch)
	}
	if b.size = h.Size; h.Size > u.shown.Size {
		return b, nil
	}
	if b.signed, err = u.Source.Object(ctx, checkpoint.SignedName(number)); errors.Is(err, notary.ErrNotFound) {
		return b, refuse(checkpoint.SignedName(number), "the log does not have it, and a larger checkpoint is final")
	} else if err != nil {
		return b, err
	}
	if b.final, err = u.Source.Object(ctx, checkpoint.FinalName(h.Size)); errors.Is(err, notary.ErrNotFound) {
		b.final, err = nil, nil
	}
	return b, err
}

// batch verifies a batch and gives all of it to the writer.
func (u *update) batch(b sealed, edge *tile.Edge, next func() ([]byte, error, bool)) error {
	h, err := checkpoint.ParseHead(b.head)
	if err != nil {
		return err
	}
	name := checkpoint.HeadName(h.Batch)
	if h.Size <= u.head.Size || h.Size-u.head.Size > maxBatch {
		return refuse(name, "it ends at size %d, after one that ends at %d", h.Size, u.head.Size)
	}
	for edge.Size() < h.Size {
		leaf, err, ok := next()
		if err != nil {
			return err
		}
		if !ok {
			return refuse(name, "the log has no leaf %d", edge.Size())
		}
		edge.Append(leaf)
	}
	if edge.Root() != h.Root {
		return refuse(name, "its root is not that of the first %d leaves", h.Size)
	}
	if err := u.signature(checkpoint.SignedName(h.Batch), b.signed, h, false); err != nil {
		return err
	}
	for _, o := range edge.Objects() {
		u.writer.add(o.Name, o.Data)
	}
	u.writer.add(checkpoint.SignedName(h.Batch), b.signed)
	if b.final != nil {
		if err := u.signature(checkpoint.FinalName(h.Size), b.final, h, true); err != nil {
			return err
		}
		u.writer.add(checkpoint.FinalName(h.Size), b.final)
	}
	u.writer.addHead(name, b.head)
	u.head = h
	u.result.Batches = h.Batch
	return nil
}

// signature verifies a checkpoint of a head, which has both signatures of the log. What was final under an earlier policy
// of the log may lack signatures that the trust file asks for now: that is counted,
// and is for whoever relies on it to judge.
func (u *update) signature(name string, raw []byte, h checkpoint.Head, final bool) error {
	s, err := checkpoint.Parse(raw)
	if err != nil {
		return refuse(name, "%v", err)
	}
	if s.Origin != u.shown.Origin || s.Size != h.Size || s.Root != h.Root {
		return refuse(name, "it is not the checkpoint of its batch")
	}
	if _, err := u.own.Verify(s, nil); err != nil {
		return refuse(name, "%v", err)
	}
	if !final {
		return nil
	}
	_, err = u.Trust.Policy.Verify(s, nil)
	if errors.Is(err, checkpoint.ErrQuorum) {
		u.result.Unquorum++
		return nil
	}
	if err != nil {
		return refuse(name, "%v", err)
	}
	return nil
}

// leaves returns the verified leaves from a size on, one by one.
func (u *update) leaves(ctx context.Context, from uint64) (next func() ([]byte, error, bool), stop func()) {
	end := (u.shown.Size + tile.Width - 1) / tile.Width
	return iter.Pull2(func(yield func([]byte, error) bool) {
		skip := from % tile.Width
		for bundle, err := range inOrder(ctx, u.Parallel, from/tile.Width, end, u.tree.bundle) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, leaf := range bundle[skip:] {
				if !yield(bytes.Clone(leaf), nil) {
					return
				}
			}
			skip = 0
		}
	})
}

// inOrder calls fetch for from, from+1 … to-1, up to n at once, and yields the results
// in order. It ends with the first error, and leaves nothing running.
func inOrder[T any](ctx context.Context, n int, from, to uint64, fetch func(context.Context, uint64) (T, error)) iter.Seq2[T, error] {
	type result struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		var queue []chan result
		begin := func() {
			if from < to {
				c, i := make(chan result, 1), from
				queue, from = append(queue, c), from+1
				running.Go(func() {
					v, err := fetch(ctx, i)
					c <- result{v, err}
				})
			}
		}
		for range n {
			begin()
		}
		for len(queue) > 0 {
			r := <-queue[0]
			queue = queue[1:]
			begin()
			if !yield(r.value, r.err) || r.err != nil {
				return
			}
		}
	}
}

package storetest

import (
	"bytes"
	"errors"
	"fmt"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/tile"
)

// Log is what VerifyLog found.
type Log struct {
	Batches uint64
	Size    uint64
	Entries []entry.Entry     // all but the batch leaves, by index
	Roots   map[uint64]string // by size
}

// VerifyLog re-verifies a whole public log from its bytes alone: every head,
// signed and final checkpoint, bundle and tile at every batch's size, every
// entry's index, batch, time and seq, no statement twice in a stream, and every
// batch's stream map, recomputed. get returns a public object by name, or
// notary.ErrNotFound. The log must be at rest: its newest batch published.
func VerifyLog(get func(name string) ([]byte, error), policy *checkpoint.Policy) (Log, error) {
	v := &logVerifier{get: get, policy: policy, log: Log{Roots: map[uint64]string{}},
		edge: new(tile.Edge), streams: map[statement.StreamID]streammap.Value{}, seen: map[notary.Ref]bool{}}
	for n := uint64(1); ; n++ {
		raw, err := get(checkpoint.HeadName(n))
		if errors.Is(err, notary.ErrNotFound) {
			break
		} else if err != nil {
			return Log{}, err
		}
		if err := v.batch(n, raw); err != nil {
			return Log{}, fmt.Errorf("batch %d: %w", n, err)
		}
	}
	newest, err := get("checkpoint")
	switch {
	case errors.Is(err, notary.ErrNotFound) && v.final == nil:
	case err != nil:
		return Log{}, fmt.Errorf("checkpoint: %w", err)
	case !bytes.Equal(newest, v.final):
		return Log{}, errors.New("checkpoint is not the newest final one")
	}
	return v.log, nil
}

type logVerifier struct {
	get     func(string) ([]byte, error)
	policy  *checkpoint.Policy
	log     Log
	edge    *tile.Edge
	streams map[statement.StreamID]streammap.Value
	seen    map[notary.Ref]bool
	last    entry.Batch
	final   []byte
}

func (v *logVerifier) batch(n uint64, raw []byte) error {
	head, err := checkpoint.ParseHead(raw)
	if err != nil {
		return err
	}
	if head.Batch != n || head.Size <= v.log.Size {
		return fmt.Errorf("head is of batch %d, size %d after size %d", head.Batch, head.Size, v.log.Size)
	}
	leaves, err := v.leaves(head.Size)
	if err != nil {
		return err
	}
	b, err := entry.ParseBatch(leaves[len(leaves)-1])
	if err != nil {
		return err
	}
	if b.Number != n || b.First != v.log.Size || b.Index != head.Size-1 || b.Time.Before(v.last.Time) {
		return fmt.Errorf("batch leaf %+v does not fit its place", b)
	}
	for i, leaf := range leaves {
		v.edge.Append(leaf)
		if i == len(leaves)-1 {
			break
		}
		if err := v.entry(leaf, v.log.Size+uint64(i), b); err != nil {
			return fmt.Errorf("index %d: %w", v.log.Size+uint64(i), err)
		}
	}
	if b.Streams != uint64(len(v.streams)) || b.MapRoot != streammap.RootOf(v.streams) {
		return errors.New("the stream map is not that of the entries so far")
	}
	if v.edge.Size() != head.Size || v.edge.Root() != head.Root {
		return errors.New("the entries give another root than the head")
	}
	for _, o := range v.edge.Objects() {
		if data, err := v.get(o.Name); err != nil || !bytes.Equal(data, o.Data) {
			return fmt.Errorf("%s is missing or wrong: %v", o.Name, err)
		}
	}
	v.log.Batches, v.log.Size, v.last = n, head.Size, b
	v.log.Roots[head.Size] = fmt.Sprintf("%x", head.Root)
	return v.checkpoints(n, head)
}

// checkpoints checks the signed checkpoint of a batch and, if it has one, the
// final one.
func (v *logVerifier) checkpoints(n uint64, head checkpoint.Head) error {
	for _, name := range []string{checkpoint.SignedName(n), checkpoint.FinalName(head.Size)} {
		raw, err := v.get(name)
		if err != nil {
			if name == checkpoint.FinalName(head.Size) && errors.Is(err, notary.ErrNotFound) {
				continue
			}
			return fmt.Errorf("%s: %w", name, err)
		}
		cp, err := checkpoint.Parse(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if cp.Size != head.Size || cp.Root != head.Root || cp.Origin != v.policy.Origin() {
			return fmt.Errorf("%s is not the checkpoint of its head", name)
		}
		if name == checkpoint.FinalName(head.Size) {
			if _, err := v.policy.Verify(cp, nil); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			v.final = raw
		}
	}
	return nil
}

func (v *logVerifier) entry(leaf []byte, index uint64, b entry.Batch) error {
	e, err := entry.Parse(leaf)
	if err != nil {
		return err
	}
	value := v.streams[e.Stream]
	ref := notary.Ref{Stream: e.Stream, Statement: e.Statement}
	switch {
	case e.Index != index || e.Batch != b.Number || !e.Time.Equal(b.Time):
		return fmt.Errorf("entry says index %d, batch %d, %v", e.Index, e.Batch, e.Time)
	case e.Seq != value.Count+1:
		return fmt.Errorf("entry has seq %d after %d", e.Seq, value.Count)
	case v.seen[ref]:
		return errors.New("the statement is in this stream already")
	}
	v.seen[ref] = true
	v.streams[e.Stream] = streammap.Value{Count: e.Seq, Head: streammap.Fold(value.Head, tile.LeafHash(leaf))}
	v.log.Entries = append(v.log.Entries, e)
	return nil
}

// leaves reads the leaves from the size so far to the new one.
func (v *logVerifier) leaves(size uint64) ([][]byte, error) {
	var all [][]byte
	for index := v.log.Size; index < size; {
		first := index - index%256
		width := min(size-first, 256)
		raw, err := v.get(tile.BundlePath(first/256, int(width)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", tile.BundlePath(first/256, int(width)), err)
		}
		bundle, err := tile.ParseBundle(raw)
		if err != nil || uint64(len(bundle)) != width {
			return nil, fmt.Errorf("%s has %d entries, want %d: %v", tile.BundlePath(first/256, int(width)), len(bundle), width, err)
		}
		all = append(all, bundle[index-first:]...)
		index = first + width
	}
	return all, nil
}

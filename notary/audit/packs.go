package audit

import (
	"context"
	"fmt"

	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
)

// PackStore keeps the nodes of a [Packs]: one object for each batch.
type PackStore interface {
	ReadPack(ctx context.Context, batch uint64, offset, length int64) ([]byte, error)
	WritePack(ctx context.Context, batch uint64, pack []byte) error
}

// Packs is a [Map] whose nodes are in a store, checked by their hashes when they are
// read: it needs memory for one batch at a time, whatever the number of streams.
type Packs struct {
	At    streammap.Root // after the last batch that ended
	Store PackStore

	batch  uint64
	old    *streammap.Memory
	values map[statement.StreamID]streammap.Value // of this batch
}

// Fold implements [Map].
func (p *Packs) Fold(ctx context.Context, batch uint64, entries []Placed) (int, uint64, error) {
	if p.old == nil || p.batch != batch {
		p.batch, p.old, p.values = batch, streammap.Remember(packNodes{p.Store, ctx}), map[statement.StreamID]streammap.Value{}
	}
	var ids []statement.StreamID
	for i := range entries {
		if id := entries[i].Stream; p.values[id].Count == 0 {
			ids = append(ids, id)
		}
	}
	values, err := streammap.LookupAll(p.old, p.At, ids)
	if err != nil {
		return -1, 0, err
	}
	for i, id := range ids {
		p.values[id] = values[i]
	}
	for i := range entries {
		e := &entries[i]
		v := p.values[e.Stream]
		if e.Seq != v.Count+1 {
			return i, v.Count, nil
		}
		p.values[e.Stream] = streammap.Value{Count: e.Seq, Head: streammap.Fold(v.Head, e.Leaf)}
	}
	return -1, 0, nil
}

// Root implements [Map]. It stores the pack of the batch.
func (p *Packs) Root(ctx context.Context, batch uint64) ([32]byte, uint64, error) {
	if p.old == nil || p.batch != batch {
		return p.At.Hash, p.At.Streams, nil // an empty batch
	}
	changes := make([]streammap.Change, 0, len(p.values))
	for id, v := range p.values {
		changes = append(changes, streammap.Change{Stream: id, Value: v})
	}
	root, pack, err := streammap.Update(p.old, p.At, batch, changes)
	if err == nil && len(pack) > 0 {
		err = p.Store.WritePack(ctx, batch, pack)
	}
	if err != nil {
		return [32]byte{}, 0, err
	}
	p.At, p.old, p.values = root, nil, nil
	return root.Hash, root.Streams, nil
}

// packNodes reads packs for one call.
type packNodes struct {
	store PackStore
	ctx   context.Context
}

// Node implements [streammap.Nodes].
func (n packNodes) Node(batch uint64, offset, length int64) ([]byte, error) {
	b, err := n.store.ReadPack(n.ctx, batch, offset, length)
	if err != nil {
		return nil, fmt.Errorf("the auditor's own map: %w", err)
	}
	return b, nil
}

package notary

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"trialnotary/notary/streammap"
)

// A pack of map nodes is a row where it is small, and an object where it is not.
// Up to this size a row costs no more than an object, and most batches touch few
// streams.
const maxRowPack = 8 << 10 // bytes

// Bounds of how nodes are read from objects: those that lie near each other
// together, so that a batch of many streams makes few reads.
const (
	maxGap   = 64 << 10 // bytes read for nothing rather than read again
	maxSpan  = 1 << 20  // bytes of one read, unless one node has more
	mapReads = 16       // at a time
)

func packKey(batch uint64) Row { return Row{Partition: fmt.Sprintf("MP#%020d", batch), Sort: "-"} }

func packRow(batch uint64, pack []byte) Row {
	r := packKey(batch)
	r.Value = pack
	return r
}

// nodeCache keeps the stream map's packs written last: the top of the map is
// rewritten by every batch, so most paths begin in them.
type nodeCache struct {
	mu    sync.Mutex
	packs map[uint64][]byte
	size  int
	old   uint64 // no pack below is cached
}

const maxCachedPacks = 16 << 20 // bytes

// mapReader reads map nodes for one call. It is not safe for concurrent use.
type mapReader struct {
	s     *Service
	ctx   context.Context
	large map[uint64]bool // batches whose packs are no rows
}

func (s *Service) mapNodes(ctx context.Context) streammap.Nodes {
	return &mapReader{s, ctx, map[uint64]bool{}}
}

// Node implements streammap.Nodes.
func (r *mapReader) Node(batch uint64, offset, length int64) ([]byte, error) {
	b, err := r.NodeBatch([]streammap.Ref{{Batch: batch, Offset: uint32(offset), Length: uint32(length)}})
	if err != nil {
		return nil, err
	}
	return b[0], nil
}

// NodeBatch implements streammap.Reader: from memory, from the rows, and what is
// in neither from the objects.
func (r *mapReader) NodeBatch(refs []streammap.Ref) ([][]byte, error) {
	nodes := make([][]byte, len(refs))
	left := r.cached(refs, nodes)
	left, err := r.rows(refs, nodes, left)
	if err == nil {
		err = r.objects(refs, nodes, left)
	}
	if err != nil {
		return nil, err
	}
	return nodes, nil
}

// cut returns the node that ref names, nil if it is not in the pack.
func cut(pack []byte, ref streammap.Ref) []byte {
	if end := uint64(ref.Offset) + uint64(ref.Length); pack != nil && end <= uint64(len(pack)) {
		return pack[ref.Offset:end:end]
	}
	return nil
}

// cached fills in the nodes that memory holds and returns which are left.
func (r *mapReader) cached(refs []streammap.Ref, nodes [][]byte) (left []int) {
	c := &r.s.nodes
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, ref := range refs {
		if nodes[i] = cut(c.packs[ref.Batch], ref); nodes[i] == nil {
			left = append(left, i)
		}
	}
	return left
}

// rows fills in the nodes of packs that are rows and returns which are left.
func (r *mapReader) rows(refs []streammap.Ref, nodes [][]byte, some []int) (left []int, err error) {
	of := map[uint64][]int{}
	var batches []uint64
	for _, i := range some {
		switch ref := refs[i]; {
		case r.large[ref.Batch] || uint64(ref.Offset)+uint64(ref.Length) > maxRowPack:
			left = append(left, i)
		case of[ref.Batch] == nil:
			batches = append(batches, ref.Batch)
			fallthrough
		default:
			of[ref.Batch] = append(of[ref.Batch], i)
		}
	}
	for chunk := range slices.Chunk(batches, MaxCall) {
		keys := make([]Row, len(chunk))
		for i, batch := range chunk {
			keys[i] = packKey(batch)
		}
		packs, err := r.s.store.GetRows(r.ctx, keys)
		if err != nil {
			return nil, fmt.Errorf("stream map nodes: %w", err)
		}
		for i, batch := range chunk {
			if packs[i] == nil {
				r.large[batch] = true
				left = append(left, of[batch]...)
				continue
			}
			for _, n := range of[batch] {
				if nodes[n] = bytes.Clone(cut(packs[i], refs[n])); nodes[n] == nil {
					return nil, fmt.Errorf("%v is not in its row", refs[n])
				}
			}
		}
	}
	return left, nil
}

// objects fills in the nodes of packs that are objects.
func (r *mapReader) objects(refs []streammap.Ref, nodes [][]byte, some []int) error {
	slices.SortFunc(some, func(a, b int) int {
		return cmp.Or(cmp.Compare(refs[a].Batch, refs[b].Batch), cmp.Compare(refs[a].Offset, refs[b].Offset))
	})
	g, ctx := errgroup.WithContext(r.ctx)
	g.SetLimit(mapReads)
	for len(some) > 0 {
		first := refs[some[0]]
		from, end, n := int64(first.Offset), int64(first.Offset)+int64(first.Length), 1
		for ; n < len(some); n++ {
			next := refs[some[n]]
			last := int64(next.Offset) + int64(next.Length)
			if next.Batch != first.Batch || int64(next.Offset)-end > maxGap || last-from > maxSpan {
				break
			}
			end = max(end, last)
		}
		span := some[:n]
		some = some[n:]
		g.Go(func() error {
			name := mapName(first.Batch)
			b, err := r.s.store.GetState(ctx, name, from, end-from)
			if err != nil {
				return fmt.Errorf("stream map nodes in %s at %d: %w", name, from, err)
			}
			for _, i := range span {
				at := refs[i]
				at.Offset -= uint32(from)
				// What is short is found by who decodes it.
				nodes[i] = bytes.Clone(cut(b, at))
			}
			return nil
		})
	}
	return g.Wait()
}

// keep remembers the pack of a published batch and drops the oldest ones.
func (c *nodeCache) keep(batch uint64, pack []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.packs == nil {
		c.packs = make(map[uint64][]byte)
		c.old = batch
	}
	if _, ok := c.packs[batch]; ok || batch < c.old {
		return
	}
	c.packs[batch] = pack
	for c.size += len(pack); c.size > maxCachedPacks && c.old < batch; c.old++ {
		c.size -= len(c.packs[c.old])
		delete(c.packs, c.old)
	}
}

package notary

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"trialnotary/notary/streammap"
)

// nodeCache keeps the stream map's packs written last: the top of the map is
// rewritten by every batch, so most paths begin in them.
type nodeCache struct {
	mu    sync.Mutex
	packs map[uint64][]byte
	size  int
	old   uint64 // no pack below is cached
}

const maxCachedPacks = 16 << 20 // bytes

// mapReader reads map nodes for one call.
type mapReader struct {
	s   *Service
	ctx context.Context
}

func (s *Service) mapNodes(ctx context.Context) streammap.Nodes { return mapReader{s, ctx} }

// Node implements streammap.Nodes.
func (r mapReader) Node(batch uint64, offset, length int64) ([]byte, error) {
	r.s.nodes.mu.Lock()
	p := r.s.nodes.packs[batch]
	r.s.nodes.mu.Unlock()
	if p != nil && 0 <= offset && offset+length <= int64(len(p)) {
		return p[offset : offset+length], nil
	}
	b, err := r.s.store.GetState(r.ctx, mapName(batch), offset, length)
	if err != nil {
		return nil, fmt.Errorf("stream map node in %s at %d: %w", mapName(batch), offset, err)
	}
	return b, nil
}

// NodeBatch implements streammap.Reader: the nodes of one level of the map, several
// at a time, for each may be a call of a store far away.
func (r mapReader) NodeBatch(refs []streammap.Ref) ([][]byte, error) {
	data := make([][]byte, len(refs))
	g, ctx := errgroup.WithContext(r.ctx)
	g.SetLimit(16)
	for i, ref := range refs {
		g.Go(func() (err error) {
			data[i], err = mapReader{r.s, ctx}.Node(ref.Batch, int64(ref.Offset), int64(ref.Length))
			return err
		})
	}
	return data, g.Wait()
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

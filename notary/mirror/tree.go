package mirror

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/singleflight"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/tile"
)

// maxHeld bounds how many tiles above the lowest level a tree remembers, of 8 KiB
// each: those of 67 million leaves.
const maxHeld = 1 << 10

// tree is the log's tree under one checkpoint. Every tile that it returns was
// verified, from the root down: a full tile hashes to its place in the tile above it,
// and the partial ones of all levels together to the root.
type tree struct {
	source  Source
	size    uint64
	partial map[int][]byte // by level

	flight singleflight.Group
	mu     sync.Mutex
	full   map[string][]byte // of level 1 and above
}

func newTree(ctx context.Context, s Source, c checkpoint.Checkpoint) (*tree, error) {
	t := &tree{source: s, size: c.Size, partial: map[int][]byte{}, full: map[string][]byte{}}
	edge, err := tile.NewEdge(c.Size, func(name string) ([]byte, error) {
		b, err := t.fetch(ctx, name)
		if level, _, _, perr := tile.ParsePath(name); err == nil && perr == nil && level >= 0 {
			t.partial[level] = b
		}
		return b, err
	})
	switch {
	case errors.Is(err, tile.ErrFormat):
		return nil, refuse(CheckpointName, "what the log holds at its right edge is not what this covers: %v", err)
	case err != nil:
		return nil, err
	case edge.Root() != c.Root:
		return nil, refuse(CheckpointName, "the tiles at the log's right edge give another root than it signs at size %d", c.Size)
	}
	return t, nil
}

// fetch gets an object that must be there.
func (t *tree) fetch(ctx context.Context, name string) ([]byte, error) {
	b, err := t.source.Object(ctx, name)
	if errors.Is(err, notary.ErrNotFound) {
		return nil, refuse(name, "the log does not have it, and its newest checkpoint of size %d covers it", t.size)
	}
	return b, err
}

// named returns the verified tile of a name that has the widths of the tree's size.
func (t *tree) named(ctx context.Context, name string) ([]byte, error) {
	level, index, _, err := tile.ParsePath(name)
	if err != nil {
		return nil, err
	}
	return t.hashes(ctx, level, index)
}

// hashes returns a tile of a level, verified.
func (t *tree) hashes(ctx context.Context, level int, index uint64) ([]byte, error) {
	if above := t.size >> (8 * level) / tile.Width; index == above {
		return t.partial[level], nil
	} else if index > above {
		return nil, fmt.Errorf("there is no tile %d of level %d in a tree of %d", index, level, t.size)
	}
	name := tile.HashPath(level, index, tile.Width)
	t.mu.Lock()
	b := t.full[name]
	t.mu.Unlock()
	if b != nil {
		return b, nil
	}
	v, err, _ := t.flight.Do(name, func() (any, error) { return t.verified(ctx, name, level, index) })
	if err != nil {
		return nil, err
	}
	b = v.([]byte)
	if level > 0 {
		t.mu.Lock()
		if len(t.full) >= maxHeld {
			clear(t.full)
		}
		t.full[name] = b
		t.mu.Unlock()
	}
	return b, nil
}

// verified gets a full tile, and the one above it.
func (t *tree) verified(ctx context.Context, name string, level int, index uint64) ([]byte, error) {
	above, err := t.hashes(ctx, level+1, index/tile.Width)
	if err != nil {
		return nil, err
	}
	b, err := t.fetch(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(b) != tile.Width*tile.HashSize {
		return nil, refuse(name, "it has %d bytes, and a full tile has %d", len(b), tile.Width*tile.HashSize)
	}
	all := make([]tile.Hash, tile.Width)
	for i := range all {
		all[i] = tile.Hash(b[i*tile.HashSize:])
	}
	if tile.Root(all) != tile.Hash(above[index%tile.Width*tile.HashSize:]) {
		return nil, refuse(name, "its hashes are not those that the checkpoint of size %d commits to", t.size)
	}
	return b, nil
}

// bundle returns the leaves of a bundle, with the width it has in the tree, each
// verified against its hash.
func (t *tree) bundle(ctx context.Context, index uint64) ([][]byte, error) {
	width := min(t.size-index*tile.Width, tile.Width)
	name := tile.BundlePath(index, int(width))
	hashes, err := t.hashes(ctx, 0, index)
	if err != nil {
		return nil, err
	}
	b, err := t.fetch(ctx, name)
	if err != nil {
		return nil, err
	}
	leaves, err := tile.ParseBundle(b)
	if err != nil {
		return nil, refuse(name, "%v", err)
	}
	if uint64(len(leaves)) != width {
		return nil, refuse(name, "it has %d entries, not %d", len(leaves), width)
	}
	for i, leaf := range leaves {
		if tile.LeafHash(leaf) != tile.Hash(hashes[i*tile.HashSize:]) {
			return nil, refuse(name, "its entry %d is not the one that the checkpoint of size %d commits to", i, t.size)
		}
	}
	return leaves, nil
}

package tile

import (
	"errors"
	"fmt"
	"math/bits"
)

// ErrProof is wrapped by the errors of proofs that prove nothing.
var ErrProof = errors.New("proof is not valid")

// nodes returns the hash of a complete subtree: the one over the leaves from
// index << level to (index+1) << level.
type nodes func(level int, index uint64) (Hash, error)

// Inclusion returns the proof for leaf index in a tree of size leaves,
// 0 ≤ index < size, from the leaf up (RFC 6962, section 2.1.1). Tiles are read
// through get, each at most once, with the partial widths of that size.
func Inclusion(index, size uint64, get func(name string) ([]byte, error)) ([]Hash, error) {
	p, err := inclusion(tiles(size, get), index, size)
	if err != nil {
		return nil, fmt.Errorf("inclusion of leaf %d at size %d: %w", index, size, err)
	}
	return p, nil
}

// Prove returns the inclusion proof of leaves[index] in the tree over leaves.
func Prove(leaves []Hash, index int) []Hash {
	p, err := inclusion(func(level int, i uint64) (Hash, error) {
		return Root(leaves[i<<level : (i+1)<<level]), nil
	}, uint64(index), uint64(len(leaves)))
	if err != nil {
		panic("tile: " + err.Error()) // an index out of range, like that of a slice
	}
	return p
}

// Consistency returns the proof that a tree of old leaves is the beginning of
// one of size leaves, old ≤ size (RFC 6962, section 2.1.2). It is empty for old
// = 0 and for old = size. Tiles are read as by [Inclusion].
func Consistency(old, size uint64, get func(name string) ([]byte, error)) ([]Hash, error) {
	if old > size {
		return nil, fmt.Errorf("consistency of sizes %d and %d: the old one is larger", old, size)
	}
	if old == 0 || old == size {
		return nil, nil
	}
	// The way from the root to the last leaf of the old tree; below the first
	// subtree that both trees share whole, nothing needs to be shown.
	node := tiles(size, get)
	lo, hi, shared := uint64(0), size, true
	var up []Hash // from the root down
	for hi != old {
		k := split(hi - lo)
		var h Hash
		var err error
		if old <= lo+k {
			h, err = rangeHash(node, lo+k, hi)
			hi = lo + k
		} else {
			h, err = rangeHash(node, lo, lo+k)
			lo, shared = lo+k, false
		}
		if err != nil {
			return nil, fmt.Errorf("consistency of sizes %d and %d: %w", old, size, err)
		}
		up = append(up, h)
	}
	if !shared {
		h, err := rangeHash(node, lo, hi)
		if err != nil {
			return nil, fmt.Errorf("consistency of sizes %d and %d: %w", old, size, err)
		}
		up = append(up, h)
	}
	reverse(up)
	return up, nil
}

// RootAt returns the head of the tree's first old leaves, 0 < old ≤ size. Tiles are
// read as by [Inclusion].
func RootAt(old, size uint64, get func(name string) ([]byte, error)) (Hash, error) {
	if old == 0 || old > size {
		return Hash{}, fmt.Errorf("root at size %d: the tree has %d leaves", old, size)
	}
	h, err := rangeHash(tiles(size, get), 0, old)
	if err != nil {
		return Hash{}, fmt.Errorf("root at size %d of %d: %w", old, size, err)
	}
	return h, nil
}

func inclusion(node nodes, index, size uint64) ([]Hash, error) {
	if index >= size {
		return nil, fmt.Errorf("there is no leaf %d in a tree of %d", index, size)
	}
	proof := make([]Hash, 0, bits.Len64(size-1))
	for lo, hi := uint64(0), size; hi-lo > 1; {
		k := split(hi - lo)
		var h Hash
		var err error
		if index < lo+k {
			h, err = rangeHash(node, lo+k, hi)
			hi = lo + k
		} else {
			h, err = rangeHash(node, lo, lo+k)
			lo += k
		}
		if err != nil {
			return nil, err
		}
		proof = append(proof, h)
	}
	reverse(proof)
	return proof, nil
}

func reverse(h []Hash) {
	for i, j := 0, len(h)-1; i < j; i, j = i+1, j-1 {
		h[i], h[j] = h[j], h[i]
	}
}

// rangeHash returns the hash of the leaves from lo to hi, which must be a node
// of the tree: complete and aligned, or up to the tree's right edge.
func rangeHash(node nodes, lo, hi uint64) (Hash, error) {
	if n := hi - lo; n&(n-1) == 0 {
		level := bits.TrailingZeros64(n)
		return node(level, lo>>level)
	}
	k := split(hi - lo)
	l, err := rangeHash(node, lo, lo+k)
	if err != nil {
		return Hash{}, err
	}
	r, err := rangeHash(node, lo+k, hi)
	if err != nil {
		return Hash{}, err
	}
	return NodeHash(l, r), nil
}

// tiles returns the nodes of a tree of that size, computed from its tiles. Each
// tile is read once.
func tiles(size uint64, get func(name string) ([]byte, error)) nodes {
	type read struct {
		level int
		index uint64
		data  []byte
	}
	var seen []read // a proof touches few tiles
	var scratch reducer
	tile := func(level int, index uint64) ([]byte, error) {
		for _, r := range seen {
			if r.level == level && r.index == index {
				return r.data, nil
			}
		}
		w := widthOf(level, index, size)
		name := HashPath(level, index, w)
		b, err := get(name)
		if err != nil {
			return nil, err
		}
		if len(b) != w*HashSize {
			return nil, fmt.Errorf("%s has %d bytes, want %d: %w", name, len(b), w*HashSize, ErrFormat)
		}
		seen = append(seen, read{level, index, b})
		return b, nil
	}
	return func(level int, index uint64) (Hash, error) {
		within := level % 8 // so many levels above the hashes of the tile
		first := index << within
		b, err := tile(level/8, first/Width)
		if err != nil {
			return Hash{}, err
		}
		return scratch.root(b[first%Width*HashSize:][:HashSize<<within]), nil
	}
}

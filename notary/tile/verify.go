package tile

import (
	"crypto/sha256"
	"fmt"
	"math/bits"
)

// VerifyInclusion returns nil iff proof shows that leaf, a leaf hash, is at
// index in the tree of size leaves with that root. Errors wrap [ErrProof]. It
// allocates only to fail.
func VerifyInclusion(leaf Hash, index, size uint64, proof []Hash, root Hash) error {
	if index >= size {
		return fmt.Errorf("there is no leaf %d in a tree of %d: %w", index, size, ErrProof)
	}
	// Up to the level where the ways from index and from the last leaf meet,
	// the bits of index say on which side the sibling is. Above, index is on the
	// right edge, and only where it is a right child has it a sibling.
	inner := bits.Len64(index ^ (size - 1))
	border := bits.OnesCount64(index >> inner)
	if len(proof) != inner+border {
		return fmt.Errorf("%d hashes for leaf %d in a tree of %d, want %d: %w", len(proof), index, size, inner+border, ErrProof)
	}
	c := climber{}
	c.b[0] = nodePrefix
	h := leaf
	for i := range proof {
		if i >= inner || index>>i&1 == 1 {
			c.up(&proof[i], &h, &h)
		} else {
			c.up(&h, &proof[i], &h)
		}
	}
	if h != root {
		return fmt.Errorf("leaf %d leads to another root at size %d: %w", index, size, ErrProof)
	}
	return nil
}

// climber hashes pairs in one buffer, whose first byte is the node prefix.
type climber struct {
	b [1 + 2*HashSize]byte
}

func (c *climber) up(l, r, out *Hash) {
	*(*Hash)(c.b[1:]) = *l
	*(*Hash)(c.b[1+HashSize:]) = *r
	*out = sha256.Sum256(c.b[:])
}

// VerifyConsistency returns nil iff proof shows that the tree of old leaves with
// oldRoot is the beginning of the tree of size leaves with root. For old = 0
// oldRoot must be that of the empty tree, and for equal sizes the roots must be
// equal; in both cases the proof must be empty. Errors wrap [ErrProof].
func VerifyConsistency(old, size uint64, proof []Hash, oldRoot, root Hash) error {
	switch {
	case old > size:
		return fmt.Errorf("consistency of sizes %d and %d: the old one is larger: %w", old, size, ErrProof)
	case size == 0 && root != Root(nil), old == 0 && oldRoot != Root(nil), old == size && oldRoot != root:
		return fmt.Errorf("consistency of sizes %d and %d: another root: %w", old, size, ErrProof)
	case old == 0 || old == size:
		if len(proof) != 0 {
			return fmt.Errorf("consistency of sizes %d and %d: %d hashes, want none: %w", old, size, len(proof), ErrProof)
		}
		return nil
	}
	// The largest complete subtree that ends where the old tree ends is common
	// to both. It is the old tree itself, or the proof's first hash.
	shift := bits.TrailingZeros64(old)
	index := (old - 1) >> shift
	last := (size - 1) >> shift
	inner := bits.Len64(index ^ last)
	want := inner + bits.OnesCount64(index>>inner)
	h := oldRoot
	if index != 0 {
		want++
	}
	if len(proof) != want {
		return fmt.Errorf("consistency of sizes %d and %d: %d hashes, want %d: %w", old, size, len(proof), want, ErrProof)
	}
	if index != 0 {
		h, proof = proof[0], proof[1:]
	}
	c := climber{}
	c.b[0] = nodePrefix
	was, is := h, h
	for i := range proof {
		if i >= inner || index>>i&1 == 1 {
			c.up(&proof[i], &was, &was)
			c.up(&proof[i], &is, &is)
		} else {
			c.up(&is, &proof[i], &is)
		}
	}
	if was != oldRoot {
		return fmt.Errorf("consistency of sizes %d and %d: the proof leads to another old root: %w", old, size, ErrProof)
	}
	if is != root {
		return fmt.Errorf("consistency of sizes %d and %d: the proof leads to another root: %w", old, size, ErrProof)
	}
	return nil
}

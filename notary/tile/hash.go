package tile

import (
	"crypto/sha256"
	"math/bits"
)

// HashSize is the size of a hash in bytes.
const HashSize = 32

// Hash is a SHA-256 hash of a leaf, a node, or a whole tree.
type Hash = [HashSize]byte

// Domain separation: RFC 6962, section 2.1.
const (
	leafPrefix = 0x00
	nodePrefix = 0x01
)

// LeafHash returns SHA-256(0x00 ‖ entry).
func LeafHash(entry []byte) Hash {
	var short [512]byte // every entry of ours fits, and then nothing is allocated
	b := append(short[:1], entry...)
	b[0] = leafPrefix
	return sha256.Sum256(b)
}

// NodeHash returns SHA-256(0x01 ‖ l ‖ r).
func NodeHash(l, r Hash) Hash {
	var b [1 + 2*HashSize]byte
	b[0] = nodePrefix
	copy(b[1:], l[:])
	copy(b[1+HashSize:], r[:])
	return sha256.Sum256(b[:])
}

// Root returns the tree head over leaves, any number of them: for none the
// SHA-256 of nothing (RFC 6962, section 2.1).
func Root(leaves []Hash) Hash {
	switch n := len(leaves); n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	default:
		k := split(uint64(n))
		return NodeHash(Root(leaves[:k]), Root(leaves[k:]))
	}
}

// split returns the largest power of two smaller than n, n ≥ 2.
func split(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }

// TileRoot returns the hash over the hashes of a tile or of an aligned part of one:
// 1, 2, 4 … 256 of them, 32 bytes each.
func TileRoot(hashes []byte) Hash {
	var r reducer
	return r.root(hashes)
}

// reducer computes the hash of a complete subtree in its own memory.
type reducer struct {
	b [1 + Width*HashSize]byte
}

// root returns the hash over the hashes of a tile or of an aligned part of one:
// 1, 2, 4 … 256 of them, which are left as they are.
//
// The pair i of a round lies at b[1+64i:], and its result goes to b[1+32i:]. The
// byte before a pair is the last one of a pair already used up and, for i ≥ 1,
// past all results so far: that is where the node prefix goes, so that nothing
// is copied to be hashed.
func (r *reducer) root(hashes []byte) Hash {
	n := copy(r.b[1:], hashes) / HashSize
	for ; n > 1; n /= 2 {
		for i := 0; i < n/2; i++ {
			in := r.b[2*HashSize*i:][: 1+2*HashSize : 1+2*HashSize]
			in[0] = nodePrefix
			*(*Hash)(r.b[1+HashSize*i:]) = sha256.Sum256(in)
		}
	}
	return Hash(r.b[1:])
}

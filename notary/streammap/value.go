// Package streammap is the stream map: a persistent authenticated map from
// stream id to how many entries the stream has and which, whose root stands in
// the last leaf of every batch. It makes completeness ("these are all entries of
// the stream") and absence ("there is no such stream") provable (formats,
// "Stream map").
//
// The map is a binary prefix tree over the 256 bits of the ids, most significant
// first. A subtree without a key hashes to 32 zero bytes; a subtree with exactly
// one key to that key's
//
//	SHA-256(0x00 ‖ stream id ‖ uint64be(count) ‖ head)
//
// at whatever depth that is; any other to SHA-256(0x01 ‖ left ‖ right). The head
// is the fold of the stream's leaf hashes: 32 zero bytes for none, then
// SHA-256(head ‖ leaf hash) for each entry. A [Proof] is text:
//
//	trialnotary/map-proof@v1
//	stream 74cb7143d457686652967df9b8de6e95e1576e28c01950654dee3bceeccb3cce
//	count 1
//	head owSDgOml5tfltQSfpBFnQ03DTLEF0SUTOUwnsa28P4A=
//	sibling HlFvfukFRWqbz3iZPWiRwp7ioUDfhEvZ0LgZnRKBpfY=
//	sibling AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
//
// The tree is stored in packs, one for each batch: [Update] returns the nodes
// that the batch changed, down from the root, as one object that refers to the
// nodes of older packs. Nothing stored ever changes, so the map after any batch
// stays provable for ever from its [Root], one line of text.
package streammap

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"trialnotary/notary/statement"
)

// Value says of one stream how many entries it has and, folded, which. The zero
// Value is that of a stream without entries, which is not in the map.
type Value struct {
	Count uint64
	Head  [32]byte
}

// Fold returns the head of a stream after an entry with that leaf hash, given
// the head before it; the first head is 32 zero bytes.
func Fold(head, leafHash [32]byte) [32]byte {
	var b [64]byte
	copy(b[:], head[:])
	copy(b[32:], leafHash[:])
	return sha256.Sum256(b[:])
}

// leafHash is the hash of a subtree that holds just this stream.
func leafHash(id *statement.StreamID, v *Value) [32]byte {
	var b [1 + 32 + 8 + 32]byte
	copy(b[1:], id[:])
	binary.BigEndian.PutUint64(b[33:], v.Count)
	copy(b[41:], v.Head[:])
	return sha256.Sum256(b[:])
}

// innerHash is the hash of a subtree that holds two streams or more.
func innerHash(l, r *[32]byte) [32]byte {
	var b [1 + 32 + 32]byte
	b[0] = 1
	copy(b[1:], l[:])
	copy(b[33:], r[:])
	return sha256.Sum256(b[:])
}

// bit is bit i of an id, 0 ≤ i < 256, the most significant first.
func bit(id *statement.StreamID, i int) byte { return id[i/8] >> (7 - i%8) & 1 }

// RootOf returns the root hash of a map, computed from all of it: what an
// auditor compares with the one a batch commits to.
func RootOf(all map[statement.StreamID]Value) [32]byte {
	ids := make([]statement.StreamID, 0, len(all))
	for id := range all {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b statement.StreamID) int { return bytes.Compare(a[:], b[:]) })
	return rootOf(ids, 0, all)
}

// rootOf follows the definition to the letter; ids are sorted and share their
// first depth bits.
func rootOf(ids []statement.StreamID, depth int, all map[statement.StreamID]Value) [32]byte {
	switch len(ids) {
	case 0:
		return [32]byte{}
	case 1:
		v := all[ids[0]]
		return leafHash(&ids[0], &v)
	}
	i := 0
	for i < len(ids) && bit(&ids[i], depth) == 0 {
		i++
	}
	l, r := rootOf(ids[:i], depth+1, all), rootOf(ids[i:], depth+1, all)
	return innerHash(&l, &r)
}

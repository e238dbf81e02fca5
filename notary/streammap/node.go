package streammap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"trialnotary/notary/statement"
)

// ErrCorrupt is wrapped by the errors about stored nodes that are not what the
// root, or the node above, says they are.
var ErrCorrupt = errors.New("stored stream map is corrupt")

// Nodes reads the packs that [Update] returned: length bytes from offset on of
// one batch's pack. What it returns is not changed.
type Nodes interface {
	Node(batch uint64, offset, length int64) ([]byte, error)
}

// Reader is implemented by Nodes that can read several nodes faster than one
// after the other, from one pack or from many. Update and LookupAll then call
// it once for each level of the tree. The result has the order of refs.
type Reader interface {
	Nodes
	NodeBatch(refs []Ref) ([][]byte, error)
}

// span is the number of levels of the tree that one stored node covers. Two keep
// the pack as small as one would (half as many nodes of twice the size), for
// half the reads; with three the packs begin to grow.
const span = 2

// fanout is the number of slots of a node: the subtrees span levels below it.
const fanout = 1 << span

// castagnoli is never changed.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// kind says what a subtree holds.
type kind byte

const (
	none kind = iota // no stream
	one              // one stream: its leaf
	many             // two or more: a node
)

// slot is a subtree as its parent holds it: all of a leaf, or hash and place of
// a node, so that neither hashes nor proofs need to look below the path.
type slot struct {
	kind  kind
	hash  [32]byte           // none: zero
	id    statement.StreamID // one
	value Value              // one
	ref   Ref                // many
}

func leaf(id statement.StreamID, v Value) slot {
	return slot{kind: one, hash: leafHash(&id, &v), id: id, value: v}
}

// node is a stored node: the subtrees of all ids that share the first depth bits,
// by the next span bits.
type node [fanout]slot

// digit is which slot of a node at that depth an id belongs to.
func digit(id *statement.StreamID, depth int) int {
	return int(id[depth/8] >> (8 - span - depth%8) & (fanout - 1))
}

// tree is the small binary tree of a node: [1] its top, [2i] and [2i+1] the
// subtrees of [i], the last fanout ones its slots. Only kind and hash are used.
type tree [2 * fanout]struct {
	kind kind
	hash [32]byte
}

// fold computes the tree over the slots: the definition of the map's hash, for
// span levels.
func (n *node) fold(t *tree) {
	for i := range n {
		t[fanout+i].kind, t[fanout+i].hash = n[i].kind, n[i].hash
	}
	for i := fanout - 1; i > 0; i-- {
		switch l, r := &t[2*i], &t[2*i+1]; {
		case l.kind == none && r.kind != many:
			t[i] = *r
		case r.kind == none && l.kind != many:
			t[i] = *l
		default:
			t[i].kind, t[i].hash = many, innerHash(&l.hash, &r.hash)
		}
	}
}

// append encodes a node: a byte with two bits of kind for each slot, the first
// lowest, then for each slot that holds one stream its id, count (uvarint) and
// head, and for each that holds many the hash and, as uvarints, how many batches
// before this one the node was written, its offset and its length; at last the
// CRC-32C of all that, big-endian. The hashes bind what a node says, but not where
// its children are stored, which an update copies without going there.
func (n *node) append(b []byte, batch uint64) []byte {
	start := len(b)
	var kinds byte
	for i := range n {
		kinds |= byte(n[i].kind) << (2 * i)
	}
	b = append(b, kinds)
	for i := range n {
		switch s := &n[i]; s.kind {
		case one:
			b = append(b, s.id[:]...)
			b = binary.AppendUvarint(b, s.value.Count)
			b = append(b, s.value.Head[:]...)
		case many:
			b = append(b, s.hash[:]...)
			b = binary.AppendUvarint(b, batch-s.ref.Batch)
			b = binary.AppendUvarint(b, uint64(s.ref.Offset))
			b = binary.AppendUvarint(b, uint64(s.ref.Length))
		}
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// decode reads the node that its parent, or the root, calls hash, and checks that
// it is that node, so that nothing that went wrong in a store is ever built upon.
func (n *node) decode(b []byte, ref Ref, hash [32]byte, t *tree) error {
	corrupt := func(why string) error {
		return fmt.Errorf("%v: %s: %w", ref, why, ErrCorrupt)
	}
	if len(b) != int(ref.Length) || len(b) < 1+crc32.Size {
		return corrupt(fmt.Sprintf("%d bytes", len(b)))
	}
	b, sum := b[:len(b)-crc32.Size], b[len(b)-crc32.Size:]
	if crc32.Checksum(b, castagnoli) != binary.BigEndian.Uint32(sum) {
		return corrupt("another checksum")
	}
	kinds, b := b[0], b[1:]
	short := false
	hash32 := func() (h [32]byte) {
		if len(b) < 32 {
			short = true
			return h
		}
		h, b = [32]byte(b), b[32:]
		return h
	}
	uvarint := func() uint64 {
		v, size := binary.Uvarint(b)
		if size <= 0 {
			short = true
			return 0
		}
		b = b[size:]
		return v
	}
	for i := range n {
		n[i] = slot{kind: kind(kinds >> (2 * i) & 3)}
		switch s := &n[i]; s.kind {
		case none:
		case one:
			s.id = hash32()
			s.value.Count = uvarint()
			s.value.Head = hash32()
			s.hash = leafHash(&s.id, &s.value)
		case many:
			s.hash = hash32()
			back, offset, length := uvarint(), uvarint(), uvarint()
			if back > ref.Batch || offset > 1<<32-1 || length > 1<<32-1 {
				return corrupt("a reference leads nowhere")
			}
			s.ref = Ref{ref.Batch - back, uint32(offset), uint32(length)}
		default:
			return corrupt("a slot of no kind")
		}
		if short {
			return corrupt("it ends too early")
		}
	}
	if len(b) > 0 {
		return corrupt("bytes after its end")
	}
	if n.fold(t); t[1].hash != hash {
		return corrupt("another hash")
	}
	return nil
}

package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"

	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
)

// Memory is a [Map] in memory: some 190 bytes for each stream, whatever it holds. The
// zero Memory is the empty map.
//
// It is the tree that package streammap defines, cut at depth 4 into shards that
// several processors work on. A node keeps its hash and knows whether an entry below
// it came in since: at the end of a batch, those alone are hashed again.
type Memory struct {
	shards [shards]shard
}

const (
	shardBits = 4
	shards    = 1 << shardBits
)

// few is how many entries are not worth a second processor.
const few = 256

// link is a subtree: 0 for none, else one more than the place of a leaf (odd) or of a
// node (even), times two.
type link uint32

func (l link) isLeaf() bool { return l&1 == 1 }
func (l link) at() uint32   { return uint32(l>>1) - 1 }

func leafLink(at int) link { return link(at+1)<<1 | 1 }
func nodeLink(at int) link { return link(at+1) << 1 }

type leaf struct {
	id    statement.StreamID
	value streammap.Value
	hash  [32]byte
	dirty bool
}

type node struct {
	kids  [2]link
	hash  [32]byte
	dirty bool
}

type shard struct {
	root          link
	leaves        pages[leaf]
	nodes         pages[node]
	hashed, inner uint64 // leaves and nodes, so far
}

// pages is a growing slice whose elements stay where they are.
type pages[T any] struct {
	all [][]T
	n   int
}

const page = 1 << 10

func (p *pages[T]) at(i uint32) *T { return &p.all[i/page][i%page] }

func (p *pages[T]) add() (*T, int) {
	if p.n%page == 0 {
		p.all = append(p.all, make([]T, page))
	}
	p.n++
	return p.at(uint32(p.n - 1)), p.n - 1
}

func shardOf(id *statement.StreamID) int { return int(id[0] >> (8 - shardBits)) }

// Fold implements [Map].
func (m *Memory) Fold(_ context.Context, _ uint64, entries []Placed) (wrong int, count uint64, err error) {
	var bad [shards]struct {
		at    int
		count uint64
	}
	m.each(len(entries), func(s int) {
		bad[s].at = -1
		sh := &m.shards[s]
		for i := range entries {
			e := &entries[i]
			if shardOf(&e.Stream) != s {
				continue
			}
			l := sh.find(&e.Stream)
			if e.Seq != l.value.Count+1 {
				bad[s].at, bad[s].count = i, l.value.Count
				return
			}
			l.value = streammap.Value{Count: e.Seq, Head: streammap.Fold(l.value.Head, e.Leaf)}
		}
	})
	wrong = -1
	for _, b := range bad {
		if b.at >= 0 && (wrong < 0 || b.at < wrong) {
			wrong, count = b.at, b.count
		}
	}
	return wrong, count, nil
}

// each runs f for every shard, on several processors if the work is worth it.
func (m *Memory) each(work int, f func(shard int)) {
	if work < few {
		for s := range shards {
			f(s)
		}
		return
	}
	var wait sync.WaitGroup
	for s := range shards {
		wait.Go(func() { f(s) })
	}
	wait.Wait()
}

// find returns the leaf of a stream, made if it is new, and marks it and all above it.
func (s *shard) find(id *statement.StreamID) *leaf {
	at := &s.root
	for depth := shardBits; ; depth++ {
		if *at == 0 {
			return s.put(at, id)
		}
		if !at.isLeaf() {
			n := s.nodes.at(at.at())
			n.dirty = true
			at = &n.kids[bit(id, depth)]
			continue
		}
		l := s.leaves.at(at.at())
		if l.id == *id {
			l.dirty = true
			return l
		}
		// It moves down, as far as the two ids are the same.
		old := *at
		for ; ; depth++ {
			n, i := s.nodes.add()
			n.dirty = true
			*at = nodeLink(i)
			here, there := bit(id, depth), bit(&l.id, depth)
			if here != there {
				n.kids[there] = old
				return s.put(&n.kids[here], id)
			}
			at = &n.kids[here]
		}
	}
}

func (s *shard) put(at *link, id *statement.StreamID) *leaf {
	l, i := s.leaves.add()
	l.id, l.dirty = *id, true
	*at = leafLink(i)
	return l
}

func bit(id *statement.StreamID, i int) byte { return id[i/8] >> (7 - i%8) & 1 }

// Root implements [Map].
func (m *Memory) Root(context.Context, uint64) (root [32]byte, streams uint64, err error) {
	root, streams = m.root()
	return root, streams, nil
}

func (m *Memory) root() (root [32]byte, streams uint64) {
	dirty := 0
	for s := range m.shards {
		if sh := &m.shards[s]; sh.root != 0 && !sh.root.isLeaf() && sh.nodes.at(sh.root.at()).dirty {
			dirty++
		}
	}
	work := 0
	if dirty > shards/2 {
		work = few
	}
	m.each(work, func(s int) { m.shards[s].refresh(m.shards[s].root) })
	// The shards' roots are the last row of a small tree of their own.
	type top struct {
		many bool
		hash *[32]byte // nil: no stream
	}
	var row [shards]top
	for s := range m.shards {
		sh := &m.shards[s]
		streams += uint64(sh.leaves.n)
		row[s] = top{sh.root != 0 && !sh.root.isLeaf(), sh.hash(sh.root)}
	}
	for n := shards / 2; n > 0; n /= 2 {
		for i := range n {
			switch l, r := row[2*i], row[2*i+1]; {
			case l.hash == nil && !r.many:
				row[i] = r
			case r.hash == nil && !l.many:
				row[i] = l
			default:
				h := inner(l.hash, r.hash)
				row[i] = top{true, &h}
			}
		}
	}
	if row[0].hash != nil {
		root = *row[0].hash
	}
	return root, streams
}

func (s *shard) hash(l link) *[32]byte {
	switch {
	case l == 0:
		return nil
	case l.isLeaf():
		return &s.leaves.at(l.at()).hash
	}
	return &s.nodes.at(l.at()).hash
}

// refresh hashes again what is marked at or below l.
func (s *shard) refresh(l link) {
	if l == 0 {
		return
	}
	if l.isLeaf() {
		if f := s.leaves.at(l.at()); f.dirty {
			f.dirty = false
			f.hash = leafHash(f)
			s.hashed++
		}
		return
	}
	n := s.nodes.at(l.at())
	if !n.dirty {
		return
	}
	n.dirty = false
	s.refresh(n.kids[0])
	s.refresh(n.kids[1])
	n.hash = inner(s.hash(n.kids[0]), s.hash(n.kids[1]))
	s.inner++
}

// leafHash is the hash of a subtree with this stream alone (formats, "Stream map").
func leafHash(l *leaf) [32]byte {
	var b [1 + 32 + 8 + 32]byte
	copy(b[1:], l.id[:])
	binary.BigEndian.PutUint64(b[33:], l.value.Count)
	copy(b[41:], l.value.Head[:])
	return sha256.Sum256(b[:])
}

// inner is the hash of a subtree with two streams or more; nil stands for no stream.
func inner(l, r *[32]byte) [32]byte {
	var b [1 + 32 + 32]byte
	b[0] = 1
	if l != nil {
		copy(b[1:], l[:])
	}
	if r != nil {
		copy(b[33:], r[:])
	}
	return sha256.Sum256(b[:])
}

// recordSize is that of one stream as [Memory.Append] writes it: id, count, head.
const recordSize = 32 + 8 + 32

// Append appends all streams to b, by ascending id.
func (m *Memory) Append(b []byte) []byte {
	for s := range m.shards {
		b = m.shards[s].append(b, m.shards[s].root)
	}
	return b
}

func (s *shard) append(b []byte, l link) []byte {
	switch {
	case l == 0:
		return b
	case l.isLeaf():
		f := s.leaves.at(l.at())
		b = append(b, f.id[:]...)
		b = binary.BigEndian.AppendUint64(b, f.value.Count)
		return append(b, f.value.Head[:]...)
	}
	n := s.nodes.at(l.at())
	return s.append(s.append(b, n.kids[0]), n.kids[1])
}

// load enters streams that [Memory.Append] wrote into an empty map; false if b is
// none.
func (m *Memory) load(b []byte) bool {
	if len(b)%recordSize != 0 {
		return false
	}
	var last []byte
	for ; len(b) > 0; b = b[recordSize:] {
		id := statement.StreamID(b)
		v := streammap.Value{Count: binary.BigEndian.Uint64(b[32:]), Head: [32]byte(b[40:])}
		if v.Count == 0 || bytes.Compare(last, b[:32]) >= 0 && last != nil {
			return false
		}
		m.shards[shardOf(&id)].find(&id).value = v
		last = b[:32]
	}
	return true
}

package streammap

import (
	"bytes"
	"fmt"
	"slices"

	"trialnotary/notary/statement"
)

// readAll reads the nodes at refs, in one call where n can.
func readAll(n Nodes, refs []Ref) ([][]byte, error) {
	if r, ok := n.(Reader); ok {
		data, err := r.NodeBatch(refs)
		if err == nil && len(data) != len(refs) {
			err = fmt.Errorf("%d nodes read, want %d: %w", len(data), len(refs), ErrCorrupt)
		}
		return data, err
	}
	data := make([][]byte, len(refs))
	for i, ref := range refs {
		var err error
		if data[i], err = n.Node(ref.Batch, int64(ref.Offset), int64(ref.Length)); err != nil {
			return nil, fmt.Errorf("%v: %w", ref, err)
		}
	}
	return data, nil
}

// load reads, level by level, every node on the ways from the root to the given
// number of ids, which are sorted and distinct.
func load(n Nodes, root Root, number int, id func(int) *statement.StreamID) (map[Ref]*node, error) {
	type step struct {
		slot   slot
		lo, hi int // the ids that go this way
	}
	found := make(map[Ref]*node)
	var level []step
	if root.Streams > 0 {
		level = append(level, step{slot{kind: many, hash: root.Hash, ref: root.Ref}, 0, number})
	}
	var refs []Ref
	var t tree
	for depth := 0; len(level) > 0; depth += span {
		if depth >= 256 {
			return nil, fmt.Errorf("a node below depth 256: %w", ErrCorrupt)
		}
		refs = refs[:0]
		for _, s := range level {
			refs = append(refs, s.slot.ref)
		}
		data, err := readAll(n, refs)
		if err != nil {
			return nil, err
		}
		var next []step
		nodes := make([]node, len(level))
		for i, s := range level {
			nd := &nodes[i]
			if err := nd.decode(data[i], s.slot.ref, s.slot.hash, &t); err != nil {
				return nil, err
			}
			found[s.slot.ref] = nd
			for lo := s.lo; lo < s.hi; {
				d, hi := digit(id(lo), depth), lo+1
				for hi < s.hi && digit(id(hi), depth) == d {
					hi++
				}
				if nd[d].kind == many {
					next = append(next, step{nd[d], lo, hi})
				}
				lo = hi
			}
		}
		level = next
	}
	return found, nil
}

// Lookup returns a stream's value, and false where the stream has no entries.
func Lookup(n Nodes, root Root, id statement.StreamID) (Value, bool, error) {
	v, err := LookupAll(n, root, []statement.StreamID{id})
	if err != nil {
		return Value{}, false, err
	}
	return v[0], v[0].Count > 0, nil
}

// LookupAll returns the values of ids in their order, the zero Value for each
// stream without entries. It reads the nodes that an [Update] of the same
// streams reads.
func LookupAll(n Nodes, root Root, ids []statement.StreamID) ([]Value, error) {
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, func(a, b statement.StreamID) int { return bytes.Compare(a[:], b[:]) })
	sorted = slices.Compact(sorted)
	found, err := load(n, root, len(sorted), func(i int) *statement.StreamID { return &sorted[i] })
	if err != nil {
		return nil, fmt.Errorf("stream map after batch %d: %w", root.Batch, err)
	}
	values := make([]Value, len(ids))
	for i := range ids {
		s := slot{}
		if root.Streams > 0 {
			s = slot{kind: many, ref: root.Ref}
		}
		for depth := 0; s.kind == many; depth += span {
			s = found[s.ref][digit(&ids[i], depth)]
		}
		if s.kind == one && s.id == ids[i] {
			values[i] = s.value
		}
	}
	return values, nil
}

// Prove returns the proof of a stream's value, or of its absence. It reads one
// node for every two levels of the tree.
func Prove(n Nodes, root Root, id statement.StreamID) (Proof, error) {
	p := Proof{Stream: id}
	s := slot{}
	if root.Streams > 0 {
		s = slot{kind: many, hash: root.Hash, ref: root.Ref}
	}
	for depth := 0; s.kind == many; depth += span {
		if depth >= 256 {
			return Proof{}, fmt.Errorf("proof of stream %v after batch %d: a node below depth 256: %w", id, root.Batch, ErrCorrupt)
		}
		var nd node
		var t tree
		b, err := n.Node(s.ref.Batch, int64(s.ref.Offset), int64(s.ref.Length))
		if err != nil {
			return Proof{}, fmt.Errorf("proof of stream %v after batch %d: %v: %w", id, root.Batch, s.ref, err)
		}
		if err := nd.decode(b, s.ref, s.hash, &t); err != nil {
			return Proof{}, fmt.Errorf("proof of stream %v after batch %d: %w", id, root.Batch, err)
		}
		// Down the node's own small tree, until a subtree holds one stream or none.
		d := digit(&id, depth)
		i := 1
		for bits := span - 1; i < fanout && t[i].kind == many; bits-- {
			i = 2*i + d>>bits&1
			p.Siblings = append(p.Siblings, t[i^1].hash)
		}
		switch s = (slot{}); t[i].kind {
		case many:
			s = nd[d]
		case one:
			s = nd.only(i)
		}
	}
	if s.kind == one && s.id == id {
		p.Value = s.value
	} else if s.kind == one {
		p.Other = &Other{s.id, s.value}
	}
	slices.Reverse(p.Siblings)
	return p, nil
}

// only returns the one slot below position i of the node's tree that is not
// empty.
func (n *node) only(i int) slot {
	lo, hi := i, i+1
	for lo < fanout {
		lo, hi = 2*lo, 2*hi
	}
	for _, s := range n[lo-fanout : hi-fanout] {
		if s.kind == one {
			return s
		}
	}
	return slot{}
}

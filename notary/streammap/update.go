package streammap

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"trialnotary/notary/statement"
)

// Change gives a stream a new value, of Count ≥ 1.
type Change struct {
	Stream statement.StreamID
	Value  Value
}

// Update returns the map after changes to the one at root, and the pack of the
// nodes that are new, to be stored once as the object of that batch before the
// new root is used. batch is larger than any that root refers to; equal
// arguments give equal bytes. A stream may occur once. Without changes root
// stays as it is and the pack is empty.
//
// k changes in a map of n streams read about k·log₄(n/k) nodes, in one call per
// level where n implements [Reader].
func Update(n Nodes, root Root, batch uint64, changes []Change) (Root, []byte, error) {
	if len(changes) == 0 {
		return root, nil, nil
	}
	if batch <= root.Batch && root.Streams > 0 {
		return Root{}, nil, fmt.Errorf("stream map of batch %d: the root is of batch %d already", batch, root.Batch)
	}
	sorted := slices.Clone(changes)
	slices.SortFunc(sorted, func(a, b Change) int { return bytes.Compare(a.Stream[:], b.Stream[:]) })
	for i := range sorted {
		if sorted[i].Value.Count == 0 {
			return Root{}, nil, fmt.Errorf("stream map of batch %d: stream %v has no entries", batch, sorted[i].Stream)
		}
		if i > 0 && sorted[i].Stream == sorted[i-1].Stream {
			return Root{}, nil, fmt.Errorf("stream map of batch %d: stream %v changes twice", batch, sorted[i].Stream)
		}
	}
	ids := func(i int) *statement.StreamID { return &sorted[i].Stream }
	old, err := load(n, root, len(sorted), ids)
	if err != nil {
		return Root{}, nil, fmt.Errorf("stream map of batch %d: %w", batch, err)
	}
	w := writer{batch: batch, old: old, streams: root.Streams}
	w.pack = make([]byte, 0, len(old)*180+len(sorted)*100)
	s := slot{kind: none}
	if root.Streams > 0 {
		s = slot{kind: many, hash: root.Hash, ref: root.Ref}
	}
	s = w.node(s, 0, sorted)
	if len(w.pack) > math.MaxUint32 {
		return Root{}, nil, fmt.Errorf("stream map of batch %d: a pack of %d bytes, at most 4 GiB fit", batch, len(w.pack))
	}
	return Root{s.hash, s.ref, w.streams}, w.pack, nil
}

// writer applies the changes of one batch.
type writer struct {
	batch   uint64
	old     map[Ref]*node // every node on the way to a changed stream
	pack    []byte
	streams uint64
}

// apply returns the subtree s at that depth after changes, which are sorted and
// belong to it.
func (w *writer) apply(s slot, depth int, changes []Change) slot {
	if len(changes) == 1 && (s.kind == none || s.kind == one && s.id == changes[0].Stream) {
		if s.kind == none {
			w.streams++
		}
		return leaf(changes[0].Stream, changes[0].Value)
	}
	return w.node(s, depth, changes)
}

// node writes the node for the subtree s at that depth after changes. The root
// is a node also when there is only one stream.
func (w *writer) node(s slot, depth int, changes []Change) slot {
	var n node
	switch s.kind {
	case many:
		n = *w.old[s.ref]
	case one: // it moves down, to make room
		n[digit(&s.id, depth)] = s
	}
	for len(changes) > 0 {
		d, k := digit(&changes[0].Stream, depth), 1
		for k < len(changes) && digit(&changes[k].Stream, depth) == d {
			k++
		}
		n[d] = w.apply(n[d], depth+span, changes[:k])
		changes = changes[k:]
	}
	var t tree
	n.fold(&t)
	start := len(w.pack)
	w.pack = n.append(w.pack, w.batch)
	return slot{kind: many, hash: t[1].hash, ref: Ref{w.batch, uint32(start), uint32(len(w.pack) - start)}}
}

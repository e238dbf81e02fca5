package audit

import (
	"context"

	"trialnotary/notary/entry"
	"trialnotary/notary/tile"
)

// Placed is an entry with its leaf hash.
type Placed struct {
	entry.Entry
	Leaf tile.Hash
}

// Map keeps the stream map of an audit: how many entries each stream has so far, and
// which, folded. [Memory] keeps it in memory, [Packs] in a store.
type Map interface {
	// Fold enters entries of a batch, in their order. Of the first that has not the
	// next seq of its stream it returns its place in entries and how many the stream
	// has; −1 if there is none. After one the map is of no further use.
	Fold(ctx context.Context, batch uint64, entries []Placed) (wrong int, count uint64, err error)
	// Root ends a batch: it returns the map's root, and how many streams it has.
	Root(ctx context.Context, batch uint64) (root [32]byte, streams uint64, err error)
}

// twice finds a statement that stands twice in a stream, among the entries of one
// batch.
type twice map[[64]byte]bool

// add reports whether the stream of e has its statement already.
func (t twice) add(e *entry.Entry) bool {
	var key [64]byte
	copy(key[:], e.Stream[:])
	copy(key[32:], e.Statement[:])
	before := t[key]
	t[key] = true
	return before
}

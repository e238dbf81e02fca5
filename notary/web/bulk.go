package web

import (
	"slices"
	"sync"
	"time"
)

// bulk is the places for large bodies that are being read. Whoever sends one need
// not be known, nor ever send the rest: when all places are taken, one that was
// taken long enough ago is given to who comes next.
type bulk struct {
	mu      sync.Mutex
	readers []*bulkReader // the oldest first
}

type bulkReader struct {
	since time.Time
	stop  func() // ends the reading; called only between enter and leave
}

// enter takes a place; leave must follow. It reports whether there was one.
func (b *bulk) enter(r *bulkReader) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.readers) >= bulkReaders {
		if r.since.Sub(b.readers[0].since) < bulkGrace {
			return false
		}
		b.readers[0].stop()
		b.readers = slices.Delete(b.readers, 0, 1)
	}
	b.readers = append(b.readers, r)
	return true
}

// leave gives the place back, if it was not taken away.
func (b *bulk) leave(r *bulkReader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.readers, r); i >= 0 {
		b.readers = slices.Delete(b.readers, i, i+1)
	}
}

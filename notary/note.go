package notary

import (
	"bytes"
	"sync"

	"trialnotary/notary/statement"
)

// noteCache keeps notes as Submit parsed them for the Seal that follows, where
// both run in one process.
type noteCache struct {
	mu    sync.Mutex
	notes map[statement.ID]*statement.Note
}

const maxCachedNotes = 1 << 14 // of 8 KiB at most, of 1 KiB usually

func (c *noteCache) keep(n *statement.Note) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.notes == nil || len(c.notes) >= maxCachedNotes {
		c.notes = make(map[statement.ID]*statement.Note) // those in it were sealed elsewhere
	}
	c.notes[n.ID] = n
}

// parse parses what Submit accepted, or finds it parsed.
func (c *noteCache) parse(id statement.ID, raw []byte) (*statement.Note, error) {
	c.mu.Lock()
	n := c.notes[id]
	c.mu.Unlock()
	if n != nil && bytes.Equal(n.Raw, raw) {
		return n, nil
	}
	return statement.Parse(raw)
}

// drop forgets notes that have their outcome.
func (c *noteCache) drop(refs []Ref) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range refs {
		delete(c.notes, r.Statement)
	}
}

package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"sync"
)

// Why the gate turned a submission away.
var (
	errFull    = errors.New("too much is waiting")
	errKeyFull = errors.New("too much of this key is waiting")
)

// lane is a key as a note names it: name and key id. It is a claim, for the
// signature is what the gate is in front of; all that name no key share a lane.
type lane struct {
	name string
	id   [4]byte
}

// laneOf reads the lane off a note's last line, "— name base64".
func laneOf(note []byte) lane {
	line := bytes.TrimSuffix(note, []byte("\n"))
	line = line[bytes.LastIndexByte(line, '\n')+1:]
	name, sig, _ := bytes.Cut(bytes.TrimPrefix(line, []byte("— ")), []byte(" "))
	var head [6]byte
	if len(name) > 64 || len(sig) < 8 {
		return lane{}
	}
	if _, err := base64.StdEncoding.Decode(head[:], sig[:8]); err != nil {
		return lane{}
	}
	return lane{string(name), [4]byte(head[:4])}
}

// gate bounds how many statements are worked on at once and lets the keys that
// wait take turns: in its turn a lane lets in up to MaxTogether statements, and
// then the next lane has its turn. A lane holds at most half of the room, so that
// there is some for who comes next. What a submission weighs is its statements.
type gate struct {
	room, maxInside     int // statements inside: of all lanes, of one
	maxWaiting, maxLane int // statements waiting: of all lanes, of one

	mu      sync.Mutex
	inside  int
	waiting int
	lanes   map[lane]*queue
	turns   []*queue // lanes with something waiting; the first has its turn
}

// queue is one lane's.
type queue struct {
	inside  int
	waiting []*waiter
	weight  int // of waiting
	spent   int // statements let in during this turn
}

type waiter struct {
	n     int
	ready chan struct{}
}

func newGate(room, waiting, perLane int) *gate {
	return &gate{room: room, maxInside: max(1, room/2), maxWaiting: waiting, maxLane: perLane, lanes: map[lane]*queue{}}
}

// enter waits until n statements of a lane may go in; leave must follow. errFull
// and errKeyFull say at once that there is no room to wait; ctx ends waiting.
func (g *gate) enter(ctx context.Context, l lane, n int) error {
	g.mu.Lock()
	q := g.lanes[l]
	if q == nil {
		q = &queue{}
		g.lanes[l] = q
	}
	if len(q.waiting) == 0 && g.fits(q, n) && len(g.turns) == 0 {
		g.inside += n
		q.inside += n
		g.mu.Unlock()
		return nil
	}
	var err error
	switch {
	case q.weight+n > g.maxLane:
		err = errKeyFull
	case g.waiting+n > g.maxWaiting:
		err = errFull
	}
	if err != nil {
		g.forget(l, q)
		g.mu.Unlock()
		return err
	}
	w := &waiter{n, make(chan struct{})}
	if len(q.waiting) == 0 {
		g.turns = append(g.turns, q)
	}
	q.waiting = append(q.waiting, w)
	q.weight += n
	g.waiting += n
	g.admit()
	g.mu.Unlock()

	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(q.waiting, w)
	if i < 0 { // it was let in at the same time
		g.out(l, q, n)
		return ctx.Err()
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	q.weight -= n
	g.waiting -= n
	if len(q.waiting) == 0 {
		g.turns = slices.DeleteFunc(g.turns, func(t *queue) bool { return t == q })
		q.spent = 0
	}
	g.forget(l, q)
	g.admit() // what stood behind it may fit
	return ctx.Err()
}

// leave gives back what enter let in.
func (g *gate) leave(l lane, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.out(l, g.lanes[l], n)
}

func (g *gate) out(l lane, q *queue, n int) {
	g.inside -= n
	q.inside -= n
	g.forget(l, q)
	g.admit()
}

// fits: more than the lane's share, or all the room, goes in only alone.
func (g *gate) fits(q *queue, n int) bool {
	return (g.inside+n <= g.room || g.inside == 0) && (q.inside+n <= g.maxInside || q.inside == 0)
}

// admit lets in whoever may go, in turn.
func (g *gate) admit() {
	for i := 0; i < len(g.turns); {
		q := g.turns[i]
		w := q.waiting[0]
		if !g.fits(q, w.n) {
			if q.inside > 0 && q.inside+w.n > g.maxInside {
				i++ // it has its share; others need not wait for it
				continue
			}
			return // it is its turn: nobody overtakes it until it fits
		}
		q.waiting = q.waiting[1:]
		q.weight -= w.n
		g.waiting -= w.n
		g.inside += w.n
		q.inside += w.n
		q.spent += w.n
		close(w.ready)
		switch {
		case len(q.waiting) == 0:
			g.turns = slices.Delete(g.turns, i, i+1)
			q.spent = 0
		case q.spent >= MaxTogether:
			g.turns = append(slices.Delete(g.turns, i, i+1), q)
			q.spent = 0
		}
	}
}

// forget drops a lane that is nowhere.
func (g *gate) forget(l lane, q *queue) {
	if q.inside == 0 && len(q.waiting) == 0 {
		delete(g.lanes, l)
	}
}

// load returns how many statements are inside and waiting.
func (g *gate) load() (inside, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside, g.waiting
}

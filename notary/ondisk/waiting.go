package ondisk

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"sync"

	"trialnotary/notary"
)

// waiting is what the database's inbox holds, in memory and without the notes:
// about 300 bytes a statement. The lock on the database makes it the only one.
// It is changed after the commit it stands for, so what it shows is durable.
type waiting struct {
	mu      sync.Mutex
	places  map[notary.Ref]*place
	lanes   map[uint64]*lane
	records map[uint64]*record
}

// place is where one statement is.
type place struct {
	notary.Ref
	received int64
	lane     uint64
	record   uint64
	offset   int32 // of the note in the record
	size     int16 // of the note
	position uint8 // among the record's statements
	gone     bool
}

// lane is the statements of one lane, the oldest first.
type lane struct {
	oldest int64 // time of the first
	places []*place
	gone   int // how many of them are cleared, never the first
}

// record is how much of one record of the database still waits.
type record struct {
	left    int
	cleared bitmap
}

// compare orders by (Received, Statement, Stream).
func (p *place) compare(q *place) int {
	return cmp.Or(cmp.Compare(p.received, q.received),
		bytes.Compare(p.Statement[:], q.Statement[:]),
		bytes.Compare(p.Stream[:], q.Stream[:]))
}

func newWaiting() *waiting {
	return &waiting{places: map[notary.Ref]*place{}, lanes: map[uint64]*lane{}, records: map[uint64]*record{}}
}

func (w *waiting) has(r notary.Ref) bool { return w.places[r] != nil }

// add adds a statement that is not there. Its record's cleared bits are not its own.
func (w *waiting) add(p *place) {
	w.places[p.Ref] = p
	r := w.records[p.record]
	if r == nil {
		r = &record{}
		w.records[p.record] = r
	}
	r.left++
	l := w.lanes[p.lane]
	if l == nil {
		l = &lane{}
		w.lanes[p.lane] = l
	}
	at := len(l.places)
	if at > 0 && p.compare(l.places[at-1]) < 0 { // as a rule, little is behind it
		at, _ = slices.BinarySearchFunc(l.places, p, (*place).compare)
	}
	l.places = slices.Insert(l.places, at, p)
	l.oldest = l.places[0].received
}

// remove removes statements that are there.
func (w *waiting) remove(gone []*place) {
	for _, p := range gone {
		p.gone = true
		delete(w.places, p.Ref)
		r := w.records[p.record]
		r.cleared.set(p.position)
		if r.left--; r.left == 0 {
			delete(w.records, p.record)
		}
		w.lanes[p.lane].gone++
	}
	for _, p := range gone {
		if l := w.lanes[p.lane]; l != nil && l.tidy() == 0 {
			delete(w.lanes, p.lane)
		}
	}
}

// tidy drops cleared statements from the front, and from everywhere when they
// are the greater part; it returns how many are left.
func (l *lane) tidy() int {
	for len(l.places) > 0 && l.places[0].gone {
		l.places[0] = nil
		l.places = l.places[1:]
		l.gone--
	}
	if l.gone > len(l.places)/2 {
		l.places = slices.DeleteFunc(slices.Clone(l.places), func(p *place) bool { return p.gone })
		l.gone = 0
	}
	if len(l.places) > 0 {
		l.oldest = l.places[0].received
	}
	return len(l.places)
}

// choose returns the statements whose turn it is, at most max, in their order.
func (w *waiting) choose(max int) []*place {
	if max <= 0 {
		return nil
	}
	lanes := w.oldest(max)
	// All lanes take as many turns as there are places for all of them, those that
	// end drop out, until the places left are fewer than the lanes: these go to the
	// lanes that come first.
	queues := make([][]*place, len(lanes))
	for i, l := range lanes {
		queues[i] = l.places
	}
	chosen := make([]*place, 0, min(max, len(w.places)))
	for len(queues) > 0 && len(chosen) < max {
		share := (max - len(chosen)) / len(queues)
		if share == 0 {
			share = 1
		}
		more := queues[:0]
		for _, q := range queues {
			taken := 0
			for ; taken < share && len(chosen) < max && len(q) > 0; q = q[1:] {
				if !q[0].gone {
					chosen = append(chosen, q[0])
					taken++
				}
			}
			if len(q) > 0 {
				more = append(more, q)
			}
		}
		queues = more
	}
	slices.SortFunc(chosen, (*place).compare)
	return chosen
}

// oldest returns the lanes whose oldest statements are oldest, at most max, in
// that order.
func (w *waiting) oldest(max int) []*lane {
	older := func(a, b *lane) int {
		return cmp.Or(cmp.Compare(a.oldest, b.oldest), a.places[0].compare(b.places[0]))
	}
	var lanes []*lane
	bound := int64(math.MaxInt64)
	for _, l := range w.lanes {
		if l.oldest > bound {
			continue
		}
		// With twice as many as wanted, the later half can be forgotten.
		if lanes = append(lanes, l); len(lanes)-max >= max {
			slices.SortFunc(lanes, older)
			lanes = lanes[:max]
			bound = lanes[max-1].oldest
		}
	}
	slices.SortFunc(lanes, older)
	return lanes[:min(max, len(lanes))]
}

// bitmap says which of a record's statements are cleared.
type bitmap [maxRecordStatements / 8]byte

func (b *bitmap) set(i uint8)      { b[i/8] |= 1 << (i % 8) }
func (b *bitmap) has(i uint8) bool { return b[i/8]&(1<<(i%8)) != 0 }

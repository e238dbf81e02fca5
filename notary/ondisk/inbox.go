package ondisk

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"trialnotary/notary"
	"trialnotary/notary/statement"
)

// Buckets of the inbox. An order key is the time of acceptance (8 bytes, sign
// flipped so that bytes sort as numbers), statement and stream (32 bytes each):
// statements arrive in about that order, so notes are written one after the other.
//
//	refs   stream, statement → time, lane    is it there, and where
//	notes  order → note
//	lanes  lane (8 bytes), order → ""        each lane's statements, oldest first
//	turns  order, lane → ""                  each lane's oldest only: whose turn comes first
var (
	refsBucket  = []byte("refs")
	notesBucket = []byte("notes")
	lanesBucket = []byte("lanes")
	turnsBucket = []byte("turns")
)

const maxClear = 1 << 14 // statements cleared by one commit

type (
	refKey   [64]byte
	orderKey [72]byte
	laneKey  [80]byte // lane, order
	turnKey  [80]byte // order, lane
)

func refKeyOf(r notary.Ref) (k refKey) {
	copy(k[:32], r.Stream[:])
	copy(k[32:], r.Statement[:])
	return k
}

// timeBits makes Unix nanoseconds sort as unsigned numbers. It undoes itself.
func timeBits(t uint64) uint64 { return t ^ 1<<63 }

func orderKeyOf(r notary.Ref, received int64) (k orderKey) {
	binary.BigEndian.PutUint64(k[:8], timeBits(uint64(received)))
	copy(k[8:40], r.Statement[:])
	copy(k[40:], r.Stream[:])
	return k
}

func laneKeyOf(lane uint64, order orderKey) (k laneKey) {
	binary.BigEndian.PutUint64(k[:8], lane)
	copy(k[8:], order[:])
	return k
}

func turnKeyOf(order orderKey, lane uint64) (k turnKey) {
	copy(k[:72], order[:])
	binary.BigEndian.PutUint64(k[72:], lane)
	return k
}

// inbox is the inbox in one transaction. settle must end a change.
type inbox struct {
	refs, notes, lanes, turns *bolt.Bucket

	changed bool
	oldest  map[uint64]*orderKey // of each lane touched, as turns has it; nil: none
}

func inboxOf(tx *bolt.Tx) *inbox {
	in := &inbox{
		refs: tx.Bucket(refsBucket), notes: tx.Bucket(notesBucket),
		lanes: tx.Bucket(lanesBucket), turns: tx.Bucket(turnsBucket),
		oldest: map[uint64]*orderKey{},
	}
	in.notes.FillPercent = 0.9 // new ones come last, or nearly so
	return in
}

// first returns the order key of a lane's oldest statement, nil if it has none.
func (in *inbox) first(lane uint64) *orderKey {
	prefix := binary.BigEndian.AppendUint64(nil, lane)
	k, _ := in.lanes.Cursor().Seek(prefix)
	if !bytes.HasPrefix(k, prefix) {
		return nil
	}
	order := orderKey(k[8:])
	return &order
}

// touch remembers a lane's oldest before the first change to the lane.
func (in *inbox) touch(lane uint64) {
	in.changed = true
	if _, ok := in.oldest[lane]; !ok {
		in.oldest[lane] = in.first(lane)
	}
}

// settle brings turns up to date with the lanes that were touched.
func (in *inbox) settle() error {
	for lane, before := range in.oldest {
		now := in.first(lane)
		if before != nil && now != nil && *before == *now {
			continue
		}
		if before != nil {
			k := turnKeyOf(*before, lane)
			if err := in.turns.Delete(k[:]); err != nil {
				return err
			}
		}
		if now != nil {
			k := turnKeyOf(*now, lane)
			if err := in.turns.Put(k[:], nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// add puts a into the inbox unless it is there. a.Note must stay unchanged until
// the commit.
func (in *inbox) add(a *notary.Accepted) error {
	ref := refKeyOf(a.Ref)
	if in.refs.Get(ref[:]) != nil {
		return nil
	}
	in.touch(a.Lane)
	place := make([]byte, 16) // kept by the transaction
	binary.BigEndian.PutUint64(place[:8], uint64(a.Received))
	binary.BigEndian.PutUint64(place[8:], a.Lane)
	if err := in.refs.Put(ref[:], place); err != nil {
		return err
	}
	order := orderKeyOf(a.Ref, a.Received)
	if err := in.notes.Put(order[:], a.Note); err != nil {
		return err
	}
	lane := laneKeyOf(a.Lane, order)
	return in.lanes.Put(lane[:], nil)
}

// remove takes a statement out of the inbox, if it is there.
func (in *inbox) remove(r notary.Ref) error {
	ref := refKeyOf(r)
	place := in.refs.Get(ref[:])
	if place == nil {
		return nil
	}
	order := orderKeyOf(r, int64(binary.BigEndian.Uint64(place[:8])))
	lane := binary.BigEndian.Uint64(place[8:])
	in.touch(lane)
	if err := in.refs.Delete(ref[:]); err != nil {
		return err
	}
	if err := in.notes.Delete(order[:]); err != nil {
		return err
	}
	k := laneKeyOf(lane, order)
	return in.lanes.Delete(k[:])
}

// Clear removes statements from the inbox. Absent ones are no error.
func (s *Store) Clear(ctx context.Context, refs []notary.Ref) error {
	if err := s.ready(ctx); err != nil {
		return fmt.Errorf("clear: %w", err)
	}
	for chunk := range slices.Chunk(refs, maxClear) {
		err := s.update(ctx, func(tx *bolt.Tx) error {
			in := inboxOf(tx)
			for _, r := range chunk {
				if err := in.remove(r); err != nil {
					return err
				}
			}
			if !in.changed {
				return errUnchanged
			}
			return in.settle()
		})
		if err != nil {
			return fmt.Errorf("clear %d statements: %w", len(refs), err)
		}
	}
	return nil
}

// Waiting reports for each ref whether it is in the inbox.
func (s *Store) Waiting(ctx context.Context, refs []notary.Ref) ([]bool, error) {
	if len(refs) > maxBatch {
		return nil, fmt.Errorf("waiting: %d statements in one call, at most %d", len(refs), maxBatch)
	}
	waiting := make([]bool, len(refs))
	err := s.view(ctx, func(tx *bolt.Tx) error {
		bucket := tx.Bucket(refsBucket)
		for i, r := range refs {
			k := refKeyOf(r)
			waiting[i] = bucket.Get(k[:]) != nil
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("waiting: %w", err)
	}
	return waiting, nil
}

// Pending returns at most max statements of the inbox, lanes taking turns. Its
// work grows with what it returns, not with what waits.
func (s *Store) Pending(ctx context.Context, max int) ([]notary.Accepted, error) {
	var pending []notary.Accepted
	err := s.view(ctx, func(tx *bolt.Tx) error {
		in := inboxOf(tx)
		chosen := in.choose(max)
		// turnKey sorts as its order key.
		slices.SortFunc(chosen, func(a, b turnKey) int { return bytes.Compare(a[:], b[:]) })
		pending = make([]notary.Accepted, len(chosen))
		notes := in.notes.Cursor()
		for i, t := range chosen {
			order := t[:72]
			k, note := notes.Next() // the next one more often than not
			if !bytes.Equal(k, order) {
				k, note = notes.Seek(order)
			}
			if !bytes.Equal(k, order) {
				return fmt.Errorf("the database has lost the note of statement %x", order[8:40])
			}
			pending[i] = notary.Accepted{
				Ref:      notary.Ref{Stream: statement.StreamID(order[40:72]), Statement: statement.ID(order[8:40])},
				Received: int64(timeBits(binary.BigEndian.Uint64(order[:8]))),
				Lane:     binary.BigEndian.Uint64(t[72:]),
				Note:     bytes.Clone(note),
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("pending: %w", err)
	}
	return pending, nil
}

// choose returns the statements whose turn it is, at most max, in any order.
func (in *inbox) choose(max int) []turnKey {
	var chosen []turnKey
	turns := in.turns.Cursor()
	for k, _ := turns.First(); k != nil && len(chosen) < max; k, _ = turns.Next() {
		chosen = append(chosen, turnKey(k))
	}
	// Each lane has had one turn, in the lanes' order. All lanes that have more
	// take as many turns as there are for all of them, until the places left are
	// fewer than the lanes.
	type position struct {
		lane uint64
		last laneKey
	}
	active := make([]position, len(chosen))
	for i, t := range chosen {
		lane := binary.BigEndian.Uint64(t[72:])
		active[i] = position{lane, laneKeyOf(lane, orderKey(t[:72]))}
	}
	lanes := in.lanes.Cursor()
	for len(active) > 0 && len(chosen) < max {
		share := (max - len(chosen)) / len(active)
		if share == 0 {
			share = 1 // in the lanes' order, while places last
		}
		more := active[:0]
		for _, p := range active {
			lanes.Seek(p.last[:])
			taken := 0
			for taken < share && len(chosen) < max {
				k, _ := lanes.Next()
				if k == nil || binary.BigEndian.Uint64(k) != p.lane {
					break
				}
				p.last = laneKey(k)
				chosen = append(chosen, turnKeyOf(orderKey(k[8:]), p.lane))
				taken++
			}
			if taken == share {
				more = append(more, p)
			}
		}
		active = more
	}
	return chosen
}

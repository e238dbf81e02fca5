package ondisk

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"trialnotary/notary"
	"trialnotary/notary/statement"
)

// Buckets of the inbox.
//
//	inbox    number (8 bytes) → record: statements that were accepted together
//	cleared  number → bitmap: which of a record's statements wait no more
//
// A record is statements one after the other, each
//
//	received 8 bytes, lane 8, stream 32, statement 32, length of the note 2, note
//
// with numbers big-endian. Numbers only grow, so records are written one after
// the other, and a commit of many statements touches few pages. A record is
// removed when all its statements are cleared.
var (
	inboxBucket   = []byte("inbox")
	clearedBucket = []byte("cleared")
)

const (
	statementHead = 8 + 8 + 32 + 32 + 2

	maxRecord           = 16 << 10 // bytes of a record of more than one statement
	maxRecordStatements = 256
)

func appendStatement(dst []byte, a *notary.Accepted) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(a.Received))
	dst = binary.BigEndian.AppendUint64(dst, a.Lane)
	dst = append(dst, a.Stream[:]...)
	dst = append(dst, a.Statement[:]...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(a.Note)))
	return append(dst, a.Note...)
}

// parseRecord returns where each statement of a record is.
func parseRecord(number uint64, b []byte) ([]*place, error) {
	var places []*place
	for at := 0; at < len(b); {
		rest := b[at:]
		if len(rest) < statementHead || len(places) == maxRecordStatements {
			return nil, fmt.Errorf("inbox record %d is damaged at byte %d", number, at)
		}
		p := &place{
			Ref:      notary.Ref{Stream: statement.StreamID(rest[16:48]), Statement: statement.ID(rest[48:80])},
			received: int64(binary.BigEndian.Uint64(rest)),
			lane:     binary.BigEndian.Uint64(rest[8:]),
			record:   number,
			offset:   int32(at + statementHead),
			size:     int16(binary.BigEndian.Uint16(rest[80:])),
			position: uint8(len(places)),
		}
		if at = int(p.offset) + int(p.size); at > len(b) {
			return nil, fmt.Errorf("inbox record %d ends within a note", number)
		}
		places = append(places, p)
	}
	return places, nil
}

func recordKey(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// loadInbox reads the inbox into memory.
func (s *Store) loadInbox() error {
	return s.db.View(func(tx *bolt.Tx) error {
		cleared := tx.Bucket(clearedBucket)
		return tx.Bucket(inboxBucket).ForEach(func(k, v []byte) error {
			number := binary.BigEndian.Uint64(k)
			places, err := parseRecord(number, v)
			if err != nil {
				return err
			}
			var gone bitmap
			copy(gone[:], cleared.Get(k))
			for _, p := range places {
				if !gone.has(p.position) {
					s.waiting.add(p)
				}
			}
			if r := s.waiting.records[number]; r != nil {
				r.cleared = gone
			}
			return nil
		})
	})
}

// writeInbox writes those statements of the calls that are not waiting yet, and
// returns their places. It is called by one caller at a time.
func (s *Store) writeInbox(tx *bolt.Tx, calls []*acceptance) ([]*place, error) {
	inbox := tx.Bucket(inboxBucket)
	inbox.FillPercent = 1 // numbers only grow
	var (
		places []*place
		seen   = map[notary.Ref]bool{}
		buf    []byte
		number uint64
		inside int // statements in buf
		left   int // bytes to come, at most
	)
	for _, c := range calls {
		for i := range c.batch {
			left += statementHead + len(c.batch[i].Note)
		}
	}
	flush := func() error {
		if inside == 0 {
			return nil
		}
		err := inbox.Put(recordKey(number), buf)
		buf, inside = nil, 0 // the transaction keeps it
		return err
	}
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	for _, c := range calls {
		for i := range c.batch {
			a := &c.batch[i]
			if seen[a.Ref] || s.waiting.has(a.Ref) {
				continue
			}
			seen[a.Ref] = true
			if len(buf)+statementHead+len(a.Note) > maxRecord || inside == maxRecordStatements {
				if err := flush(); err != nil {
					return nil, err
				}
			}
			if inside == 0 {
				var err error
				if number, err = inbox.NextSequence(); err != nil {
					return nil, err
				}
				buf = make([]byte, 0, min(left, maxRecord))
			}
			left -= statementHead + len(a.Note)
			places = append(places, &place{
				Ref: a.Ref, received: a.Received, lane: a.Lane, record: number,
				offset: int32(len(buf) + statementHead), size: int16(len(a.Note)), position: uint8(inside),
			})
			buf = appendStatement(buf, a)
			inside++
		}
	}
	return places, flush()
}

// Clear removes statements from the inbox, all in one commit. Absent ones are no
// error.
func (s *Store) Clear(ctx context.Context, refs []notary.Ref) error {
	// Held until the commit, so that nobody is sent to a record that is gone.
	var locked bool
	defer func() {
		if locked {
			s.waiting.mu.Unlock()
		}
	}()
	var gone []*place
	err := s.update(ctx, func(tx *bolt.Tx) error {
		w := s.waiting
		w.mu.Lock()
		locked = true
		cleared := map[uint64]*record{} // as they will be
		seen := map[notary.Ref]bool{}
		for _, ref := range refs {
			p := w.places[ref]
			if p == nil || seen[ref] {
				continue
			}
			seen[ref] = true
			gone = append(gone, p)
			r := cleared[p.record]
			if r == nil {
				r = new(*w.records[p.record])
				cleared[p.record] = r
			}
			r.cleared.set(p.position)
			r.left--
		}
		if len(gone) == 0 {
			return errUnchanged
		}
		return writeCleared(tx, cleared)
	})
	if err != nil {
		return fmt.Errorf("clear %d statements: %w", len(refs), err)
	}
	if len(gone) > 0 {
		s.waiting.remove(gone)
	}
	return nil
}

// writeCleared writes what is left of records, or removes them.
func writeCleared(tx *bolt.Tx, records map[uint64]*record) error {
	inbox, cleared := tx.Bucket(inboxBucket), tx.Bucket(clearedBucket)
	numbers := make([]uint64, 0, len(records))
	for number := range records {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	for _, number := range numbers {
		key, r := recordKey(number), records[number]
		var err error
		if r.left == 0 {
			err = errors.Join(inbox.Delete(key), cleared.Delete(key))
		} else {
			err = cleared.Put(key, r.cleared[:])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Waiting reports for each ref whether it is in the inbox.
func (s *Store) Waiting(ctx context.Context, refs []notary.Ref) ([]bool, error) {
	if len(refs) > notary.MaxCall {
		return nil, fmt.Errorf("waiting: %d statements in one call, at most %d", len(refs), notary.MaxCall)
	}
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("waiting: %w", err)
	}
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	waiting := make([]bool, len(refs))
	for i, r := range refs {
		waiting[i] = s.waiting.has(r)
	}
	return waiting, nil
}

// Pending returns at most max statements of the inbox, lanes taking turns.
func (s *Store) Pending(ctx context.Context, max int) ([]notary.Accepted, error) {
	pending, err := s.pending(ctx, max)
	if err != nil {
		return nil, fmt.Errorf("pending: %w", err)
	}
	return pending, nil
}

func (s *Store) pending(ctx context.Context, max int) ([]notary.Accepted, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	s.waiting.mu.Lock()
	chosen := s.waiting.choose(max)
	// The transaction begins before anything chosen can be cleared.
	tx, err := s.db.Begin(false)
	s.waiting.mu.Unlock()
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	inbox := tx.Bucket(inboxBucket)
	pending := make([]notary.Accepted, len(chosen))
	var number uint64 // of record; numbers begin with 1
	var record []byte
	for i, p := range chosen {
		if p.record != number {
			number, record = p.record, inbox.Get(recordKey(p.record))
		}
		if int(p.offset)+int(p.size) > len(record) {
			return nil, fmt.Errorf("the database has lost inbox record %d", p.record)
		}
		pending[i] = notary.Accepted{
			Ref: p.Ref, Received: p.received, Lane: p.lane,
			Note: bytes.Clone(record[p.offset:][:p.size]),
		}
	}
	return pending, nil
}

package onaws

import (
	"context"
	bin "encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"trialnotary/notary"
	"trialnotary/notary/statement"
)

const (
	inboxPrefix = "IN#"
	shards      = 16
	nibbles     = "0123456789abcdef"
	headSize    = 16 // received and lane, 8 bytes each, big-endian

	// heldNotes bounds the bytes of notes in memory while the inbox is read; where it
	// holds more, the chosen ones are read again.
	heldNotes = 64 << 20
)

func inboxKey(r notary.Ref) key {
	return key{inboxPrefix + nibbles[r.Statement[0]>>4:][:1], r.Stream.String() + "#" + r.Statement.String()}
}

// Accept puts statements into the inbox, each by a conditional write.
func (s *Store) Accept(ctx context.Context, batch []notary.Accepted) error {
	return do(ctx, fmt.Sprintf("accept %d statements", len(batch)), func() error {
		if err := notary.CheckAccepted(batch); err != nil {
			return err
		}
		return s.addItems(ctx, len(batch), func(i int) (key, attributes) {
			a := &batch[i]
			k := inboxKey(a.Ref)
			item := s.item(k, a.Note)
			head := bin.BigEndian.AppendUint64(make([]byte, 0, headSize), uint64(a.Received))
			item[headAttribute] = binary(bin.BigEndian.AppendUint64(head, a.Lane))
			return k, item
		})
	})
}

// Waiting reports for each ref whether it is in the inbox.
func (s *Store) Waiting(ctx context.Context, refs []notary.Ref) (waiting []bool, err error) {
	err = do(ctx, fmt.Sprintf("waiting of %d statements", len(refs)), func() error {
		if len(refs) > notary.MaxCall {
			return fmt.Errorf("%d statements in one call, at most %d", len(refs), notary.MaxCall)
		}
		found, err := s.getItems(ctx, inboxKeys(refs), headAttribute)
		waiting = make([]bool, len(refs))
		for i, r := range refs {
			_, waiting[i] = found[inboxKey(r)]
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return waiting, nil
}

// Clear removes statements from the inbox.
func (s *Store) Clear(ctx context.Context, refs []notary.Ref) error {
	return do(ctx, fmt.Sprintf("clear %d statements", len(refs)), func() error {
		return s.deleteItems(ctx, inboxKeys(refs))
	})
}

func inboxKeys(refs []notary.Ref) []key {
	keys := make([]key, len(refs))
	for i, r := range refs {
		keys[i] = inboxKey(r)
	}
	return keys
}

// Pending reads the whole inbox, because whose turn it is depends on all of it.
func (s *Store) Pending(ctx context.Context, max int) (pending []notary.Accepted, err error) {
	err = do(ctx, "pending", func() error {
		if max <= 0 {
			return nil
		}
		all, err := s.readInbox(ctx)
		if err != nil {
			return err
		}
		pending, err = s.notes(ctx, turns(all, max))
		return err
	})
	if err != nil {
		return nil, err
	}
	return pending, nil
}

// readInbox reads all shards to their ends.
func (s *Store) readInbox(ctx context.Context) ([]waiting, error) {
	var mu sync.Mutex
	var all []waiting
	held := 0
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel / 4)
	for i := range shards {
		g.Go(func() error {
			return s.query(ctx, inboxPrefix+nibbles[i:i+1], "", math.MaxInt, func(k key, a attributes) error {
				w, err := parseWaiting(k, a)
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				if held += len(bytesOf(a, valueAttribute)) + len(bytesOf(a, deflatedAttribute)); held <= heldNotes {
					w.item = a
				}
				all = append(all, w)
				return nil
			})
		})
	}
	return all, g.Wait()
}

func parseWaiting(k key, a attributes) (waiting, error) {
	stream, id, _ := strings.Cut(k.sort, "#")
	w := waiting{}
	var err1, err2 error
	w.Stream, err1 = statement.ParseStreamID(stream)
	w.Statement, err2 = statement.ParseID(id)
	head := bytesOf(a, headAttribute)
	if err := errors.Join(err1, err2); err != nil || len(head) != headSize {
		return waiting{}, fmt.Errorf("inbox item %q is not a statement's: %w", k.partition, errors.Join(err, errNoHead))
	}
	w.received, w.lane = int64(bin.BigEndian.Uint64(head)), bin.BigEndian.Uint64(head[8:])
	return w, nil
}

var errNoHead = errors.New("ids or time are missing")

// notes returns the chosen statements with their notes. One that somebody has
// cleared meanwhile is left out: it has its outcome.
func (s *Store) notes(ctx context.Context, chosen []waiting) ([]notary.Accepted, error) {
	var missing []key
	for _, w := range chosen {
		if w.item == nil {
			missing = append(missing, inboxKey(w.Ref))
		}
	}
	found, err := s.getItems(ctx, missing, "")
	if err != nil {
		return nil, err
	}
	pending := make([]notary.Accepted, 0, len(chosen))
	for _, w := range chosen {
		if w.item == nil {
			if w.item = found[inboxKey(w.Ref)]; w.item == nil {
				continue
			}
		}
		note, err := value(w.item)
		if err != nil {
			return nil, err
		}
		pending = append(pending, notary.Accepted{Ref: w.Ref, Received: w.received, Lane: w.lane, Note: note})
	}
	return pending, nil
}

package notary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"trialnotary/notary/access"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// maxAnchored bounds the reads anchored at a time: a file of them has 200 KiB.
const maxAnchored = 1000

// anchor puts what was read into the inbox as statements of the service's own, when
// it has waited for long enough or much is waiting. It is exactly once: which reads go
// together is committed first, in one cell; all that follows from it is the same,
// whoever does it and however often. It reports whether something was.
func (s *Service) anchor(ctx context.Context) (bool, error) {
	raw, a, err := s.readAnchored(ctx)
	if err != nil {
		return false, err
	}
	if a.State == finished {
		// 1. Plan. A crash after it leaves a plan that the next call carries out.
		rows, err := s.store.ListRows(ctx, queuePartition, sortKey(a.To+1), maxAnchored)
		if err != nil || len(rows) == 0 {
			return false, err
		}
		first, err := parseQueued(rows[0].Value)
		if err != nil {
			return false, err
		}
		now := s.Now().UTC().Truncate(time.Second)
		if len(rows) < maxAnchored && now.Sub(first.Record.Time) < s.Anchor {
			return false, nil
		}
		last, err := queueNumber(rows[len(rows)-1])
		if err != nil {
			return false, err
		}
		a = anchored{From: a.To + 1, To: last, Time: now, State: planned}
		if raw, err = s.stepAnchored(ctx, raw, a); err != nil {
			return false, err
		}
	}
	if a.State == planned {
		// 2. Files, and statements into the inbox. A crash leaves some of them; the same
		// ones are made again.
		if err := s.anchorRun(ctx, a); err != nil {
			return false, err
		}
		a.State = accepted
		if raw, err = s.stepAnchored(ctx, raw, a); err != nil {
			return false, err
		}
	}
	// 3. What stands in a file need not stand in the queue: from here on a file that is
	// deleted is gone.
	if err := s.trimQueue(ctx, a); err != nil {
		return false, err
	}
	a.State = finished
	_, err = s.stepAnchored(ctx, raw, a)
	return true, err
}

// errOvertaken: another sealer is anchoring; there is nothing left to do here.
var errOvertaken = errors.New("another sealer anchors the trail")

// stepAnchored replaces the cell and returns its new bytes.
func (s *Service) stepAnchored(ctx context.Context, old []byte, a anchored) ([]byte, error) {
	row := a.row()
	err := s.store.SwapRow(ctx, old, row)
	if err != nil {
		now, _, readErr := s.readAnchored(ctx)
		switch {
		case readErr == nil && bytes.Equal(now, row.Value): // by us, or by another who did the same
		case errors.Is(err, ErrConflict):
			return nil, errOvertaken
		default:
			return nil, err
		}
	}
	return row.Value, nil
}

// run is what one trial's reads in streams of one class become.
type run struct {
	trial   statement.StreamID
	closed  bool
	records []access.Record
}

// anchorRun makes files and statements of the reads of a.
func (s *Service) anchorRun(ctx context.Context, a anchored) error {
	rows, err := s.queueRows(ctx, a)
	if err != nil {
		return err
	}
	var runs []*run
	for _, row := range rows {
		if bytes.Equal(row.Value, moved) {
			return nil // another sealer is further on
		}
		q, err := parseQueued(row.Value)
		if err != nil {
			return err
		}
		var r *run
		for _, other := range runs {
			if other.trial == q.Trial && other.closed == q.Closed {
				r = other
			}
		}
		if r == nil {
			r = &run{trial: q.Trial, closed: q.Closed}
			runs = append(runs, r)
		}
		r.records = append(r.records, q.Record)
	}
	w, err := s.steward(ctx)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if err := s.anchorFile(ctx, w, a, r); err != nil {
			return err
		}
	}
	return nil
}

// newestFile says which of a trial's files was made last.
type newestFile struct {
	Number    uint64
	Statement statement.ID
	From      uint64        // of the reads that it was made of
	Previous  *statement.ID // that of the file before it
}

func newestKey(r *run) Row { return Row{Partition: "AL#" + r.trial.String(), Sort: class(r.closed)} }

// anchorFile makes the next file of a trial, and the statement about it.
func (s *Service) anchorFile(ctx context.Context, w *steward, a anchored, r *run) error {
	v, err := s.store.GetRows(ctx, []Row{newestKey(r)})
	if err != nil {
		return err
	}
	last, err := parseNewest(v[0])
	switch {
	case err != nil:
		return err
	case last.From > a.From:
		return errOvertaken
	case last.From == a.From: // made before, up to some point: make the same
		last.Number--
	case v[0] != nil:
		last.Previous = &last.Statement
	}
	f := access.File{Log: s.Origin, Trial: r.trial, Closed: r.closed, Number: last.Number + 1, Records: r.records}
	file := f.Bytes()
	n, err := s.say(w, file, a.Time, func(n *statement.Statement) { access.Anchor(n, f, last.Previous) })
	if err != nil {
		return err
	}
	if err := s.store.PutState(ctx, accessName(r.trial, n.ID), file); err != nil {
		return err
	}
	if err := s.acceptOwn(ctx, w, n); err != nil {
		return err
	}
	if err := s.store.AddRows(ctx, []Row{{accessPartition(r.trial), sortKey(f.Number) + "-" + class(r.closed), n.Raw}}); err != nil {
		return err
	}
	row := newestKey(r)
	row.Value = newestFile{f.Number, n.ID, a.From, last.Previous}.bytes()
	if bytes.Equal(v[0], row.Value) {
		return nil
	}
	if err := s.store.SwapRow(ctx, v[0], row); errors.Is(err, ErrConflict) {
		return errOvertaken
	} else if err != nil {
		return err
	}
	return nil
}

func (f newestFile) bytes() []byte {
	b := fmt.Appendf(nil, "trialnotary/newest@v1\nnumber %d\nstatement %s\nfrom %d\n", f.Number, f.Statement, f.From)
	if f.Previous != nil {
		b = fmt.Appendf(b, "previous %s\n", f.Previous)
	}
	return b
}

// parseNewest parses the row; nil gives the zero value.
func parseNewest(b []byte) (f newestFile, err error) {
	if b == nil {
		return f, nil
	}
	r := text.NewReader(b)
	r.Exact("trialnotary/newest@v1")
	f.Number = r.Uint("number")
	f.Statement = statement.ID(r.ParseHex(r.Value("statement")))
	f.From = r.Uint("from")
	if r.Has("previous") {
		id := statement.ID(r.ParseHex(r.Value("previous")))
		f.Previous = &id
	}
	if err := r.Done(); err != nil {
		return newestFile{}, fmt.Errorf("newest file of the trail: %w", err)
	}
	return f, nil
}

func accessPartition(trial statement.StreamID) string { return "AC#" + trial.String() }

func accessName(trial statement.StreamID, id statement.ID) string {
	return "access/" + trial.String() + "/" + id.String()
}

// trimQueue leaves of the reads of a their numbers alone.
func (s *Service) trimQueue(ctx context.Context, a anchored) error {
	rows, err := s.queueRows(ctx, a)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if bytes.Equal(row.Value, moved) {
			continue
		}
		err := s.store.SwapRow(ctx, row.Value, Row{row.Partition, row.Sort, moved})
		if err != nil && !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return nil
}

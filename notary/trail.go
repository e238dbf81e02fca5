package notary

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"trialnotary/notary/access"
	"trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// The trail of reads. All that is read waits in one queue, in order, until the sealer
// puts it into files by trial (anchor.go):
//
//	AQ#-          | <number>          a read that waits to be anchored
//	AA#-          | -                 up to where the queue is anchored
//	AL#<trial>    | open or closed    the newest file of a trial's
//	AC#<trial>    | <number>-<class>  an access statement, by the number of its file
//	access/<trial>/<statement>        its file: private, can be deleted

const queuePartition = "AQ#-"

// queued is a read in the queue. Nonce tells it from an equal one.
type queued struct {
	Trial  statement.StreamID
	Closed bool
	Record access.Record
	Nonce  [8]byte
}

func queueKey(number uint64) Row { return Row{Partition: queuePartition, Sort: sortKey(number)} }

func (q queued) row(number uint64) Row {
	r := queueKey(number)
	r.Value = append(fmt.Appendf(nil, "%s %s %x\n", q.Trial, class(q.Closed), q.Nonce), q.Record.Line()...)
	return r
}

// moved is the value of a row of the queue whose read stands in a file.
var moved = []byte("-")

func class(closed bool) string {
	if closed {
		return "closed"
	}
	return "open"
}

func parseQueued(b []byte) (q queued, err error) {
	line, record, _ := bytes.Cut(b, []byte("\n"))
	var trial, class string
	if _, err = fmt.Sscanf(string(line), "%s %s", &trial, &class); err == nil {
		if q.Trial, err = statement.ParseStreamID(trial); err == nil {
			q.Closed = class == "closed"
			q.Record, err = access.ParseLine(record)
		}
	}
	if err != nil {
		return queued{}, fmt.Errorf("row of the trail: %w", err)
	}
	return q, nil
}

// record writes down, durably, that something is read, before it is answered.
// Whatever else fails then, the answer is not given without it.
func (s *Service) record(ctx context.Context, r reading, what string, from, to uint64) error {
	q := queued{Trial: r.Trial, Closed: r.Closed, Record: access.Record{Time: s.Now(), Key: r.Key.Fingerprint(), Role: r.Role,
		What: what, Stream: r.Stream, From: from, To: to}}
	rand.Read(q.Nonce[:])
	for next := s.queue.Load(); ; next = 0 {
		if next == 0 { // not known, or others read too: look where the queue ends now
			var err error
			if next, err = s.queueEnd(ctx); err != nil {
				return fmt.Errorf("trail of reads: %w", err)
			}
		}
		row := q.row(next)
		err := s.store.SwapRow(ctx, nil, row)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			// It may have taken effect and not said so.
			v, readErr := s.store.GetRows(ctx, []Row{row})
			if readErr != nil || !bytes.Equal(v[0], row.Value) {
				return fmt.Errorf("trail of reads: %w", err)
			}
		}
		s.queue.Store(next + 1) // a hint: what is there already is a conflict
		return nil
	}
}

// queueEnd returns the number that the queue's next read has, from 1.
func (s *Service) queueEnd(ctx context.Context) (uint64, error) {
	_, a, err := s.readAnchored(ctx)
	if err != nil {
		return 0, err
	}
	for next := a.To + 1; ; {
		rows, err := s.store.ListRows(ctx, queuePartition, sortKey(next), pageChunk)
		if err != nil {
			return 0, err
		}
		if len(rows) > 0 {
			last, err := queueNumber(rows[len(rows)-1])
			if err != nil {
				return 0, err
			}
			next = last + 1
		}
		if len(rows) < pageChunk {
			return next, nil
		}
	}
}

// queueNumber returns the number of a row of the queue. After a database was restored
// from an older copy, numbers may be left out.
func queueNumber(r Row) (n uint64, err error) {
	if _, err = fmt.Sscanf(r.Sort, "%d", &n); err != nil {
		return 0, fmt.Errorf("row of the trail %q: %w", r.Sort, err)
	}
	return n, nil
}

// queueRows returns the rows of the queue that a run is made of.
func (s *Service) queueRows(ctx context.Context, a anchored) ([]Row, error) {
	rows, err := s.store.ListRows(ctx, queuePartition, sortKey(a.From), maxAnchored)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(r Row) bool { return r.Sort > sortKey(a.To) }), nil
}

// anchored is the one cell about the queue: the reads From to To are being anchored,
// all before are.
//
//	trialnotary/anchored@v1
//	from 2
//	to 15
//	time 2026-11-22T13:30:00Z
//	state planned
type anchored struct {
	From, To uint64
	Time     time.Time
	State    string
}

// The states of a run of reads. Each is entered when all of the one before is done,
// and done again by whoever finds it.
const (
	planned  = "planned"  // statements may be missing in the inbox
	accepted = "accepted" // rows of the queue may hold what the files hold
	finished = "finished"
)

var anchoredKey = Row{Partition: "AA#-", Sort: "-"}

func (a anchored) row() Row {
	r := anchoredKey
	r.Value = fmt.Appendf(nil, "trialnotary/anchored@v1\nfrom %d\nto %d\ntime %s\nstate %s\n", a.From, a.To, text.FormatTime(a.Time), a.State)
	return r
}

// readAnchored returns the cell and its bytes, nil if nothing was ever anchored.
func (s *Service) readAnchored(ctx context.Context) ([]byte, anchored, error) {
	v, err := s.store.GetRows(ctx, []Row{anchoredKey})
	if err != nil || v[0] == nil {
		return nil, anchored{State: finished}, err
	}
	r := text.NewReader(v[0])
	r.Exact("trialnotary/anchored@v1")
	a := anchored{From: r.Uint("from"), To: r.Uint("to"), Time: r.Time("time"), State: r.Value("state")}
	if err := r.Done(); err != nil {
		return nil, anchored{}, fmt.Errorf("what is anchored of the trail: %w", err)
	}
	return v[0], a, nil
}

// AccessVersion is the comment of the archive that Access returns.
const AccessVersion = "trialnotary/trail@v1"

// Access returns who read what of a trial, anchored up to now, from number from ≥ 1
// on: an archive of `registration`, the service's own, and for every file of reads
// `statement-<number>-<open or closed>` and `records-<number>-<open or closed>`, the
// latter only while the service has them. Files of reads in closed streams are for keys
// that may read these; they are numbered apart, so that no gap tells of them. Next counts in numbers, too. stream is the trial's own; errors
// as for Entries.
func (s *Service) Access(ctx context.Context, ask *request.Read, stream statement.StreamID, from uint64) (Page, error) {
	r, err := s.mayRead(ctx, ask, stream)
	if err != nil {
		return Page{}, err
	}
	if r.Trial != r.Stream {
		return Page{}, ErrUnreadable
	}
	a := text.Archive{Version: AccessVersion}
	v, err := s.store.GetRows(ctx, []Row{stewardRegistration})
	if err != nil {
		return Page{}, err
	}
	if v[0] != nil {
		a.Parts = append(a.Parts, text.Part{Name: "registration", Data: v[0]})
	}
	var p Page
	next, size := sortKey(from), len(a.Version)+len(v[0])+64
	for p.Next == 0 {
		rows, err := s.store.ListRows(ctx, accessPartition(r.Trial), next, pageChunk)
		if err != nil {
			return Page{}, err
		}
		for _, row := range rows {
			number, class, _ := strings.Cut(row.Sort, "-")
			next = row.Sort + "-"
			if class != "open" && !r.ReadsAll() {
				continue
			}
			var at uint64
			if _, err := fmt.Sscanf(number, "%d", &at); err != nil {
				return Page{}, fmt.Errorf("row of the trail %q: %w", row.Sort, err)
			}
			records, err := s.store.GetState(ctx, accessName(r.Trial, statement.IDOf(row.Value)), 0, -1)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return Page{}, err
			}
			if size += len(row.Value) + len(records) + 128; size > MaxPage {
				p.Next = at
				break
			}
			name := fmt.Sprintf("%d-%s", at, class)
			a.Parts = append(a.Parts, text.Part{Name: "statement-" + name, Data: row.Value})
			if len(records) > 0 {
				a.Parts = append(a.Parts, text.Part{Name: "records-" + name, Data: records})
			}
		}
		if len(rows) < pageChunk {
			break
		}
	}
	if p.Body, err = a.Bytes(); err != nil {
		return Page{}, err
	}
	if err := s.record(ctx, r, access.Trail, 0, 0); err != nil {
		return Page{}, err
	}
	return p, nil
}

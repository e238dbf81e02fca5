package notary

import (
	"context"
	"fmt"

	"trialnotary/notary/access"
	"trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// StatementsVersion is the comment of the archive that Statements returns.
const StatementsVersion = "trialnotary/statements@v1"

// Bounds of a page.
const (
	MaxPage   = 4 << 20 // bytes
	pageSpan  = 8192    // entries whose statements one page looks for
	pageChunk = 256     // of them at a time: 2 MiB of notes at most
)

// Page is a part of what a stream holds. Next is the seq at which the next page
// begins, 0 if there is none yet.
type Page struct {
	Body []byte
	Next uint64
}

// Entries returns the published entries of a stream from seq from ≥ 1 on, their
// leaves as they stand in the log, one after the other. It has written down that they
// are read. ErrUnreadable, *Untimely and *Rejection if ask is not answered.
func (s *Service) Entries(ctx context.Context, ask *request.Read, stream statement.StreamID, from uint64) (Page, error) {
	r, err := s.mayRead(ctx, ask, stream)
	if err != nil {
		return Page{}, err
	}
	var p Page
	first := from
	last, err := s.entries(ctx, r, from, func(rows []Row) (bool, error) {
		for _, row := range rows {
			if len(p.Body)+len(row.Value) > MaxPage {
				return false, nil
			}
			p.Body = append(p.Body, row.Value...)
			from++
		}
		return true, nil
	})
	if err != nil {
		return Page{}, fmt.Errorf("entries of a stream: %w", err)
	}
	if !last {
		p.Next = from
	}
	if err := s.record(ctx, r, access.Entries, first, from-1); err != nil {
		return Page{}, err
	}
	return p, nil
}

// Statements returns the statements of a stream that the service still holds, from
// seq from ≥ 1 on, as an archive with a part statement-<seq> for each. Those that
// were erased, lost or submitted blind are not in it. Errors as for Entries.
func (s *Service) Statements(ctx context.Context, ask *request.Read, stream statement.StreamID, from uint64) (Page, error) {
	r, err := s.mayRead(ctx, ask, stream)
	if err != nil {
		return Page{}, err
	}
	erased, err := s.erasedIn(ctx, stream)
	if err != nil {
		return Page{}, fmt.Errorf("statements of a stream: %w", err)
	}
	a := text.Archive{Version: StatementsVersion}
	first, size, until := from, len(a.Version)+1, from+pageSpan
	last, err := s.entries(ctx, r, from, func(rows []Row) (bool, error) {
		keys, ids := make([]Row, len(rows)), make([]statement.ID, len(rows))
		for i, row := range rows {
			e, err := parseStreamRow(row.Value)
			if err != nil {
				return false, err
			}
			keys[i], ids[i] = statementKey(Ref{e.Stream, e.Statement}), e.Statement
		}
		values, err := s.store.GetRows(ctx, keys)
		if err != nil {
			return false, err
		}
		for i, v := range values {
			if v != nil && !erased[ids[i]] {
				o, err := parseOutcome(v)
				if err != nil {
					return false, err
				}
				if len(o.Note) > 0 {
					name := fmt.Sprintf("statement-%d", from)
					if size += len("--  --\n") + len(name) + len(o.Note); size > MaxPage {
						return false, nil
					}
					a.Parts = append(a.Parts, text.Part{Name: name, Data: o.Note})
				}
			}
			from++
		}
		return from < until, nil
	})
	if err != nil {
		return Page{}, fmt.Errorf("statements of a stream: %w", err)
	}
	var p Page
	if p.Body, err = a.Bytes(); err != nil {
		return Page{}, fmt.Errorf("statements of a stream: %w", err)
	}
	if !last {
		p.Next = from
	}
	if err := s.record(ctx, r, access.Statements, first, from-1); err != nil {
		return Page{}, err
	}
	return p, nil
}

// entries calls f with the rows of a stream's entries from seq from on, some at a
// time, until f returns false. last says that f took all that are published.
func (s *Service) entries(ctx context.Context, r reading, from uint64, f func([]Row) (bool, error)) (last bool, err error) {
	for {
		rows, err := s.store.ListRows(ctx, streamKey(r.Stream, from).Partition, sortKey(from), pageChunk)
		if err != nil {
			return false, err
		}
		whole := len(rows) == pageChunk
		for i, row := range rows {
			e, err := parseStreamRow(row.Value)
			if err != nil {
				return false, err
			}
			// Rows of a batch that is being published may be there in part.
			if e.Index >= r.head.complete() {
				rows, whole = rows[:i], false
				break
			}
			if e.Seq != from+uint64(i) {
				return false, fmt.Errorf("the rows of a stream lack seq %d", from+uint64(i))
			}
		}
		if len(rows) > 0 {
			more, err := f(rows)
			if err != nil || !more {
				return false, err
			}
		}
		if !whole {
			return true, nil
		}
		from += uint64(len(rows))
	}
}

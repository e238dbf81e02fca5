package notary

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"trialnotary/notary/statement"
)

// Erasure says what Erase did, or found done.
type Erasure struct {
	Statement statement.ID // the erasure that it rests on
	Index     uint64       // of that in the log
	Reason    string       // that it gives
	Staged    int          // staging objects that were rewritten now
	Done      bool         // the note was gone before
}

// Why a statement is not erased.
var (
	// ErrNoErasure: no erasure about the statement is sealed where one counts.
	ErrNoErasure = errors.New("no sealed statement asks for it: seal one of kind erasure, with its reason, about the statement, in the same stream or as sponsor in the trial stream")
	// ErrKeyStatement: the statement is a registration, or grants or ends a key.
	ErrKeyStatement = errors.New("it says which keys may sign in its trial: without it no receipt of the trial could be checked again, and the service could accept nothing more for it")
)

// Erase deletes the note of a sealed statement from all that the service holds: its
// row, the staging objects it may stand in, and the inbox. Its entry, which opens
// nothing, stays in the log, and histories count it as closed. It rests on a sealed
// statement of kind erasure about it, in the same stream, or in the trial stream by
// the sponsor. What is erased is remembered, by ids alone, so that neither a repair
// nor a second submission brings it back. It can be interrupted and run again, and run
// beside the service. ErrNotFound, ErrPending, ErrNoErasure, ErrKeyStatement.
//
// Copies of the database that were made before have the note for as long as they are
// kept.
func (s *Service) Erase(ctx context.Context, ref Ref) (Erasure, error) {
	o, err := s.outcome(ctx, ref)
	if err != nil {
		return Erasure{}, err
	}
	if o.Refused != "" {
		return Erasure{}, fmt.Errorf("statement %s was refused at sealing: %w", ref.Statement, ErrNotFound)
	}
	if err := s.awaitPublished(ctx, o.Batch); err != nil {
		return Erasure{}, err
	}
	if len(o.Note) > 0 {
		n, err := statement.Parse(o.Note)
		if err != nil {
			return Erasure{}, err
		}
		if n.Kind == statement.KindRegistration || len(n.Keys) > 0 {
			return Erasure{}, ErrKeyStatement
		}
	}
	e, err := s.erasureOf(ctx, ref, o)
	if err != nil {
		return Erasure{}, err
	}
	// From here on it cannot come back; a crash leaves what the next call deletes.
	if err := s.store.PutState(ctx, erasedName(ref), []byte(e.Statement.String()+"\n")); err != nil {
		return Erasure{}, fmt.Errorf("remember what is erased: %w", err)
	}
	e.Done = len(o.Note) == 0
	if e.Staged, err = s.eraseNote(ctx, ref, o.Batch); err != nil {
		return Erasure{}, err
	}
	e.Done = e.Done && e.Staged == 0
	return e, nil
}

// eraseNote deletes the note of a statement sealed in a batch (0: any) from everywhere,
// and returns how many staging objects had it.
func (s *Service) eraseNote(ctx context.Context, ref Ref, batch uint64) (int, error) {
	for {
		v, err := s.store.GetRows(ctx, []Row{statementKey(ref)})
		if err != nil {
			return 0, err
		}
		if v[0] == nil {
			break // a repair lost it, and will find it named as erased
		}
		o, err := parseOutcome(v[0])
		if err != nil {
			return 0, err
		}
		if o.Erased {
			break
		}
		o.Note, o.Erased = nil, true
		if err := s.store.SwapRow(ctx, v[0], o.row(ref)); errors.Is(err, ErrConflict) {
			continue
		} else if err != nil {
			return 0, fmt.Errorf("erase the row: %w", err)
		}
		break
	}
	staged, err := s.eraseStaged(ctx, ref, batch)
	if err != nil {
		return 0, fmt.Errorf("erase what was staged: %w", err)
	}
	s.notes.drop([]Ref{ref})
	return staged, s.store.Clear(ctx, []Ref{ref})
}

// eraseStaged rewrites the staging objects that hold a statement's note: its batch's,
// and those of abandoned tries, which may hold it, too.
func (s *Service) eraseStaged(ctx context.Context, ref Ref, batch uint64) (int, error) {
	names, err := s.store.ListState(ctx, "staging/")
	if err != nil {
		return 0, err
	}
	if batch > 0 {
		if names, err = s.mayHold(ctx, names, batch); err != nil {
			return 0, err
		}
	}
	rewritten := 0
	for _, name := range names {
		raw, err := s.store.GetState(ctx, name, 0, -1)
		if errors.Is(err, ErrNotFound) {
			continue // expired meanwhile
		} else if err != nil {
			return rewritten, err
		}
		g, err := parseStaged(raw)
		if err != nil || !g.drop(ref) {
			continue // what cannot be read is never used
		}
		if err := s.store.PutState(ctx, name, g.bytes()); err != nil {
			return rewritten, err
		}
		rewritten++
	}
	return rewritten, nil
}

// mayHold leaves of the names of staging objects those that may hold what was sealed
// in a batch: no later ones, and of other batches none that was committed.
func (s *Service) mayHold(ctx context.Context, names []string, batch uint64) ([]string, error) {
	var left []string
	for chunk := range slices.Chunk(names, MaxCall) {
		keys := make([]Row, len(chunk))
		for i, name := range chunk {
			n, _ := stagedBatch(name)
			keys[i] = batchKey(n)
		}
		values, err := s.store.GetRows(ctx, keys)
		if err != nil {
			return nil, err
		}
		for i, name := range chunk {
			n, ok := stagedBatch(name)
			if !ok || n > batch {
				continue
			}
			if n < batch && values[i] != nil {
				b, err := parseBatchRow(values[i])
				if err != nil {
					return nil, err
				}
				if name == stagedName(head{Batch: n, Size: b.Size, Root: b.Root}) {
					continue
				}
			}
			left = append(left, name)
		}
	}
	return left, nil
}

// drop takes a statement's note out of a staging object and reports whether it held it.
func (g *staged) drop(ref Ref) bool {
	held := false
	for i := range g.Items {
		if item := &g.Items[i]; item.Stream == ref.Stream && item.Statement == ref.Statement && len(item.Note) > 0 {
			item.Note, held = nil, true
		}
	}
	for i := range g.Refused {
		if r := &g.Refused[i]; r.Stream == ref.Stream && r.Statement == ref.Statement && len(r.Note) > 0 {
			r.Note, held = nil, true
		}
	}
	return held
}

// erasureOf finds the first sealed erasure of a statement: in its own stream, or in
// the trial stream by a key that grants keys.
func (s *Service) erasureOf(ctx context.Context, ref Ref, o outcome) (Erasure, error) {
	own, err := s.owner(ctx, ref.Stream)
	if errors.Is(err, ErrNotFound) {
		return Erasure{}, ErrKeyStatement // of a registration stream
	} else if err != nil {
		return Erasure{}, err
	}
	h, err := s.readHead(ctx)
	if err != nil {
		return Erasure{}, err
	}
	a, err := s.authority(ctx, own.Trial, h.complete())
	if err != nil {
		return Erasure{}, hide(err)
	}
	e, err := s.findErasure(ctx, reading{Stream: ref.Stream, head: h}, o.Seq+1, ref.Statement, nil)
	if errors.Is(err, ErrNoErasure) && own.Trial != ref.Stream {
		e, err = s.findErasure(ctx, reading{Stream: own.Trial, head: h}, 1, ref.Statement, a)
	}
	return e, err
}

// findErasure looks through a stream's statements from seq from on. Where sponsor is
// not nil, the erasure must be signed by a key that this lets grant.
func (s *Service) findErasure(ctx context.Context, r reading, from uint64, id statement.ID, sponsor *statement.Authority) (Erasure, error) {
	var found Erasure
	_, err := s.entries(ctx, r, from, func(rows []Row) (bool, error) {
		keys := make([]Row, len(rows))
		for i, row := range rows {
			e, err := parseStreamRow(row.Value)
			if err != nil {
				return false, err
			}
			keys[i] = statementKey(Ref{e.Stream, e.Statement})
		}
		values, err := s.store.GetRows(ctx, keys)
		if err != nil {
			return false, err
		}
		for i, v := range values {
			if v == nil {
				continue
			}
			o, err := parseOutcome(v)
			if err != nil {
				return false, err
			}
			if len(o.Note) == 0 {
				continue
			}
			n, err := statement.Parse(o.Note)
			if err != nil {
				return false, err
			}
			if n.Kind != statement.KindErasure || !slices.Contains(n.About, id) {
				continue
			}
			if sponsor != nil {
				e, err := parseStreamRow(rows[i].Value)
				if err != nil {
					return false, err
				}
				g, err := sponsor.Check(n, e.Index, e.Time)
				if err != nil || !g.Role.Grants() {
					continue
				}
			}
			found = Erasure{Statement: n.ID, Index: o.Index, Reason: n.Reason}
			return false, nil
		}
		return true, nil
	})
	if err == nil && found.Reason == "" {
		err = ErrNoErasure
	}
	return found, err
}

// erasedName names the private object that says that a statement is erased.
func erasedName(ref Ref) string {
	return "erased/" + ref.Stream.String() + "/" + ref.Statement.String()
}

// erased reports whether a statement was erased, whatever its row says.
func (s *Service) erased(ctx context.Context, ref Ref) (bool, error) {
	_, err := s.store.GetState(ctx, erasedName(ref), 0, -1)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// erasedIn returns which statements of a stream were erased, whatever their rows say: a
// database restored from an older copy has their notes until it is repaired.
func (s *Service) erasedIn(ctx context.Context, stream statement.StreamID) (map[statement.ID]bool, error) {
	prefix := "erased/" + stream.String() + "/"
	names, err := s.store.ListState(ctx, prefix)
	if err != nil {
		return nil, err
	}
	all := make(map[statement.ID]bool, len(names))
	for _, name := range names {
		id, err := statement.ParseID(strings.TrimPrefix(name, prefix))
		if err != nil {
			return nil, fmt.Errorf("%s names no statement", name)
		}
		all[id] = true
	}
	return all, nil
}

// eraseAgain deletes what a repair of the database brought back.
func (s *Service) eraseAgain(ctx context.Context) error {
	names, err := s.store.ListState(ctx, "erased/")
	if err != nil {
		return err
	}
	for _, name := range names {
		var stream, id string
		if n, err := fmt.Sscanf(name, "erased/%64s/%64s", &stream, &id); err != nil || n != 2 {
			return fmt.Errorf("%s names no statement", name)
		}
		var ref Ref
		if ref.Stream, err = statement.ParseStreamID(stream); err == nil {
			ref.Statement, err = statement.ParseID(id)
		}
		if err == nil {
			_, err = s.eraseNote(ctx, ref, 0)
		}
		if err != nil {
			return fmt.Errorf("erase again: %w", err)
		}
	}
	return nil
}

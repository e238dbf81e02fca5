package notary

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/request"
	"trialnotary/notary/statement"
)

// MaxSubmission is how many statements one call of Submit takes.
const MaxSubmission = 256

// latest stands for the index a statement will get: after every grant and every
// revocation sealed so far.
const latest = math.MaxUint64

// RejectionKind says whose move it is.
type RejectionKind int

const (
	Malformed RejectionKind = iota + 1 // the bytes are not a statement for this log
	Forbidden                          // the key may not say this, here and now
	Conflict                           // what it says contradicts the trial's state
)

// Rejection is a statement that was not accepted. Reason is a sentence for its
// author and holds nothing that the author does not know.
type Rejection struct {
	Index  int // which of the submitted statements, from 0
	Kind   RejectionKind
	Reason string
}

func (r *Rejection) Error() string { return r.Reason }

func reject(kind RejectionKind, format string, a ...any) error {
	return &Rejection{Kind: kind, Reason: fmt.Sprintf(format, a...)}
}

// Submit accepts signed statements, and blind submissions of statements that it does
// not see: all of them, durably, when it returns nil, and none of them when it returns a *Rejection. After any other error some may
// have been accepted; submitting the same bytes again is always safe and gives
// the same answer. It returns one Ref per statement, under which Receipt will
// answer; a registration's is the one in the registration stream of its own id.
// At most MaxSubmission statements a call. The notes' bytes are kept and must not
// change afterwards.
func (s *Service) Submit(ctx context.Context, notes [][]byte) ([]Ref, error) {
	if len(notes) == 0 || len(notes) > MaxSubmission {
		return nil, reject(Malformed, "%d statements in one submission, 1 to %d are allowed", len(notes), MaxSubmission)
	}
	refs := make([]Ref, len(notes))
	batch := make([]Accepted, 0, len(notes))
	grants := &pendingGrants{trials: map[statement.StreamID]*statement.Authority{}, next: latest - MaxSubmission}
	for i, raw := range notes {
		var n *statement.Note
		var blind *request.Blind
		var err error
		if request.IsBlind(raw) {
			if blind, err = request.ParseBlind(raw); err == nil {
				refs[i] = Ref{blind.Stream, blind.Statement}
			}
		} else if n, err = statement.Parse(raw); err == nil {
			refs[i] = Ref{n.Stream(), n.ID}
		}
		if err != nil {
			return nil, &Rejection{Index: i, Kind: Malformed, Reason: err.Error()}
		}
		var streams []statement.StreamID
		var key statement.PublicKey
		if blind != nil {
			streams, key, err = s.admitBlind(ctx, blind)
		} else {
			streams, key, err = s.admit(ctx, n, grants)
		}
		if err != nil {
			var r *Rejection
			if !errors.As(err, &r) {
				return nil, err
			}
			// The same bytes again get the same answer, whatever became of their key.
			if again, err := s.known(ctx, refs[i], raw); err != nil {
				return nil, err
			} else if again {
				continue
			}
			r.Index = i
			return nil, r
		}
		if n != nil {
			s.notes.keep(n)
		}
		for _, stream := range streams {
			batch = append(batch, Accepted{
				Ref: Ref{stream, refs[i].Statement}, Received: s.next(), Lane: binary.BigEndian.Uint64(key.Key[:8]), Note: raw})
		}
	}
	if len(batch) == 0 {
		return refs, nil
	}
	// A registration enters a stream for each of its ids, so one call may not do.
	for from := 0; from < len(batch); from += MaxCall {
		if err := s.store.Accept(ctx, batch[from:min(from+MaxCall, len(batch))]); err != nil {
			return nil, fmt.Errorf("accept: %w", err)
		}
	}
	return refs, nil
}

// known reports whether the statement was accepted before.
func (s *Service) known(ctx context.Context, r Ref, note []byte) (bool, error) {
	v, err := s.store.GetRows(ctx, []Row{statementKey(r)})
	if err != nil {
		return false, err
	}
	if v[0] != nil {
		return true, s.recall(ctx, r, v[0], note)
	}
	w, err := s.store.Waiting(ctx, []Ref{r})
	return err == nil && w[0], err
}

// recall gives a sealed statement's row its note back, if a repair had to do without
// it, or it was sealed blind; never if it was erased.
func (s *Service) recall(ctx context.Context, r Ref, row, note []byte) error {
	o, err := parseOutcome(row)
	if err != nil || o.Erased || len(o.Note) > 0 || statement.IDOf(note) != r.Statement {
		return err
	}
	if erased, err := s.erased(ctx, r); err != nil || erased {
		return err
	}
	o.Note = note
	if err := s.store.SwapRow(ctx, row, o.row(r)); err != nil && !errors.Is(err, ErrConflict) {
		return err
	}
	return nil
}

// pendingGrants are the trials' keys as changed by earlier statements of one
// submission, so that it cannot contradict itself.
type pendingGrants struct {
	trials map[statement.StreamID]*statement.Authority
	next   uint64 // index that stands for the next one's
}

// admit checks a statement against what is sealed now. It returns the streams it
// is to be entered in, in order, and the key that signed it.
func (s *Service) admit(ctx context.Context, n *statement.Note, grants *pendingGrants) ([]statement.StreamID, statement.PublicKey, error) {
	if n.Log != s.Origin {
		return nil, statement.PublicKey{}, reject(Malformed, "the statement is for the log %q, this log is %q", n.Log, s.Origin)
	}
	if n.After != nil {
		if err := s.checkAfter(ctx, n.After); err != nil {
			return nil, statement.PublicKey{}, err
		}
	}
	if n.Kind == statement.KindRegistration {
		return s.admitRegistration(ctx, n)
	}
	g, a, err := s.check(ctx, n)
	if err != nil {
		return nil, statement.PublicKey{}, err
	}
	if len(n.Keys) > 0 {
		if err := s.admitGrant(ctx, n, a, grants); err != nil {
			return nil, statement.PublicKey{}, err
		}
	}
	return []statement.StreamID{n.Stream()}, g.Key.Key, nil
}

// checkAfter checks that the checkpoint a statement claims to follow is one of
// this log's final ones.
func (s *Service) checkAfter(ctx context.Context, after *statement.After) error {
	b, err := s.store.Get(ctx, checkpoint.FinalName(after.Size))
	if errors.Is(err, ErrNotFound) || err == nil && sum(b) != after.Hash {
		return reject(Conflict, "the statement's `after` line names a checkpoint of size %d that is not one of this log's final checkpoints", after.Size)
	}
	return err
}

// admitRegistration checks that the sponsor is allowed and the trial is new.
func (s *Service) admitRegistration(ctx context.Context, n *statement.Note) ([]statement.StreamID, statement.PublicKey, error) {
	a, err := statement.NewAuthority(n, latest)
	if err != nil {
		return nil, statement.PublicKey{}, reject(Forbidden, "%v", err)
	}
	sponsor := n.Keys[0].Key
	allowed := false
	for _, k := range s.Sponsors() {
		allowed = allowed || k == sponsor
	}
	if !allowed {
		return nil, statement.PublicKey{}, reject(Forbidden,
			"the key %s may not register trials in this log; ask its operator to admit it as a sponsor", sponsor)
	}
	streams := n.RegistrationStreams()
	taken, err := s.registered(ctx, streams, n.ID, latest)
	if err == nil && !taken {
		var o owner
		if o, err = s.owner(ctx, a.TrialStream()); err == nil {
			taken = o.Registration != n.ID
		} else if errors.Is(err, ErrNotFound) {
			taken, err = s.orphaned(ctx, a.TrialStream(), latest)
		}
	}
	if err != nil {
		return nil, statement.PublicKey{}, err
	} else if taken {
		return nil, statement.PublicKey{}, reject(Conflict, "%s", reasonRegistered)
	}
	return streams, sponsor, nil
}

const (
	reasonRegistered = "the trial, or one of its other ids, is registered in this log already, by another registration"
	reasonForeign    = "that stream belongs to another trial of this log"
	reasonOrphaned   = "that stream has entries in this log that rest on no enrolment known here; if a repair lost it, send that enrolment again first"
)

// admitGrant checks that a key statement would take effect after those sealed
// and those before it in the same submission.
func (s *Service) admitGrant(ctx context.Context, n *statement.Note, a *statement.Authority, grants *pendingGrants) error {
	// An identical key statement that is sealed already is no contradiction.
	if known, err := s.known(ctx, Ref{n.Stream(), n.ID}, n.Raw); err != nil || known {
		return err
	}
	o, err := s.owner(ctx, n.Keys[0].Stream)
	if err == nil && o.Trial != a.TrialStream() {
		return reject(Conflict, "%s", reasonForeign)
	} else if errors.Is(err, ErrNotFound) {
		var orphan bool
		if orphan, err = s.orphaned(ctx, n.Keys[0].Stream, latest); orphan {
			return reject(Conflict, "%s", reasonOrphaned)
		}
	}
	if err != nil {
		return err
	}
	if grants.trials[a.TrialStream()] == nil {
		grants.trials[a.TrialStream()] = a.Clone()
	}
	if err := grants.trials[a.TrialStream()].Add(n, grants.next, s.batchTime()); err != nil {
		return reject(Conflict, "%v", err)
	}
	grants.next++
	return nil
}

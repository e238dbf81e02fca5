package notary

import (
	"context"
	"errors"

	"trialnotary/notary/request"
	"trialnotary/notary/statement"
)

const reasonRegistrationStream = "nothing is sealed blind in a registration stream"

// admitBlind checks a blind submission against what is sealed now: its key is in
// force in the stream and signed it. What the statement says, only its author knows.
func (s *Service) admitBlind(ctx context.Context, n *request.Blind) ([]statement.StreamID, statement.PublicKey, error) {
	if n.Log != s.Origin {
		return nil, statement.PublicKey{}, reject(Malformed, "the submission is for the log %q, this log is %q", n.Log, s.Origin)
	}
	g, _, err := s.checkNow(ctx, n.Stream, func(a *statement.Authority) (statement.Grant, error) {
		g, err := a.CheckBlind(n.Stream, n.Signed, latest, s.batchTime())
		if errors.Is(err, statement.ErrStranger) {
			err = errors.New(reasonNoStream) // stream ids are public: who holds no key of it, asks in vain
		}
		return g, err
	})
	if err != nil {
		return nil, statement.PublicKey{}, err
	}
	if kept, err := s.keptForRegistration(ctx, n.Stream); err != nil {
		return nil, statement.PublicKey{}, err
	} else if kept {
		return nil, statement.PublicKey{}, reject(Forbidden, "%s", reasonRegistrationStream)
	}
	return []statement.StreamID{n.Stream}, g.Key.Key, nil
}

// keptForRegistration reports whether a stream is some trial's registration stream. A
// statement cannot stand in one whose name it does not have; a blind one could.
func (s *Service) keptForRegistration(ctx context.Context, stream statement.StreamID) (bool, error) {
	v, err := s.store.GetRows(ctx, []Row{registeredKey(stream)})
	return err == nil && v[0] != nil, err
}

// admitBlind checks the key again, now that the index is known. Of the submission
// nothing is kept: what is sealed is what it names.
func (b *builder) admitBlind(item *stagedItem) (string, error) {
	n, err := request.ParseBlind(item.Note)
	item.Note = nil
	if err != nil || n.Stream != item.Stream || n.Statement != item.Statement {
		return "the stored submission could not be read again", nil
	}
	o, err := b.owner(n.Stream)
	if errors.Is(err, ErrNotFound) {
		return "no key is enrolled for this stream", nil
	} else if err != nil {
		return "", err
	}
	kept, err := b.s.keptForRegistration(b.ctx, n.Stream)
	if err != nil {
		return "", err
	}
	if _, ok := b.kept[n.Stream]; ok || kept {
		return reasonRegistrationStream, nil
	}
	a, err := b.trial(o.Trial)
	if errors.Is(err, ErrNotFound) {
		return "the trial is not registered", nil
	} else if err != nil {
		return "", err
	}
	if _, err := a.CheckBlind(n.Stream, n.Signed, b.index(), b.time); err != nil {
		return oneLine(err), nil
	}
	return "", nil
}

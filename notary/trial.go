package notary

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"trialnotary/notary/statement"
)

// trialCache keeps what the trials' rows said. Rows of a trial are only ever
// added, and only those below an index where all are written are read, so that a
// cached trial is a true prefix and refreshing reads what is new.
type trialCache struct {
	mu     sync.Mutex
	owners map[statement.StreamID]owner
	trials map[statement.StreamID]*trial
}

// forget drops what is cached.
func (c *trialCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owners, c.trials = nil, nil
}

// trial returns the cached state of a trial, to be filled.
func (c *trialCache) trial(id statement.StreamID) *trial {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.trials[id]
	if t == nil {
		if c.trials == nil || len(c.trials) >= maxCachedTrials {
			c.trials = make(map[statement.StreamID]*trial)
		}
		t = &trial{}
		c.trials[id] = t
	}
	return t
}

// trial is the key state of one trial, as far as its rows were read.
type trial struct {
	mu        sync.Mutex
	authority *statement.Authority // immutable once stored; nil before the registration
	upTo      uint64               // its rows below this index were read
	read      time.Time            // when
}

const (
	trialAge         = 5 * time.Second // after which a trial's rows are looked at again
	maxCachedTrials  = 4096
	maxCachedStreams = 1 << 18
)

// owner returns the trial a stream belongs to, or ErrNotFound.
func (s *Service) owner(ctx context.Context, stream statement.StreamID) (owner, error) {
	s.trials.mu.Lock()
	o, ok := s.trials.owners[stream]
	s.trials.mu.Unlock()
	if ok {
		return o, nil
	}
	v, err := s.store.GetRows(ctx, []Row{ownerKey(stream)})
	if err != nil {
		return owner{}, err
	}
	if v[0] == nil {
		return owner{}, fmt.Errorf("stream %s: %w", stream, ErrNotFound)
	}
	if o, err = parseOwner(v[0]); err != nil {
		return owner{}, err
	}
	s.trials.mu.Lock()
	defer s.trials.mu.Unlock()
	if s.trials.owners == nil || len(s.trials.owners) >= maxCachedStreams {
		s.trials.owners = make(map[statement.StreamID]owner)
	}
	s.trials.owners[stream] = o
	return o, nil
}

// registered reports whether one of the registration streams is kept for another
// registration than id, or begins with another one, in the log below index.
func (s *Service) registered(ctx context.Context, streams []statement.StreamID, id statement.ID, index uint64) (bool, error) {
	keys := make([]Row, 0, 3*len(streams))
	for _, stream := range streams {
		keys = append(keys, registeredKey(stream), streamKey(stream, 1), ownerKey(stream))
	}
	v, err := s.store.GetRows(ctx, keys)
	if err != nil {
		return false, err
	}
	for i := 0; i < len(v); i += 3 {
		if v[i] != nil {
			o, err := parseOwner(v[i])
			if err != nil || o.Registration != id {
				return err == nil, err
			}
		}
		if v[i] == nil && v[i+2] != nil {
			continue // what stands there was sealed blind, by a trial that enrolled a key for its id
		}
		// The log remembers what a repair without the notes could not.
		if other, err := begun(v[i+1], index); err != nil {
			return false, err
		} else if other != nil && *other != id {
			return true, nil
		}
	}
	return false, nil
}

// orphaned reports whether a stream that belongs to no trial has entries in the
// log below index: a repair could not find out whose they are.
func (s *Service) orphaned(ctx context.Context, stream statement.StreamID, index uint64) (bool, error) {
	v, err := s.store.GetRows(ctx, []Row{streamKey(stream, 1)})
	if err != nil {
		return false, err
	}
	first, err := begun(v[0], index)
	return first != nil, err
}

// begun returns the statement of a stream's first entry, from its row, if that is
// below index; nil if there is none.
func begun(row []byte, index uint64) (*statement.ID, error) {
	if row == nil {
		return nil, nil
	}
	e, err := parseStreamRow(row)
	if err != nil || e.Index >= index {
		return nil, err
	}
	return &e.Statement, nil
}

// authority returns the keys of a trial as of all its rows below index upTo, at
// least; with upTo 0 as cached, if that is not older than trialAge. ErrNotFound
// before the trial's registration is sealed, or if nothing is cached. The result
// must not be changed; Clone it.
func (s *Service) authority(ctx context.Context, id statement.StreamID, upTo uint64) (*statement.Authority, error) {
	t := s.trials.trial(id)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.upTo < upTo {
		if err := s.readTrial(ctx, id, t, upTo); err != nil {
			return nil, err
		}
	} else if upTo > 0 {
		t.read = s.Now() // nothing was sealed since: as good as read now
	}
	if t.authority == nil || upTo == 0 && s.Now().Sub(t.read) > trialAge {
		return nil, fmt.Errorf("trial of stream %s: %w", id, ErrNotFound)
	}
	return t.authority, nil
}

// readTrial reads the rows from t.upTo to upTo, in one call at least. t.mu is held.
func (s *Service) readTrial(ctx context.Context, id statement.StreamID, t *trial, upTo uint64) error {
	const page = 500
	upTo = max(upTo, t.upTo)
	a := t.authority
	for from := t.upTo; ; {
		rows, err := s.store.ListRows(ctx, trialPartition(id), sortKey(from), page)
		if err != nil {
			return err
		}
		for _, r := range rows {
			index, batch, n, err := parseTrialRow(r)
			switch {
			case err != nil:
			case index >= upTo:
				from = upTo
			case a == nil:
				a, err = statement.NewAuthority(n, index)
			default:
				if a == t.authority {
					a = a.Clone() // readers hold the old one
				}
				err = a.Add(n, index, batch)
			}
			if err != nil {
				return fmt.Errorf("keys of a trial at index %s: %w", r.Sort, err)
			}
			from = max(from, index+1)
		}
		if len(rows) < page || from >= upTo {
			break
		}
	}
	t.authority, t.upTo, t.read = a, upTo, s.Now()
	return nil
}

const reasonNoStream = "no key is enrolled for this stream in this log; if the enrolment was made just now, wait until it is sealed"

// check finds the grant under which n may be entered now.
func (s *Service) check(ctx context.Context, n *statement.Note) (statement.Grant, *statement.Authority, error) {
	return s.checkNow(ctx, n.Stream(), func(a *statement.Authority) (statement.Grant, error) {
		return a.Check(n, latest, s.batchTime())
	})
}

// checkNow finds the grant under which something may be entered in a stream now: with
// the cached keys, and if these do not have it, with the newest. Why not is a Rejection.
func (s *Service) checkNow(ctx context.Context, stream statement.StreamID, check func(*statement.Authority) (statement.Grant, error)) (statement.Grant, *statement.Authority, error) {
	o, err := s.owner(ctx, stream)
	if errors.Is(err, ErrNotFound) {
		return statement.Grant{}, nil, &Rejection{Kind: Forbidden,
			Reason: reasonNoStream}
	} else if err != nil {
		return statement.Grant{}, nil, err
	}
	// A key that is in force by what is cached may have been revoked a moment ago by
	// another process; sealing checks again.
	a, err := s.authority(ctx, o.Trial, 0)
	if err == nil {
		g, err := check(a)
		if err == nil {
			return g, a, nil
		} else if errors.Is(err, statement.ErrSignature) {
			return statement.Grant{}, nil, &Rejection{Kind: Forbidden, Reason: err.Error()}
		}
	} else if !errors.Is(err, ErrNotFound) {
		return statement.Grant{}, nil, err
	}
	h, err := s.readHead(ctx)
	if err != nil {
		return statement.Grant{}, nil, err
	}
	a, err = s.authority(ctx, o.Trial, h.complete())
	if errors.Is(err, ErrNotFound) {
		return statement.Grant{}, nil, &Rejection{Kind: Forbidden, Reason: "this trial's registration is not sealed yet"}
	} else if err != nil {
		return statement.Grant{}, nil, err
	}
	g, err := check(a)
	if err != nil {
		return statement.Grant{}, nil, &Rejection{Kind: Forbidden, Reason: err.Error()}
	}
	return g, a, nil
}

package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// Clues are what is left of a trial elsewhere: in invites, in receipts.
type Clues struct {
	registrations []*statement.Note
	streams       []clue
}

// clue is a stream that a file tells the salt of.
type clue struct {
	log, trial string
	Stream
}

func (c clue) id() statement.StreamID { return statement.StreamIDOf(c.log, c.trial, c.Name, c.Salt) }

// Invite adds what an invite tells.
func (c *Clues) Invite(i *Invite) {
	c.streams = append(c.streams, clue{i.Log, i.Trial, Stream{i.Stream, i.Salt}})
	c.note(i.Registration.Note)
	for _, g := range i.Grants {
		c.note(g.Note)
	}
}

// Receipt adds what a receipt tells.
func (c *Clues) Receipt(r *receipt.Receipt) error {
	all := append([]receipt.Logged{r.Logged}, r.Grants...)
	if r.Registration != nil {
		all = append(all, *r.Registration)
	}
	for _, l := range all {
		n, err := statement.Parse(l.Statement)
		if err != nil {
			return err
		}
		c.note(n)
	}
	return nil
}

func (c *Clues) note(n *statement.Note) {
	if n.Kind == statement.KindRegistration {
		c.registrations = append(c.registrations, n)
		return
	}
	c.streams = append(c.streams, clue{n.Log, n.Trial, Stream{n.StreamName, n.StreamSalt}})
}

func (c *Clues) salt(id statement.StreamID) (Stream, bool) {
	i := slices.IndexFunc(c.streams, func(s clue) bool { return s.id() == id })
	if i < 0 {
		return Stream{}, false
	}
	return c.streams[i].Stream, true
}

// Recovery is a trial to be rebuilt.
type Recovery struct {
	Trial string // its id, normalised
	Key   statement.PrivateKey
	Trust *receipt.Trust
	Pin   string // trial fingerprint, or ""
	Clues Clues
	Now   time.Time
}

// Recovered is a trial rebuilt, and what is missing in it.
type Recovered struct {
	*Trial
	Unreadable int // statements of the trial stream that the service does not hold any more
}

// ErrNoRegistration: nothing tells the registration of a trial with a private code.
var ErrNoRegistration = errors.New("the registration of a private code can be found in the log only by who knows its salt")

// ErrNoTrialSalt: nothing tells the salt of the trial stream.
var ErrNoTrialSalt = errors.New("the salt of the trial stream stands in no statement that the service holds")

// Recover rebuilds a trial from the service: the registration from its stream, the
// grants from the trial stream, the salts from the statements of each. All of it is
// verified: every statement by its receipt, every salt by the id it gives.
func (s *Service) Recover(ctx context.Context, r Recovery) (*Recovered, error) {
	log := r.Trust.Policy.Origin()
	c, err := s.NewCollector(ctx, r.Trust, r.Now)
	if err != nil {
		return nil, err
	}
	reg, err := s.registration(ctx, log, r)
	if err != nil {
		return nil, err
	}
	f, err := c.NewFetcher(reg)
	if err != nil {
		return nil, err
	}
	if err := f.proveRegistration(ctx); err != nil {
		return nil, err
	}
	out := &Recovered{Trial: &Trial{Service: s.base, Log: log, Trial: reg.Note.Trial, Trust: r.Trust, Registration: f.registration}}
	all, err := s.Stream(ctx, log, r.Key, f.authority.TrialStream())
	if err != nil {
		return nil, err
	}
	for _, x := range all {
		if x.Note == nil {
			out.Unreadable++
			continue
		}
		r.Clues.note(x.Note)
		f.Grant(x.Seal())
	}
	for _, x := range all {
		if x.Note != nil && len(x.Note.Keys) == 1 && f.grants[x.Note.ID] != nil {
			if _, _, err := f.Receipt(ctx, x); err != nil {
				return nil, fmt.Errorf("entry %d of the trial stream: %w", x.Seq, err)
			}
		}
	}
	if out.Grants, err = f.Grants(ctx); err != nil {
		return nil, err
	}
	trial, ok := r.Clues.salt(f.authority.TrialStream())
	if !ok {
		return nil, ErrNoTrialSalt
	}
	out.Streams = []Stream{trial}
	for _, g := range out.Grants {
		k := g.Note.Keys[0]
		if _, known := out.StreamID(k.Name); known {
			continue
		}
		if err := s.findSalt(ctx, log, r, k, out.Trial); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// registration finds the registration of the trial with its entry.
func (s *Service) registration(ctx context.Context, log string, r Recovery) (Logged, error) {
	var found []*statement.Note
	add := func(n *statement.Note) {
		ours := n.Trial == r.Trial || slices.ContainsFunc(n.Also, func(a statement.Also) bool { return a.Trial == r.Trial })
		if n.Log == log && ours && !slices.ContainsFunc(found, func(f *statement.Note) bool { return f.ID == n.ID }) &&
			(r.Pin == "" || statement.TrialFingerprint(n.ID) == r.Pin) {
			found = append(found, n)
		}
	}
	for _, n := range r.Clues.registrations {
		add(n)
	}
	if len(found) == 0 {
		if !statement.PublicTrial(r.Trial) {
			return Logged{}, ErrNoRegistration
		}
		all, err := s.Stream(ctx, log, r.Key, statement.StreamIDOf(log, r.Trial, statement.RegistrationStream, [32]byte{}))
		if err != nil {
			return Logged{}, err
		}
		for _, x := range all {
			if x.Note != nil && x.Note.Kind == statement.KindRegistration {
				add(x.Note)
			}
		}
	}
	if len(found) != 1 {
		return Logged{}, fmt.Errorf("%d registrations of %s fit; the trial fingerprint says which one is meant", len(found), r.Trial)
	}
	all, err := s.Stream(ctx, log, r.Key, found[0].Stream())
	if err != nil {
		return Logged{}, err
	}
	for _, x := range all {
		if x.Statement == found[0].ID {
			x.Note = found[0]
			return x.Seal(), nil
		}
	}
	return Logged{}, fmt.Errorf("the registration of %s is not in this log", r.Trial)
}

// proveRegistration completes the registration and verifies its receipt.
func (f *Fetcher) proveRegistration(ctx context.Context) error {
	l := &f.registration
	e, err := f.Evidence(ctx, l.Entry)
	if err != nil {
		return err
	}
	l.Proof = e.Proof
	if _, err := f.verifier.Verify(&receipt.Receipt{Logged: l.Logged}); err != nil {
		return fmt.Errorf("the registration: %w", err)
	}
	return nil
}

// findSalt adds the stream of a key to the trial: with its salt, from a clue or from
// a statement that stands in it, or else as lost.
func (s *Service) findSalt(ctx context.Context, log string, r Recovery, k statement.Key, t *Trial) error {
	if known, ok := r.Clues.salt(k.Stream); ok && known.Name == k.Name {
		t.Streams = append(t.Streams, known)
		return nil
	}
	notes, err := s.Statements(ctx, log, r.Key, k.Stream, 1)
	if no, ok := errors.AsType[*Refused](err); err != nil && (!ok || no.Temporary()) {
		return err
	}
	for _, n := range notes {
		if n.StreamName == k.Name && n.Stream() == k.Stream {
			t.Streams = append(t.Streams, Stream{k.Name, n.StreamSalt})
			return nil
		}
	}
	t.Lost = append(t.Lost, LostStream{k.Name, k.Stream})
	return nil
}

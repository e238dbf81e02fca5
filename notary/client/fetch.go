package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// Sealed is an entry of a stream and, where the service still holds it, its
// statement; else Note is nil.
type Sealed struct {
	entry.Entry
	Leaf []byte
	Note *statement.Note
}

// Stream returns a whole stream as the service shows it to a key: entries 1, 2, 3 …
// by ascending index, each with the statement that it names. Errors as those of
// [Service.Entries]. That the entries are in the log, and all there are, is not
// verified.
func (s *Service) Stream(ctx context.Context, log string, k statement.PrivateKey, id statement.StreamID) ([]Sealed, error) {
	leaves, err := s.Entries(ctx, log, k, id, 1)
	if err != nil {
		return nil, err
	}
	notes, err := s.Statements(ctx, log, k, id, 1)
	if err != nil {
		return nil, err
	}
	all := make([]Sealed, len(leaves))
	for i, leaf := range leaves {
		x := &all[i]
		x.Leaf, x.Note = leaf, notes[uint64(i)+1]
		if x.Entry, err = entry.Parse(leaf); err != nil {
			return nil, &Unreachable{URL: s.base, Err: err}
		}
		if i > 0 && x.Index <= all[i-1].Index || x.Note != nil && x.Note.ID != x.Statement {
			return nil, &Unreachable{URL: s.base, Err: fmt.Errorf("its answer is not that stream: entry %d does not follow, or has another statement", i+1)}
		}
	}
	return all, nil
}

// Fetcher makes the receipts of what a trial has sealed.
type Fetcher struct {
	*Collector
	registration Logged
	authority    *statement.Authority
	verifier     *receipt.Verifier

	mu     sync.Mutex
	grants map[statement.ID]*Logged // by whose authority keys sign; entry and proof once needed
}

// ErrNoGrant: by what is known here, no one let the key sign that statement.
var ErrNoGrant = errors.New("the enrolment of the key that signed it is not known here")

// NewFetcher returns a fetcher for the trial of a registration. Grants are added by
// ascending index.
func (c *Collector) NewFetcher(registration Logged) (*Fetcher, error) {
	a, err := statement.NewAuthority(registration.Note, registration.place().Index)
	if err != nil {
		return nil, err
	}
	return &Fetcher{Collector: c, registration: registration, authority: a, grants: map[statement.ID]*Logged{},
		verifier: receipt.NewVerifier(receipt.Options{Trust: c.trust, Trial: statement.TrialFingerprint(registration.Note.ID), Now: c.now})}, nil
}

// Authority returns the trial's keys by what was added.
func (f *Fetcher) Authority() *statement.Authority { return f.authority }

// Grant adds a statement of the trial stream with its entry. One that grants and
// ends nothing, for whatever reason, changes nothing.
func (f *Fetcher) Grant(l Logged) {
	at := l.place()
	if f.authority.Add(l.Note, at.Index, at.Time) == nil && len(l.Note.Keys) == 1 {
		f.grants[l.Note.ID] = &l
	}
}

// Grants returns those added that took effect, by ascending index, all with their
// proofs. An error is that of the first proof that could not be made.
func (f *Fetcher) Grants(ctx context.Context) (all []Logged, err error) {
	for id := range f.grants {
		l, err := f.proved(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(x, y Logged) int { return int(x.place().Seq) - int(y.place().Seq) })
	return all, nil
}

// Receipt returns the receipt of a statement, verified, byte for byte what
// [Pending.Complete] makes. [*NotYet] while it is not under a final
// checkpoint, [ErrNoGrant] where the signer's enrolment was not added.
func (f *Fetcher) Receipt(ctx context.Context, x Sealed) ([]byte, *receipt.Verdict, error) {
	e, err := f.Evidence(ctx, x.Leaf)
	if err != nil {
		return nil, nil, err
	}
	r := &receipt.Receipt{Logged: receipt.Logged{Statement: x.Note.Raw, Entry: e.Entry, Proof: e.Proof}}
	if after := x.Note.After; after != nil {
		if r.After, err = f.After(ctx, after.Size, after.Hash); err != nil {
			return nil, nil, err
		}
	}
	if x.Note.Kind != statement.KindRegistration {
		r.Registration = &f.registration.Logged
		g, err := f.grantOf(x)
		if err != nil {
			return nil, nil, err
		}
		for _, c := range f.authority.Chain(g) {
			l, err := f.proved(ctx, c.Statement)
			if err != nil {
				return nil, nil, err
			}
			r.Grants = append(r.Grants, l.Logged)
		}
	}
	v, err := f.verifier.Verify(r)
	if err != nil {
		return nil, nil, err
	}
	b, err := r.Bytes()
	return b, v, err
}

// grantOf returns the grant that let the key of a statement sign it. Of several it
// is the one that [Trial.InForce] chooses.
func (f *Fetcher) grantOf(x Sealed) (found statement.Grant, err error) {
	err = ErrNoGrant
	for _, g := range f.authority.InForce(x.Stream, x.Note.KeyName, x.Note.KeyHash, x.Index, x.Time) {
		if x.Note.VerifiedBy(g.Key.Key) && (err != nil || !found.Role.Grants() && g.Role.Grants()) {
			found, err = g, nil
		}
	}
	return found, err
}

// proved returns a grant with its entry and proof.
func (f *Fetcher) proved(ctx context.Context, id statement.ID) (Logged, error) {
	f.mu.Lock()
	l := *f.grants[id]
	f.mu.Unlock()
	if l.Proof != nil {
		return l, nil
	}
	e, err := f.Evidence(ctx, l.Entry)
	if err != nil {
		return l, err
	}
	l.Proof = e.Proof
	f.mu.Lock()
	f.grants[id] = &l
	f.mu.Unlock()
	return l, nil
}

// Seal returns an entry as a statement of the sponsor without its proof.
func (x Sealed) Seal() Logged {
	return Logged{Note: x.Note, Logged: receipt.Logged{Statement: x.Note.Raw, Entry: x.Leaf}}
}

// TrialFetcher reads the trial stream and returns a fetcher that knows every grant
// in it, whatever the trial file knows, and the stream itself.
func (s *Service) TrialFetcher(ctx context.Context, t *Trial, k statement.PrivateKey, now time.Time) (*Fetcher, []Sealed, error) {
	id, _ := t.StreamID(statement.TrialStream)
	all, err := s.Stream(ctx, t.Log, k, id)
	if err != nil {
		return nil, nil, err
	}
	c, err := s.NewCollector(ctx, t.Trust, now)
	if err != nil {
		return nil, nil, err
	}
	f, err := c.NewFetcher(t.Registration)
	if err != nil {
		return nil, nil, err
	}
	for _, x := range all {
		if x.Note != nil {
			f.Grant(x.Seal())
		}
	}
	return f, all, nil
}

// Fetcher returns a fetcher for the stream of an invite, by the grants it rests on
// and those of others of the same stream.
func (i *Invite) Fetcher(ctx context.Context, s *Service, others []*Invite, now time.Time) (*Fetcher, error) {
	c, err := s.NewCollector(ctx, i.Trust, now)
	if err != nil {
		return nil, err
	}
	f, err := c.NewFetcher(i.Registration)
	if err != nil {
		return nil, err
	}
	grants := slices.Clone(i.Grants)
	for _, o := range others {
		if o.Registration.Note.ID == i.Registration.Note.ID {
			grants = append(grants, o.Grants...)
		}
	}
	slices.SortFunc(grants, func(x, y Logged) int { return int(x.place().Seq) - int(y.place().Seq) })
	for _, l := range slices.CompactFunc(grants, func(x, y Logged) bool { return x.Note.ID == y.Note.ID }) {
		f.Grant(l)
	}
	return f, nil
}

package client

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// TrialVersion is the comment line of a .trial file.
const TrialVersion = "trialnotary/trial@v1"

// Trial is what a sponsor keeps of a trial. It is private; with it lost, no new
// key can be enrolled for a stream that has one.
//
//	trialnotary/trial@v1
//	-- profile --
//	service https://notary.example
//	log notary.example/trials
//	trial NCT01234567
//	stream trial <stream salt>      the trial stream, then each stream enrolled
//	stream site-042 <stream salt>
//	lost site-043 <stream id>       a stream whose salt recover could not find
//	-- trust.policy --              and the other parts of a trust file
//	-- registration --
//	-- registration.entry --        this and the proof absent until it is sealed
//	-- registration.tlog-proof --
//	-- grant-1 --                   every statement that grants or ends a key, in
//	-- grant-1.entry --             order of index; those not yet sealed last
//	-- grant-1.tlog-proof --
//
// A salt is written here before anything under it is submitted: a stream name is
// bound to its id for ever.
type Trial struct {
	Service, Log, Trial string
	Streams             []Stream // the trial stream first
	Lost                []LostStream
	Trust               *receipt.Trust
	Registration        Logged
	Grants              []Logged
}

// Stream is a stream's name and salt.
type Stream struct {
	Name string
	Salt [32]byte
}

// LostStream is a stream whose salt is not known any more. Its keys can be ended;
// no invite can be made for it.
type LostStream struct {
	Name string
	ID   statement.StreamID
}

// ParseTrial parses a .trial file. Signatures are not checked.
func ParseTrial(b []byte) (*Trial, error) {
	t := &Trial{}
	r := readProfile(b, TrialVersion, "trial file", func(p *text.Reader) {
		t.Service = service(p)
		t.Log = p.Value("log")
		t.Trial = p.Value("trial")
		seen := map[string]bool{}
		for first := true; first || p.Has("stream"); first = false {
			name, salt := streamLine(p)
			if p.Err() == nil && (seen[name] || first != (name == statement.TrialStream)) {
				p.Fail("is out of place: the stream %q first, then others, each once", statement.TrialStream)
			}
			seen[name] = true
			t.Streams = append(t.Streams, Stream{name, salt})
		}
		for p.Has("lost") {
			l := lostLine(p)
			if p.Err() == nil && seen[l.Name] {
				p.Fail("names a stream that was named before")
			}
			seen[l.Name] = true
			t.Lost = append(t.Lost, l)
		}
	})
	t.Trust = r.trust()
	t.Registration = r.logged("registration", true)
	t.Grants = r.grants(true)
	if r.err == nil {
		r.err = t.check()
	}
	return t, r.done(b, t.Bytes)
}

// lostLine reads "lost <name> <stream id>".
func lostLine(t *text.Reader) (l LostStream) {
	f := t.Fields("lost", 2, 2)
	if t.Err() != nil {
		return l
	}
	var err error
	if l.Name = f[0]; !statement.ValidName(l.Name) {
		t.Fail("does not hold a stream name [a-z0-9][a-z0-9._-]{0,63}")
	}
	if l.ID, err = statement.ParseStreamID(f[1]); err != nil {
		t.Fail("does not hold a stream id of 64 lowercase hex digits")
	}
	return l
}

// check compares the statements with the profile.
func (t *Trial) check() error {
	bad := func(format string, a ...any) error {
		return fmt.Errorf(format+": %w", append(a, text.ErrFormat)...)
	}
	reg := t.Registration.Note
	switch id, _ := t.StreamID(statement.TrialStream); {
	case reg.Kind != statement.KindRegistration || reg.Log != t.Log || reg.Trial != t.Trial:
		return bad("part registration is not this trial's")
	case reg.Keys[0].Stream != id:
		return bad("the salt of the stream %q is not that of the registration", statement.TrialStream)
	}
	last, waiting := uint64(0), false
	for i := range t.Grants {
		g := &t.Grants[i]
		if g.Note.Log != t.Log || g.Note.Trial != t.Trial || len(g.Note.Keys) != 1 {
			return bad("part %s is not this trial's", grantName(i+1))
		}
		if id, ok := t.StreamID(g.Note.Keys[0].Name); !ok || id != g.Note.Keys[0].Stream {
			return bad("part %s is for a stream whose salt is not here", grantName(i+1))
		}
		index := g.place().Index
		switch {
		case g.Sealed() && (waiting || index <= last):
			return bad("part %s is out of order", grantName(i+1))
		case g.Sealed():
			last = index
		default:
			waiting = true
		}
	}
	return nil
}

// Bytes returns the file.
func (t *Trial) Bytes() ([]byte, error) {
	profile := []string{"service " + t.Service, "log " + t.Log, "trial " + t.Trial}
	for _, s := range t.Streams {
		profile = append(profile, "stream "+s.Name+" "+text.Base64(s.Salt[:]))
	}
	for _, l := range t.Lost {
		profile = append(profile, "lost "+l.Name+" "+l.ID.String())
	}
	w := writeProfile(TrialVersion, profile...)
	w.trust(t.Trust)
	w.logged("registration", t.Registration.Logged)
	w.grants(t.Grants)
	return w.bytes()
}

// Fingerprint returns the trial fingerprint.
func (t *Trial) Fingerprint() string { return statement.TrialFingerprint(t.Registration.Note.ID) }

// Names returns the names of the trial's streams, the trial stream first.
func (t *Trial) Names() (all []string) {
	for _, s := range t.Streams {
		all = append(all, s.Name)
	}
	for _, l := range t.Lost {
		all = append(all, l.Name)
	}
	return all
}

// Salt returns the salt of a stream, if it has one already.
func (t *Trial) Salt(stream string) ([32]byte, bool) {
	i := slices.IndexFunc(t.Streams, func(s Stream) bool { return s.Name == stream })
	if i < 0 {
		return [32]byte{}, false
	}
	return t.Streams[i].Salt, true
}

// StreamID returns the id of a stream, if it has a salt already, or had.
func (t *Trial) StreamID(stream string) (statement.StreamID, bool) {
	for _, l := range t.Lost {
		if l.Name == stream {
			return l.ID, true
		}
	}
	salt, ok := t.Salt(stream)
	return statement.StreamIDOf(t.Log, t.Trial, stream, salt), ok
}

// Authority returns the trial's keys by what is sealed and known here. Another
// copy of the file may know more.
func (t *Trial) Authority() (*statement.Authority, error) {
	if !t.Registration.Sealed() {
		return nil, fmt.Errorf("the registration of %s is not complete yet", t.Trial)
	}
	a, err := statement.NewAuthority(t.Registration.Note, t.Registration.place().Index)
	if err != nil {
		return nil, err
	}
	for i := range t.Grants {
		if g := &t.Grants[i]; g.Sealed() {
			e := g.place()
			if err := a.Add(g.Note, e.Index, e.Time); err != nil {
				return nil, fmt.Errorf("part %s: %w", grantName(i+1), err)
			}
		}
	}
	return a, nil
}

// InForce returns the grant that lets key sign in a stream now, and the statements
// that show it, from its own upward.
func (t *Trial) InForce(stream string, key statement.PublicKey, now time.Time) (statement.Grant, []Logged, error) {
	a, err := t.Authority()
	if err != nil {
		return statement.Grant{}, nil, err
	}
	return t.AllowedBy(a, stream, key, now)
}

// AllowedBy is [Trial.InForce] by what [Trial.Authority] returned. Of several grants
// it is one that lets the key grant in turn, if there is one: a receipt rests on one
// grant, and that one serves for every statement.
func (t *Trial) AllowedBy(a *statement.Authority, stream string, key statement.PublicKey, now time.Time) (statement.Grant, []Logged, error) {
	if id, ok := t.StreamID(stream); ok {
		var found *statement.Grant
		for _, g := range a.InForce(id, key.Name, key.Hash(), math.MaxUint64, now) {
			if g.Key.Key == key && (found == nil || !found.Role.Grants() && g.Role.Grants()) {
				found = &g
			}
		}
		if found != nil {
			return *found, t.chain(a, *found), nil
		}
	}
	return statement.Grant{}, nil, fmt.Errorf("the key %s may not sign in the stream %q of %s, by what this trial file knows", key.Name, stream, t.Trial)
}

func (t *Trial) chain(a *statement.Authority, g statement.Grant) (all []Logged) {
	for _, c := range a.Chain(g) {
		i := slices.IndexFunc(t.Grants, func(l Logged) bool { return l.Note.ID == c.Statement })
		all = append(all, t.Grants[i])
	}
	return all
}

// Pending returns what finishes the receipt of a statement in the trial stream
// that rests on those grants.
func (t *Trial) Pending(n *statement.Note, grants []Logged, after []byte, service string) *Pending {
	return &Pending{Service: service, Trust: t.Trust, Note: n, After: after, Grants: grants, Registration: t.Registration}
}

// Invite returns the invite of a sealed grant of this trial.
func (t *Trial) Invite(id statement.ID, service string) (*Invite, error) {
	a, err := t.Authority()
	if err != nil {
		return nil, err
	}
	return t.InviteBy(a, id, service)
}

// InviteBy is [Trial.Invite] by what [Trial.Authority] returned.
func (t *Trial) InviteBy(a *statement.Authority, id statement.ID, service string) (*Invite, error) {
	i := slices.IndexFunc(t.Grants, func(l Logged) bool { return l.Note.ID == id })
	if i < 0 || !t.Grants[i].Sealed() {
		return nil, fmt.Errorf("the enrolment is not complete yet")
	}
	k := t.Grants[i].Note.Keys[0]
	salt, ok := t.Salt(k.Name)
	if !ok {
		return nil, fmt.Errorf("the salt of the stream %s is lost, and an invite needs it", k.Name)
	}
	in := &Invite{Service: service, Log: t.Log, Trial: t.Trial, Stream: k.Name, Salt: salt,
		Trust: t.Trust, Registration: t.Registration}
	for _, g := range a.InForce(k.Stream, k.Key.Name, k.Key.Hash(), math.MaxUint64, time.Time{}) {
		if g.Statement == id {
			in.Grants = t.chain(a, g)
			return in, nil
		}
	}
	return nil, fmt.Errorf("the key %s is no longer enrolled for %s", k.Key.Name, k.Name)
}

// Complete records the places of statements of this trial: its registration, and
// those that grant or end a key.
func (t *Trial) Complete(sealed map[statement.ID]receipt.Evidence) error {
	left := len(sealed)
	place := func(l *Logged) {
		if e, ok := sealed[l.Note.ID]; ok {
			l.Entry, l.Proof = e.Entry, e.Proof
			left--
		}
	}
	place(&t.Registration)
	type placed struct {
		Logged
		index uint64
	}
	all := make([]placed, len(t.Grants))
	for i := range t.Grants {
		place(&t.Grants[i])
		all[i] = placed{t.Grants[i], math.MaxUint64} // those not yet sealed last
		if t.Grants[i].Sealed() {
			all[i].index = t.Grants[i].place().Index
		}
	}
	if left > 0 {
		return fmt.Errorf("the trial file does not hold that statement any more")
	}
	slices.SortStableFunc(all, func(x, y placed) int { return cmp.Compare(x.index, y.index) })
	for i := range all {
		t.Grants[i] = all[i].Logged
	}
	return nil
}

// Drop takes out a statement that was refused.
func (t *Trial) Drop(id statement.ID) {
	t.Grants = slices.DeleteFunc(t.Grants, func(l Logged) bool { return l.Note.ID == id && !l.Sealed() })
}

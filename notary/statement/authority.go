package statement

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// AuthorityError says why a statement of the trial stream grants or ends nothing.
type AuthorityError struct {
	Reason string // a sentence without a full stop
	Err    error  // of Check, where that refused it; or nil
}

func (e *AuthorityError) Error() string { return e.Reason }
func (e *AuthorityError) Unwrap() error { return e.Err }

// Grant is one key's permission to sign in one stream, from the entry after its
// own on. Grants are shared between copies of an Authority: do not change them.
type Grant struct {
	Key
	Statement    ID        // that granted it
	Index        uint64    // of that statement's entry
	Person       string    // whose key it is, or ""
	Until        time.Time // last batch time at which it is in force; zero: no end
	By           *Grant    // of the key that signed Statement; nil: the registration
	Replaces     *Grant    // the grant a succession ended, else nil
	Registration bool      // granted by the registration itself
}

// Authority is the keys of one trial, from one registration and the statements
// of the trial stream in index order (formats, section Authority). It answers for
// every index up to the statements it was given. It is not safe for concurrent
// change; concurrent reads are safe.
type Authority struct {
	registration *Note
	index        uint64
	last         uint64 // index of the statement added last
	count        int
	grants       map[signerKey][]*Grant // in index order
	statements   map[ID][]*Grant        // what each statement granted
	ended        map[*Grant]uint64      // index of the first succession of it
	revoked      map[place]uint64       // index of the first revocation
	streams      map[string]StreamID    // what each name is bound to
	names        map[StreamID]string    // and back; registration streams too
	closed       map[StreamID]bool      // streams with a grant that closes them
}

// signerKey is what a signature line shows of a key, and where it signs.
type signerKey struct {
	stream StreamID
	name   string
	hash   uint32
}

// place is one key in one stream.
type place struct {
	key    PublicKey
	stream StreamID
}

// NewAuthority returns the authority of a trial as of its registration, which was
// entered at index in its own stream and must be signed by the sponsor key it
// names. Whether that sponsor is the right one is for the caller to decide: see
// the trial fingerprint and the sponsors of a trust file.
func NewAuthority(reg *Note, index uint64) (*Authority, error) {
	if reg.Kind != KindRegistration {
		return nil, fmt.Errorf("authority: a statement of kind %s is not a registration", reg.Kind)
	}
	sponsor := reg.Keys[0]
	if !reg.VerifiedBy(sponsor.Key) {
		return nil, fmt.Errorf("authority: the registration is not signed by the sponsor key it names, %s: %w", sponsor.Key.Name, ErrSignature)
	}
	if err := checkAfter(reg, index); err != nil {
		return nil, fmt.Errorf("authority: the registration: %w", err)
	}
	a := &Authority{
		registration: reg,
		index:        index,
		last:         index,
		grants:       make(map[signerKey][]*Grant),
		statements:   make(map[ID][]*Grant),
		ended:        make(map[*Grant]uint64),
		revoked:      make(map[place]uint64),
		streams:      map[string]StreamID{TrialStream: sponsor.Stream},
		names:        make(map[StreamID]string),
		closed:       make(map[StreamID]bool),
	}
	for _, id := range reg.RegistrationStreams() {
		a.names[id] = RegistrationStream
	}
	if _, taken := a.names[sponsor.Stream]; taken {
		return nil, fmt.Errorf("authority: the registration names its own stream as the trial stream")
	}
	a.names[sponsor.Stream] = TrialStream
	for _, k := range reg.Keys {
		a.grant(&Grant{Key: k, Statement: reg.ID, Index: index, Registration: true})
	}
	return a, nil
}

func (a *Authority) grant(g *Grant) {
	k := signerKey{g.Stream, g.Key.Key.Name, g.Key.Key.Hash()}
	a.grants[k] = append(a.grants[k], g)
	a.statements[g.Statement] = append(a.statements[g.Statement], g)
	a.streams[g.Name], a.names[g.Stream] = g.Stream, g.Name
	if g.Role.Closes() && g.Name != TrialStream {
		a.closed[g.Stream] = true
	}
}

// Registration returns the registration everything here traces to.
func (a *Authority) Registration() *Note { return a.registration }

// TrialStream returns the id of the trial stream.
func (a *Authority) TrialStream() StreamID { return a.streams[TrialStream] }

// Stream returns the id that a stream name was bound to by its first enrolment.
func (a *Authority) Stream(name string) (StreamID, bool) {
	id, ok := a.streams[name]
	return id, ok
}

// Name returns the name of a stream that [Authority.Owns].
func (a *Authority) Name(id StreamID) (string, bool) {
	name, ok := a.names[id]
	return name, ok
}

// Streams returns the names to which an id was bound, in order: the trial stream
// and what grants named. The caller owns the slice.
func (a *Authority) Streams() []string { return slices.Sorted(maps.Keys(a.streams)) }

// Owns reports whether id is one of the trial's streams: a registration stream,
// the trial stream or one that a grant named.
func (a *Authority) Owns(id StreamID) bool {
	_, ok := a.names[id]
	return ok
}

// Count returns how many statements [Authority.Add] took without error.
func (a *Authority) Count() int { return a.count }

// Clone returns a copy that can be added to without changing a.
func (a *Authority) Clone() *Authority {
	c := *a
	c.grants = maps.Clone(a.grants)
	for k, g := range c.grants {
		c.grants[k] = slices.Clip(g) // so that an append to one copy never shows in the other
	}
	c.statements = maps.Clone(a.statements)
	c.ended = maps.Clone(a.ended)
	c.revoked = maps.Clone(a.revoked)
	c.streams = maps.Clone(a.streams)
	c.names = maps.Clone(a.names)
	c.closed = maps.Clone(a.closed)
	return &c
}

// InForce returns the grants that let a key with that name and hash sign an entry
// of a stream at that index in a batch of that time, in index order: the grant's
// own index is smaller, no smaller index has a revocation or succession of it, and
// batch ≤ until. No signature is checked, and keys may collide in their hash.
func (a *Authority) InForce(stream StreamID, keyName string, keyHash uint32, index uint64, batch time.Time) []Grant {
	var in []Grant
	for _, g := range a.inForce(signerKey{stream, keyName, keyHash}, index, batch) {
		in = append(in, *g)
	}
	return in
}

func (a *Authority) inForce(k signerKey, index uint64, batch time.Time) []*Grant {
	var in []*Grant
	for _, g := range a.grants[k] {
		if a.lapse(g, index, batch) == "" {
			in = append(in, g)
		}
	}
	return in
}

// lapse says why g is not in force, or returns "".
func (a *Authority) lapse(g *Grant, index uint64, batch time.Time) string {
	if g.Index >= index {
		return fmt.Sprintf("it was granted at index %d, not before this entry", g.Index)
	}
	if i, ok := a.revoked[place{g.Key.Key, g.Stream}]; ok && i < index {
		return fmt.Sprintf("it was revoked at index %d", i)
	}
	if i, ok := a.ended[g]; ok && i < index {
		return fmt.Sprintf("another key succeeded it at index %d", i)
	}
	if !g.Until.IsZero() && batch.After(g.Until) {
		return fmt.Sprintf("it was granted until %s", g.Until.UTC().Format(time.RFC3339))
	}
	return ""
}

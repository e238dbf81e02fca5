package client

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// InviteVersion is the comment line of an .invite file.
const InviteVersion = "trialnotary/invite@v1"

// Invite is what a sponsor gives to the holder of a key that was enrolled. It is
// private: whoever has the salt can find the stream in the public log.
//
//	trialnotary/invite@v1
//	-- profile --
//	service https://notary.example
//	log notary.example/trials
//	trial NCT01234567
//	stream site-042 <stream salt>
//	-- trust.policy --           and the other parts of a trust file
//	-- grant-1 --                the enrolled key's own grant, and so on upward
//	-- grant-1.entry --
//	-- grant-1.tlog-proof --
//	-- registration --           with .entry and .tlog-proof
type Invite struct {
	Service, Log, Trial, Stream string
	Salt                        [32]byte
	Trust                       *receipt.Trust
	Grants                      []Logged // at least one
	Registration                Logged
}

// ParseInvite parses an .invite file whose byte order mark and CR LF line ends
// [text.Outer] has undone. Nothing is verified: see [Invite.Check].
func ParseInvite(b []byte) (*Invite, error) {
	i := &Invite{}
	r := readProfile(b, InviteVersion, "invite", func(t *text.Reader) {
		i.Service = service(t)
		i.Log = t.Value("log")
		i.Trial = t.Value("trial")
		i.Stream, i.Salt = streamLine(t)
	})
	i.Trust = r.trust()
	i.Grants = r.grants(false)
	if r.err == nil && len(i.Grants) == 0 {
		r.err = fmt.Errorf("part %q is missing: %w", grantName(1), text.ErrFormat)
	}
	i.Registration = r.logged("registration", false)
	return i, r.done(b, i.Bytes)
}

// streamLine reads "stream <name> <salt>".
func streamLine(t *text.Reader) (string, [32]byte) {
	f := t.Fields("stream", 2, 2)
	if t.Err() != nil {
		return "", [32]byte{}
	}
	if !statement.ValidName(f[0]) {
		t.Fail("does not hold a stream name [a-z0-9][a-z0-9._-]{0,63}")
	}
	return f[0], t.ParseHash(f[1])
}

// Bytes returns the file.
func (i *Invite) Bytes() ([]byte, error) {
	w := writeProfile(InviteVersion, "service "+i.Service, "log "+i.Log, "trial "+i.Trial,
		"stream "+i.Stream+" "+text.Base64(i.Salt[:]))
	w.trust(i.Trust)
	w.grants(i.Grants)
	w.logged("registration", i.Registration.Logged)
	return w.bytes()
}

// StreamID returns the id of the stream the invite is for.
func (i *Invite) StreamID() statement.StreamID {
	return statement.StreamIDOf(i.Log, i.Trial, i.Stream, i.Salt)
}

// Grant returns the key line of the enrolment or succession.
func (i *Invite) Grant() statement.Key {
	if n := i.Grants[0].Note; len(n.Keys) == 1 {
		return n.Keys[0]
	}
	return statement.Key{}
}

// Person returns whose key it is, or "" where no grant says.
func (i *Invite) Person() string {
	for _, g := range i.Grants {
		if g.Note.Person != "" && len(g.Note.Keys) == 1 && g.Note.Keys[0].Stream == i.Grant().Stream {
			return g.Note.Person
		}
	}
	return ""
}

// Check verifies the enrolment whole: the receipt of the grant under the invite's
// own trust file, that the stream id is that of the stream named, and that the
// enrolled key is key. pin is a trial fingerprint or "".
func (i *Invite) Check(key statement.PublicKey, pin string, now time.Time) (*receipt.Verdict, error) {
	reg := i.Registration.Logged
	r := &receipt.Receipt{Logged: i.Grants[0].Logged, Registration: &reg}
	for _, g := range i.Grants[1:] {
		r.Grants = append(r.Grants, g.Logged)
	}
	v, err := r.Verify(receipt.Options{Trust: i.Trust, Trial: pin, Now: now})
	if err != nil {
		return nil, fmt.Errorf("the invite does not verify: %w", err)
	}
	granted := i.Grant()
	switch n := v.Note; {
	case n.Kind != statement.KindEnrolment && n.Kind != statement.KindSuccession:
		return nil, fmt.Errorf("the invite holds no enrolment: its statement is of kind %s", n.Kind)
	case n.Log != i.Log || n.Trial != i.Trial:
		return nil, errors.New("the invite names another log or trial than its enrolment")
	case granted.Name != i.Stream || granted.Stream != i.StreamID():
		return nil, fmt.Errorf("the invite's stream %s with its salt is not the one that the key was enrolled for", i.Stream)
	case granted.Key != key:
		return nil, &WrongKey{Enrolled: granted.Key, Given: key}
	}
	return v, nil
}

// WrongKey: an invite is for another key than the one at hand.
type WrongKey struct{ Enrolled, Given statement.PublicKey }

func (e *WrongKey) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the invite is for the key %s, the key at hand is %s", e.Enrolled, e.Given)
	if e.Enrolled.Name == e.Given.Name {
		b.WriteString(" (the same name, another key)")
	}
	return b.String()
}

// Pending returns what finishes the receipt of a statement made under the invite.
func (i *Invite) Pending(n *statement.Note, after []byte, service string) *Pending {
	return &Pending{Service: service, Trust: i.Trust, Note: n, After: after, Grants: i.Grants, Registration: i.Registration}
}

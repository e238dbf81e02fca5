package statement

import (
	"bytes"
	"fmt"

	"trialnotary/notary/text"
)

// Note is a statement with its signature, as [Parse] or [Sign] returned it.
// Signed.Text and Raw alias each other.
type Note struct {
	Statement
	ID  ID     // SHA-256 of Raw
	Raw []byte // the whole note
	Signed
	stream StreamID // of the statement, computed once
}

// Stream returns the id of the stream that the statement is for.
func (n *Note) Stream() StreamID { return n.stream }

// Parse parses a statement's note. It accepts exactly one byte sequence per
// statement and signature and does not check the signature: see [Authority] and
// [Signed.VerifiedBy]. Errors wrap [text.ErrFormat] and name the line. The note
// aliases raw, which must not change afterwards.
func Parse(raw []byte) (*Note, error) {
	if len(raw) > MaxSize {
		return nil, fmt.Errorf("parse statement: %d bytes, at most %d are allowed: %w", len(raw), MaxSize, text.ErrFormat)
	}
	n, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("parse statement: %w", err)
	}
	return n, nil
}

func parse(raw []byte) (*Note, error) {
	signed, err := parseSigned(raw)
	if err != nil {
		return nil, err
	}
	n := &Note{Raw: raw, Signed: signed}
	r := text.NewReader(signed.Text)
	n.read(r)
	if err := r.Done(); err != nil {
		return nil, err
	}
	if f := n.check(); f != nil {
		return nil, f.in(signed.Text)
	}
	var buf [2048]byte
	if !bytes.Equal(n.append(buf[:0]), signed.Text) {
		return nil, fmt.Errorf("the text is not written canonically: %w", text.ErrFormat)
	}
	n.ID, n.stream = IDOf(raw), n.Statement.Stream()
	return n, nil
}

// read reads the lines in the order of the format. What they hold is judged
// afterwards, by check.
func (s *Statement) read(r *text.Reader) {
	r.Exact(Version)
	s.Log = r.Value("log")
	s.Trial = r.Value("trial")
	f := r.Fields("stream", 2, 2)
	s.StreamName, s.StreamSalt = f[0], hash(r, f[1])
	s.Kind = Kind(r.Value("kind"))
	if r.Has("label") {
		s.Label = r.Value("label")
	}
	if r.Has("dataset") {
		f := r.Fields("dataset", 3, 3)
		s.Dataset = &Dataset{hash(r, f[0]), number(r, f[1]), number(r, f[2])}
	}
	if r.Has("meaning") {
		s.Meaning = Meaning(r.Value("meaning"))
	}
	if r.Has("signer") {
		s.Signer = r.Value("signer")
	}
	if r.Has("supersedes") {
		id := id(r, r.Value("supersedes"))
		s.Supersedes = &id
	}
	for r.Has("about") {
		s.About = append(s.About, id(r, r.Value("about")))
	}
	if r.Has("reason") {
		s.Reason = r.Value("reason")
	}
	for r.Has("key") {
		s.Keys = append(s.Keys, readKey(r))
	}
	if r.Has("person") {
		s.Person = r.Value("person")
	}
	if r.Has("until") {
		if s.Until = r.Time("until"); r.Err() == nil && s.Until.IsZero() {
			r.Fail("is the zero time")
		}
	}
	for r.Has("also") {
		f := r.Fields("also", 1, 2)
		a := Also{Trial: f[0]}
		if len(f) == 2 {
			salt := hash(r, f[1])
			a.Salt = &salt
		}
		s.Also = append(s.Also, a)
	}
	for r.Has("rule") {
		f := r.Fields("rule", 3, 3)
		if r.Err() == nil && f[1] != "before" {
			r.Fail("is not two kinds with %q between them", "before")
		}
		s.Rules = append(s.Rules, Rule{Kind(f[0]), Kind(f[2])})
	}
	if r.Has("after") {
		f := r.Fields("after", 2, 2)
		s.After = &After{number(r, f[0]), hash(r, f[1])}
	}
	s.Time = r.Time("time")
	s.Salt = r.Hash("salt")
}

func readKey(r *text.Reader) Key {
	f := r.Fields("key", 4, 4)
	if r.Err() != nil {
		return Key{}
	}
	k := Key{Role: Role(f[0]), Name: f[1]}
	var err error
	if k.Stream, err = ParseStreamID(f[2]); err != nil {
		r.Fail("does not hold a stream id of 64 lowercase hex digits")
	}
	if k.Key, err = ParsePublicKey(f[3]); err != nil {
		r.Fail("does not hold a verifier key of the one form name+hash+base64")
	}
	return k
}

// hash, number and id parse one field unless the reader has failed already.
func hash(r *text.Reader, field string) [32]byte {
	if r.Err() != nil {
		return [32]byte{}
	}
	return r.ParseHash(field)
}

func number(r *text.Reader, field string) uint64 {
	if r.Err() != nil {
		return 0
	}
	return r.ParseUint(field)
}

func id(r *text.Reader, field string) ID {
	v, err := ParseID(field)
	if err != nil {
		r.Fail("does not hold a statement id of 64 lowercase hex digits")
	}
	return v
}

// in returns the fault as an error that names the line of lines it is in.
func (f *fault) in(lines []byte) error {
	nth := 0
	for i, line := range bytes.Split(lines, []byte("\n")) {
		if bytes.HasPrefix(line, []byte(f.key+" ")) {
			if nth == f.nth {
				return fmt.Errorf("line %d, %q, %s: %w", i+1, f.key, f.why, text.ErrFormat)
			}
			nth++
		}
	}
	return fmt.Errorf("the line %q %s: %w", f.key, f.why, text.ErrFormat)
}

// Sign returns the note of s signed by k. It fails where [Statement.Text] does
// or when the note is larger than [MaxSize].
func Sign(s *Statement, k PrivateKey) (*Note, error) {
	if k.key == nil {
		return nil, fmt.Errorf("sign statement: no key")
	}
	lines, err := s.Text()
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	// Parsing it back makes the note independent of s and proves that a reader
	// will accept it.
	n, err := Parse(SignText(lines, k))
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return n, nil
}

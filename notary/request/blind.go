package request

import (
	"bytes"
	"errors"
	"fmt"

	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// BlindVersion is the first line of a Blind.
const BlindVersion = "trialnotary/blind@v1"

// Blind asks for a statement to be sealed that the service never sees: all it is
// told is the stream, the statement's id, and that a key in force says so.
//
//	trialnotary/blind@v1
//	log log.example/trials
//	stream 1c9d5471b03f0da13fd541b761aaf96ebee70425fa6cdeef1d7fb0096666e595
//	statement b375d437961150b025b5c7ae7323191ae3027ae4ea6876f466140fe378a4c9c5
//
//	— site-042.jdoe zPnKgE8f…
//
// What is in the statement, who signed it and whether it is one at all is for those
// to check whom its author shows it.
type Blind struct {
	Log       string
	Stream    statement.StreamID
	Statement statement.ID
	statement.Signed
}

// IsBlind reports whether a note begins as a Blind does; it need not parse.
func IsBlind(b []byte) bool { return bytes.HasPrefix(b, []byte(BlindVersion+"\n")) }

// ParseBlind parses a blind submission. Errors wrap [text.ErrFormat] and name the
// line. The result aliases b.
func ParseBlind(b []byte) (*Blind, error) {
	n, err := parseBlind(b)
	if err != nil {
		return nil, fmt.Errorf("parse blind submission: %w", err)
	}
	return n, nil
}

func parseBlind(b []byte) (*Blind, error) {
	if len(b) > maxSize {
		return nil, fmt.Errorf("%d bytes, at most %d are allowed: %w", len(b), maxSize, text.ErrFormat)
	}
	signed, err := statement.ParseSigned(b)
	if err != nil {
		return nil, err
	}
	in := text.NewReader(signed.Text)
	in.Exact(BlindVersion)
	n := &Blind{Signed: signed, Log: readLog(in)}
	if n.Stream, err = statement.ParseStreamID(in.Value("stream")); err != nil {
		in.Fail("does not hold a stream id of 64 lowercase hex digits")
	}
	if n.Statement, err = statement.ParseID(in.Value("statement")); err != nil {
		in.Fail("does not hold a statement id of 64 lowercase hex digits")
	}
	if err := in.Done(); err != nil {
		return nil, err
	}
	if !bytes.Equal(n.lines(), signed.Text) {
		return nil, fmt.Errorf("the text is not written canonically: %w", text.ErrFormat)
	}
	return n, nil
}

func (n *Blind) lines() []byte {
	return fmt.Appendf(nil, "%s\nlog %s\nstream %s\nstatement %s\n", BlindVersion, n.Log, n.Stream, n.Statement)
}

// Sign returns the note of n signed by k; what n was signed with before is ignored.
// It fails when a reader would not accept it.
func (n Blind) Sign(k statement.PrivateKey) ([]byte, error) {
	if k.Public() == (statement.PublicKey{}) {
		return nil, errors.New("sign blind submission: no key")
	}
	b := statement.SignText(n.lines(), k)
	if _, err := parseBlind(b); err != nil {
		return nil, fmt.Errorf("sign blind submission: %w", err)
	}
	return b, nil
}

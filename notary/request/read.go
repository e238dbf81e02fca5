// Package request reads and writes the notes by which a participant asks
// something of a service (formats, section Other files and notes).
//
// A [Read] asks for something that not everyone may have. It travels in base64 in
// the header field Trialnotary-Request of the very request it describes, and is
// good for [Window] before and after its time:
//
//	trialnotary/request@v1
//	log log.example/trials
//	method GET
//	path /streams/5a8f…/entries?from=1
//	time 2026-11-22T13:29:00Z
//
//	— site-042.jdoe zPnKgE8f…
//
// Invariant: one request and signature have one byte sequence; the parsers accept
// no other. No signature is verified here: whose key may ask for what, only the
// keys of the trial say.
package request

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// ReadVersion is the first line of a Read.
const ReadVersion = "trialnotary/request@v1"

// Header is the header field that a Read travels in.
const Header = "Trialnotary-Request"

// Window is how far a request's time may be from the service's.
const Window = 5 * time.Minute

// MaxPath bounds the path of a request, its query included, and maxSize the note.
const (
	MaxPath = 512
	maxSize = 2048
)

// Read asks for one address of a service's, by one key.
type Read struct {
	Log    string // origin: no use at another log
	Method string // GET
	Path   string // as in the request line, with its query
	Time   time.Time
	statement.Signed
}

// ParseRead parses a request. Errors wrap [text.ErrFormat] and name the line. The
// result aliases b.
func ParseRead(b []byte) (*Read, error) {
	r, err := parseRead(b)
	if err != nil {
		return nil, fmt.Errorf("parse request: %w", err)
	}
	return r, nil
}

func parseRead(b []byte) (*Read, error) {
	if len(b) > maxSize {
		return nil, fmt.Errorf("%d bytes, at most %d are allowed: %w", len(b), maxSize, text.ErrFormat)
	}
	signed, err := statement.ParseSigned(b)
	if err != nil {
		return nil, err
	}
	in := text.NewReader(signed.Text)
	in.Exact(ReadVersion)
	r := &Read{Signed: signed, Log: readLog(in)}
	if r.Method = in.Value("method"); in.Err() == nil && r.Method != "GET" {
		in.Fail("does not hold GET, the one method that is asked for by a note")
	}
	if r.Path = in.Value("path"); in.Err() == nil && !validPath(r.Path) {
		in.Fail("does not hold a path of an address, with its query, in at most %d printable characters", MaxPath)
	}
	r.Time = in.Time("time")
	if err := in.Done(); err != nil {
		return nil, err
	}
	if !bytes.Equal(r.lines(), signed.Text) {
		return nil, fmt.Errorf("the text is not written canonically: %w", text.ErrFormat)
	}
	return r, nil
}

// lines returns the text to sign.
func (r *Read) lines() []byte {
	return fmt.Appendf(nil, "%s\nlog %s\nmethod %s\npath %s\ntime %s\n", ReadVersion, r.Log, r.Method, r.Path, text.FormatTime(r.Time))
}

// Sign returns the note of r signed by k; what r was signed with before is
// ignored. It fails when a reader would not accept it.
func (r Read) Sign(k statement.PrivateKey) ([]byte, error) {
	if k.Public() == (statement.PublicKey{}) {
		return nil, errors.New("sign request: no key")
	}
	b := statement.SignText(r.lines(), k)
	if _, err := parseRead(b); err != nil {
		return nil, fmt.Errorf("sign request: %w", err)
	}
	return b, nil
}

// Field returns a signed request as the header field holds it.
func Field(note []byte) string { return base64.StdEncoding.EncodeToString(note) }

// ParseField undoes Field and parses the request.
func ParseField(s string) (*Read, error) {
	if len(s) > base64.StdEncoding.EncodedLen(maxSize) {
		return nil, fmt.Errorf("parse request: %d characters of base64 are too many: %w", len(s), text.ErrFormat)
	}
	b, err := text.ParseBase64(s)
	if err != nil {
		return nil, fmt.Errorf("parse request: %w", err)
	}
	return ParseRead(b)
}

// Timely reports whether a service whose clock says now may answer r.
func (r *Read) Timely(now time.Time) bool {
	d := now.Sub(r.Time)
	return -Window <= d && d <= Window
}

// validPath: absolute, printable ASCII without blanks.
func validPath(p string) bool {
	if len(p) > MaxPath || !strings.HasPrefix(p, "/") {
		return false
	}
	for _, c := range []byte(p) {
		if c <= ' ' || c > '~' || c == '#' {
			return false
		}
	}
	return true
}

// readLog reads the log line, an origin as statements have it.
func readLog(in *text.Reader) string {
	log := in.Value("log")
	if in.Err() == nil && (len(log) > statement.MaxOrigin || strings.ContainsRune(log, '+') || strings.ContainsFunc(log, unicode.IsSpace)) {
		in.Fail("does not hold an origin, 1 to %d bytes without blanks and +", statement.MaxOrigin)
	}
	return log
}

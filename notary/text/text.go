// Package text is the one style of every trialnotary format: UTF-8 lines ended
// by LF, in a fixed order, strict and canonical (formats, first section).
//
// A parser reads a value line by line with a [Reader] and then compares the
// re-formatted value with its input, so that exactly one byte sequence stands
// for one value:
//
//	r := text.NewReader(b)
//	r.Exact("trialnotary/head@v1")
//	batch := r.Uint("batch")
//	root := r.Hash("root")
//	if err := r.Done(); err != nil { … }
//
// The first failure sticks and names its line; every later call returns zero
// values.
package text

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrFormat is wrapped by every error of a parser: the bytes are not the one
// canonical form of any value.
var ErrFormat = errors.New("not in canonical form")

// Reader reads lines of one format in their order. It holds the first error.
type Reader struct {
	rest string
	line int
	err  error
}

// NewReader returns a Reader over b, which must be valid UTF-8 without control
// or bidirectional characters and end with a line feed. b is copied.
func NewReader(b []byte) *Reader {
	r := &Reader{rest: string(b)}
	switch {
	case len(b) == 0:
		r.fail(0, "is empty")
	case b[len(b)-1] != '\n':
		r.fail(0, "does not end with a line feed")
	default:
		if i := IndexForbidden(r.rest, true); i >= 0 {
			r.line = strings.Count(r.rest[:i], "\n") + 1
			r.fail(r.line, "%s", describeForbidden(r.rest[i:]))
		}
	}
	r.line = 1
	return r
}

func describeForbidden(s string) string {
	c, n := utf8.DecodeRuneInString(s)
	switch {
	case c == utf8.RuneError && n <= 1:
		return "is not valid UTF-8"
	case c == '\r':
		return "ends with CR LF; lines end with LF alone"
	}
	return fmt.Sprintf("has the forbidden character U+%04X", c)
}

func (r *Reader) fail(line int, format string, a ...any) {
	if r.err != nil {
		return
	}
	what := fmt.Sprintf(format, a...)
	if line > 0 {
		r.err = fmt.Errorf("line %d %s: %w", line, what, ErrFormat)
	} else {
		r.err = fmt.Errorf("it %s: %w", what, ErrFormat)
	}
}

// Fail records that the line read last is wrong.
func (r *Reader) Fail(format string, a ...any) { r.fail(r.line-1, format, a...) }

// Err returns the first error so far.
func (r *Reader) Err() error { return r.err }

// More reports whether lines are left and nothing has failed.
func (r *Reader) More() bool { return r.err == nil && r.rest != "" }

// Line returns the next line without its line feed.
func (r *Reader) Line() string {
	if r.err != nil {
		return ""
	}
	if r.rest == "" {
		r.fail(r.line, "is missing")
		return ""
	}
	var l string
	l, r.rest, _ = strings.Cut(r.rest, "\n")
	r.line++
	if l != strings.TrimSpace(l) {
		r.fail(r.line-1, "has leading or trailing blanks")
		return ""
	}
	return l
}

// Exact reads a line that must equal want.
func (r *Reader) Exact(want string) {
	if l := r.Line(); r.err == nil && l != want {
		r.fail(r.line-1, "is %q, want %q", clip(l), want)
	}
}

// Has reports whether the next line is "key value".
func (r *Reader) Has(key string) bool {
	return r.err == nil && len(r.rest) > len(key) && r.rest[:len(key)] == key && r.rest[len(key)] == ' '
}

// Value reads a line "key value" and returns the value, which is not empty.
func (r *Reader) Value(key string) string {
	if r.err == nil && r.rest == "" {
		r.fail(r.line, "is missing: %q was expected", key)
		return ""
	}
	l := r.Line()
	if r.err != nil {
		return ""
	}
	v, ok := strings.CutPrefix(l, key+" ")
	if !ok || v == "" || v[0] == ' ' {
		r.fail(r.line-1, "is %q, want %q and a value", clip(l), key)
		return ""
	}
	return v
}

// Fields reads a line "key f1 f2 … fn" with exactly n fields after the key, or
// between n and max when max > n. A field is not empty and holds no blank.
func (r *Reader) Fields(key string, n, max int) []string {
	v := r.Value(key)
	if r.err != nil {
		return make([]string, n)
	}
	f := strings.Split(v, " ")
	if len(f) < n || len(f) > max {
		r.fail(r.line-1, "has %d fields after %q, want %d", len(f), key, n)
		return make([]string, n)
	}
	for _, s := range f {
		if s == "" {
			r.fail(r.line-1, "has two blanks in a row")
			return make([]string, n)
		}
	}
	return f
}

// Uint reads a line "key <decimal>".
func (r *Reader) Uint(key string) uint64 {
	v := r.Value(key)
	if r.err != nil {
		return 0
	}
	return r.ParseUint(v)
}

// Hash reads a line "key <base64 of 32 bytes>".
func (r *Reader) Hash(key string) [32]byte {
	v := r.Value(key)
	if r.err != nil {
		return [32]byte{}
	}
	return r.ParseHash(v)
}

// Time reads a line "key <time>".
func (r *Reader) Time(key string) time.Time {
	v := r.Value(key)
	if r.err != nil {
		return time.Time{}
	}
	return r.ParseTime(v)
}

// ParseUint, ParseHash, ParseHex and ParseTime parse one field of the line read
// last and record a failure against that line.
func (r *Reader) ParseUint(s string) uint64 {
	n, err := ParseUint(s)
	r.note(err)
	return n
}

// ParseHash: see [Reader.ParseUint].
func (r *Reader) ParseHash(s string) [32]byte {
	h, err := ParseHash(s)
	r.note(err)
	return h
}

// ParseHex: see [Reader.ParseUint].
func (r *Reader) ParseHex(s string) [32]byte {
	h, err := ParseHex(s)
	r.note(err)
	return h
}

// ParseTime: see [Reader.ParseUint].
func (r *Reader) ParseTime(s string) time.Time {
	t, err := ParseTime(s)
	r.note(err)
	return t
}

func (r *Reader) note(err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("line %d: %w", r.line-1, err)
	}
}

// Done returns the first error, or an error when lines are left.
func (r *Reader) Done() error {
	if r.err == nil && r.rest != "" {
		l, _, _ := strings.Cut(r.rest, "\n")
		r.fail(r.line, "is unexpected: %q", clip(l))
	}
	return r.err
}

func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// ParseUint parses a decimal number without sign, leading zeros or blanks.
func ParseUint(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("%q is not a decimal number without leading zeros: %w", clip(s), ErrFormat)
	}
	return n, nil
}

// ParseHash parses padded canonical RFC 4648 §4 base64 of exactly 32 bytes.
func ParseHash(s string) (h [32]byte, err error) {
	b, err := ParseBase64(s)
	if err != nil || len(b) != 32 {
		return h, fmt.Errorf("%q is not canonical base64 of 32 bytes: %w", clip(s), ErrFormat)
	}
	return [32]byte(b), nil
}

// ParseBase64 parses padded canonical RFC 4648 §4 base64.
func ParseBase64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil, fmt.Errorf("%q is not canonical base64: %w", clip(s), ErrFormat)
	}
	return b, nil
}

// Base64 returns the padded RFC 4648 §4 base64 of b.
func Base64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// ParseHex parses 64 lowercase hex digits.
func ParseHex(s string) (h [32]byte, err error) {
	if len(s) != 64 || strings.ToLower(s) != s {
		err = ErrFormat
	} else {
		_, err = hex.Decode(h[:], []byte(s))
	}
	if err != nil {
		return [32]byte{}, fmt.Errorf("%q is not 64 lowercase hex digits: %w", clip(s), ErrFormat)
	}
	return h, nil
}

// ParseTime parses RFC 3339 UTC in whole seconds with "Z", years 0001 to 9999.
func ParseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || FormatTime(t) != s {
		return time.Time{}, fmt.Errorf("%q is not a time like 2026-11-22T13:29:00Z: %w", clip(s), ErrFormat)
	}
	return t, nil
}

// FormatTime returns t as RFC 3339 UTC in whole seconds.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// IndexForbidden returns the offset of the first character that no format
// allows, or -1: invalid UTF-8, C0, U+007F, C1, U+2028, U+2029 and the
// bidirectional controls. LF is allowed iff lines is set.
func IndexForbidden(s string, lines bool) int {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if (c < 0x20 && !(lines && c == '\n')) || c == 0x7f {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if (r == utf8.RuneError && n == 1) || Forbidden(r) {
			return i
		}
		i += n
	}
	return -1
}

// Forbidden reports whether no format allows r (LF included).
func Forbidden(r rune) bool {
	switch {
	case r < 0x20, 0x7f <= r && r <= 0x9f, r == 0x2028, r == 0x2029:
		return true
	case r == 0x061c, r == 0x200e, r == 0x200f, 0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069:
		return true
	}
	return false
}

// Visible returns s with every forbidden character written as U+XXXX in angle
// brackets, for printing text that came from outside.
func Visible(s string) string {
	if IndexForbidden(s, false) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, "<%02X>", s[i])
		case Forbidden(r):
			fmt.Fprintf(&b, "<U+%04X>", r)
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

// Fingerprint writes the first 40 hex digits of sum in upper case, in groups of
// four: 9F3C-….
func Fingerprint(sum [32]byte) string {
	h := strings.ToUpper(hex.EncodeToString(sum[:20]))
	g := make([]string, 10)
	for i := range g {
		g[i] = h[4*i : 4*i+4]
	}
	return strings.Join(g, "-")
}

// Package explain says why bytes at hand are not those that were sealed, as far as it
// can be known from a line of the manifest.
//
// What it calls proved is proved by a digest: either undoing some change gives bytes
// with both digests that were sealed, or the content digests (package content) are
// equal, or differ. Everything else is what it looks like, and said so. Files are read
// in at most two passes, in memory that has a bound.
//
//	f, err := explain.Bytes(ctx, sealed, size, open)
//	f.Cause   // Rewritten: [crlf bom] undone, the digests are those sealed
package explain

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"io"

	"trialnotary/notary/content"
	"trialnotary/notary/manifest"
)

// Cause is why bytes differ.
type Cause string

// The causes. All but CutOff, Zip and Unknown are proved.
const (
	AsSealed  Cause = "as-sealed"  // they do not differ
	Rewritten Cause = "rewritten"  // Changes undone, they are the bytes sealed
	SameData  Cause = "same-data"  // another export: the content digests are equal
	Longer    Cause = "longer"     // the bytes sealed, and more behind them
	OtherData Cause = "other-data" // more differs than its profile leaves out: the content digests do

	Unreadable Cause = "unreadable" // what was sealed could be read under its profile; this cannot
	CutOff     Cause = "cut-off"    // looks like it: shorter, and no longer readable
	Zip        Cause = "zip"        // looks like it: one zip for another
	Unknown    Cause = "unknown"
)

// Proved reports whether digests prove the cause.
func (c Cause) Proved() bool { return c != CutOff && c != Zip && c != Unknown }

// Change is what happened to a text on the way.
type Change string

// The changes of a text, from what was sealed to what is at hand.
const (
	ToCRLF         Change = "crlf"      // LF became CR LF
	ToLF           Change = "lf"        // CR LF became LF
	MarkAdded      Change = "bom-added" // a UTF-8 byte order mark
	MarkRemoved    Change = "bom-removed"
	NewlineAdded   Change = "newline-added" // at the end
	NewlineRemoved Change = "newline-removed"
	Composed       Change = "unicode-composed" // letters are in another Unicode form: NFC
	Decomposed     Change = "unicode-decomposed"
)

// Finding is why one file differs.
type Finding struct {
	Cause   Cause
	Changes []Change // of Rewritten
	Binary  bool     // it is no text: a change of line ends damaged it
	Profile string   // of SameData, OtherData, Unreadable
	More    uint64   // bytes, of Longer
}

// Same reports whether the finding shows that what is at hand says the same as what
// was sealed.
func (f Finding) Same() bool {
	return f.Cause == AsSealed || f.Cause == SameData || f.Cause == Rewritten && !f.Binary
}

// Open opens the bytes at hand, from their beginning.
type Open func() (io.ReadCloser, error)

// Bytes says why the bytes at hand are not those of the sealed file. Errors are those
// of open and of reading, or of ctx.
func Bytes(ctx context.Context, sealed manifest.File, open Open) (Finding, error) {
	l := look{whole: newPair(), before: newPair(), limit: sealed.Size}
	if sealed.Content != nil {
		l.content = content.New(sealed.Content.Profile)
	}
	if err := pass(ctx, open, -1, &l); err != nil {
		return Finding{}, err
	}
	if l.size == sealed.Size && l.whole.is(sealed) {
		return Finding{Cause: AsSealed}, nil
	}
	l.text.end()
	for _, t := range l.text.candidates(sealed.Size) {
		p := newPair()
		if err := t.undo(ctx, open, l.text.body, p); err != nil {
			return Finding{}, err
		}
		if p.is(sealed) {
			return Finding{Cause: Rewritten, Changes: t.changes(&l.text), Binary: l.text.zero}, nil
		}
	}
	f := Finding{Cause: Unknown}
	if l.content != nil {
		f.Profile = sealed.Content.Profile
		sum, ok := l.content.Sum()
		switch {
		case ok && sum == sealed.Content.SHA256:
			f.Cause = SameData
			return f, nil
		case ok:
			f.Cause = OtherData
		default:
			f.Cause = Unreadable
		}
	}
	switch {
	case l.size > sealed.Size && sealed.Size > 0 && l.before.is(sealed):
		return Finding{Cause: Longer, More: l.size - sealed.Size}, nil
	case l.size < sealed.Size && (f.Cause == Unreadable || l.size == 0):
		return Finding{Cause: CutOff}, nil
	case f.Cause == Unknown && bytes.Equal(l.head[:], []byte("PK\x03\x04")):
		return Finding{Cause: Zip}, nil
	}
	return f, nil
}

// pass reads the bytes at hand once, at most limit of them if it is not negative.
func pass(ctx context.Context, open Open, limit int64, to io.Writer) error {
	f, err := open()
	if err != nil {
		return err
	}
	defer f.Close() // read only: nothing to lose
	var r io.Reader = f
	if limit >= 0 {
		r = io.LimitReader(f, limit)
	}
	buf := make([]byte, 128<<10)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(buf)
		if _, err := to.Write(buf[:n]); err != nil {
			return err
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// pair is both digests of a file.
type pair struct{ a, b hash.Hash }

func newPair() pair { return pair{sha256.New(), sha512.New()} }

func (p pair) Write(b []byte) (int, error) {
	p.a.Write(b)
	return p.b.Write(b)
}

func (p pair) is(f manifest.File) bool {
	return bytes.Equal(p.a.Sum(nil), f.SHA256[:]) && bytes.Equal(p.b.Sum(nil), f.SHA512[:])
}

// look is the first pass: all digests that need no second one, and what decides which
// changes may have happened.
type look struct {
	whole, before pair // before: of the first limit bytes
	limit, size   uint64
	head          [4]byte
	content       content.Digest
	text          shape
}

func (l *look) Write(b []byte) (int, error) {
	if l.size < uint64(len(l.head)) {
		copy(l.head[l.size:], b)
	}
	if l.size < l.limit {
		l.before.Write(b[:min(uint64(len(b)), l.limit-l.size)])
	}
	l.size += uint64(len(b))
	l.whole.Write(b)
	if l.content != nil {
		l.content.Write(b)
	}
	l.text.take(b)
	return len(b), nil
}

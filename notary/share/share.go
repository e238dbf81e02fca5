// Package share is one zip for a board: a receipt, what opens the files that may be
// seen, and a note in plain words.
//
//	README.txt           what this is, how to check it, what it proves; for people
//	evidence.receipt     the receipt
//	evidence.opening     those files and no others; or
//	evidence.manifest    all files, with their names
//	certificate.pdf      the printable page, where there is one
//
// Members have these names and no others: a name from the site's disk might tell what
// may not be told. The bytes follow from the content alone: members in this order,
// stored and not compressed, with the statement's time. The files themselves are not
// in it; they reach the board by the way the trial has for them.
//
// A zip that arrives was made by anyone: [Parse] takes no member it does not know, none
// twice, no comment, nothing encrypted, and reads no more of a member than such a file
// may hold, however small it was packed. What the note and the certificate say is not
// evidence, and [Parse] does not look into them.
package share

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"trialnotary/notary/manifest"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// The names of the members.
const (
	NoteName        = "README.txt"
	ReceiptName     = "evidence.receipt"
	OpeningName     = "evidence.opening"
	ManifestName    = "evidence.manifest"
	CertificateName = "certificate.pdf"
)

// MaxSize is the size in bytes of the largest share read.
const MaxSize = manifest.MaxSize + 64<<20

// maxRatio is how many times its packed size a member may have: text of digests does
// not pack to a fiftieth.
const maxRatio = 50

// ErrShare is wrapped by the error of a zip that is no share.
var ErrShare = errors.New("not a share of trialnotary")

// Share is what a zip holds; what is nil is not in it.
type Share struct {
	Note        []byte
	Receipt     []byte
	Opening     []byte // or Manifest, not both
	Manifest    []byte
	Certificate []byte
}

type member struct {
	name  string
	data  *[]byte
	limit int64
}

// members returns all that may be in a share, in their order. Mail may have rewritten
// line ends before the zip was made anew: texts may be twice as large.
func (s *Share) members() []member {
	return []member{
		{NoteName, &s.Note, 64 << 10},
		{ReceiptName, &s.Receipt, 2 * receipt.MaxSize},
		{OpeningName, &s.Opening, 2 * manifest.MaxOpeningSize},
		{ManifestName, &s.Manifest, manifest.MaxSize},
		{CertificateName, &s.Certificate, 16 << 20},
	}
}

// Bytes returns the zip, its members dated as given.
func (s *Share) Bytes(at time.Time) ([]byte, error) {
	if s.Receipt == nil || s.Opening != nil && s.Manifest != nil {
		return nil, fmt.Errorf("a share has a receipt, and an opening or a manifest or neither: %w", ErrShare)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range s.members() {
		if *m.data == nil {
			continue
		}
		if int64(len(*m.data)) > m.limit {
			return nil, fmt.Errorf("%s has %d bytes, at most %d are allowed: %w", m.name, len(*m.data), m.limit, ErrShare)
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Store, Modified: at.UTC()})
		if err == nil {
			_, err = w.Write(*m.data)
		}
		if err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

// IsZip reports whether a file that begins with b is a zip.
func IsZip(b []byte) bool { return bytes.HasPrefix(b, []byte("PK\x03\x04")) }

// endSize is the size of the record that ends a zip without a comment.
const endSize = 22

// Parse reads a zip of that size. Errors wrap [ErrShare] and say what is wrong with
// it; what the members hold is for their own parsers.
func Parse(r io.ReaderAt, size int64) (*Share, error) {
	fail := func(format string, a ...any) error {
		return fmt.Errorf("%w: %w", fmt.Errorf(format, a...), ErrShare)
	}
	s := &Share{}
	known := s.members()
	if size > MaxSize {
		return nil, fail("it has %d bytes, at most %d are allowed", size, int64(MaxSize))
	}
	// The directory is bounded before archive/zip reads all of it.
	begin, end := make([]byte, 4), make([]byte, endSize)
	if _, err := r.ReadAt(begin, 0); err != nil || !IsZip(begin) {
		return nil, fail("it does not begin as a zip")
	}
	if _, err := r.ReadAt(end, max(size-endSize, 0)); err != nil && err != io.EOF {
		return nil, fail("it cannot be read to its end: %w", err)
	}
	if string(end[:4]) != "PK\x05\x06" || binary.LittleEndian.Uint16(end[20:]) != 0 {
		return nil, fail("it is cut off, or has a comment or other bytes at its end")
	}
	if n := binary.LittleEndian.Uint16(end[10:]); int(n) > len(known) || n != binary.LittleEndian.Uint16(end[8:]) {
		return nil, fail("it has more members than the %d that a share may have", len(known))
	}
	if n := binary.LittleEndian.Uint32(end[12:]); n > 64<<10 {
		return nil, fail("its directory has %d bytes", n)
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fail("it cannot be read: %w", err)
	}
	for _, f := range z.File {
		var m *member
		for i := range known {
			if known[i].name == f.Name {
				m = &known[i]
			}
		}
		switch {
		case m == nil:
			return nil, fail("it holds %q, which is no part of a share", clip(f.Name))
		case *m.data != nil:
			return nil, fail("it holds %s twice", m.name)
		case f.Comment != "":
			return nil, fail("%s has a comment", m.name)
		case f.Flags&1 != 0:
			return nil, fail("%s is encrypted", m.name)
		case !f.Mode().IsRegular():
			return nil, fail("%s is no file", m.name)
		case f.Method != zip.Store && f.Method != zip.Deflate:
			return nil, fail("%s is packed in a way that is not read (method %d)", m.name, f.Method)
		case f.UncompressedSize64 > uint64(m.limit):
			return nil, fail("%s has %d bytes, at most %d are allowed", m.name, f.UncompressedSize64, m.limit)
		case f.UncompressedSize64 > maxRatio*(f.CompressedSize64+1024):
			return nil, fail("%s unpacks to more than %d times its size", m.name, maxRatio)
		}
		if *m.data, err = read(f, m.limit); err != nil {
			return nil, fail("%s cannot be unpacked: %w", m.name, err)
		}
	}
	switch {
	case s.Receipt == nil:
		return nil, fail("it holds no %s", ReceiptName)
	case s.Opening != nil && s.Manifest != nil:
		return nil, fail("it holds an opening and a manifest; a share has one of them")
	}
	return s, nil
}

// read unpacks a member, whose size may be a lie.
func read(f *zip.File, limit int64) ([]byte, error) {
	rc, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer rc.Close() // read only: nothing to lose
	b, err := io.ReadAll(io.LimitReader(rc, min(limit, int64(f.UncompressedSize64))+1))
	switch {
	case err != nil:
		return nil, err
	case uint64(len(b)) != f.UncompressedSize64:
		return nil, errors.New("it has another size than it says")
	}
	return b, nil // not nil, also where empty
}

func clip(s string) string {
	if len(s) > 80 {
		s = s[:80] + "…"
	}
	return text.Visible(s)
}

// CertificateMark is the line that a certificate of a statement holds somewhere among
// its bytes, as a PDF comment: by it a certificate is told from any other PDF of that
// name, such as the very document that was sealed. A certificate names no file.
func CertificateMark(id statement.ID) []byte {
	return []byte("%trialnotary/certificate@v1 " + id.String() + "\n")
}

// IsCertificate reports whether b is a certificate of that statement.
func IsCertificate(b []byte, id statement.ID) bool {
	return bytes.HasPrefix(b, []byte("%PDF-")) && bytes.Contains(b, CertificateMark(id))
}

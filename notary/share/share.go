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
// A zip that arrives was made by anyone: [Parse] takes it as package parcel does. What
// the note and the certificate say is not evidence, and [Parse] does not look into them.
package share

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"trialnotary/notary/manifest"
	"trialnotary/notary/parcel"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
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
	var in []parcel.Member
	for _, m := range s.members() {
		if *m.data == nil {
			continue
		}
		if int64(len(*m.data)) > m.limit {
			return nil, fmt.Errorf("%s has %d bytes, at most %d are allowed: %w", m.name, len(*m.data), m.limit, ErrShare)
		}
		in = append(in, parcel.Member{Name: m.name, Data: *m.data})
	}
	var b bytes.Buffer
	err := parcel.Write(&b, at, in)
	return b.Bytes(), err
}

// Parse reads a zip of that size. Errors wrap [ErrShare] and say what is wrong with
// it; what the members hold is for their own parsers.
func Parse(r io.ReaderAt, size int64) (*Share, error) {
	s := &Share{}
	known := s.members()
	find := func(name string) *member {
		for i := range known {
			if known[i].name == name {
				return &known[i]
			}
		}
		return nil
	}
	in, err := parcel.Read(r, size, parcel.Rules{What: "share", Size: MaxSize, All: MaxSize, Members: len(known), Err: ErrShare, Limit: func(name string) int64 {
		if m := find(name); m != nil {
			return m.limit
		}
		return -1
	}})
	if err != nil {
		return nil, err
	}
	for _, m := range in {
		*find(m.Name).data = m.Data
	}
	switch {
	case s.Receipt == nil:
		return nil, fmt.Errorf("it holds no %s: %w", ReceiptName, ErrShare)
	case s.Opening != nil && s.Manifest != nil:
		return nil, fmt.Errorf("it holds an opening and a manifest; a share has one of them: %w", ErrShare)
	}
	return s, nil
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

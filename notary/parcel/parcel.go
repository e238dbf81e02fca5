// Package parcel reads and writes zips that travel: what they hold is known by name,
// and their bytes follow from that alone.
//
// [Write] stores members in the order given, uncompressed and with one time, so that
// the same members give the same bytes with any version of anything. [Read] takes a
// zip that was made by anyone: no member whose name is not known, none twice, no
// comment, nothing encrypted, no link, and no more of a member than such a file may
// hold, however small it was packed. What the members say is for their own parsers.
package parcel

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"trialnotary/notary/text"
)

// maxRatio is how many times its packed size a member may have: text of digests does
// not pack to a fiftieth.
const maxRatio = 50

// Member is a file of a zip.
type Member struct {
	Name string
	Data []byte // not nil
}

// Rules are what a zip of one kind may be.
type Rules struct {
	What    string // as in "a share"
	Size    int64  // bytes of the zip
	All     int64  // bytes of all members together
	Members int
	// Limit returns how many bytes a member of that name may have, -1 if it is no part.
	Limit func(name string) int64
	Err   error // wrapped by every error
}

// IsZip reports whether a file that begins with b is a zip.
func IsZip(b []byte) bool { return bytes.HasPrefix(b, []byte("PK\x03\x04")) }

// Write writes the members as a zip, dated as given.
func Write(w io.Writer, at time.Time, members []Member) error {
	z := zip.NewWriter(w)
	for _, m := range members {
		f, err := z.CreateHeader(&zip.FileHeader{Name: m.Name, Method: zip.Store, Modified: at.UTC()})
		if err == nil {
			_, err = f.Write(m.Data)
		}
		if err != nil {
			return err
		}
	}
	return z.Close()
}

// endSize is the size of the record that ends a zip without a comment.
const endSize = 22

// Read reads a zip of that size.
func Read(r io.ReaderAt, size int64, rules Rules) ([]Member, error) {
	fail := func(format string, a ...any) error {
		return fmt.Errorf("%w: %w", fmt.Errorf(format, a...), rules.Err)
	}
	z, err := open(r, size, rules, fail)
	if err != nil {
		return nil, err
	}
	var members []Member
	seen := make(map[string]bool, len(z.File))
	all := uint64(0)
	for _, f := range z.File {
		limit := rules.Limit(f.Name)
		switch {
		case limit < 0:
			return nil, fail("it holds %q, which is no part of a %s", clip(f.Name), rules.What)
		case seen[f.Name]:
			return nil, fail("it holds %s twice", f.Name)
		case f.Comment != "":
			return nil, fail("%s has a comment", f.Name)
		case f.Flags&1 != 0:
			return nil, fail("%s is encrypted", f.Name)
		case !f.Mode().IsRegular():
			return nil, fail("%s is no file", f.Name)
		case f.Method != zip.Store && f.Method != zip.Deflate:
			return nil, fail("%s is packed in a way that is not read (method %d)", f.Name, f.Method)
		case f.UncompressedSize64 > uint64(limit):
			return nil, fail("%s has %d bytes, at most %d are allowed", f.Name, f.UncompressedSize64, limit)
		case f.UncompressedSize64 > maxRatio*(f.CompressedSize64+1024):
			return nil, fail("%s unpacks to more than %d times its size", f.Name, maxRatio)
		}
		if all += f.UncompressedSize64; all > uint64(rules.All) {
			return nil, fail("it unpacks to more than %d bytes", rules.All)
		}
		seen[f.Name] = true
		b, err := unpack(f, limit)
		if err != nil {
			return nil, fail("%s cannot be unpacked: %w", f.Name, err)
		}
		members = append(members, Member{f.Name, b})
	}
	return members, nil
}

// open reads the directory of a zip, whose size is bounded before all of it is read.
func open(r io.ReaderAt, size int64, rules Rules, fail func(string, ...any) error) (*zip.Reader, error) {
	if size > rules.Size {
		return nil, fail("it has %d bytes, at most %d are allowed", size, rules.Size)
	}
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
	if n := binary.LittleEndian.Uint16(end[10:]); int(n) > rules.Members || n != binary.LittleEndian.Uint16(end[8:]) {
		return nil, fail("it has more members than the %d that a %s may have", rules.Members, rules.What)
	}
	if n := binary.LittleEndian.Uint32(end[12:]); int64(n) > max(64<<10, 512*int64(rules.Members)) {
		return nil, fail("its directory has %d bytes", n)
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fail("it cannot be read: %w", err)
	}
	return z, nil
}

// Has reports whether a zip that could be of those rules names that member.
func Has(r io.ReaderAt, size int64, rules Rules, name string) bool {
	z, err := open(r, size, rules, fmt.Errorf)
	if err != nil {
		return false
	}
	for _, f := range z.File {
		if f.Name == name {
			return true
		}
	}
	return false
}

// unpack reads a member, whose size may be a lie.
func unpack(f *zip.File, limit int64) ([]byte, error) {
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

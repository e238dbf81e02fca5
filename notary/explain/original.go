package explain

import (
	"archive/zip"
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"trialnotary/notary/content"
	"trialnotary/notary/manifest"
)

// The most that is unpacked of a zip, and the most members it may have.
const (
	maxUnpacked = 4 << 30
	maxMembers  = 100_000
)

// Offset returns how many bytes two files begin with that are the same, and the
// number of the line where they differ, 0 if a zero byte stands before: it is no text.
func Offset(ctx context.Context, sealed, given io.Reader) (at, line uint64, err error) {
	a, b := bufio.NewReaderSize(sealed, 64<<10), bufio.NewReaderSize(given, 64<<10)
	text := true
	line = 1
	for {
		if at%(1<<20) == 0 && ctx.Err() != nil {
			return 0, 0, ctx.Err()
		}
		x, errA := a.ReadByte()
		y, errB := b.ReadByte()
		for _, err := range []error{errA, errB} {
			if err != nil && err != io.EOF {
				return 0, 0, err
			}
		}
		text = text && (errA != nil || x != 0) && (errB != nil || y != 0)
		if errA != nil || errB != nil || x != y {
			if !text {
				line = 0
			}
			return at, line, nil
		}
		if at++; x == '\n' {
			line++
		}
	}
}

// Misstated reports whether the content digest that was sealed is not that of the
// original, which has the bytes sealed: nothing follows from it then.
func Misstated(ctx context.Context, sealed manifest.File, original Open) (bool, error) {
	if sealed.Content == nil {
		return false, nil
	}
	d := content.New(sealed.Content.Profile)
	if d == nil {
		return false, nil // of a later version
	}
	if err := pass(ctx, original, -1, d); err != nil {
		return false, err
	}
	sum, ok := d.Sum()
	return !ok || sum != sealed.Content.SHA256, nil
}

// Members is how the members of two zips relate, by their unpacked bytes.
type Members struct {
	Same                    int
	Changed, Missing, Added []string
}

// ErrZip is wrapped where zips cannot be compared: one of them is none, or too large.
var ErrZip = errors.New("the zips cannot be compared")

// CompareZips compares what is in two zips: names and unpacked bytes, in whatever
// order and however packed.
func CompareZips(ctx context.Context, sealed, given *io.SectionReader) (m Members, err error) {
	var of [2]map[string][32]byte
	for i, r := range []*io.SectionReader{sealed, given} {
		if of[i], err = unpack(ctx, r, maxUnpacked); err != nil {
			return m, err
		}
	}
	for name, sum := range of[0] {
		switch other, ok := of[1][name]; {
		case !ok:
			m.Missing = append(m.Missing, name)
		case other != sum:
			m.Changed = append(m.Changed, name)
		default:
			m.Same++
		}
	}
	for name := range of[1] {
		if _, ok := of[0][name]; !ok {
			m.Added = append(m.Added, name)
		}
	}
	slices.Sort(m.Changed)
	slices.Sort(m.Missing)
	slices.Sort(m.Added)
	return m, nil
}

// unpack returns the digests of a zip's members, which unpack to most bytes at most.
func unpack(ctx context.Context, r *io.SectionReader, most int64) (map[string][32]byte, error) {
	z, err := zip.NewReader(r, r.Size())
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrZip, err)
	}
	if len(z.File) > maxMembers {
		return nil, fmt.Errorf("%w: more than %d members", ErrZip, maxMembers)
	}
	of := map[string][32]byte{}
	left := most
	for _, f := range z.File {
		if _, twice := of[f.Name]; twice {
			return nil, fmt.Errorf("%w: a member stands in it twice", ErrZip)
		}
		in, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrZip, err)
		}
		h := sha256.New()
		for {
			if err = ctx.Err(); err != nil {
				return nil, errors.Join(err, in.Close())
			}
			var n int64
			n, err = io.CopyN(h, in, min(left+1, 1<<20))
			if left -= n; left < 0 {
				in.Close()
				return nil, fmt.Errorf("%w: they unpack to more than %d bytes", ErrZip, most)
			}
			if err != nil {
				break
			}
		}
		if in.Close(); err != io.EOF { // a checksum that does not fit, too
			return nil, fmt.Errorf("%w: %v", ErrZip, err)
		}
		of[f.Name] = [32]byte(h.Sum(nil))
	}
	return of, nil
}

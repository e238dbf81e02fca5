package inventory

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"hash"
	"io"
)

// ReadWeak reads the files of which the list has an MD5 or SHA-1 and nothing better,
// and returns how many it compared. open opens a file by its path in the list.
func (l *List) ReadWeak(ctx context.Context, open func(path string) (io.ReadCloser, error)) (compared int, all []Difference, err error) {
	for _, e := range l.Files {
		d, ok := e.weak()
		if !ok {
			continue
		}
		if ctx.Err() != nil {
			return compared, all, ctx.Err()
		}
		var h hash.Hash = sha1.New()
		if d.Algorithm == MD5 {
			h = md5.New()
		}
		f, err := open(e.Path)
		if err != nil {
			return compared, all, err
		}
		_, err = io.Copy(h, f)
		f.Close() // read only: nothing to lose
		if err != nil {
			return compared, all, err
		}
		if compared++; !bytes.Equal(h.Sum(nil), d.Sum) {
			all = append(all, Difference{e.Path, d.differs()})
		}
	}
	return compared, all, nil
}

// Bare reports how many files have no digest at all.
func (l *List) Bare() (n int) {
	for _, e := range l.Files {
		if len(e.Digests) == 0 {
			n++
		}
	}
	return n
}

// weak returns the better of the weak digests of an entry that has only such.
func (e *Entry) weak() (best Digest, ok bool) {
	for _, d := range e.Digests {
		if !d.Algorithm.weak() {
			return Digest{}, false
		}
		if !ok || d.Algorithm == SHA1 {
			best, ok = d, true
		}
	}
	return best, ok
}

package content

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"sort"
	"strconv"
	"strings"
)

// xptSide is one of two transport files that are compared, record by record.
type xptSide struct {
	xptReader
	r       *io.SectionReader
	in, out []byte
	begins  int64 // where the observations of the member begin
}

func (s *xptSide) write(p []byte) { s.out = append(s.out, p...) }

// next reads a record; false at the end, or if what follows cannot be read.
func (s *xptSide) next() (bool, error) {
	switch _, err := io.ReadFull(s.r, s.in); {
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return false, nil
	case err != nil:
		return false, err
	}
	s.out = s.out[:0]
	s.record(s.in, s)
	return !s.bad, nil
}

// compareXPT5 finds the first byte that differs and is in no stamp, and tells which
// value it belongs to.
func compareXPT5(sealed, given *io.SectionReader) (Where, bool, error) {
	a := &xptSide{r: sealed, in: make([]byte, xptRecord)}
	b := &xptSide{r: given, in: make([]byte, xptRecord)}
	a.keep, b.keep = true, true
	for at := int64(0); ; at += xptRecord {
		state, member, begins, row, column := a.state, a.member, a.begins, a.records, a.at
		more, err := a.next()
		if err != nil {
			return Where{}, false, err
		}
		moreB, err := b.next()
		if err != nil {
			return Where{}, false, err
		}
		if a.bad || b.bad {
			return Where{}, false, nil
		}
		w := Where{Member: member, Row: row + 1}
		header := func(s *xptSide) bool { return s.state != xptObservations }
		switch {
		case !more && !moreB:
			return Where{}, false, nil
		case !more || state == xptObservations && header(a) && !header(b):
			w.Ends = "sealed"
			return w, true, nil
		case !moreB || state == xptObservations && header(b) && !header(a):
			w.Ends = "given"
			return w, true, nil
		}
		if a.state == xptObservations && state == xptObs {
			a.begins = at + xptRecord
		}
		if bytes.Equal(a.out, b.out) {
			continue
		}
		if state != xptObservations || header(a) {
			return Where{Member: a.member, Header: true}, true, nil
		}
		i := 0
		for a.out[i] == b.out[i] {
			i++
		}
		return a.place(b, w, begins, uint64(column+i))
	}
}

// place tells which value the byte belongs to that is so far behind the beginning of
// the observation numbered in w.
func (s *xptSide) place(given *xptSide, w Where, begins int64, at uint64) (Where, bool, error) {
	w.Row += at / uint64(s.length)
	in := int(at % uint64(s.length))
	n := sort.Search(len(s.vars), func(i int) bool { return s.vars[i].end > in })
	v := s.vars[n]
	w.Column, w.Name, w.HasValue = uint64(n+1), v.name, true
	from := begins + int64(w.Row-1)*int64(s.length) + int64(v.begin)
	for _, side := range []struct {
		r  *io.SectionReader
		to *string
	}{{s.r, &w.Sealed}, {given.r, &w.Given}} {
		b := make([]byte, min(v.end-v.begin, maxShown))
		n, err := side.r.ReadAt(b, from)
		if err != nil && err != io.EOF {
			return Where{}, false, err
		}
		*side.to = strings.TrimRight(string(b[:n]), " ")
		if v.number {
			*side.to = ibmFloat(b[:n])
		}
	}
	return w, true, nil
}

// ibmFloat writes a number of a transport file: a sign, 7 bits of exponent to base 16
// and a fraction. A missing value is ".", "_" or a letter, and zeros.
func ibmFloat(b []byte) string {
	var full [8]byte
	copy(full[:], b)
	n := binary.BigEndian.Uint64(full[:])
	fraction := n & (1<<56 - 1)
	if fraction == 0 {
		if b[0] == 0 {
			return "0"
		}
		return strings.ToValidUTF8(string(b[:1]), "?")
	}
	v := math.Ldexp(float64(fraction), 4*(int(n>>56&0x7f)-64)-56)
	if n>>63 == 1 {
		v = -v
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

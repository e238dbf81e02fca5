package content

import (
	"hash/maphash"
	"io"
	"iter"
)

// Where is the first place at which two files say different things. What is not known
// is empty or 0. Numbers count from 1.
type Where struct {
	Keys     []string // of Dataset-JSON: the members that differ, with rows among them
	Member   string   // of a transport file
	Header   bool     // of a transport file: in a header or the description of a variable
	Row      uint64   // record of a member, row of a table
	Column   uint64
	Name     string // of the column or variable
	Ends     string // which of both ends there: "sealed" or "given"
	Sealed   string // the values there, at most maxShown bytes of each
	Given    string
	HasValue bool
}

const maxShown = 200

// Compare finds the first place at which two files that a profile reads say different
// things. False: it finds none, or the profile does not read one of them. The sizes
// are those of the files; memory has a bound.
func Compare(profile string, sealed, given *io.SectionReader) (Where, bool, error) {
	switch profile {
	case XPT5:
		return compareXPT5(sealed, given)
	case DatasetJSON:
		return compareJSON(sealed, given)
	case CSV:
		seed := maphash.MakeSeed()
		return compareCells(csvCells(sealed, seed), csvCells(given, seed))
	}
	return Where{}, false, nil
}

// cell is one value of a table.
type cell struct {
	row, column uint64
	name        string
	value       []byte // how it begins
	sum         uint64 // of all of it
	err         error  // the reading ended here
}

// compareCells walks through both tables at once.
func compareCells(sealed, given iter.Seq[cell]) (w Where, found bool, err error) {
	a, stopA := iter.Pull(sealed)
	defer stopA()
	b, stopB := iter.Pull(given)
	defer stopB()
	for {
		x, moreA := a()
		y, moreB := b()
		switch {
		case x.err != nil:
			return w, false, x.err
		case y.err != nil:
			return w, false, y.err
		case !moreA && !moreB:
			return w, false, nil
		case !moreA || moreB && y.row < x.row: // the table ends, or a row of it
			return Where{Row: y.row, Column: y.column, Name: y.name, Ends: "sealed"}, true, nil
		case !moreB || x.row < y.row:
			return Where{Row: x.row, Column: x.column, Name: x.name, Ends: "given"}, true, nil
		case x.sum != y.sum:
			return Where{Row: x.row, Column: x.column, Name: x.name, Sealed: string(x.value), Given: string(y.value), HasValue: true}, true, nil
		}
	}
}

// cellReader gathers the pieces of a cell.
type cellReader struct {
	sum         maphash.Hash
	value       []byte
	row, column uint64
	names       []string // of the columns, as far as they are kept
	yield       func(cell) bool
	stopped     bool
}

const maxNames = 4096

func newCellReader(yield func(cell) bool, seed maphash.Seed) *cellReader {
	c := &cellReader{yield: yield}
	c.sum.SetSeed(seed)
	return c
}

func (c *cellReader) piece(p []byte) bool {
	c.sum.Write(p)
	c.value = append(c.value, p[:min(len(p), maxShown-len(c.value))]...)
	return true
}

// give hands the cell on and begins the next.
func (c *cellReader) give() bool {
	c.column++
	out := cell{row: c.row, column: c.column, value: c.value, sum: c.sum.Sum64()}
	if c.column <= uint64(len(c.names)) {
		out.name = c.names[c.column-1]
	}
	c.sum.Reset()
	c.value = nil
	c.stopped = !c.yield(out)
	return !c.stopped
}

// feed reads r to its end, or until the reader of cells has enough.
func feed(r io.Reader, to io.Writer, enough func() bool) error {
	buf := make([]byte, 64<<10)
	for !enough() {
		n, err := r.Read(buf)
		to.Write(buf[:n]) // parsers never fail
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

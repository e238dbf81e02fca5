package content

import (
	"hash/maphash"
	"io"
	"iter"
	"strings"
)

// csvCells yields the fields of a file. The first row names the columns.
func csvCells(r io.Reader, seed maphash.Seed) iter.Seq[cell] {
	return func(yield func(cell) bool) {
		c := &csvCellReader{cellReader: newCellReader(yield, seed)}
		c.row = 1
		t := csvText{to: c}
		if err := feed(r, writerFunc(t.write), func() bool { return t.bad }); err != nil && !c.stopped {
			yield(cell{err: err})
			return
		}
		if !t.bad {
			t.end()
		}
	}
}

type csvCellReader struct{ *cellReader }

func (c *csvCellReader) endField() bool {
	if c.row == 1 && len(c.names) < maxNames {
		c.names = append(c.names, strings.ToValidUTF8(string(c.value), "�"))
	}
	return c.give()
}

func (c *csvCellReader) endRow() bool {
	c.row, c.column = c.row+1, 0
	return true
}

// writerFunc is a function that takes bytes.
type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

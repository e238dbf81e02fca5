package content

import (
	"encoding/json"
	"hash/maphash"
	"io"
	"iter"
	"slices"
)

// compareJSON finds out which members of the top-level object differ and, where the
// rows do, in which cell first.
func compareJSON(sealed, given *io.SectionReader) (Where, bool, error) {
	var seen [2]map[string][32]byte
	for i, r := range []*io.SectionReader{sealed, given} {
		d := newDatasetJSON()
		if err := feed(r, d, func() bool { return d.text.bad }); err != nil {
			return Where{}, false, err
		}
		if _, ok := d.Sum(); !ok {
			return Where{}, false, nil
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return Where{}, false, err
		}
		delete(d.seen, keyCreated)
		seen[i] = d.seen
	}
	var keys []string
	for k, sum := range seen[0] {
		if other, ok := seen[1][k]; !ok || other != sum {
			keys = append(keys, unquoted(k))
		}
	}
	for k := range seen[1] {
		if _, ok := seen[0][k]; !ok {
			keys = append(keys, unquoted(k))
		}
	}
	slices.Sort(keys)
	if !slices.Contains(keys, unquoted(keyRows)) {
		return Where{Keys: keys}, len(keys) > 0, nil
	}
	seed := maphash.MakeSeed()
	w, _, err := compareCells(jsonCells(sealed, seed), jsonCells(given, seed))
	w.Keys = keys
	return w, true, err
}

func unquoted(key string) (s string) {
	if json.Unmarshal([]byte(key), &s) != nil {
		return key
	}
	return s
}

// jsonCells yields the cells of the rows. Columns that stand behind them, as the
// format allows, give no names.
func jsonCells(r io.Reader, seed maphash.Seed) iter.Seq[cell] {
	return func(yield func(cell) bool) {
		c := &jsonCellReader{cellReader: newCellReader(yield, seed)}
		c.text.to = c
		if err := feed(r, writerFunc(c.text.write), func() bool { return c.text.bad }); err != nil && !c.stopped {
			yield(cell{err: err})
		}
	}
}

// jsonCellReader follows the levels: a cell is at the third of an object with rows, at
// the first of a row of NDJSON.
type jsonCellReader struct {
	*cellReader
	text   jsonText
	depth  int
	top    string // the key at the top
	below  string // the key in a column
	naming bool
}

func (c *jsonCellReader) inRow() bool {
	return c.text.texts > 1 && c.depth == 1 || c.text.texts == 1 && c.top == keyRows && c.depth == 3
}

func (c *jsonCellReader) begin(byte) bool {
	c.depth++
	if c.inRow() {
		c.row, c.column = c.row+1, 0
	}
	return true
}

func (c *jsonCellReader) end(byte) bool {
	c.depth--
	return true
}

func (c *jsonCellReader) key(name []byte) bool {
	switch c.depth {
	case 1:
		c.top = string(name)
	case 3:
		c.below = string(name)
	}
	c.naming = c.top == keyColumns && c.depth == 3 && c.below == `"name"`
	return true
}

func (c *jsonCellReader) piece(p []byte) bool {
	if c.inRow() || c.naming {
		c.cellReader.piece(p)
	}
	return true
}

func (c *jsonCellReader) scalar() bool {
	switch {
	case c.inRow():
		return c.give()
	case c.naming:
		if len(c.names) < maxNames {
			c.names = append(c.names, unquoted(string(c.value)))
		}
		c.naming, c.value = false, nil
		c.sum.Reset()
	}
	return true
}

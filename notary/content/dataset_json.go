package content

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
)

// The profile dataset-json/v1 is the SHA-256 of one line per member of the top-level
// object, but for datasetJSONCreationDateTime: the SHA-256 of the member's value in
// hex, a blank, and the key. The lines stand in the order of the keys.
//
//	6ab7e7f0…c1 "columns" LF
//	2d1f0c84…9a "datasetJSONVersion" LF
//	…
//	0be11a55…07 "rows" LF
//
// Values and keys are written in one spelling: no blanks; strings with the escapes of
// RFC 8785 §3.2.2.2 and all other letters as they are, in UTF-8, not normalised;
// numbers exactly as the file has them, so that 1, 1.0 and 1e0 differ; the members of
// an object in the order of their keys. Keys are ordered by the bytes of this spelling,
// quotes included. A missing "rows" counts as [].
//
// What is read, strictly: CDISC Dataset-JSON 1.1, which is an object with a string
// datasetJSONVersion "1.1" or "1.1.…", a string datasetJSONCreationDateTime, an array
// of columns, and in rows nothing but arrays of strings, numbers, true, false and
// null; or NDJSON: the same object without rows, and below it one row a line. Both
// forms of the same data have the same digest. A key that occurs twice in an object,
// an object of more than 1 MiB below the top, or nesting deeper than 32 is not read.
//
// The time of export is all that is left out: dbLastModifiedDateTime, fileOID,
// originator, sourceSystem and everything a vendor adds count.
type datasetJSON struct {
	text jsonText
	sum  canonical // of the value of the member that is being read
	seen map[string][32]byte

	levels []jsonLevel // what is open, the top-level object first
	sorted int         // the innermost object below that, 0: none
	member string      // the key there, with its quotes
	start  []byte      // how its value begins
	rows   canonical   // of NDJSON
	lines  uint64      // rows of NDJSON
	inside bool        // a string, number or word
}

// jsonLevel is an array or object that is open.
type jsonLevel struct {
	object  bool
	outer   int         // the object around it that was the innermost
	values  int         // that have begun
	key     string      // of an object: of the value that is being read
	buf     []byte      // and that value
	members []jsonKeyed // and those before
	size    int         // of all of them
}

type jsonKeyed struct {
	key   string
	value []byte
}

const (
	maxJSONObject  = 1 << 20
	maxJSONMembers = 1024 // of the top-level object
	keyCreated     = `"datasetJSONCreationDateTime"`
	keyVersion     = `"datasetJSONVersion"`
	keyColumns     = `"columns"`
	keyRows        = `"rows"`
)

// What is written between values; never changed.
var comma, opening, closing = []byte(","), []byte("["), []byte("]")

func newDatasetJSON() *datasetJSON {
	d := &datasetJSON{sum: newCanonical(), rows: newCanonical(), seen: map[string][32]byte{}}
	d.text.to = d
	return d
}

func (d *datasetJSON) Write(p []byte) (int, error) {
	d.text.write(p)
	return len(p), nil
}

func (d *datasetJSON) Sum() ([32]byte, bool) {
	_, rows := d.seen[keyRows]
	_, columns := d.seen[keyColumns]
	_, created := d.seen[keyCreated]
	_, version := d.seen[keyVersion]
	if !d.text.done() || !columns || !created || !version {
		return [32]byte{}, false
	}
	if !rows {
		if d.lines == 0 {
			d.rows.writeByte('[')
		}
		d.rows.writeByte(']')
		d.seen[keyRows] = d.rows.sum()
	}
	var keys []string
	for k := range d.seen {
		if k != keyCreated {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		s := d.seen[k]
		d.sum.write(hex.AppendEncode(nil, s[:]))
		d.sum.write([]byte(" " + k + "\n"))
	}
	return d.sum.sum(), true
}

// emit writes to where the value that is being read goes: to the innermost object
// below the top, which must be sorted first, or to a digest.
func (d *datasetJSON) emit(p []byte) bool {
	if d.sorted > 0 {
		l := &d.levels[d.sorted]
		if l.size += len(p); l.size > maxJSONObject {
			return false
		}
		l.buf = append(l.buf, p...)
		return true
	}
	if d.text.texts > 1 {
		d.rows.write(p)
		return true
	}
	if len(d.start) < 8 {
		d.start = append(d.start, p[:min(len(p), 8-len(d.start))]...)
	}
	d.sum.write(p)
	return true
}

// before is called before every value: open is 0, '[' or '{'. It puts a comma between
// those of an array.
func (d *datasetJSON) before(open byte) bool {
	n := len(d.levels)
	if n == 0 {
		return true
	}
	// Rows are arrays, and in them is nothing but scalars.
	switch {
	case d.text.texts > 1 && n == 1, d.text.texts == 1 && d.member == keyRows && n == 3:
		if open != 0 {
			return false
		}
	case d.text.texts == 1 && d.member == keyRows && n == 2:
		if open != '[' {
			return false
		}
	}
	l := &d.levels[n-1]
	l.values++
	return l.object || l.values == 1 || d.emit(comma)
}

func (d *datasetJSON) begin(open byte) bool {
	if !d.before(open) {
		return false
	}
	if len(d.levels) == 0 {
		if (open == '{') != (d.text.texts == 1) {
			return false // an object, then rows
		}
		if d.text.texts > 1 {
			if _, ok := d.seen[keyRows]; ok {
				return false
			}
			between := byte(',')
			if d.lines == 0 {
				between = '['
			}
			d.lines++
			d.rows.writeByte(between)
			d.rows.writeByte(open)
		}
	} else if open == '[' && !d.emit(opening) {
		return false
	}
	d.levels = append(d.levels, jsonLevel{object: open == '{', outer: d.sorted})
	if n := len(d.levels) - 1; open == '{' && n > 0 {
		d.sorted = n
	}
	return true
}

func (d *datasetJSON) key(name []byte) bool {
	l := &d.levels[len(d.levels)-1]
	l.key = string(name)
	if len(d.levels) > 1 {
		l.size += len(name) + 64 // with what it costs to keep
		l.buf = nil
		return l.size <= maxJSONObject
	}
	d.member, d.start = l.key, d.start[:0]
	_, twice := d.seen[l.key]
	return !twice && len(d.seen) < maxJSONMembers
}

func (d *datasetJSON) piece(p []byte) bool {
	if !d.inside {
		if d.inside = true; !d.before(0) {
			return false
		}
	}
	return d.emit(p)
}

func (d *datasetJSON) scalar() bool {
	d.inside = false
	return d.ended()
}

func (d *datasetJSON) end(byte) bool {
	l := d.levels[len(d.levels)-1]
	d.levels, d.sorted = d.levels[:len(d.levels)-1], l.outer
	if len(d.levels) == 0 {
		if d.text.texts > 1 {
			d.rows.writeByte(']')
		}
		return true
	}
	if !l.object {
		return d.emit(closing) && d.ended()
	}
	slices.SortFunc(l.members, func(a, b jsonKeyed) int { return strings.Compare(a.key, b.key) })
	out := make([]byte, 0, l.size+2)
	for i, m := range l.members {
		if i > 0 {
			if m.key == l.members[i-1].key {
				return false
			}
			out = append(out, ',')
		}
		out = append(append(append(out, m.key...), ':'), m.value...)
	}
	return d.emit([]byte{'{'}) && d.emit(out) && d.emit([]byte{'}'}) && d.ended()
}

// ended is called behind every value that is inside another.
func (d *datasetJSON) ended() bool {
	l := &d.levels[len(d.levels)-1]
	if !l.object {
		return true
	}
	if len(d.levels) > 1 {
		l.members = append(l.members, jsonKeyed{l.key, l.buf})
		return true
	}
	d.seen[d.member] = d.sum.sum()
	switch d.member {
	case keyVersion:
		return bytes.Equal(d.start, []byte(`"1.1"`)) || bytes.HasPrefix(d.start, []byte(`"1.1.`))
	case keyCreated:
		return d.start[0] == '"'
	case keyColumns, keyRows:
		return d.start[0] == '['
	}
	return true
}

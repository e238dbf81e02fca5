package content

// The profile csv/v1 is the SHA-256 of the rows in one spelling: every field between
// double quotes, each double quote in it written twice; a comma between fields; a
// line feed after every row, also the last.
//
//	EF BB BF  a,"b ""c""" CR LF  1.0,       →   "a","b ""c""" LF  "1.0","" LF
//
// What reads the file, RFC 4180 strictly: an optional UTF-8 byte order mark; rows of
// as many fields each; a row ends with CR LF or LF, the last one also without; a
// field begins with a double quote and ends with the next that stands alone, or has
// none at all and no CR. CR LF inside a quoted field is a line end, too, and counts as
// LF. There is at least one row and no zero byte. An empty field and "" are the same,
// as RFC 4180 knows no difference.
//
// Blanks, capitals, the spelling of numbers and dates, the order of rows and columns
// and the encoding of letters all count.

// csvText reads RFC 4180 text in chunks of any size and hands its fields on.
type csvText struct {
	to    csvRows
	state csvState
	mark  int // bytes of a byte order mark seen, at the beginning; -1 once behind
	bad   bool
}

// csvRows takes what a csvText reads: pieces of a field, its end, a row's end. False
// ends the reading.
type csvRows interface {
	piece(p []byte) bool
	endField() bool
	endRow() bool
}

type csvState int

const (
	csvRow      csvState = iota // a row begins, or the file ends
	csvField                    // a field begins
	csvPlain                    // in a field without quotes
	csvQuoted                   // in a field between quotes
	csvQuotedCR                 // behind a CR there
	csvQuote                    // behind a quote there: its end, or one of two
	csvCR                       // behind a CR that must be followed by LF
)

const byteOrderMark = "\xef\xbb\xbf"

func (t *csvText) write(p []byte) {
	for t.mark >= 0 && len(p) > 0 && !t.bad {
		if p[0] == byteOrderMark[t.mark] {
			p = p[1:]
			if t.mark++; t.mark == len(byteOrderMark) {
				t.mark = -1
			}
			continue
		}
		begun := byteOrderMark[:t.mark]
		t.mark = -1
		t.read([]byte(begun)) // no byte order mark: it is data
	}
	t.read(p)
}

func (t *csvText) read(p []byte) {
	for i := 0; i < len(p) && !t.bad; {
		c := p[i]
		if c == 0 {
			t.bad = true
			return
		}
		switch t.state {
		case csvPlain, csvQuoted: // runs of data, which is most of the bytes
			j := i
			if t.state == csvPlain {
				for j < len(p) && p[j] != ',' && p[j] != '\n' && p[j] != '\r' && p[j] != '"' && p[j] != 0 {
					j++
				}
			} else {
				for j < len(p) && p[j] != '"' && p[j] != '\r' && p[j] != 0 {
					j++
				}
			}
			if j > i {
				t.bad = t.bad || !t.to.piece(p[i:j])
				i = j
				continue
			}
		}
		if t.step(c) {
			i++
		}
	}
}

// step takes one byte, or changes the state and is to be called again.
func (t *csvText) step(c byte) bool {
	switch t.state {
	case csvRow, csvField:
		if c == '"' {
			t.state = csvQuoted
			return true
		}
		t.state = csvPlain
		return false
	case csvPlain:
		if c == '"' {
			t.bad = true
		} else {
			t.ends(c)
		}
	case csvQuoted:
		if c == '"' {
			t.state = csvQuote
		} else {
			t.state = csvQuotedCR
		}
	case csvQuotedCR:
		t.state = csvQuoted
		if c == '\n' {
			t.bad = t.bad || !t.to.piece([]byte{'\n'})
			return true
		}
		t.bad = t.bad || !t.to.piece([]byte{'\r'})
		return false
	case csvQuote:
		if c == '"' {
			t.bad = t.bad || !t.to.piece([]byte{'"'})
			t.state = csvQuoted
		} else {
			t.ends(c)
		}
	case csvCR:
		if c != '\n' {
			t.bad = true
		} else {
			t.ends(c)
		}
	}
	return true
}

// ends takes the byte that ends a field.
func (t *csvText) ends(c byte) {
	switch c {
	case ',':
		t.bad = t.bad || !t.to.endField()
		t.state = csvField
	case '\n':
		t.bad = t.bad || !t.to.endField() || !t.to.endRow()
		t.state = csvRow
	case '\r':
		t.state = csvCR
	default:
		t.bad = true
	}
}

// end takes the end of the file and reports whether all of it could be read.
func (t *csvText) end() bool {
	if t.mark > 0 {
		begun := byteOrderMark[:t.mark]
		t.mark = -1
		t.read([]byte(begun))
	}
	switch t.state {
	case csvRow:
	case csvField, csvPlain, csvQuote:
		t.ends('\n')
	default:
		t.bad = true
	}
	return !t.bad
}

// csvDigest writes the rows in their one spelling.
type csvDigest struct {
	text            csvText
	sum             canonical
	fields, columns int // of this row; of every row, 0 before the first
	open            bool
}

func (d *csvDigest) Write(p []byte) (int, error) {
	d.text.write(p)
	return len(p), nil
}

func (d *csvDigest) Sum() ([32]byte, bool) {
	if !d.text.end() || d.columns == 0 {
		return [32]byte{}, false
	}
	return d.sum.sum(), true
}

func (d *csvDigest) begin() {
	if d.open {
		return
	}
	d.open = true
	if d.fields > 0 {
		d.sum.writeByte(',')
	}
	d.sum.writeByte('"')
}

func (d *csvDigest) piece(p []byte) bool {
	d.begin()
	if len(p) == 1 && p[0] == '"' {
		d.sum.writeByte('"')
	}
	d.sum.write(p)
	return true
}

func (d *csvDigest) endField() bool {
	d.begin()
	d.sum.writeByte('"')
	d.open = false
	d.fields++
	return true
}

func (d *csvDigest) endRow() bool {
	d.sum.writeByte('\n')
	same := d.columns == 0 || d.columns == d.fields
	d.columns, d.fields = d.fields, 0
	return same
}

package entry

import (
	"math"
	"strconv"
	"time"

	"trialnotary/notary/text"
)

// Place is where entries stand that were sealed together: their batch and its time.
// It reads them without allocating, for those who read very many.
type Place struct {
	Batch uint64
	Time  time.Time
	line  string // from the end of the index to the stream id
}

// PlaceOf returns the place that an entry or a batch leaf names.
func PlaceOf(leaf []byte) (Place, error) {
	if IsBatch(leaf) {
		b, err := ParseBatch(leaf)
		return NewPlace(b.Number, b.Time), err
	}
	e, err := Parse(leaf)
	return NewPlace(e.Batch, e.Time), err
}

// NewPlace returns the place of that batch.
func NewPlace(batch uint64, at time.Time) Place {
	return Place{batch, at, string(append(appendBatch(nil, batch, at), "\nstream "...))}
}

const (
	hexID     = 64 // digits
	placeHead = Version + "\nindex "
	placeSeq  = "\nseq "
	placeID   = "\nstatement "
)

// Parse reads the entry at that index of the log and of this place into e. It reports
// false for whatever else: [Parse] says why it is none, if it is none at all.
func (p *Place) Parse(leaf []byte, index uint64, e *Entry) bool {
	var digits [20]byte
	n := strconv.AppendUint(digits[:0], index, 10)
	at := len(placeHead) + len(n) + len(p.line)
	if len(leaf) < at+hexID+len(placeSeq)+1+len(placeID)+hexID+1 {
		return false
	}
	if string(leaf[:len(placeHead)]) != placeHead || string(leaf[len(placeHead):][:len(n)]) != string(n) ||
		string(leaf[len(placeHead)+len(n):at]) != p.line {
		return false
	}
	rest := leaf[at:]
	if !parseHex((*[32]byte)(&e.Stream), rest) || string(rest[hexID:][:len(placeSeq)]) != placeSeq {
		return false
	}
	rest = rest[hexID+len(placeSeq):]
	e.Seq = 0
	i := 0
	for ; i < len(rest) && '0' <= rest[i] && rest[i] <= '9'; i++ {
		d := uint64(rest[i] - '0')
		if i == 0 && d == 0 || e.Seq > (math.MaxUint64-d)/10 {
			return false // no count begins with 0
		}
		e.Seq = 10*e.Seq + d
	}
	rest = rest[i:]
	if i == 0 || len(rest) != len(placeID)+hexID+1 || string(rest[:len(placeID)]) != placeID || rest[len(rest)-1] != '\n' {
		return false
	}
	e.Index, e.Batch, e.Time = index, p.Batch, p.Time
	return parseHex((*[32]byte)(&e.Statement), rest[len(placeID):])
}

// parseHex reads the 64 lowercase hex digits that b begins with.
func parseHex(id *[32]byte, b []byte) bool {
	digits := (*[hexID]byte)(b)
	var bad byte
	for i := range id {
		hi, lo := digit[digits[2*i]], digit[digits[2*i+1]]
		bad |= hi | lo
		id[i] = hi<<4 | lo
	}
	return bad < 16
}

// digit is the value of each lowercase hex digit, and 255 for every other byte.
const digit = "" +
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" +
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\xff\xff\xff\xff\xff\xff" +
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" +
	"\xff\x0a\x0b\x0c\x0d\x0e\x0f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" +
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" +
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" +
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" +
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"

// String names the place in errors.
func (p *Place) String() string {
	return "batch " + strconv.FormatUint(p.Batch, 10) + " of " + text.FormatTime(p.Time)
}

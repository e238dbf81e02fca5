// Package entry reads and writes the leaves of the public log: entries and batch
// leaves (formats, section Entry). They are all the log says about a trial.
//
// An entry places one statement, of which it shows only the id, in one stream:
//
//	trialnotary/entry@v1
//	index 7
//	batch 3 2026-11-21T14:35:56Z
//	stream 1c9d5471b03f0da13fd541b761aaf96ebee70425fa6cdeef1d7fb0096666e595
//	seq 1
//	statement b375d437961150b025b5c7ae7323191ae3027ae4ea6876f466140fe378a4c9c5
//
// The last leaf of every batch is its batch leaf, which commits to the stream
// map after the batch:
//
//	trialnotary/batch@v1
//	index 17
//	batch 6 2026-11-21T14:38:56Z
//	first 13
//	streams 5 J2Li+3nkFzJLzioWB4IIATgQivIZmS37MhgGc4g8t4s=
//
// Invariant: one value has one byte sequence; Parse accepts no other.
package entry

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// Version is the first line of an entry.
const Version = "trialnotary/entry@v1"

// Entry is the leaf of one statement in one stream.
type Entry struct {
	Index     uint64             // of the leaf in the log, from 0
	Batch     uint64             // number of its batch, from 1
	Time      time.Time          // its batch's, whole seconds UTC: the operator's clock at sealing
	Stream    statement.StreamID // where it stands
	Seq       uint64             // its place in the stream, from 1
	Statement statement.ID       // what it places there
}

// Append appends the entry to dst without further allocation. The entry's time
// must be a whole second of the years 1 to 9999; a fraction is dropped.
func (e Entry) Append(dst []byte) []byte {
	dst = append(dst, Version+"\nindex "...)
	dst = appendBatch(strconv.AppendUint(dst, e.Index, 10), e.Batch, e.Time)
	dst = hex.AppendEncode(append(dst, "\nstream "...), e.Stream[:])
	dst = strconv.AppendUint(append(dst, "\nseq "...), e.Seq, 10)
	dst = hex.AppendEncode(append(dst, "\nstatement "...), e.Statement[:])
	return append(dst, '\n')
}

// Parse parses an entry. Errors wrap [text.ErrFormat] and name the line.
func Parse(b []byte) (Entry, error) {
	e, err := parse(b)
	if err != nil {
		return Entry{}, fmt.Errorf("parse entry: %w", err)
	}
	return e, nil
}

func parse(b []byte) (Entry, error) {
	r := text.NewReader(b)
	r.Exact(Version)
	e := Entry{Index: r.Uint("index")}
	e.Batch, e.Time = readBatch(r)
	var err error
	if e.Stream, err = statement.ParseStreamID(r.Value("stream")); err != nil {
		r.Fail("does not hold a stream id of 64 lowercase hex digits")
	}
	if e.Seq = r.Uint("seq"); r.Err() == nil && e.Seq == 0 {
		r.Fail("counts from 0; the first entry of a stream has seq 1")
	}
	if e.Statement, err = statement.ParseID(r.Value("statement")); err != nil {
		r.Fail("does not hold a statement id of 64 lowercase hex digits")
	}
	return e, canonical(r, b, e.Append)
}

// appendBatch appends the line that an entry and its batch leaf share.
func appendBatch(dst []byte, number uint64, at time.Time) []byte {
	dst = strconv.AppendUint(append(dst, "\nbatch "...), number, 10)
	return at.UTC().AppendFormat(append(dst, ' '), "2006-01-02T15:04:05Z")
}

func readBatch(r *text.Reader) (number uint64, at time.Time) {
	f := r.Fields("batch", 2, 2)
	if r.Err() != nil {
		return 0, time.Time{}
	}
	number, at = r.ParseUint(f[0]), r.ParseTime(f[1])
	if r.Err() == nil && number == 0 {
		r.Fail("counts from 0; the first batch has number 1")
	}
	return number, at
}

// canonical returns the reader's error, or an error if formatting the value does
// not give b back.
func canonical(r *text.Reader, b []byte, format func([]byte) []byte) error {
	if err := r.Done(); err != nil {
		return err
	}
	var buf [512]byte
	if !bytes.Equal(format(buf[:0]), b) {
		return fmt.Errorf("the leaf is not written canonically: %w", text.ErrFormat)
	}
	return nil
}

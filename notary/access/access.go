// Package access reads and writes the trail of what was read in a trial, and checks
// it against the statements that anchor it in the log.
//
// Every read that is not everyone's is written down before it is answered. From time
// to time the service puts what was read in one trial into a file,
//
//	trialnotary/access@v1
//	log log.example/trials
//	trial 1c9d5471b03f0da13fd541b761aaf96ebee70425fa6cdeef1d7fb0096666e595
//	streams open
//	number 3
//	read 2026-11-22T13:29:00Z 9F3C-11A0-… monitor entries 5a8f… 1 14
//
// and seals a statement of its own about it: kind access, how many reads in its
// label, the file's SHA-256 in its reason, the statement of the file before it in its
// about. A file that is changed or missing is noticed; the files after the newest
// that one holds are not.
//
// Reads in closed streams are in files of their own, so that the trail can be shown
// to those who must not learn of them.
package access

import (
	"bytes"
	"fmt"
	"time"

	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// Version is the first line of a File.
const Version = "trialnotary/access@v1"

// What can be read of a stream.
const (
	Entries    = "entries"    // From and To are seqs
	Statements = "statements" // the same
	History    = "history"    // From and To are the batch
	Trail      = "access"     // From and To are of no meaning: 0
)

// Record is one read.
type Record struct {
	Time   time.Time      // the service's clock, whole seconds UTC
	Key    string         // fingerprint of the key that asked
	Role   statement.Role // under which it was allowed
	What   string
	Stream statement.StreamID
	From   uint64
	To     uint64 // From-1 if nothing was there
}

// File is what was read in a trial, in order.
type File struct {
	Log     string
	Trial   statement.StreamID // the trial's own stream
	Closed  bool               // of closed streams, or of all others
	Number  uint64             // among the files of the same trial and kind of streams, from 1
	Records []Record           // at least one
}

// Line returns the record as one line.
func (r Record) Line() []byte {
	return fmt.Appendf(nil, "read %s %s %s %s %s %d %d\n", text.FormatTime(r.Time), r.Key, r.Role, r.What, r.Stream, r.From, r.To)
}

// ParseLine parses what Line returned.
func ParseLine(b []byte) (Record, error) {
	in := text.NewReader(b)
	r := readRecord(in)
	if err := in.Done(); err != nil {
		return Record{}, fmt.Errorf("parse access record: %w", err)
	}
	return r, nil
}

func readRecord(in *text.Reader) Record {
	f := in.Fields("read", 7, 7)
	if in.Err() != nil {
		return Record{}
	}
	r := Record{Time: in.ParseTime(f[0]), Key: f[1], Role: statement.Role(f[2]), What: f[3]}
	var err error
	if k, err := statement.ParseFingerprint(r.Key); err != nil || k != r.Key {
		in.Fail("does not hold the fingerprint of a key")
	}
	if !r.Role.Known() {
		in.Fail("does not hold a known role")
	}
	switch r.What {
	case Entries, Statements, History, Trail:
	default:
		in.Fail("does not hold what was read")
	}
	if r.Stream, err = statement.ParseStreamID(f[4]); err != nil {
		in.Fail("does not hold a stream id of 64 lowercase hex digits")
	}
	if in.Err() == nil {
		r.From, r.To = in.ParseUint(f[5]), in.ParseUint(f[6])
	}
	return r
}

// Bytes returns the file, which [Parse] reads back.
func (f File) Bytes() []byte {
	b := fmt.Appendf(nil, "%s\nlog %s\ntrial %s\nstreams %s\nnumber %d\n", Version, f.Log, f.Trial, f.streams(), f.Number)
	for _, r := range f.Records {
		b = append(b, r.Line()...)
	}
	return b
}

func (f File) streams() string {
	if f.Closed {
		return "closed"
	}
	return "open"
}

// Parse parses a file. Errors wrap [text.ErrFormat] and name the line.
func Parse(b []byte) (File, error) {
	in := text.NewReader(b)
	in.Exact(Version)
	f := File{Log: in.Value("log")}
	var err error
	if f.Trial, err = statement.ParseStreamID(in.Value("trial")); err != nil {
		in.Fail("does not hold a stream id of 64 lowercase hex digits")
	}
	f.Closed = in.Value("streams") == "closed"
	if f.Number = in.Uint("number"); in.Err() == nil && f.Number == 0 {
		in.Fail("counts from 0; the first file has number 1")
	}
	f.Records = append(f.Records, readRecord(in))
	for in.More() {
		f.Records = append(f.Records, readRecord(in))
	}
	if err := in.Done(); err != nil {
		return File{}, fmt.Errorf("parse access file: %w", err)
	}
	if !bytes.Equal(f.Bytes(), b) {
		return File{}, fmt.Errorf("parse access file: it is not written canonically: %w", text.ErrFormat)
	}
	return f, nil
}

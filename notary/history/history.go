// Package history is completeness evidence: that these are all the entries that
// streams of a trial held up to a batch, so that nothing was left out and what is
// not there was not there. [History.Verify] needs no network and no service.
//
// A history is a txtar archive with these parts in this order, streams numbered
// from 1 (formats, "History"):
//
//	trialnotary/history@v1
//	-- batch --                      the batch leaf, which commits to the stream map
//	-- batch.tlog-proof --           C2SP tlog-proof of it, in a final checkpoint
//	-- auditor-1.checkpoint --       that checkpoint, signed by an auditor
//	-- 1/map-proof --                how many entries the stream has, and which
//	-- 1/entries --                  all of them, from the first; empty for none
//	-- 1/statement-1 --              those of their statements that the holder may
//	-- 1/statement-3 --              show: the others stay closed, and are counted
//	-- 2/map-proof --
//	-- 2/entries --
//
// First stands the registration stream of the trial, then those of its other ids,
// then the trial stream, then the streams asked for by name. The map's root says
// of each how many entries it has and, folded into one hash, which they are: one
// more, one less or another one gives another root.
//
// That the map itself is right no history can show: an operator may have left an
// entry out of it. That is what auditors are for, who recompute every map from the
// log; without the signature of one that the trust file lists, a verdict holds
// according to the operator only.
package history

import (
	"fmt"
	"strconv"
	"strings"

	"trialnotary/notary/text"
)

// Version is the comment line of a history, MaxSize its bound in bytes.
const (
	Version = "trialnotary/history@v1"
	MaxSize = 64 << 20
)

// History holds the parts of a history, as bytes: nothing is verified.
type History struct {
	Batch    []byte   // the leaf that ends the batch
	Proof    []byte   // C2SP tlog-proof of the leaf
	Auditors [][]byte // the proof's checkpoint, each time signed by an auditor
	Streams  []Stream // at least one
}

// Stream is the part of a history about one stream.
type Stream struct {
	MapProof   []byte
	Entries    []byte   // leaves 1 … count, one after the other
	Statements []Opened // by ascending seq
}

// Opened is a statement that the holder shows.
type Opened struct {
	Seq  uint64 // of its entry, from 1
	Note []byte // the signed note
}

// Parse parses the container of a history, at most [MaxSize] bytes. The parts'
// contents are not parsed. Parts alias b. Errors wrap [text.ErrFormat].
func Parse(b []byte) (*History, error) {
	a, err := text.ParseArchive(b, Version, MaxSize)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	p := text.NewPartReader(a.Parts)
	h := &History{Batch: p.Take("batch"), Proof: p.Take("batch.tlog-proof")}
	for p.Next(auditorName(len(h.Auditors) + 1)) {
		h.Auditors = append(h.Auditors, p.Take(auditorName(len(h.Auditors)+1)))
	}
	for first := true; first || p.Next(mapProofName(len(h.Streams)+1)); first = false {
		h.Streams = append(h.Streams, readStream(p, len(h.Streams)+1))
	}
	if err := p.Done(); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return h, nil
}

// ParseOuter is [Parse] for a file as it arrives: a byte order mark and CR LF
// line ends are undone first. It returns what was undone, in words, or "".
func ParseOuter(b []byte) (*History, string, error) {
	b, undone := text.Outer(b)
	h, err := Parse(b)
	return h, undone, err
}

// Bytes returns the history. It fails if it could not be read back.
func (h *History) Bytes() ([]byte, error) {
	a := text.Archive{Version: Version, Parts: []text.Part{
		{Name: "batch", Data: h.Batch}, {Name: "batch.tlog-proof", Data: h.Proof},
	}}
	for i, c := range h.Auditors {
		a.Parts = append(a.Parts, text.Part{Name: auditorName(i + 1), Data: c})
	}
	for i, s := range h.Streams {
		a.Parts = append(a.Parts,
			text.Part{Name: mapProofName(i + 1), Data: s.MapProof},
			text.Part{Name: entriesName(i + 1), Data: s.Entries})
		for _, o := range s.Statements {
			a.Parts = append(a.Parts, text.Part{Name: statementPrefix(i+1) + strconv.FormatUint(o.Seq, 10), Data: o.Note})
		}
	}
	b, err := a.Bytes()
	if err == nil {
		_, err = Parse(b)
	}
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return b, nil
}

func auditorName(n int) string     { return "auditor-" + strconv.Itoa(n) + ".checkpoint" }
func mapProofName(n int) string    { return strconv.Itoa(n) + "/map-proof" }
func entriesName(n int) string     { return strconv.Itoa(n) + "/entries" }
func statementPrefix(n int) string { return strconv.Itoa(n) + "/statement-" }

func readStream(p *text.PartReader, n int) Stream {
	s := Stream{MapProof: p.Take(mapProofName(n)), Entries: p.TakeAny(entriesName(n))}
	for last := uint64(0); ; {
		digits, ok := strings.CutPrefix(p.Name(), statementPrefix(n))
		if !ok {
			return s
		}
		seq, err := text.ParseUint(digits)
		if err != nil || seq <= last {
			p.Fail("a part %q… is not numbered as its entry, or out of order", statementPrefix(n))
		}
		last = seq
		s.Statements = append(s.Statements, Opened{seq, p.Take(p.Name())})
	}
}

package notary

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/tile"
)

const stagedVersion = "trialnotary/staged@v1"

// staged is a whole batch before it is published: enough to publish it without
// any other private object. It is private, not locked, and expires.
type staged struct {
	Number  uint64
	First   uint64 // index of its first leaf
	Time    time.Time
	Edge    []byte // the tree's right edge before the batch
	Items   []stagedItem
	Refused []stagedRefusal
	Map     string // stream map root after the batch
	Pack    []byte // its new map nodes
	Rebuilt bool   // by repair from the log: notes may be missing that turned up since
}

// stagedItem is one entry. Note is empty when a batch was rebuilt from the log
// and the note is not known.
type stagedItem struct {
	Stream    statement.StreamID
	Statement statement.ID
	Seq       uint64
	Note      []byte
	Trial     statement.StreamID // where the note changes the keys of this trial, else zero
	Owns      []stagedOwner      // streams it binds to a trial
}

type stagedOwner struct {
	Stream statement.StreamID
	Owner  owner
}

type stagedRefusal struct {
	Stream    statement.StreamID
	Statement statement.ID
	Reason    string
	Note      []byte
}

// bytes returns the staging object: the version line, then every field in order,
// numbers and lengths as unsigned varints.
func (g *staged) bytes() []byte {
	size := 256 + len(g.Edge) + len(g.Pack)
	for _, item := range g.Items {
		size += 112 + len(item.Note) + 128*len(item.Owns)
	}
	for _, r := range g.Refused {
		size += 80 + len(r.Reason) + len(r.Note)
	}
	b := append(make([]byte, 0, size), stagedVersion+"\n"...)
	number := func(n uint64) { b = binary.AppendUvarint(b, n) }
	field := func(data []byte) { number(uint64(len(data))); b = append(b, data...) }
	number(g.Number)
	number(g.First)
	number(uint64(g.Time.Unix()))
	field(g.Edge)
	field([]byte(g.Map))
	field(g.Pack)
	rebuilt := uint64(0)
	if g.Rebuilt {
		rebuilt = 1
	}
	number(rebuilt)
	number(uint64(len(g.Items)))
	for _, item := range g.Items {
		b = append(append(b, item.Stream[:]...), item.Statement[:]...)
		b = append(b, item.Trial[:]...)
		number(item.Seq)
		field(item.Note)
		number(uint64(len(item.Owns)))
		for _, o := range item.Owns {
			b = append(append(append(b, o.Stream[:]...), o.Owner.Trial[:]...), o.Owner.Registration[:]...)
		}
	}
	number(uint64(len(g.Refused)))
	for _, r := range g.Refused {
		b = append(append(b, r.Stream[:]...), r.Statement[:]...)
		field([]byte(r.Reason))
		field(r.Note)
	}
	return b
}

// parseStaged parses what bytes returned. The result aliases b.
func parseStaged(b []byte) (*staged, error) {
	rest, ok := bytes.CutPrefix(b, []byte(stagedVersion+"\n"))
	if !ok {
		return nil, fmt.Errorf("staging object: not %s", stagedVersion)
	}
	broken := false
	take := func(n uint64) []byte {
		if n > uint64(len(rest)) {
			broken, rest = true, nil
			return make([]byte, min(n, 32))
		}
		data := rest[:n:n]
		rest = rest[n:]
		return data
	}
	number := func() uint64 {
		n, width := binary.Uvarint(rest)
		if width <= 0 {
			broken, rest = true, nil
			return 0
		}
		rest = rest[width:]
		return n
	}
	field := func() []byte { return take(number()) }
	hash := func() [32]byte { return [32]byte(take(32)) }

	g := &staged{Number: number(), First: number(), Time: time.Unix(int64(number()), 0).UTC()}
	g.Edge, g.Map, g.Pack = field(), string(field()), field()
	g.Rebuilt = number() == 1
	for left := number(); left > 0 && !broken; left-- {
		item := stagedItem{Stream: hash(), Statement: hash(), Trial: hash(), Seq: number(), Note: field()}
		for owns := number(); owns > 0 && !broken; owns-- {
			item.Owns = append(item.Owns, stagedOwner{hash(), owner{hash(), hash()}})
		}
		g.Items = append(g.Items, item)
	}
	for left := number(); left > 0 && !broken; left-- {
		g.Refused = append(g.Refused, stagedRefusal{hash(), hash(), string(field()), field()})
	}
	if broken || len(rest) > 0 {
		return nil, errors.New("staging object: it is not whole")
	}
	return g, nil
}

// entry returns the batch's entry i, from 0.
func (g *staged) entry(i int) entry.Entry {
	item := &g.Items[i]
	return entry.Entry{Index: g.First + uint64(i), Batch: g.Number, Time: g.Time,
		Stream: item.Stream, Seq: item.Seq, Statement: item.Statement}
}

// leaves calls f with the bytes of every leaf of the batch in order, the batch
// leaf last. The slice is reused.
func (g *staged) leaves(f func([]byte), m streammap.Root) {
	var buf []byte
	for i := range g.Items {
		buf = g.entry(i).Append(buf[:0])
		f(buf)
	}
	last := entry.Batch{Index: g.First + uint64(len(g.Items)), Number: g.Number, Time: g.Time,
		First: g.First, Streams: m.Streams, MapRoot: m.Hash}
	f(last.Append(buf[:0]))
}

// rebuild derives the batch's tree from the staged bytes alone and compares it
// with the head that committed it. The returned edge is the tree's after the
// batch; its Objects are the tiles and bundles to write.
func (g *staged) rebuild(h head) (*tile.Edge, error) {
	edge, err := tile.UnmarshalEdge(g.Edge)
	if err != nil {
		return nil, err
	}
	if g.Number != h.Batch || g.Map != mapLine(h.Map) || edge.Size() != g.First || !g.Time.Equal(h.Time) {
		return nil, fmt.Errorf("staging object of batch %d does not fit the committed batch %d", g.Number, h.Batch)
	}
	g.leaves(func(leaf []byte) { edge.Append(leaf) }, h.Map)
	if edge.Size() != h.Size || edge.Root() != h.Root {
		return nil, fmt.Errorf("staging object of batch %d gives another root than the one committed", g.Number)
	}
	return edge, nil
}

// refs lists every statement whose outcome the batch decides.
func (g *staged) refs() []Ref {
	refs := make([]Ref, 0, len(g.Items)+len(g.Refused))
	for _, i := range g.Items {
		refs = append(refs, Ref{i.Stream, i.Statement})
	}
	for _, r := range g.Refused {
		refs = append(refs, Ref{r.Stream, r.Statement})
	}
	return refs
}

// row is the row that the statement by adds: a registration keeps its registration
// streams for itself, everything else makes a stream the trial's.
func (o stagedOwner) row(by statement.ID) Row {
	if o.Owner.Registration == by && o.Stream != o.Owner.Trial {
		return registeredRow(o.Stream, o.Owner)
	}
	return o.Owner.row(o.Stream)
}

// rows lists the rows that the batch adds.
func (g *staged) rows() []Row {
	rows := make([]Row, 0, 2*len(g.Items)+len(g.Refused)+8)
	if n := len(g.Pack); n > 0 && n <= maxRowPack {
		rows = append(rows, packRow(g.Number, g.Pack))
	}
	for i, item := range g.Items {
		e := g.entry(i)
		rows = append(rows,
			outcome{Index: e.Index, Batch: e.Batch, Seq: e.Seq, Note: item.Note}.row(Ref{item.Stream, item.Statement}),
			streamRow(e))
		if item.Trial != (statement.StreamID{}) {
			rows = append(rows, trialRow(item.Trial, e.Index, g.Time, item.Note))
		}
		for _, o := range item.Owns {
			rows = append(rows, o.row(item.Statement))
		}
	}
	for _, r := range g.Refused {
		rows = append(rows, outcome{Refused: r.Reason, Note: r.Note}.row(Ref{r.Stream, r.Statement}))
	}
	return rows
}

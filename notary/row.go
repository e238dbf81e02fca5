package notary

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/text"
)

// The rows, all derived from sealed batches and all but the notes derivable from
// the public log:
//
//	ST#<stream>#<id> | -            a statement's outcome, and its note
//	SM#<stream>      | <seq>        a stream's entries, as they stand in the log
//	OW#<stream>      | -            the trial a stream belongs to
//	RG#<stream>      | -            the trial and registration that a registration stream is for
//	TR#<trial>       | <index>      the registration and the key statements in force
//	BT#<batch>       | -            a batch and the final checkpoint that covers it
//	MP#<batch>       | -            the map nodes that a batch added, where these are few
//
// <trial> is the stream id of the trial's own stream.

// outcome is what became of an accepted statement.
type outcome struct {
	Index, Batch, Seq uint64
	Refused           string // the reason; "" when sealed
	Erased            bool   // Note is gone for good
	Note              []byte // empty where it was never seen, lost or erased
}

func statementKey(r Ref) Row {
	return Row{Partition: "ST#" + r.Stream.String() + "#" + r.Statement.String(), Sort: "-"}
}

func (o outcome) row(r Ref) Row {
	row := statementKey(r)
	switch {
	case o.Refused != "":
		row.Value = fmt.Appendf(nil, "refused %s\n", o.Refused)
	case o.Erased:
		row.Value = fmt.Appendf(nil, "erased %d %d %d\n", o.Index, o.Batch, o.Seq)
	default:
		row.Value = fmt.Appendf(nil, "sealed %d %d %d\n", o.Index, o.Batch, o.Seq)
	}
	row.Value = append(row.Value, o.Note...)
	return row
}

func parseOutcome(b []byte) (outcome, error) {
	line, note, ok := bytes.Cut(b, []byte("\n"))
	o := outcome{Note: note}
	if reason, refused := strings.CutPrefix(string(line), "refused "); ok && refused {
		o.Refused = reason
		return o, nil
	}
	var what string
	if _, err := fmt.Sscanf(string(line), "%s %d %d %d", &what, &o.Index, &o.Batch, &o.Seq); err != nil || !ok || what != "sealed" && (what != "erased" || len(note) > 0) {
		return outcome{}, fmt.Errorf("statement row %.40q: %w", b, text.ErrFormat)
	}
	o.Erased = what == "erased"
	return o, nil
}

func streamRow(e entry.Entry) Row {
	r := streamKey(e.Stream, e.Seq)
	r.Value = e.Append(nil)
	return r
}

func streamKey(stream statement.StreamID, seq uint64) Row {
	return Row{Partition: "SM#" + stream.String(), Sort: sortKey(seq)}
}

func parseStreamRow(b []byte) (entry.Entry, error) {
	e, err := entry.Parse(b)
	if err != nil {
		return entry.Entry{}, fmt.Errorf("stream row: %w", err)
	}
	return e, nil
}

// owner says which trial a stream belongs to, and by which registration.
type owner struct {
	Trial        statement.StreamID
	Registration statement.ID
}

func ownerKey(stream statement.StreamID) Row {
	return Row{Partition: "OW#" + stream.String(), Sort: "-"}
}

func (o owner) row(stream statement.StreamID) Row {
	r := ownerKey(stream)
	r.Value = []byte(o.Trial.String() + " " + o.Registration.String())
	return r
}

func parseOwner(b []byte) (o owner, err error) {
	trial, reg, _ := strings.Cut(string(b), " ")
	if o.Trial, err = statement.ParseStreamID(trial); err == nil {
		o.Registration, err = statement.ParseID(reg)
	}
	if err != nil {
		return owner{}, fmt.Errorf("owner row: %w", err)
	}
	return o, nil
}

// registeredRow keeps a registration stream for one registration. It is no owner
// row: the ids of public registration streams can be computed by anyone, so an
// enrolment that names one must not keep the registration out.
func registeredRow(stream statement.StreamID, o owner) Row {
	r := registeredKey(stream)
	r.Value = o.row(stream).Value
	return r
}

func registeredKey(stream statement.StreamID) Row {
	return Row{Partition: "RG#" + stream.String(), Sort: "-"}
}

// trialRow holds a registration or an effective key statement with the batch
// time that its grant counts from.
func trialRow(trial statement.StreamID, index uint64, batch time.Time, note []byte) Row {
	return Row{trialPartition(trial), sortKey(index), append([]byte(text.FormatTime(batch)+"\n"), note...)}
}

func trialPartition(trial statement.StreamID) string { return "TR#" + trial.String() }

func parseTrialRow(r Row) (index uint64, batch time.Time, n *statement.Note, err error) {
	if _, err = fmt.Sscanf(r.Sort, "%d", &index); err != nil {
		return 0, time.Time{}, nil, fmt.Errorf("trial row %q: %w", r.Sort, err)
	}
	line, note, _ := bytes.Cut(r.Value, []byte("\n"))
	if batch, err = text.ParseTime(string(line)); err == nil {
		n, err = statement.Parse(note)
	}
	if err != nil {
		return 0, time.Time{}, nil, fmt.Errorf("trial row %q: %w", r.Sort, err)
	}
	return index, batch, n, nil
}

// batchRow records a published batch. Final is the size of the first final
// checkpoint that covers it, 0 while there is none.
type batchRow struct {
	Number, Size uint64
	Root         [32]byte
	Time         time.Time
	Map          streammap.Root
	Final        uint64
}

func batchKey(number uint64) Row { return Row{Partition: fmt.Sprintf("BT#%020d", number), Sort: "-"} }

func (b batchRow) row() Row {
	r := batchKey(b.Number)
	r.Value = fmt.Appendf(nil, "trialnotary/batchrow@v1\nbatch %d\nsize %d\nroot %s\ntime %s\nmap %s\nfinal %d\n",
		b.Number, b.Size, text.Base64(b.Root[:]), text.FormatTime(b.Time), mapLine(b.Map), b.Final)
	return r
}

func parseBatchRow(v []byte) (batchRow, error) {
	r := text.NewReader(v)
	r.Exact("trialnotary/batchrow@v1")
	b := batchRow{Number: r.Uint("batch"), Size: r.Uint("size"), Root: r.Hash("root"), Time: r.Time("time")}
	m := r.Value("map")
	b.Final = r.Uint("final")
	err := r.Done()
	if err == nil {
		b.Map, err = streammap.ParseRoot([]byte(m))
	}
	if err != nil {
		return batchRow{}, fmt.Errorf("batch row: %w", err)
	}
	return b, nil
}

func sortKey(n uint64) string { return fmt.Sprintf("%020d", n) }

package history

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/text"
	"trialnotary/notary/tile"
)

// point is how a stream stood after a batch, in the checkpoint of a size.
func (w *world) point(number uint64, size int, id statement.StreamID) Point {
	h := w.historyIn(number, size, id)
	return Point{h.Batch, h.Proof, h.Streams[0].MapProof}
}

// quietWorld has site-001 with an entry in batch 3 and none in 4 to 6, and site-002
// with one in batch 5.
func quietWorld(t *testing.T) (*world, func(from, to uint64, stream string) *Quiet) {
	w := newWorld(t)
	w.trial()
	w.seal()
	w.put(w.content(statement.KindDataset, "site-001"), "jdoe")
	w.seal()
	w.seal()
	w.put(w.content(statement.KindDataset, "site-002"), "roe")
	w.seal()
	w.seal()
	return w, func(from, to uint64, stream string) *Quiet {
		id := streamOf(stream, 0)
		return &Quiet{From: w.point(from, int(w.batches[from-1].leaf.Index)+1, id), To: w.point(to, len(w.leaves), id)}
	}
}

func TestAQuietPeriodIsProved(t *testing.T) {
	w, quiet := quietWorld(t)
	last := uint64(len(w.batches))
	q := quiet(last-3, last, "site-001")
	b, err := q.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseQuiet(b)
	if err != nil {
		t.Fatal(err)
	}
	v, err := back.Verify(w.options())
	if err != nil {
		t.Fatal(err)
	}
	if !v.Confirmed || v.Unsigned || v.Count != 2 || v.Stream != streamOf("site-001", 0) || !v.To.Met.Witnessed ||
		!strings.HasPrefix(v.Line(), "no entry in stream "+v.Stream.String()+" between batch ") || !strings.Contains(v.ByWhom(), "according to the operator only") {
		t.Errorf("%+v\n%s\n%s", v, v.Line(), v.ByWhom())
	}
	// An auditor of the trust file signed a checkpoint: it vouches for what is proved in
	// that one, and not for a batch that is in another, which may be of another past.
	h := w.audited(w.history(last, streamOf("site-001", 0)))
	q.Auditors, q.To.Proof = h.Auditors, h.Proof
	var f *receipt.Failure
	if _, err = q.Verify(w.options()); !errors.As(err, &f) || f.Step != StepAuditors || !strings.Contains(f.Reason, "is proved in another") {
		t.Errorf("an auditor of one of two checkpoints: %v", err)
	}
	q.From = w.point(last-3, len(w.leaves), streamOf("site-001", 0))
	if v, err = q.Verify(w.options()); err != nil || len(v.Auditors) != 1 {
		t.Errorf("%+v, %v", v, err)
	}
	// A stream that never had an entry, and a reader without a trust file.
	if v, err := quiet(last-2, last, "site-003").Verify(receipt.Options{}); err != nil || v.Count != 0 || !v.Unsigned || v.Confirmed {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestAQuietPeriodThatWasNoneIsRefused(t *testing.T) {
	w, quiet := quietWorld(t)
	last := uint64(len(w.batches))
	other := quiet(last-3, last, "site-002")
	fork := newWorld(t)
	fork.trial()
	for range 4 {
		fork.seal()
	}
	for name, c := range map[string]struct {
		q    *Quiet
		step string
		why  string
	}{
		"there was an entry": {quiet(last-3, last, "site-002"), StepMap, "was not quiet: its count of entries was 1"},
		"backwards": {&Quiet{From: quiet(last-3, last, "site-001").To, To: quiet(last-3, last, "site-001").From},
			StepMap, "is not before"},
		"one batch twice":   {quiet(last, last, "site-001"), StepMap, "is not before"},
		"another stream":    {&Quiet{From: quiet(last-3, last, "site-001").From, To: other.To}, StepMap, "different streams"},
		"map proof of then": {quietly(func(q *Quiet) { q.To.MapProof = other.From.MapProof }, quiet(last-3, last, "site-002")), StepMap, "does not commit"},
		"leaf of another":   {quietly(func(q *Quiet) { q.To.Batch = w.batches[last-2].leaf.Append(nil) }, quiet(last-3, last, "site-001")), receipt.StepInclusion, "the proof is for index"},
		"time changed": {quietly(func(q *Quiet) {
			leaf := w.batches[last-1].leaf
			leaf.Time = leaf.Time.AddDate(0, 0, 7)
			q.To.Batch = leaf.Append(nil)
		}, quiet(last-3, last, "site-001")), receipt.StepInclusion, "is not in the log"},
		"count made smaller": {quietly(func(q *Quiet) {
			p, err := streammap.ParseProof(q.To.MapProof)
			w.check(err)
			p.Value = streammap.Value{}
			q.To.MapProof = p.Bytes()
		}, quiet(last-3, last, "site-002")), "", ""},
		"a false auditor":      {quietly(func(q *Quiet) { q.Auditors = [][]byte{w.head(int(w.batches[1].leaf.Index) + 1)} }, quiet(last-3, last, "site-001")), StepAuditors, "another checkpoint"},
		"an entry for a batch": {quietly(func(q *Quiet) { q.To.Batch = w.leaves[0] }, quiet(last-3, last, "site-001")), receipt.StepParts, ""},
	} {
		_, err := c.q.Verify(w.options())
		var f *receipt.Failure
		if !errors.As(err, &f) || (c.step != "" && f.Step != c.step) || !strings.Contains(f.Reason, c.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Under the visitor's trust file, the other operator's is refused by its signature.
	q := &Quiet{From: fork.point(2, len(fork.leaves), streamOf("site-001", 0)), To: quiet(last-3, last, "site-001").To}
	var f *receipt.Failure
	if _, err := q.Verify(w.options()); !errors.As(err, &f) || f.Step != receipt.StepCheckpoints {
		t.Errorf("a log of the same name: %v", err)
	}
}

// quietly returns a changed copy.
func quietly(change func(*Quiet), q *Quiet) *Quiet {
	change(q)
	return q
}

// An operator took an entry out and put another in its place, so that the count stays.
func TestAnExchangedEntryIsNotQuiet(t *testing.T) {
	w, quiet := quietWorld(t)
	last := uint64(len(w.batches))
	q := quiet(last-3, last, "site-001")
	id := streamOf("site-001", 0)
	w.values[id] = streammap.Value{Count: 1, Head: streammap.Fold([32]byte{}, tile.LeafHash([]byte("another")))}
	w.seal()
	q.To = w.point(last+1, len(w.leaves), id)
	if _, err := q.Verify(w.options()); err == nil || !strings.Contains(err.Error(), "contradicts itself") {
		t.Errorf("%v", err)
	}
}

func TestAQuietPeriodHasOneForm(t *testing.T) {
	w, quiet := quietWorld(t)
	last := uint64(len(w.batches))
	good, err := quiet(last-3, last, "site-001").Bytes()
	if err != nil {
		t.Fatal(err)
	}
	cut := bytes.Index(good, []byte("-- to --"))
	for name, bad := range map[string][]byte{
		"empty": nil, "version": bytes.Replace(good, []byte("quiet@v1"), []byte("quiet@v2"), 1),
		"half": good[:cut], "a part more": append(bytes.Clone(good), "-- note --\nx\n"...),
		"twice": append(bytes.Clone(good), good[len(QuietVersion)+1:]...), "crlf": bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")),
		"order":      append(append([]byte(QuietVersion+"\n"), good[cut:]...), good[len(QuietVersion)+1:cut]...),
		"auditor-2":  append(bytes.Clone(good), "-- auditor-2.checkpoint --\nx\n"...),
		"too large":  append(bytes.Clone(good), bytes.Repeat([]byte("x\n"), MaxQuietSize/2)...),
		"empty part": append(bytes.Clone(good), "-- auditor-1.checkpoint --\n"...),
	} {
		if _, err := ParseQuiet(bad); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Every changed byte is refused, or takes a signature of no one's away.
	for i := 0; i < len(good); i += 61 {
		changed := bytes.Clone(good)
		changed[i] ^= 1 << (i % 8)
		q, err := ParseQuiet(changed)
		if err != nil {
			continue
		}
		if _, err := q.Verify(w.options()); err == nil {
			t.Errorf("byte %d of %d can be changed", i, len(good))
		}
	}
}

func FuzzParseQuiet(f *testing.F) {
	f.Add([]byte(QuietVersion + "\n-- from --\nx\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := ParseQuiet(b)
		if err != nil {
			return
		}
		if back, err := q.Bytes(); err != nil || !bytes.Equal(back, b) {
			t.Errorf("other bytes come back: %v", err)
		}
		q.Verify(receipt.Options{})
	})
}

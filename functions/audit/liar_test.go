package main

import (
	"errors"
	"strings"
	"testing"

	"trialnotary/notary/audit"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/tile"
)

// forged is the next batch of an operator who signs anything.
type forged struct {
	w       *world
	values  map[statement.StreamID]streammap.Value
	entries []entry.Entry
	batch   entry.Batch
	claims  uint64 // entries before its first that the batch leaf says are its own
}

// forge begins a batch after those that are published, with an honest map.
func (w *world) forge() *forged {
	w.t.Helper()
	raw, err := w.store.Checkpoint(w.t.Context())
	w.check(err)
	cp, err := checkpoint.Parse(raw)
	w.check(err)
	f := &forged{w: w, values: map[statement.StreamID]streammap.Value{}}
	b, err := w.store.Get(w.t.Context(), tile.BundlePath(0, int(cp.Size)))
	w.check(err)
	leaves, err := tile.ParseBundle(b)
	w.check(err)
	for _, leaf := range leaves {
		if e, err := entry.Parse(leaf); err == nil {
			f.fold(e)
		}
	}
	last, err := entry.ParseBatch(leaves[len(leaves)-1])
	w.check(err)
	f.batch = entry.Batch{Number: last.Number + 1, Time: last.Time, First: cp.Size}
	return f
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (f *forged) fold(e entry.Entry) {
	v := f.values[e.Stream]
	f.values[e.Stream] = streammap.Value{Count: v.Count + 1, Head: streammap.Fold(v.Head, tile.LeafHash(e.Append(nil)))}
}

// enter enters a statement in the trial stream; fold says whether the map knows.
func (f *forged) enter(id byte, fold bool, change func(*entry.Entry)) {
	stream := f.w.stream("trial")
	e := entry.Entry{Index: f.batch.First + uint64(len(f.entries)), Batch: f.batch.Number, Time: f.batch.Time,
		Stream: stream, Seq: f.values[stream].Count + 1, Statement: statement.ID{id}}
	change(&e)
	f.entries = append(f.entries, e)
	if fold {
		f.fold(e)
	}
}

// publish signs it and puts everything where it belongs.
func (f *forged) publish() {
	w := f.w
	w.t.Helper()
	ctx := w.t.Context()
	f.batch.Index = f.batch.First + uint64(len(f.entries))
	if f.batch.MapRoot == [32]byte{} {
		f.batch.Streams, f.batch.MapRoot = uint64(len(f.values)), streammap.RootOf(f.values)
	}
	edge, err := tile.NewEdge(f.batch.First, func(name string) ([]byte, error) { return w.store.Get(ctx, name) })
	w.check(err)
	for _, e := range f.entries {
		edge.Append(e.Append(nil))
	}
	leaf := f.batch
	leaf.First -= f.claims
	edge.Append(leaf.Append(nil))
	for _, o := range edge.Objects() {
		w.check(w.store.Put(ctx, o.Name, o.Data))
	}
	cp, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: origin, Size: edge.Size(), Root: edge.Root()}, w.signers)
	w.check(err)
	h := checkpoint.Head{Batch: f.batch.Number, Size: edge.Size(), Root: edge.Root()}
	w.check(w.store.Put(ctx, checkpoint.HeadName(h.Batch), h.Bytes()))
	w.check(w.store.Put(ctx, checkpoint.SignedName(h.Batch), cp))
	w.check(w.store.Put(ctx, checkpoint.FinalName(h.Size), cp))
	old, err := w.store.Checkpoint(ctx)
	w.check(err)
	w.check(w.store.SwapCheckpoint(ctx, old, cp))
}

// What an operator who signs anything can put in the log so that what each reader
// is shown fits together: the auditor finds it, and signs nothing. What readers
// find by themselves is tried in package notary/history.
func TestALyingOperatorIsFound(t *testing.T) {
	same := func(*entry.Entry) {}
	for _, c := range []struct {
		lie   string
		tell  func(*forged)
		found string // "": nothing, since it is the truth
	}{
		{"none", func(f *forged) { f.enter(1, true, same) }, ""},
		{"an entry is not in the map", func(f *forged) { f.enter(1, true, same); f.enter(2, false, same) }, "stream map that is not that of the entries"},
		{"the map has an entry that the log has not", func(f *forged) {
			f.fold(entry.Entry{Index: 9, Batch: 3, Time: f.batch.Time, Stream: f.w.stream("trial"), Seq: 4})
		}, "stream map that is not that of the entries"},
		{"a stream is not counted", func(f *forged) {
			f.enter(1, true, same)
			f.batch.Streams, f.batch.MapRoot = uint64(len(f.values))-1, streammap.RootOf(f.values)
		}, "stream map that is not that of the entries"},
		{"a seq stands twice", func(f *forged) { f.enter(1, true, func(e *entry.Entry) { e.Seq-- }) }, "has seq 3 after 3"},
		{"a seq is left out", func(f *forged) { f.enter(1, true, func(e *entry.Entry) { e.Seq++ }) }, "has seq 5 after 3"},
		{"two entries have one seq", func(f *forged) { f.enter(1, false, same); f.enter(2, true, same) }, "has seq 4 after 4"},
		{"a statement stands twice", func(f *forged) { f.enter(1, true, same); f.enter(1, true, same) }, "is a statement that its stream has already"},
		{"an entry is dated to an earlier batch", func(f *forged) { f.enter(1, true, func(e *entry.Entry) { e.Batch-- }) }, "says batch 2 and stands in batch 3"},
		{"an entry has another's index", func(f *forged) { f.enter(1, true, func(e *entry.Entry) { e.Index-- }) }, "says that it has index"},
		{"the batch claims an entry of the one before", func(f *forged) { f.enter(1, true, same); f.claims = 1 }, "says that the batch begins at"},
	} {
		t.Run(c.lie, func(t *testing.T) {
			w := newWorld(t)
			w.register()
			w.protocols(3)
			w.clean(false, 2)
			f := w.forge()
			c.tell(f)
			f.publish()
			err, failed := w.audit(false)
			var finding *audit.Finding
			if c.found == "" {
				if err != nil || failed {
					t.Error(failed, err)
				}
				return
			}
			if !errors.As(err, &finding) || !failed || !strings.Contains(err.Error(), c.found) {
				t.Errorf("%v; want %s", err, c.found)
			}
		})
	}
}

package notary_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

// fixedWrites are the objects of a batch besides tiles and bundles: staging, head,
// signed and final checkpoint, and `checkpoint`.
const fixedWrites = 5

// treeWrites is how many tiles and bundles are new when a tree grows from one size
// to another: on each level the tiles completed, and the partial one if it has
// grown; with each tile of level 0 its bundle.
func treeWrites(from, to uint64) int {
	n := 0
	for level := 0; to > 0; level++ {
		here := int(to/256 - from/256)
		if to > from && to%256 > 0 {
			here++
		}
		if n += here; level == 0 {
			n += here
		}
		from, to = from/256, to/256
	}
	return n
}

// objectWrites counts the calls that write an object.
func objectWrites(calls []storetest.Call) int {
	n := 0
	for _, c := range calls {
		if slices.Contains([]string{"Put", "PutState", "SwapCheckpoint"}, c.Op) {
			n++
		}
	}
	return n
}

// A batch writes its five objects and what is new of the tree, each once; one that
// touches more streams than fit into a row also writes their map nodes.
func TestObjectsThatABatchWrites(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	f := storetest.NewFaulty(w.store, nil)
	w.svc = w.process(f)
	tr := w.newTrial("NCT01234567")
	w.mustSubmit(tr.reg)
	w.mustDrain()
	keys := w.sites(tr, 300)
	for _, c := range []struct{ entries, streams, more int }{
		{1, 1, 0}, {127, 1, 0}, {1, 3, 0}, {128, 1, 0}, {255, 2, 0}, {300, 300, 1}, {1, 1, 0}, {10_000, 3, 0}, {127, 3, 0},
	} {
		w.fill(tr, keys[:c.streams], c.entries)
		before := len(f.Calls())
		s, err := w.svc.Seal(context.Background())
		if err != nil || s.Entries != c.entries {
			t.Fatalf("%d entries: %+v, %v", c.entries, s, err)
		}
		from := s.Size - uint64(c.entries) - 1
		got, want := objectWrites(f.Calls()[before:]), fixedWrites+treeWrites(from, s.Size)+c.more
		if got != want {
			t.Errorf("%d entries of %d streams after %d: %d objects, want %d", c.entries, c.streams, from, got, want)
		}
	}
	w.later(2 * notary.DefaultHeartbeat)
	before := len(f.Calls())
	s, err := w.svc.Seal(context.Background())
	if got := objectWrites(f.Calls()[before:]); err != nil || s.Entries != 0 || got != fixedWrites+treeWrites(s.Size-1, s.Size) {
		t.Errorf("an empty batch: %d objects, %+v, %v", got, s, err)
	}
	w.check(w.store)
}

// Batch after batch, B entries write at most B/127 + 8 objects. One batch alone may
// write more, when it completes tiles, and those before it wrote less.
func TestObjectWritesAreBounded(t *testing.T) {
	for _, size := range []uint64{0, 2, 255, 65_533, 1_000_000, 1<<32 - 1} {
		for _, entries := range []int{1, 2, 63, 126, 127, 128, 254, 255, 256, 257, 510, 511, 1000, 1280, 4095, 8191, 9999, 10_000} {
			const batches = 1 << 17
			total, most, at := 0, 0, size
			for range batches {
				next := at + uint64(entries) + 1
				n := fixedWrites + treeWrites(at, next)
				total, most, at = total+n, max(most, n), next
			}
			mean, bound := float64(total)/batches, float64(entries)/127+8
			if mean > bound {
				t.Errorf("%d entries after %d: %.4f objects a batch, at most %.4f", entries, size, mean, bound)
			}
			if worst := int(bound) + 8; most > worst {
				t.Errorf("%d entries after %d: a batch of %d objects, at most %d", entries, size, most, worst)
			}
		}
	}
}

// The map's nodes are found again wherever they are: in memory, in rows, in objects.
func TestMapNodesAreFoundAgain(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr := w.newTrial("NCT01234567")
	w.mustSubmit(tr.reg)
	w.mustDrain()
	keys := w.sites(tr, 300)
	names, err := w.store.ListState(context.Background(), "map/")
	if err != nil || len(names) != 0 {
		t.Fatalf("one stream's nodes are objects: %q, %v", names, err)
	}
	for _, streams := range [][]statement.PrivateKey{keys, keys[:1], keys[:5], keys} {
		w.svc = w.process(w.store) // remembers nothing
		w.fill(tr, streams, len(streams))
		w.mustDrain()
	}
	if names, err = w.store.ListState(context.Background(), "map/"); err != nil || fmt.Sprint(names) != fmt.Sprint([]string{
		fmt.Sprintf("map/%020d", 3), fmt.Sprintf("map/%020d", 6)}) {
		t.Errorf("objects with map nodes: %q, %v", names, err)
	}
	if log := w.check(w.store); len(log.Entries) != 1+300+300+1+5+300 {
		t.Errorf("%d entries", len(log.Entries))
	}
}

package notary_test

import (
	"context"
	"fmt"
	"math/bits"
	"strings"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

// TestSealReadsFewMapNodes counts what sealing a batch of k streams asks of the store
// about the map of all of them, in a process that has nothing cached: nodes as many as
// the map has levels for each stream, and one pack written. [streammap] counts the
// same for 10⁶ streams.
func TestSealReadsFewMapNodes(t *testing.T) {
	const streams, k = 220, 5
	w := newWorld(t, storetest.NewMemory())
	tr := w.newTrial("NCT01234567")
	w.mustSubmit(tr.reg)
	w.mustDrain()
	keys := make([]statement.PrivateKey, streams)
	var grants, data []*statement.Note
	for i := range streams {
		keys[i] = newKey(t, fmt.Sprintf("site-%03d.key", i))
		grants = append(grants, w.enrol(tr, w.sponsor, fmt.Sprintf("site-%03d", i), keys[i].Public()))
	}
	w.mustSubmit(grants...)
	w.mustDrain()
	for i := range streams {
		data = append(data, w.data(tr, fmt.Sprintf("site-%03d", i), keys[i]))
	}
	w.mustSubmit(data...)
	w.mustDrain()
	for i := range k {
		w.mustSubmit(w.data(tr, fmt.Sprintf("site-%03d", i), keys[i]))
	}
	store := storetest.NewFaulty(w.store, nil)
	sealed, err := w.process(store).Seal(context.Background())
	if err != nil || sealed.Entries != k {
		t.Fatalf("%+v, %v", sealed, err)
	}
	// A small pack is a row, and the nodes of a level that lie in rows are one read.
	reads, packs := 0, 0
	for _, c := range store.Calls() {
		if !strings.HasPrefix(c.Name, "map/") && !strings.HasPrefix(c.Name, "MP#") {
			continue
		}
		if c.Writes() {
			packs++
		} else {
			reads++
		}
	}
	if most := k * (bits.Len(streams)/2 + 4); reads == 0 || reads > most || packs > 1 {
		t.Errorf("%d reads of map nodes, at most %d; %d packs written", reads, most, packs)
	}
	rows, err := w.store.GetRows(context.Background(), []notary.Row{{Partition: fmt.Sprintf("MP#%020d", sealed.Batch), Sort: "-"}})
	if err != nil || len(rows[0]) == 0 || len(rows[0]) > k*2048 {
		t.Errorf("a pack of %d bytes, %v", len(rows[0]), err)
	}
	w.check(w.store)
}

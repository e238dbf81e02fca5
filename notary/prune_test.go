package notary_test

import (
	"context"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/storetest"
)

// Staging objects go when they are older than any backup; the newest batch's
// stays however old, and the log and a repair from its tiles need none of them.
func TestPrune(t *testing.T) {
	store := storetest.NewMemory()
	w := newWorld(t, store)
	tr, one, _ := w.registered() // two batches
	staged := func() int {
		names, err := store.ListState(context.Background(), "staging/")
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	prune := func(want int) {
		t.Helper()
		if n, err := w.svc.Prune(context.Background(), notary.StagingAge); err != nil || n != want {
			t.Fatalf("%d deleted, want %d, %v", n, want, err)
		}
	}
	prune(0)
	w.later(40 * 24 * time.Hour)
	w.mustSubmit(w.data(tr, "site-001", one))
	w.mustDrain()
	if staged() != 3 {
		t.Fatalf("%d staged", staged())
	}
	prune(2)
	prune(0)
	w.later(40 * 24 * time.Hour)
	prune(0)
	if staged() != 1 {
		t.Fatal("the newest is gone")
	}
	w.check(store)
	if err := w.svc.Repair(context.Background(), true, nil); err != nil {
		t.Fatal(err)
	}
	w.check(store)
}

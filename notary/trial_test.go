package notary_test

import (
	"testing"

	"trialnotary/notary/storetest"
)

// While nothing is sealed, the head is looked at once in a while, not for every
// statement.
func TestKeysAreCachedWhileNothingIsSealed(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, _ := w.registered()
	f := storetest.NewFaulty(w.store, nil)
	svc := w.process(f)
	const statements = 60 // the clock moves some seconds with each
	for range statements {
		if err := w.submit(svc, w.data(tr, "site-001", one)); err != nil {
			t.Fatal(err)
		}
	}
	heads := 0
	for _, c := range f.Calls() {
		if c.Op == "Head" {
			heads++
		}
	}
	if heads == 0 || heads > statements*3/4 {
		t.Errorf("%d statements looked at the head %d times", statements, heads)
	}
}

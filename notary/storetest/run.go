package storetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"trialnotary/notary"
)

// Harness opens the stores under test.
type Harness struct {
	// Open returns an empty store. The test's Cleanup closes it.
	Open func(t *testing.T) notary.Store
	// Reopen ends the use of s and opens its data anew, as after a restart. If it
	// is nil, the durability case is skipped.
	Reopen func(t *testing.T, s notary.Store) notary.Store
}

// Run checks the whole contract of [notary.Store] but durability; use
// [Harness.Run] to check that too.
func Run(t *testing.T, open func(t *testing.T) notary.Store) {
	t.Helper()
	Harness{Open: open}.Run(t)
}

// Run checks the whole contract of [notary.Store], each case on a store of its own.
func (h Harness) Run(t *testing.T) {
	t.Helper()
	cases := []struct {
		name string
		run  func(*testing.T, notary.Store)
	}{
		{"an empty store", testEmpty},
		{"accept: pending comes in order", testPendingOrder},
		{"accept: the first acceptance is kept", testFirstAcceptance},
		{"accept: one statement in two streams is two", testTwoStreams},
		{"accept: limits", testAcceptLimits},
		{"accept: a full batch", testAcceptFull},
		{"accept: many at once", testAcceptConcurrently},
		{"pending: lanes take turns", testTurns},
		{"pending: more lanes than places", testManyLanes},
		{"pending: any mix of lanes", testTurnsAtRandom},
		{"waiting", testWaiting},
		{"clear", testClear},
		{"clear: a lane goes on with its next", testClearTurns},
		{"head: swap", testHead},
		{"head: one winner", testHeadOneWinner},
		{"checkpoint: swap", testCheckpoint},
		{"checkpoint: one winner", testCheckpointOneWinner},
		{"objects: written once", testPut},
		{"objects: one winner", testPutOneWinner},
		{"objects: many at once", testPutMany},
		{"objects: names", testNames},
		{"private objects: replaced and deleted", testState},
		{"private objects: ranges", testStateRanges},
		{"private objects: listed", testStateList},
		{"private objects: apart from public ones", testStateApart},
		{"rows: added once", testAddRows},
		{"rows: many", testAddManyRows},
		{"rows: swap", testSwapRow},
		{"rows: one winner", testSwapRowOneWinner},
		{"rows: listed", testListRows},
		{"rows: limits", testRowLimits},
		{"slices are not shared", testSlices},
		{"a cancelled context", testCancelled},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, h.Open(t)) })
	}
	t.Run("durability", func(t *testing.T) {
		if h.Reopen == nil {
			t.Skip("this store cannot be reopened")
		}
		testDurability(t, h)
	})
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

// wantRefused checks for an error that is none of the contract's answers.
func wantRefused(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || errors.Is(err, notary.ErrNotFound) || errors.Is(err, notary.ErrDiffers) || errors.Is(err, notary.ErrConflict) {
		t.Errorf("%s: got error %v, want a refusal that says why", what, err)
	}
}

func wantBytes(t *testing.T, what string, got []byte, err error, want string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if string(got) != want {
		t.Fatalf("%s: got %.80q, want %.80q", what, got, want)
	}
}

func wantNil(t *testing.T, what string, got []byte, err error) {
	t.Helper()
	if err != nil || got != nil {
		t.Fatalf("%s: got %q, %v, want nil, nil", what, got, err)
	}
}

// race runs f(0) … f(n-1) at once and returns their errors.
func race(n int, f func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// oneWinner checks that one error is nil and all others are lost, and returns
// the index of the nil one.
func oneWinner(t *testing.T, errs []error, lost error) int {
	t.Helper()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Fatalf("callers %d and %d both won", winner, i)
		case err == nil:
			winner = i
		case !errors.Is(err, lost):
			t.Fatalf("caller %d: %v, want %v", i, err, lost)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	return winner
}

func testEmpty(t *testing.T, s notary.Store) {
	ctx := t.Context()
	pending, err := s.Pending(ctx, 10)
	noError(t, err)
	if len(pending) != 0 {
		t.Errorf("%d pending", len(pending))
	}
	head, err := s.Head(ctx)
	wantNil(t, "head", head, err)
	cp, err := s.Checkpoint(ctx)
	wantNil(t, "checkpoint", cp, err)
	_, err = s.Get(ctx, "heads/0")
	wantError(t, err, notary.ErrNotFound)
	_, err = s.GetState(ctx, "staging/0", 0, -1)
	wantError(t, err, notary.ErrNotFound)
	names, err := s.ListState(ctx, "")
	noError(t, err)
	if len(names) != 0 {
		t.Errorf("private objects %q", names)
	}
	rows, err := s.ListRows(ctx, "p", "", 10)
	noError(t, err)
	if len(rows) != 0 {
		t.Errorf("rows %v", rows)
	}
	values, err := s.GetRows(ctx, []notary.Row{{Partition: "p", Sort: "s"}})
	noError(t, err)
	if len(values) != 1 || values[0] != nil {
		t.Errorf("values %q, want one nil", values)
	}
	noError(t, s.Clear(ctx, []notary.Ref{{}}))
	noError(t, s.DeleteState(ctx, "staging/0"))
	waiting, err := s.Waiting(ctx, []notary.Ref{{}})
	noError(t, err)
	if !slices.Equal(waiting, []bool{false}) {
		t.Errorf("waiting: %v, want one false", waiting)
	}
	// Calls about nothing do nothing.
	if waiting, err = s.Waiting(ctx, nil); err != nil || len(waiting) != 0 {
		t.Errorf("waiting of no refs: %v, %v", waiting, err)
	}
	noError(t, s.Accept(ctx, nil))
	noError(t, s.Clear(ctx, nil))
	noError(t, s.AddRows(ctx, nil))
	values, err = s.GetRows(ctx, nil)
	noError(t, err)
	if len(values) != 0 {
		t.Errorf("values %q of no keys", values)
	}
}

// testSlices overwrites what it passed in and what it got back, and expects the
// store not to notice.
func testSlices(t *testing.T, s notary.Store) {
	ctx := t.Context()
	scribble := func(b []byte) {
		for i := range b {
			b[i] = '!'
		}
	}
	write := func(f func(b []byte) error) {
		t.Helper()
		b := []byte("original")
		noError(t, f(b))
		scribble(b)
	}
	write(func(b []byte) error { return s.Accept(ctx, []notary.Accepted{{Note: b}}) })
	write(func(b []byte) error { return s.SwapHead(ctx, nil, b) })
	write(func(b []byte) error { return s.Put(ctx, "heads/0", b) })
	write(func(b []byte) error { return s.SwapCheckpoint(ctx, nil, b) })
	write(func(b []byte) error { return s.PutState(ctx, "staging/0", b) })
	write(func(b []byte) error {
		return s.AddRows(ctx, []notary.Row{{Partition: "p", Sort: "a", Value: b}})
	})
	write(func(b []byte) error { return s.SwapRow(ctx, nil, notary.Row{Partition: "p", Sort: "b", Value: b}) })
	for range 2 { // the second time, what the first one returned is scribbled over
		read := func(what string, f func() ([]byte, error)) {
			t.Helper()
			b, err := f()
			wantBytes(t, what, b, err, "original")
			scribble(b)
			_ = append(b, "beyond"...)
		}
		read("pending", func() ([]byte, error) {
			p, err := s.Pending(ctx, 1)
			if err != nil || len(p) != 1 {
				return nil, err
			}
			return p[0].Note, nil
		})
		read("head", func() ([]byte, error) { return s.Head(ctx) })
		read("object", func() ([]byte, error) { return s.Get(ctx, "heads/0") })
		read("checkpoint", func() ([]byte, error) { return s.Checkpoint(ctx) })
		read("private object", func() ([]byte, error) { return s.GetState(ctx, "staging/0", 0, -1) })
		read("row a", func() ([]byte, error) {
			v, err := s.GetRows(ctx, []notary.Row{{Partition: "p", Sort: "a"}})
			return bytes.Join(v, nil), err
		})
		rows, err := s.ListRows(ctx, "p", "", 2)
		noError(t, err)
		if len(rows) != 2 {
			t.Fatalf("%d rows", len(rows))
		}
		for _, r := range rows {
			read("row "+r.Sort, func() ([]byte, error) { return r.Value, nil })
		}
	}
}

func testCancelled(t *testing.T, s notary.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	row := notary.Row{Partition: "p", Sort: "s", Value: []byte("v")}
	calls := map[string]func() error{
		"Accept":         func() error { return s.Accept(ctx, []notary.Accepted{{Note: []byte("n")}}) },
		"Pending":        func() error { _, err := s.Pending(ctx, 1); return err },
		"Waiting":        func() error { _, err := s.Waiting(ctx, []notary.Ref{{}}); return err },
		"Clear":          func() error { return s.Clear(ctx, []notary.Ref{{}}) },
		"Head":           func() error { _, err := s.Head(ctx); return err },
		"SwapHead":       func() error { return s.SwapHead(ctx, nil, []byte("h")) },
		"Put":            func() error { return s.Put(ctx, "a", []byte("d")) },
		"Get":            func() error { _, err := s.Get(ctx, "a"); return err },
		"Checkpoint":     func() error { _, err := s.Checkpoint(ctx); return err },
		"SwapCheckpoint": func() error { return s.SwapCheckpoint(ctx, nil, []byte("c")) },
		"PutState":       func() error { return s.PutState(ctx, "a", []byte("d")) },
		"GetState":       func() error { _, err := s.GetState(ctx, "a", 0, -1); return err },
		"ListState":      func() error { _, err := s.ListState(ctx, ""); return err },
		"DeleteState":    func() error { return s.DeleteState(ctx, "a") },
		"AddRows":        func() error { return s.AddRows(ctx, []notary.Row{row}) },
		"SwapRow":        func() error { return s.SwapRow(ctx, nil, row) },
		"GetRows":        func() error { _, err := s.GetRows(ctx, []notary.Row{row}); return err },
		"ListRows":       func() error { _, err := s.ListRows(ctx, "p", "", 1); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want %v", name, err, context.Canceled)
		}
	}
}

// testDurability writes with every method, reopens, and reads all of it.
func testDurability(t *testing.T, h Harness) {
	ctx := t.Context()
	s := h.Open(t)
	kept, gone := statementOf(1, 7, 1), statementOf(2, 7, 1)
	noError(t, s.Accept(ctx, []notary.Accepted{kept, gone}))
	noError(t, s.Clear(ctx, []notary.Ref{gone.Ref}))
	noError(t, s.SwapHead(ctx, nil, []byte("head 1")))
	noError(t, s.SwapHead(ctx, []byte("head 1"), []byte("head 2")))
	noError(t, s.Put(ctx, "tile/0/x001/234.p/5", []byte("tile")))
	noError(t, s.Put(ctx, "heads/0", nil))
	noError(t, s.SwapCheckpoint(ctx, nil, []byte("cp 1")))
	noError(t, s.SwapCheckpoint(ctx, []byte("cp 1"), []byte("cp 2")))
	noError(t, s.PutState(ctx, "map/1", []byte("old")))
	noError(t, s.PutState(ctx, "map/1", []byte("packed nodes")))
	noError(t, s.PutState(ctx, "map/2", []byte("deleted")))
	noError(t, s.DeleteState(ctx, "map/2"))
	big := bytes.Repeat([]byte("v"), notary.MaxRowValue)
	noError(t, s.AddRows(ctx, []notary.Row{{Partition: "p", Sort: "a", Value: []byte("1")}, {Partition: "p", Sort: "b", Value: big}}))
	noError(t, s.SwapRow(ctx, []byte("1"), notary.Row{Partition: "p", Sort: "a", Value: []byte("2")}))

	for range 2 {
		s = h.Reopen(t, s)
		pending, err := s.Pending(ctx, 10)
		noError(t, err)
		wantPending(t, pending, []notary.Accepted{kept})
		b, err := s.Head(ctx)
		wantBytes(t, "head", b, err, "head 2")
		b, err = s.Get(ctx, "tile/0/x001/234.p/5")
		wantBytes(t, "tile", b, err, "tile")
		b, err = s.Get(ctx, "heads/0")
		wantBytes(t, "an empty object", b, err, "")
		wantError(t, s.Put(ctx, "heads/0", []byte("x")), notary.ErrDiffers)
		b, err = s.Checkpoint(ctx)
		wantBytes(t, "checkpoint", b, err, "cp 2")
		b, err = s.GetState(ctx, "map/1", 7, 5)
		wantBytes(t, "private object", b, err, "nodes")
		_, err = s.GetState(ctx, "map/2", 0, -1)
		wantError(t, err, notary.ErrNotFound)
		rows, err := s.ListRows(ctx, "p", "", 10)
		noError(t, err)
		wantRows(t, rows, []notary.Row{{Partition: "p", Sort: "a", Value: []byte("2")}, {Partition: "p", Sort: "b", Value: big}})
	}
}

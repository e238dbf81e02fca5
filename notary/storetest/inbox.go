package storetest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/statement"
)

// statementOf makes a statement number n in lane, received at that time.
func statementOf(n int, received int64, lane uint64) notary.Accepted {
	a := notary.Accepted{Received: received, Lane: lane, Note: fmt.Appendf(nil, "note %d\n", n)}
	binary.BigEndian.PutUint64(a.Statement[24:], uint64(n))
	a.Stream[0] = byte(n % 3)
	return a
}

func describe(all []notary.Accepted) string {
	var b bytes.Buffer
	for _, a := range all {
		fmt.Fprintf(&b, "  received %d lane %d %q\n", a.Received, a.Lane, a.Note)
	}
	return b.String()
}

func wantPending(t *testing.T, got, want []notary.Accepted) {
	t.Helper()
	if !slices.EqualFunc(got, want, func(a, b notary.Accepted) bool {
		return a.Ref == b.Ref && a.Received == b.Received && a.Lane == b.Lane && bytes.Equal(a.Note, b.Note)
	}) {
		t.Fatalf("pending:\n%swant:\n%s", describe(got), describe(want))
	}
}

func wantPendingOf(t *testing.T, s notary.Store, max int, want []notary.Accepted) {
	t.Helper()
	got, err := s.Pending(t.Context(), max)
	noError(t, err)
	wantPending(t, got, want)
}

func testPendingOrder(t *testing.T, s notary.Store) {
	// Times before 1970 come first; equal times are ordered by statement, then stream.
	a, b, c := statementOf(1, -5, 1), statementOf(9, 0, 2), statementOf(2, 7, 1)
	d, e, f := statementOf(3, 7, 3), statementOf(3, 7, 3), statementOf(1, 1<<62, 1)
	d.Stream, e.Stream = statement.StreamID{1}, statement.StreamID{0, 255}
	f.Stream = statement.StreamID{9}
	noError(t, s.Accept(t.Context(), []notary.Accepted{f, d, c}))
	noError(t, s.Accept(t.Context(), []notary.Accepted{e, b, a}))
	wantPendingOf(t, s, 10, []notary.Accepted{a, b, c, e, d, f})
	wantPendingOf(t, s, 6, []notary.Accepted{a, b, c, e, d, f})
	wantPendingOf(t, s, 0, nil)
	wantPendingOf(t, s, -1, nil)
}

func testFirstAcceptance(t *testing.T, s notary.Store) {
	ctx := t.Context()
	first := statementOf(1, 100, 5)
	later, earlier := first, first
	later.Received, later.Lane, later.Note = 200, 6, []byte("later")
	earlier.Received, earlier.Lane, earlier.Note = 50, 7, []byte("earlier")
	noError(t, s.Accept(ctx, []notary.Accepted{first, later}))
	other := statementOf(4, 150, 1)
	noError(t, s.Accept(ctx, []notary.Accepted{earlier, other, later}))
	wantPendingOf(t, s, 10, []notary.Accepted{first, other})
	// Once cleared it can be accepted again, as if for the first time.
	noError(t, s.Clear(ctx, []notary.Ref{first.Ref}))
	noError(t, s.Accept(ctx, []notary.Accepted{later}))
	wantPendingOf(t, s, 10, []notary.Accepted{other, later})
}

func testTwoStreams(t *testing.T, s notary.Store) {
	ctx := t.Context()
	a, b := statementOf(1, 5, 1), statementOf(1, 5, 1)
	a.Stream, b.Stream = statement.StreamID{1}, statement.StreamID{2}
	noError(t, s.Accept(ctx, []notary.Accepted{b}))
	noError(t, s.Accept(ctx, []notary.Accepted{a}))
	wantPendingOf(t, s, 10, []notary.Accepted{a, b})
	noError(t, s.Clear(ctx, []notary.Ref{a.Ref}))
	wantPendingOf(t, s, 10, []notary.Accepted{b})
}

func testAcceptLimits(t *testing.T, s notary.Store) {
	ctx := t.Context()
	many := make([]notary.Accepted, notary.MaxCall+1)
	for i := range many {
		many[i] = statementOf(i, int64(i), 1)
	}
	wantRefused(t, "1,025 statements", s.Accept(ctx, many))
	long := statementOf(1, 1, 1)
	long.Note = make([]byte, notary.MaxNote+1)
	wantRefused(t, "a note of 8 KiB and a byte", s.Accept(ctx, []notary.Accepted{many[0], long}))
	wantPendingOf(t, s, 10, nil) // a refused batch is refused whole
	long.Note = bytes.Repeat([]byte{0, 255}, notary.MaxNote/2)
	noError(t, s.Accept(ctx, []notary.Accepted{long}))
	wantPendingOf(t, s, 10, []notary.Accepted{long})
}

func testAcceptFull(t *testing.T, s notary.Store) {
	ctx := t.Context()
	all := make([]notary.Accepted, notary.MaxCall)
	for i := range all {
		all[i] = statementOf(i, int64(i/10), uint64(i%5))
		all[i].Note = bytes.Repeat(all[i].Note, 200)
	}
	noError(t, s.Accept(ctx, all))
	noError(t, s.Accept(ctx, all)) // a client that did not hear the answer
	slices.SortFunc(all, compareAccepted)
	wantPendingOf(t, s, 2*notary.MaxCall, all)
}

func testAcceptConcurrently(t *testing.T, s notary.Store) {
	// Eight callers submit the same 40 statements, each with a lane of its own:
	// whole batches or not, each statement is accepted once, by one caller.
	ctx := t.Context()
	errs := race(8, func(i int) error {
		for n := range 40 {
			a := statementOf(n, int64(n), uint64(i))
			if err := s.Accept(ctx, []notary.Accepted{a, statementOf(1000+i*40+n, int64(n), uint64(i))}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, err := range errs {
		noError(t, err)
	}
	got, err := s.Pending(ctx, 1000)
	noError(t, err)
	if len(got) != 40+8*40 {
		t.Fatalf("%d pending, want %d", len(got), 40+8*40)
	}
	if !slices.IsSortedFunc(got, compareAccepted) {
		t.Fatal("not in order")
	}
	again, err := s.Pending(ctx, 1000)
	noError(t, err)
	wantPending(t, again, got)
	// Two callers clear everything at once.
	refs := make([]notary.Ref, len(got))
	for i := range got {
		refs[i] = got[i].Ref
	}
	for _, err := range race(2, func(int) error { return s.Clear(ctx, refs) }) {
		noError(t, err)
	}
	wantPendingOf(t, s, 10, nil)
}

func testTurns(t *testing.T, s notary.Store) {
	// Lane 9 has a backlog of 6, lanes 1 and 5 came later; lane 1 is oldest of
	// these two. With 5 places: 9 1 5, then 9 1 (lane 5 must wait for its second).
	backlog := make([]notary.Accepted, 6)
	for i := range backlog {
		backlog[i] = statementOf(i, int64(i), 9)
	}
	p1, p2 := statementOf(10, 100, 1), statementOf(11, 300, 1)
	q1, q2 := statementOf(12, 200, 5), statementOf(13, 250, 5)
	noError(t, s.Accept(t.Context(), append([]notary.Accepted{q2, q1, p2, p1}, backlog...)))

	wantPendingOf(t, s, 1, backlog[:1])
	wantPendingOf(t, s, 2, []notary.Accepted{backlog[0], p1})
	wantPendingOf(t, s, 3, []notary.Accepted{backlog[0], p1, q1})
	wantPendingOf(t, s, 4, []notary.Accepted{backlog[0], backlog[1], p1, q1})
	wantPendingOf(t, s, 5, []notary.Accepted{backlog[0], backlog[1], p1, q1, p2})
	wantPendingOf(t, s, 7, []notary.Accepted{backlog[0], backlog[1], backlog[2], p1, q1, q2, p2})
	wantPendingOf(t, s, 9, append(slices.Clone(backlog[:5]), p1, q1, q2, p2))
	wantPendingOf(t, s, 10, append(slices.Clone(backlog), p1, q1, q2, p2))
}

func testManyLanes(t *testing.T, s notary.Store) {
	// 60 lanes of two, and 25 places: only the oldest of the 25 lanes whose oldest
	// is oldest. The lanes' numbers run against their age.
	var all, want []notary.Accepted
	for i := range 60 {
		lane := uint64(1<<63) - uint64(i)
		all = append(all, statementOf(2*i, int64(10*i), lane), statementOf(2*i+1, int64(10*i+1), lane))
		if i < 25 {
			want = append(want, all[2*i])
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	noError(t, s.Accept(t.Context(), all))
	wantPendingOf(t, s, 25, want)
}

func testTurnsAtRandom(t *testing.T, s notary.Store) {
	// Against the rule as it is written: several mixes, with statements accepted
	// out of order and some cleared in between.
	ctx := t.Context()
	rng := rand.New(rand.NewPCG(3, 4))
	waiting := map[notary.Ref]notary.Accepted{}
	next := 0
	for round := range 6 {
		var batch []notary.Accepted
		for range 80 {
			lane := uint64(float64(7*(round+1)) * rng.Float64() * rng.Float64() * rng.Float64())
			a := statementOf(next, rng.Int64N(50), lane)
			next++
			batch = append(batch, a)
			waiting[a.Ref] = a
		}
		noError(t, s.Accept(ctx, batch))
		var refs []notary.Ref
		all := sorted(waiting)
		for _, a := range all {
			if rng.IntN(4) == 0 {
				refs = append(refs, a.Ref)
				delete(waiting, a.Ref)
			}
		}
		noError(t, s.Clear(ctx, refs))
		for _, max := range []int{1, 2, 7, 30, 100, len(waiting) - 1, len(waiting), len(waiting) + 1} {
			wantPendingOf(t, s, max, takeTurns(sorted(waiting), max))
		}
	}
}

func sorted(waiting map[notary.Ref]notary.Accepted) []notary.Accepted {
	var all []notary.Accepted
	for _, a := range waiting {
		all = append(all, a)
	}
	slices.SortFunc(all, compareAccepted)
	return all
}

func testWaiting(t *testing.T, s notary.Store) {
	ctx := t.Context()
	a, b := statementOf(1, 1, 1), statementOf(2, 2, 1)
	other := notary.Ref{Stream: b.Stream, Statement: a.Statement} // that statement, another stream
	noError(t, s.Accept(ctx, []notary.Accepted{a, b}))
	want := func(refs []notary.Ref, want ...bool) {
		t.Helper()
		got, err := s.Waiting(ctx, refs)
		noError(t, err)
		if !slices.Equal(got, want) {
			t.Fatalf("waiting: %v, want %v", got, want)
		}
	}
	want([]notary.Ref{b.Ref, other, a.Ref, b.Ref}, true, false, true, true)
	noError(t, s.Clear(ctx, []notary.Ref{b.Ref}))
	want([]notary.Ref{b.Ref, a.Ref}, false, true)
	_, err := s.Waiting(ctx, make([]notary.Ref, notary.MaxCall+1))
	wantRefused(t, "1,025 refs", err)
	full := make([]notary.Ref, notary.MaxCall)
	full[notary.MaxCall-1] = a.Ref
	want(full, append(make([]bool, notary.MaxCall-1), true)...)
}

func testClear(t *testing.T, s notary.Store) {
	ctx := t.Context()
	a, b, c := statementOf(1, 1, 1), statementOf(2, 2, 1), statementOf(3, 3, 2)
	noError(t, s.Accept(ctx, []notary.Accepted{a, b, c}))
	absent := notary.Ref{Stream: b.Stream, Statement: c.Statement}
	noError(t, s.Clear(ctx, []notary.Ref{b.Ref, absent, b.Ref}))
	wantPendingOf(t, s, 10, []notary.Accepted{a, c})
	noError(t, s.Clear(ctx, []notary.Ref{b.Ref}))
	noError(t, s.Clear(ctx, []notary.Ref{c.Ref, a.Ref}))
	wantPendingOf(t, s, 10, nil)
}

func testClearTurns(t *testing.T, s notary.Store) {
	// When a lane's oldest is cleared, its age is that of its next.
	ctx := t.Context()
	a1, a2 := statementOf(1, 1, 1), statementOf(2, 50, 1)
	b1, b2 := statementOf(3, 10, 2), statementOf(4, 11, 2)
	noError(t, s.Accept(ctx, []notary.Accepted{a1, a2, b1, b2}))
	wantPendingOf(t, s, 1, []notary.Accepted{a1})
	noError(t, s.Clear(ctx, []notary.Ref{a1.Ref}))
	wantPendingOf(t, s, 1, []notary.Accepted{b1})
	wantPendingOf(t, s, 2, []notary.Accepted{b1, a2})
	// An older one that arrives late makes its lane old again.
	a0 := statementOf(0, 0, 1)
	noError(t, s.Accept(ctx, []notary.Accepted{a0}))
	wantPendingOf(t, s, 1, []notary.Accepted{a0})
	noError(t, s.Clear(ctx, []notary.Ref{a0.Ref, a2.Ref}))
	wantPendingOf(t, s, 1, []notary.Accepted{b1})
}

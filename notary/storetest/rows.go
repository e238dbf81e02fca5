package storetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"trialnotary/notary"
)

func row(partition, sort, value string) notary.Row {
	return notary.Row{Partition: partition, Sort: sort, Value: []byte(value)}
}

func wantRows(t *testing.T, got, want []notary.Row) {
	t.Helper()
	if !slices.EqualFunc(got, want, func(a, b notary.Row) bool {
		return a.Partition == b.Partition && a.Sort == b.Sort && bytes.Equal(a.Value, b.Value)
	}) {
		t.Fatalf("rows %.300q, want %.300q", got, want)
	}
}

func testAddRows(t *testing.T, s notary.Store) {
	ctx := t.Context()
	big := strings.Repeat("\x00\xff", notary.MaxRowValue/2)
	noError(t, s.AddRows(ctx, []notary.Row{row("p", "b", "1"), row("p", "a", big), row("q", "b", "3")}))
	// Existing rows stay; of two new ones with one key, the first is written.
	noError(t, s.AddRows(ctx, []notary.Row{row("p", "a", "x"), row("p", "c", "4"), row("q", "b", "x"), row("p", "c", "x")}))
	got, err := s.ListRows(ctx, "p", "", 10)
	noError(t, err)
	wantRows(t, got, []notary.Row{row("p", "a", big), row("p", "b", "1"), row("p", "c", "4")})
	values, err := s.GetRows(ctx, []notary.Row{row("q", "b", ""), row("p", "zz", "ignored"), row("p", "a", ""), row("q", "b", "")})
	noError(t, err)
	if len(values) != 4 || string(values[0]) != "3" || values[1] != nil || string(values[2]) != big || string(values[3]) != "3" {
		t.Fatalf("values %.100q", values)
	}
	// Concurrent additions of the same row: one is kept, and everybody sees it.
	for _, err := range race(8, func(i int) error {
		return s.AddRows(ctx, []notary.Row{row("r", "one", fmt.Sprint(i)), row("r", fmt.Sprint("own ", i), "v")})
	}) {
		noError(t, err)
	}
	got, err = s.ListRows(ctx, "r", "", 10)
	noError(t, err)
	if len(got) != 9 || len(got[0].Value) != 1 {
		t.Fatalf("rows %q", got)
	}
}

func testAddManyRows(t *testing.T, s notary.Store) {
	ctx := t.Context()
	rng := rand.New(rand.NewPCG(5, 6))
	var all []notary.Row
	for i := range 1100 {
		all = append(all, row(fmt.Sprintf("P#%d", i%2), fmt.Sprintf("%016x", rng.Uint64()), strings.Repeat("v", 1+i%700)))
	}
	noError(t, s.AddRows(ctx, all))
	values, err := s.GetRows(ctx, all[:notary.MaxCall])
	noError(t, err)
	for i, v := range values {
		if !bytes.Equal(v, all[i].Value) {
			t.Fatalf("row %d: %d bytes, want %d", i, len(v), len(all[i].Value))
		}
	}
	for p := range 2 {
		partition := fmt.Sprintf("P#%d", p)
		var want []notary.Row
		for _, r := range all {
			if r.Partition == partition {
				want = append(want, r)
			}
		}
		slices.SortFunc(want, func(a, b notary.Row) int { return strings.Compare(a.Sort, b.Sort) })
		got, err := s.ListRows(ctx, partition, "", len(all))
		noError(t, err)
		wantRows(t, got, want)
	}
}

func testSwapRow(t *testing.T, s notary.Store) {
	ctx := t.Context()
	big := strings.Repeat("b", notary.MaxRowValue)
	wantError(t, s.SwapRow(ctx, []byte("x"), row("p", "s", "1")), notary.ErrConflict)
	noError(t, s.SwapRow(ctx, nil, row("p", "s", "1")))
	wantError(t, s.SwapRow(ctx, nil, row("p", "s", "2")), notary.ErrConflict)
	wantError(t, s.SwapRow(ctx, []byte("10"), row("p", "s", "2")), notary.ErrConflict)
	last := "1"
	for _, next := range []string{big, "3", big[1:], "\x00\xff"} {
		noError(t, s.SwapRow(ctx, []byte(last), row("p", "s", next)))
		got, err := s.ListRows(ctx, "p", "", 10)
		noError(t, err)
		wantRows(t, got, []notary.Row{row("p", "s", next)})
		last = next
	}
	noError(t, s.AddRows(ctx, []notary.Row{row("p", "s", "added")}))
	noError(t, s.SwapRow(ctx, []byte(last), row("p", "s", "5")))
}

func testSwapRowOneWinner(t *testing.T, s notary.Store) {
	ctx := t.Context()
	var old []byte
	for round := range 4 {
		content := func(i int) string { return fmt.Sprintf("round %d caller %d", round, i) }
		winner := oneWinner(t, race(16, func(i int) error { return s.SwapRow(ctx, old, row("p", "s", content(i))) }), notary.ErrConflict)
		values, err := s.GetRows(ctx, []notary.Row{row("p", "s", "")})
		noError(t, err)
		wantBytes(t, "the winner's", values[0], nil, content(winner))
		old = values[0]
	}
}

func testListRows(t *testing.T, s notary.Store) {
	ctx := t.Context()
	// Partitions that are prefixes of each other, keys next to them in any order
	// of bytes that a store may use inside.
	var p []notary.Row
	for _, sort := range []string{" ", "!", "0", "00", "1", "10", "2", "A", "a", "a b", "a/b", "~"} {
		p = append(p, row("p", sort, "v "+sort))
	}
	shuffled := slices.Clone(p)
	rand.New(rand.NewPCG(7, 8)).Shuffle(len(p), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	noError(t, s.AddRows(ctx, append(shuffled, row("p0", "x", "v"), row("p ", "x", "v"), row("o", "~~", "v"), row("p!", "0", "v"))))
	for _, c := range []struct {
		from string
		max  int
		want []notary.Row
	}{
		{"", 100, p}, {" ", 100, p}, {"!", 100, p[1:]}, {"0", 2, p[2:4]}, {"01", 2, p[4:6]},
		{"~", 100, p[11:]}, {"~~", 100, nil}, {"", 0, nil}, {"", -1, nil}, {"", len(p), p}, {"a a", 1, p[9:10]},
	} {
		got, err := s.ListRows(ctx, "p", c.from, c.max)
		noError(t, err)
		wantRows(t, got, c.want)
	}
	got, err := s.ListRows(ctx, "none", "", 10)
	noError(t, err)
	wantRows(t, got, nil)
}

func testRowLimits(t *testing.T, s notary.Store) {
	ctx := t.Context()
	long := strings.Repeat("k", notary.MaxRowKey-1)
	for _, c := range []struct {
		why string
		notary.Row
	}{
		{"no partition", row("", "s", "v")},
		{"no sort key", row("p", "", "v")},
		{"257 bytes of keys", row(long, "ss", "v")},
		{"a line feed", row("p\n", "s", "v")},
		{"a zero byte", row("p", "s\x00", "v")},
		{"not ASCII", row("p", "é", "v")},
		{"DEL", row("p", "\x7f", "v")},
	} {
		wantRefused(t, "AddRows: "+c.why, s.AddRows(ctx, []notary.Row{row("p", "fine", "v"), c.Row}))
		wantRefused(t, "SwapRow: "+c.why, s.SwapRow(ctx, nil, c.Row))
		_, err := s.GetRows(ctx, []notary.Row{c.Row})
		wantRefused(t, "GetRows: "+c.why, err)
	}
	for _, bad := range []notary.Row{row("p", "s", ""), row("p", "s", strings.Repeat("v", notary.MaxRowValue+1))} {
		wantRefused(t, fmt.Sprintf("AddRows: a value of %d bytes", len(bad.Value)), s.AddRows(ctx, []notary.Row{row("p", "fine", "v"), bad}))
		wantRefused(t, fmt.Sprintf("SwapRow: a value of %d bytes", len(bad.Value)), s.SwapRow(ctx, nil, bad))
	}
	_, err := s.GetRows(ctx, slices.Repeat([]notary.Row{row("p", "s", "")}, notary.MaxCall+1))
	wantRefused(t, "GetRows: 1,025 keys", err)
	_, err = s.ListRows(ctx, "", "", 1)
	wantRefused(t, "ListRows: no partition", err)
	got, err := s.ListRows(ctx, "p", "", 10) // a refused call is refused whole
	noError(t, err)
	wantRows(t, got, nil)
	longest := row(long, "s", strings.Repeat("v", notary.MaxRowValue))
	noError(t, s.AddRows(ctx, []notary.Row{longest}))
	got, err = s.ListRows(ctx, long, "s", 1)
	noError(t, err)
	wantRows(t, got, []notary.Row{longest})
}

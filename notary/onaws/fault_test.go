package onaws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/onaws/fakeaws"
	"trialnotary/notary/statement"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func accepted(n int) notary.Accepted {
	return notary.Accepted{Ref: notary.Ref{Stream: statement.StreamID{byte(n)}, Statement: statement.ID{byte(n * 37), byte(n)}},
		Received: int64(n), Lane: uint64(n % 3), Note: fmt.Appendf(nil, "note %d\n", n)}
}

// Every call of AWS that a call of the store makes fails once, in every way, and
// the call of the store still does what it says: an answer that was lost is found
// again, and nobody hears that he won who did not.
func TestEveryCallFailsOnce(t *testing.T) {
	row := notary.Row{Partition: "p", Sort: "s", Value: []byte("2")}
	long := func(b byte) []byte { return bytes.Repeat([]byte{b}, 4000) }
	ops := []struct {
		name   string
		calls  []string
		before func(context.Context, notary.Store) error
		do     func(context.Context, notary.Store) error
	}{
		{"Accept", []string{"PutItem"}, nil, func(ctx context.Context, s notary.Store) error {
			return s.Accept(ctx, []notary.Accepted{accepted(1), accepted(2)})
		}},
		{"Pending", []string{"Query"}, func(ctx context.Context, s notary.Store) error {
			return s.Accept(ctx, []notary.Accepted{accepted(1), accepted(2)})
		}, func(ctx context.Context, s notary.Store) error {
			p, err := s.Pending(ctx, 10)
			if err == nil && len(p) != 2 {
				err = fmt.Errorf("%d pending", len(p))
			}
			return err
		}},
		{"Waiting", []string{"BatchGetItem"}, func(ctx context.Context, s notary.Store) error {
			return s.Accept(ctx, []notary.Accepted{accepted(1)})
		}, func(ctx context.Context, s notary.Store) error {
			w, err := s.Waiting(ctx, []notary.Ref{accepted(1).Ref})
			if err == nil && !w[0] {
				err = errors.New("it is not waiting")
			}
			return err
		}},
		{"Clear", []string{"BatchWriteItem"}, func(ctx context.Context, s notary.Store) error {
			return s.Accept(ctx, []notary.Accepted{accepted(1)})
		}, func(ctx context.Context, s notary.Store) error { return s.Clear(ctx, []notary.Ref{accepted(1).Ref}) }},
		{"SwapHead", []string{"PutItem"}, func(ctx context.Context, s notary.Store) error {
			return s.SwapHead(ctx, nil, []byte("1"))
		}, func(ctx context.Context, s notary.Store) error { return s.SwapHead(ctx, []byte("1"), []byte("2")) }},
		{"SwapRow, deflated", []string{"BatchGetItem", "PutItem"}, func(ctx context.Context, s notary.Store) error {
			return s.SwapRow(ctx, nil, notary.Row{Partition: "p", Sort: "s", Value: long(1)})
		}, func(ctx context.Context, s notary.Store) error { return s.SwapRow(ctx, long(1), row) }},
		{"AddRows", []string{"PutItem"}, nil, func(ctx context.Context, s notary.Store) error { return s.AddRows(ctx, []notary.Row{row}) }},
		{"Put", []string{"PutObject"}, nil, func(ctx context.Context, s notary.Store) error { return s.Put(ctx, "heads/1", []byte("head")) }},
		{"Put again", []string{"PutObject", "GetObject"}, func(ctx context.Context, s notary.Store) error {
			return s.Put(ctx, "heads/1", []byte("head"))
		}, func(ctx context.Context, s notary.Store) error { return s.Put(ctx, "heads/1", []byte("head")) }},
		{"SwapCheckpoint", []string{"GetObject", "PutObject"}, func(ctx context.Context, s notary.Store) error {
			return s.SwapCheckpoint(ctx, nil, []byte("1"))
		}, func(ctx context.Context, s notary.Store) error {
			return s.SwapCheckpoint(ctx, []byte("1"), []byte("2"))
		}},
		{"SwapCheckpoint, first", []string{"PutObject"}, nil, func(ctx context.Context, s notary.Store) error {
			return s.SwapCheckpoint(ctx, nil, []byte("2"))
		}},
		{"ListState", []string{"ListObjectsV2"}, func(ctx context.Context, s notary.Store) error {
			return s.PutState(ctx, "a/1", []byte("x"))
		}, func(ctx context.Context, s notary.Store) error {
			names, err := s.ListState(ctx, "a/")
			if err == nil && len(names) != 1 {
				err = fmt.Errorf("%q", names)
			}
			return err
		}},
		{"PutState", []string{"PutObject"}, nil, func(ctx context.Context, s notary.Store) error { return s.PutState(ctx, "a/1", []byte("x")) }},
		{"DeleteState", []string{"DeleteObject"}, nil, func(ctx context.Context, s notary.Store) error { return s.DeleteState(ctx, "a/1") }},
	}
	faults := map[string]fakeaws.Fault{"dropped": fakeaws.Dropped, "lost": fakeaws.Lost, "truncated": fakeaws.Truncated, "throttled": fakeaws.Throttled,
		"503": fakeaws.Busy, "429": fakeaws.TooMany, "500": fakeaws.Broken, "409": fakeaws.Conflict}
	for _, op := range ops {
		for _, call := range op.calls {
			for name, what := range faults {
				if what == fakeaws.Conflict && !strings.HasSuffix(call, "Object") {
					continue
				}
				t.Run(op.name+"/"+call+" "+name, func(t *testing.T) {
					t.Parallel()
					f := newFakeAWS(t)
					s := f.store()
					if op.before != nil {
						must(t, op.before(t.Context(), s))
					}
					f.On(call, 0, 1, what)
					must(t, op.do(t.Context(), s))
				})
			}
		}
	}
}

// What goes on failing ends in an error, in bounded time, that is none of the
// contract's answers; a head that may have been swapped is not said to be lost.
func TestFailingForEver(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for all repetitions")
	}
	for _, c := range []struct {
		op   string
		what fakeaws.Fault
		do   func(notary.Store) error
	}{
		{"PutItem", fakeaws.Dropped, func(s notary.Store) error { return s.SwapHead(t.Context(), nil, []byte("1")) }},
		{"PutItem", fakeaws.Throttled, func(s notary.Store) error { return s.Accept(t.Context(), []notary.Accepted{accepted(1)}) }},
		{"PutObject", fakeaws.Conflict, func(s notary.Store) error { return s.Put(t.Context(), "a", []byte("1")) }},
		{"GetObject", fakeaws.Broken, func(s notary.Store) error { _, err := s.Get(t.Context(), "a"); return err }},
		{"Query", fakeaws.Forbidden, func(s notary.Store) error { _, err := s.Pending(t.Context(), 1); return err }},
	} {
		t.Run(c.op, func(t *testing.T) {
			t.Parallel()
			f := newFakeAWS(t)
			f.On(c.op, 0, 1<<30, c.what)
			start := time.Now()
			err := c.do(f.store())
			if err == nil || errors.Is(err, notary.ErrConflict) || errors.Is(err, notary.ErrNotFound) || errors.Is(err, notary.ErrDiffers) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// DynamoDB that processes nothing of a batch, again and again, is an error in the
// end; the reads and deletions that it did before count.
func TestNothingIsProcessed(t *testing.T) {
	t.Parallel()
	f := newFakeAWS(t)
	s := f.store()
	must(t, s.Accept(t.Context(), []notary.Accepted{accepted(1)}))
	f.Table.Nothing = true
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := s.Waiting(ctx, []notary.Ref{accepted(1).Ref}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := s.Clear(t.Context(), []notary.Ref{accepted(1).Ref}); err == nil || !strings.Contains(err.Error(), "throttling") {
		t.Error(err)
	}
}

// Two swap the same bytes for the same bytes; the answer of both is lost: one of
// them won, and only one hears so.
func TestTokensTellEqualWritersApart(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"PutItem", "PutObject"} {
		f := newFakeAWS(t)
		one, two := f.store(), f.store()
		swap := func(s *Store, old, new string) error {
			if op == "PutItem" {
				return s.SwapHead(t.Context(), []byte(old), []byte(new))
			}
			return s.SwapCheckpoint(t.Context(), []byte(old), []byte(new))
		}
		must(t, swap(one, "", "."))
		f.On(op, 0, 1, fakeaws.Lost) // it takes effect; the repetition finds that somebody was first: itself
		must(t, swap(one, ".", ".."))
		if err := swap(two, ".", ".."); !errors.Is(err, notary.ErrConflict) {
			t.Errorf("%s: %v", op, err)
		}
		f.On(op, 0, 1<<30, fakeaws.Dropped)
		if err := swap(two, "..", "..."); err == nil || errors.Is(err, notary.ErrConflict) {
			t.Errorf("%s that never arrives: %v", op, err)
		}
	}
}

func TestMissingIsNoSuchKeyAlone(t *testing.T) {
	f := newFakeAWS(t)
	s := f.store()
	if _, err := s.Get(t.Context(), "heads/1"); !errors.Is(err, notary.ErrNotFound) {
		t.Error(err)
	}
	f.On("GetObject", 0, 1, fakeaws.Forbidden)
	if _, err := s.Get(t.Context(), "heads/1"); err == nil || errors.Is(err, notary.ErrNotFound) {
		t.Error("403:", err)
	}
	f.Buckets.Hide("log/heads/1")
	var hidden *Unlocked
	if _, err := s.Get(t.Context(), "heads/1"); !errors.As(err, &hidden) || hidden.Object != "heads/1" || errors.Is(err, notary.ErrNotFound) {
		t.Error("under a delete marker:", err)
	}
}

// What goes over the wire with an object of the log: written only if nobody has
// the name, with a checksum, and no lock of its own: the bucket's default holds.
func TestPutOnTheWire(t *testing.T) {
	f := newFakeAWS(t)
	must(t, f.store().Put(t.Context(), "tile/0/000", []byte("tile")))
	h := f.Header("PutObject")
	const tileSum = "i2aLiZSqhFEHOZmUWT0MqDFSC+UlfwBTUaDsE+l6Ob4=" // of "tile", by sha256sum
	for k, want := range map[string]string{"If-None-Match": "*", "X-Amz-Checksum-Sha256": tileSum,
		"Content-Type": "application/octet-stream", "Cache-Control": "public, max-age=31536000, immutable",
		"X-Amz-Object-Lock-Mode": "", "X-Amz-Object-Lock-Retain-Until-Date": ""} {
		if h.Get(k) != want {
			t.Errorf("%s: %q, want %q", k, h.Get(k), want)
		}
	}
}

// A statement of 900 bytes and its row cost one write unit each; what is larger is
// stored deflated and comes back as it was.
func TestItemsFitTheirWriteUnits(t *testing.T) {
	f := newFakeAWS(t)
	s := f.store()
	text := "trialnotary/statement@v1\nlog log.example/trials\n" + strings.Repeat("key site-001.jdoe+0a1b2c3d+AbCdEfGhIjKlMnOpQrStUv\n", 200)
	for _, size := range []int{1, 700, 900, 1024, 8192} {
		a := accepted(1)
		a.Note = []byte(text[:size])
		row := notary.Row{Partition: "ST#" + a.Stream.String() + "#" + a.Statement.String(), Sort: "-", Value: append([]byte("sealed 100000 2000 30\n"), a.Note...)}
		for _, i := range []attributes{s.item(inboxKey(a.Ref), a.Note), s.item(key{row.Partition, row.Sort}, row.Value)} {
			if n := itemSize(i); size <= 1024 && n > writeUnit {
				t.Errorf("%d bytes make an item of %d", size, n)
			}
		}
		must(t, s.Clear(t.Context(), []notary.Ref{a.Ref}))
		must(t, s.Accept(t.Context(), []notary.Accepted{a}))
		p, err := s.Pending(t.Context(), 1)
		must(t, err)
		if len(p) != 1 || !bytes.Equal(p[0].Note, a.Note) {
			t.Errorf("%d bytes do not come back", size)
		}
	}
}

// itemSize is DynamoDB's: the names and the bytes of all attributes.
func itemSize(a attributes) int {
	n := 0
	for name := range a {
		n += len(name) + len(bytesOf(a, name))
	}
	k, _ := keyOf(a)
	return n + len(k.partition) + len(k.sort)
}

// With more notes than are held in memory, the chosen ones are read again.
func TestPendingOfALargeInbox(t *testing.T) {
	f := newFakeAWS(t)
	s := f.store()
	must(t, s.Accept(t.Context(), []notary.Accepted{accepted(1), accepted(2), accepted(3)}))
	all, err := s.readInbox(t.Context())
	must(t, err)
	for i := range all {
		all[i].item = nil // as when the others filled the memory
	}
	must(t, s.Clear(t.Context(), []notary.Ref{accepted(2).Ref})) // by another sealer, meanwhile
	pending, err := s.notes(t.Context(), turns(all, 10))
	must(t, err)
	if len(pending) != 2 || string(pending[1].Note) != "note 3\n" {
		t.Errorf("%v", pending)
	}
}

func TestRowsStayOutOfTheCells(t *testing.T) {
	s := newFakeAWS(t).store()
	for _, partition := range []string{"HEAD", "IN#3"} {
		r := notary.Row{Partition: partition, Sort: "LOG", Value: []byte("x")}
		_, getErr := s.GetRows(t.Context(), []notary.Row{r})
		_, listErr := s.ListRows(t.Context(), partition, "", 1)
		for op, err := range map[string]error{"add": s.AddRows(t.Context(), []notary.Row{r}), "swap": s.SwapRow(t.Context(), nil, r), "get": getErr, "list": listErr} {
			if err == nil {
				t.Errorf("%s %s", op, partition)
			}
		}
	}
}

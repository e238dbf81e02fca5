package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"trialnotary/notary"
)

func testHead(t *testing.T, s notary.Store) {
	testCell(t, s.Head, s.SwapHead)
}

func testCheckpoint(t *testing.T, s notary.Store) {
	testCell(t, s.Checkpoint, s.SwapCheckpoint)
}

func testHeadOneWinner(t *testing.T, s notary.Store) {
	testCellOneWinner(t, s.Head, s.SwapHead)
}

func testCheckpointOneWinner(t *testing.T, s notary.Store) {
	testCellOneWinner(t, s.Checkpoint, s.SwapCheckpoint)
}

func testPut(t *testing.T, s notary.Store) {
	ctx := t.Context()
	data := []byte{0, 255, '\n', 1}
	noError(t, s.Put(ctx, "heads/0", data))
	noError(t, s.Put(ctx, "heads/0", data))
	wantError(t, s.Put(ctx, "heads/0", data[:3]), notary.ErrDiffers)
	wantError(t, s.Put(ctx, "heads/0", append(slices.Clone(data), 0)), notary.ErrDiffers)
	wantError(t, s.Put(ctx, "heads/0", nil), notary.ErrDiffers)
	b, err := s.Get(ctx, "heads/0")
	wantBytes(t, "object", b, err, string(data))
	_, err = s.Get(ctx, "heads/1")
	wantError(t, err, notary.ErrNotFound)
	_, err = s.Get(ctx, "heads") // a prefix of names is no object
	wantError(t, err, notary.ErrNotFound)
	_, err = s.Get(ctx, "heads/0/1")
	wantError(t, err, notary.ErrNotFound)
	noError(t, s.Put(ctx, "empty", nil))
	noError(t, s.Put(ctx, "empty", []byte{}))
	wantError(t, s.Put(ctx, "empty", data), notary.ErrDiffers)
	b, err = s.Get(ctx, "empty")
	wantBytes(t, "an empty object", b, err, "")
}

func testPutOneWinner(t *testing.T, s notary.Store) {
	ctx := t.Context()
	for round := range 3 {
		name := fmt.Sprintf("heads/%d", round)
		content := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 1000+i) }
		winner := oneWinner(t, race(16, func(i int) error { return s.Put(ctx, name, content(i)) }), notary.ErrDiffers)
		b, err := s.Get(ctx, name)
		wantBytes(t, name, b, err, string(content(winner)))
	}
	// Equal bytes: everybody wins.
	for _, err := range race(16, func(int) error { return s.Put(ctx, "tile/0/000.p/1", []byte("same")) }) {
		noError(t, err)
	}
}

func testPutMany(t *testing.T, s notary.Store) {
	ctx := t.Context()
	name := func(i int) string { return fmt.Sprintf("tile/%d/x%03d/%03d", i%3, i%7, i) }
	content := func(i int) []byte { return bytes.Repeat(fmt.Appendf(nil, "%d;", i), i*10) }
	errs := race(40, func(i int) error {
		if err := s.Put(ctx, name(i), content(i)); err != nil {
			return err
		}
		b, err := s.Get(ctx, name(i)) // read after write
		if err == nil && !bytes.Equal(b, content(i)) {
			err = fmt.Errorf("%s holds %.20q", name(i), b)
		}
		return err
	})
	for _, err := range errs {
		noError(t, err)
	}
	for i := range 40 {
		b, err := s.Get(ctx, name(i))
		wantBytes(t, name(i), b, err, string(content(i)))
	}
}

func testNames(t *testing.T, s notary.Store) {
	ctx := t.Context()
	bad := []string{"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "./a", "A", "a b", "a\\b", "c:a",
		"a\x00", "a\n", "é", "a/%2e%2e", "a:b", "tile/0/X001/234"}
	for _, name := range bad {
		_, getErr := s.Get(ctx, name)
		_, stateErr := s.GetState(ctx, name, 0, -1)
		for op, err := range map[string]error{
			"Put":         s.Put(ctx, name, []byte("x")),
			"Get":         getErr,
			"PutState":    s.PutState(ctx, name, []byte("x")),
			"GetState":    stateErr,
			"DeleteState": s.DeleteState(ctx, name),
		} {
			wantRefused(t, fmt.Sprintf("%s %q", op, name), err)
		}
	}
	// The one mutable object is not written once: its name is taken.
	wantRefused(t, `Put "checkpoint"`, s.Put(ctx, "checkpoint", []byte("x")))
	cp, err := s.Checkpoint(ctx)
	wantNil(t, "checkpoint", cp, err)
	for _, name := range []string{"a", "0", "-", "_", "...", ".a", "a.b-c_d/0", "x001/234.p/5", "a..b"} {
		noError(t, s.Put(ctx, name, []byte(name)))
		b, err := s.Get(ctx, name)
		wantBytes(t, name, b, err, name)
		noError(t, s.PutState(ctx, name, []byte(name)))
		b, err = s.GetState(ctx, name, 0, -1)
		wantBytes(t, name, b, err, name)
	}
}

func testState(t *testing.T, s notary.Store) {
	ctx := t.Context()
	for _, content := range []string{"first", "a longer second", "3rd", ""} {
		noError(t, s.PutState(ctx, "staging/1", []byte(content)))
		b, err := s.GetState(ctx, "staging/1", 0, -1)
		wantBytes(t, "private object", b, err, content)
	}
	noError(t, s.DeleteState(ctx, "staging/1"))
	_, err := s.GetState(ctx, "staging/1", 0, -1)
	wantError(t, err, notary.ErrNotFound)
	noError(t, s.DeleteState(ctx, "staging/1"))
	noError(t, s.PutState(ctx, "staging/1", []byte("again")))
	b, err := s.GetState(ctx, "staging/1", 0, -1)
	wantBytes(t, "private object", b, err, "again")
	// Whoever wins, the object is one of those written, whole.
	content := func(i int) string { return string(bytes.Repeat([]byte{byte('a' + i)}, 5000+i)) }
	for _, err := range race(8, func(i int) error { return s.PutState(ctx, "staging/2", []byte(content(i))) }) {
		noError(t, err)
	}
	b, err = s.GetState(ctx, "staging/2", 0, -1)
	noError(t, err)
	if len(b) < 5000 || string(b) != content(len(b)-5000) {
		t.Fatalf("a mixture of %d bytes", len(b))
	}
}

func testStateRanges(t *testing.T, s notary.Store) {
	ctx := t.Context()
	noError(t, s.PutState(ctx, "map/1", []byte("0123456789")))
	for _, c := range []struct {
		offset, length int64
		want           string
	}{
		{0, -1, "0123456789"}, {0, 10, "0123456789"}, {0, 11, "0123456789"}, {3, 4, "3456"},
		{3, -1, "3456789"}, {9, 1, "9"}, {9, 5, "9"}, {10, -1, ""}, {10, 1, ""}, {11, 1, ""},
		{1 << 40, -1, ""}, {0, 0, ""}, {4, 0, ""}, {2, 1<<63 - 1, "23456789"},
	} {
		b, err := s.GetState(ctx, "map/1", c.offset, c.length)
		wantBytes(t, fmt.Sprintf("%d bytes from %d", c.length, c.offset), b, err, c.want)
	}
	_, err := s.GetState(ctx, "map/1", -1, 5)
	wantRefused(t, "offset -1", err)
}

func testStateList(t *testing.T, s notary.Store) {
	ctx := t.Context()
	names := []string{"map/1", "map/10", "map/2", "map-old/1", "map.p/0", "staging/a/b/c", "staging/a.b", "staging/a-b", "top"}
	for _, name := range names {
		noError(t, s.PutState(ctx, name, []byte("x")))
	}
	slices.Sort(names)
	for _, c := range []struct {
		prefix string
		want   []string
	}{
		{"", names},
		{"map", []string{"map-old/1", "map.p/0", "map/1", "map/10", "map/2"}},
		{"map/", []string{"map/1", "map/10", "map/2"}},
		{"map/1", []string{"map/1", "map/10"}},
		{"staging/a", []string{"staging/a-b", "staging/a.b", "staging/a/b/c"}},
		{"staging/a/b/", []string{"staging/a/b/c"}},
		{"top", []string{"top"}},
		{"top/", nil},
		{"none/", nil},
		{"map/3", nil},
	} {
		got, err := s.ListState(ctx, c.prefix)
		noError(t, err)
		if !slices.Equal(got, c.want) {
			t.Errorf("names with prefix %q: %q, want %q", c.prefix, got, c.want)
		}
	}
}

func testStateApart(t *testing.T, s notary.Store) {
	ctx := t.Context()
	noError(t, s.PutState(ctx, "a/1", []byte("private")))
	_, err := s.Get(ctx, "a/1")
	wantError(t, err, notary.ErrNotFound)
	noError(t, s.Put(ctx, "a/1", []byte("public")))
	noError(t, s.Put(ctx, "a/2", []byte("public")))
	b, err := s.GetState(ctx, "a/1", 0, -1)
	wantBytes(t, "private object", b, err, "private")
	names, err := s.ListState(ctx, "a/")
	noError(t, err)
	if !slices.Equal(names, []string{"a/1"}) {
		t.Errorf("private objects %q", names)
	}
	noError(t, s.DeleteState(ctx, "a/1"))
	noError(t, s.DeleteState(ctx, "a/2"))
	for _, name := range []string{"a/1", "a/2"} {
		b, err = s.Get(ctx, name)
		wantBytes(t, name, b, err, "public")
	}
}

package ondisk

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/storetest"
)

func mustOpen(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func harness() storetest.Harness {
	return storetest.Harness{
		Open: func(t *testing.T) notary.Store { return mustOpen(t, t.TempDir()) },
		Reopen: func(t *testing.T, s notary.Store) notary.Store {
			must(t, s.(*Store).Close())
			return mustOpen(t, s.(*Store).dir)
		},
	}
}

func TestStore(t *testing.T) { harness().Run(t) }

func TestStoreBehindFaultyWithoutFaults(t *testing.T) {
	storetest.Run(t, func(t *testing.T) notary.Store {
		return storetest.NewFaulty(mustOpen(t, t.TempDir()), nil)
	})
}

func TestSecondProcessIsTold(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	_, err := Open(dir)
	if err == nil || !strings.Contains(err.Error(), "another process is using this directory") {
		t.Fatalf("opened twice: %v", err)
	}
	must(t, s.Close())
	mustOpen(t, dir)
}

func TestClosed(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	must(t, s.Close())
	ctx := t.Context()
	for what, err := range map[string]error{
		"Put":    s.Put(ctx, "a", nil),
		"Accept": s.Accept(ctx, []notary.Accepted{{Note: []byte("n")}}),
	} {
		if err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%s: %v", what, err)
		}
	}
	must(t, s.Close())
}

func TestOtherDatabaseIsRefused(t *testing.T) {
	dir := t.TempDir()
	must(t, mustOpen(t, dir).Close())
	db, err := openDatabase(filepath.Join(dir, "db", "notary.db"))
	must(t, err)
	tx, err := db.Begin(true)
	must(t, err)
	must(t, tx.Bucket(cellsBucket).Put(formatCell, []byte("trialnotary/ondisk@v9")))
	must(t, tx.Commit())
	must(t, db.Close())
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "ondisk@v9") {
		t.Fatalf("opened: %v", err)
	}
}

// The directory log is the public log: nothing in it but objects under their
// names, read-only, and what a running write leaves is elsewhere.
func TestLayout(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	s := mustOpen(t, dir)
	must(t, s.Put(ctx, "tile/0/x001/234.p/5", []byte("tile")))
	must(t, s.Put(ctx, "heads/00000000000000000001", []byte("head")))
	must(t, s.SwapCheckpoint(ctx, nil, []byte("checkpoint 1")))
	must(t, s.SwapCheckpoint(ctx, []byte("checkpoint 1"), []byte("checkpoint 2")))
	must(t, s.PutState(ctx, "map/1", []byte("nodes")))
	if err := s.Put(ctx, "heads/00000000000000000001", []byte("fork")); !errors.Is(err, notary.ErrDiffers) {
		t.Fatal(err)
	}
	want := map[string]string{
		"log/tile/0/x001/234.p/5":        "tile",
		"log/heads/00000000000000000001": "head",
		"log/checkpoint":                 "checkpoint 2",
		"state/map/1":                    "nodes",
	}
	got := files(t, dir)
	delete(got, "db/notary.db")
	if len(got) != len(want) {
		t.Errorf("files %q", got)
	}
	for name, data := range want {
		if got[name] != data {
			t.Errorf("%s holds %q, want %q", name, got[name], data)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "log", "heads", "00000000000000000001"))
	must(t, err)
	if info.Mode().Perm()&0o222 != 0 {
		t.Errorf("an object can be written: %v", info.Mode())
	}
	// A log that was copied here by other means is this log.
	must(t, os.WriteFile(filepath.Join(dir, "log", "heads", "00000000000000000002"), []byte("copied"), 0o644))
	must(t, s.Put(ctx, "heads/00000000000000000002", []byte("copied")))
}

func TestOpenEmptiesTemp(t *testing.T) {
	dir := t.TempDir()
	must(t, mustOpen(t, dir).Close())
	must(t, os.WriteFile(filepath.Join(dir, "tmp", "17"), []byte("half an obj"), 0o444))
	mustOpen(t, dir)
	entries, err := os.ReadDir(filepath.Join(dir, "tmp"))
	must(t, err)
	if len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
}

func TestPrivateNamesStayInside(t *testing.T) {
	ctx := t.Context()
	s := mustOpen(t, t.TempDir())
	must(t, s.Put(ctx, "a/1", []byte("public")))
	for _, prefix := range []string{"../log/", "..", "./", "../", "/", "a//", "a/../../log/a/"} {
		names, err := s.ListState(ctx, prefix)
		if err != nil || len(names) != 0 {
			t.Errorf("prefix %q: %q, %v", prefix, names, err)
		}
	}
	// Deleting the beginning of names deletes nothing, even when no name is left.
	must(t, s.PutState(ctx, "map/1", []byte("x")))
	must(t, s.DeleteState(ctx, "map/1"))
	must(t, s.DeleteState(ctx, "map"))
	must(t, s.PutState(ctx, "map/2", []byte("x")))
}

// A caller whose ctx ends while it waits in the queue leaves it; the others'
// commit goes on.
func TestAcceptLeavesTheQueue(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	s.group.lead <- struct{}{} // somebody leads, and takes long
	ctx, cancel := context.WithCancel(t.Context())
	gone, stays := make(chan error), make(chan error)
	accept := func(ctx context.Context, n byte, done chan error) {
		a := notary.Accepted{Note: []byte{n}}
		a.Statement[0] = n
		done <- s.Accept(ctx, []notary.Accepted{a})
	}
	go accept(ctx, 1, gone)
	go accept(t.Context(), 2, stays)
	for queued := 0; queued < 2; {
		s.group.mu.Lock()
		queued = len(s.group.waiting)
		s.group.mu.Unlock()
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	<-s.group.lead
	must(t, <-stays)
	pending, err := s.Pending(t.Context(), 10)
	must(t, err)
	if len(pending) != 1 || !bytes.Equal(pending[0].Note, []byte{2}) {
		t.Fatalf("pending %v", pending)
	}
}

// files returns the bytes of every regular file below dir, by slash path.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		all[filepath.ToSlash(name)] = string(data)
		return err
	}))
	return all
}

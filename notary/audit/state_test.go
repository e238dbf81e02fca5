package audit

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/tile"
)

// The map in memory has the root that the definition gives, whatever the ids, and is
// the same after it was written and read.
func TestMemoryIsTheDefinedMap(t *testing.T) {
	m, all := &Memory{}, map[statement.StreamID]streammap.Value{}
	enter := func(ids ...statement.StreamID) {
		t.Helper()
		var entries []Placed
		for _, id := range ids {
			v := all[id]
			p := Placed{Entry: entry.Entry{Stream: id, Seq: v.Count + 1}, Leaf: tile.Hash{byte(len(all)), byte(v.Count)}}
			entries = append(entries, p)
			all[id] = streammap.Value{Count: v.Count + 1, Head: streammap.Fold(v.Head, p.Leaf)}
		}
		if wrong, _, err := m.Fold(t.Context(), 1, entries); wrong >= 0 || err != nil {
			t.Fatal(wrong, err)
		}
		root, n, err := m.Root(t.Context(), 1)
		if err != nil || root != streammap.RootOf(all) || n != uint64(len(all)) {
			t.Fatalf("after %d streams another root, %v", len(all), err)
		}
	}
	if root, n, _ := m.Root(t.Context(), 1); root != [32]byte{} || n != 0 {
		t.Error("the empty map has another root")
	}
	enter(stream(0)) // a single one, then one below the same first bits, then the last bit
	near := stream(0)
	near[31] ^= 1
	enter(near)
	far := stream(0)
	far[0] ^= 0x80
	enter(far, near)
	next := stream(0)
	next[0] ^= 0x10
	enter(next)
	for n := range 40 {
		var ids []statement.StreamID
		for i := range n * n {
			ids = append(ids, stream(i%(7*n+1)))
		}
		enter(ids...)
	}
	back := &Memory{}
	if !back.load(m.Append(nil)) {
		t.Fatal("it does not load")
	}
	if root, n := back.root(); root != streammap.RootOf(all) || n != uint64(len(all)) {
		t.Error("another map was loaded")
	}
	b := m.Append(nil)
	for what, bad := range map[string][]byte{"cut": b[:len(b)-1], "twice": append(bytes.Clone(b[:recordSize]), b...), "not in order": append(bytes.Clone(b[recordSize:]), b[:recordSize]...)} {
		if (&Memory{}).load(bad) {
			t.Errorf("%s: it loads", what)
		}
	}
}

// An audit that is stopped goes on where it was, in whatever order that happens, and
// ends as one that was not.
func TestAnAuditGoesOn(t *testing.T) {
	w := newWorld(t)
	for n := range 30 {
		w.seal(n*n%70, lie{})
	}
	k := newKeeper(t)
	want := newKeeper(t)
	w.clean(want, w.edge.Size())
	for runs := 0; ; runs++ {
		a := w.auditor()
		var asked atomic.Int32
		a.Stop = func() bool { return asked.Add(1) > 8 }
		r, err := w.audit(k, a)
		if err != nil {
			t.Fatal(err)
		}
		if r.Whole {
			if runs < 3 {
				t.Errorf("only %d stops", runs)
			}
			break
		}
	}
	got, err := ParseState(k.state)
	w.check(err)
	all, err := ParseState(want.state)
	w.check(err)
	if got.Position != all.Position || !bytes.Equal(got.streams, all.streams) || got.seen.leaves != all.seen.leaves {
		t.Errorf("it ended at %+v, want %+v", got.Position, all.Position)
	}
	// The statement of a batch that was audited by the first run is found in a later one.
	w.seal(3, lie{entry: func(i int, e *entry.Entry) {
		if i == 1 {
			e.Stream, e.Statement = stream(1*7%23), id(1) // entry 1 is it
			e.Seq = w.values[e.Stream].Count + 1
		}
	}})
	_, err = w.audit(k, w.auditor())
	wantFinding(t, err, bundleOf(w.edge.Size()-3, w.edge.Size()), "as entry 1")
}

// A cancelled audit leaves the state that it had; a state that cannot be written ends
// the audit.
func TestAnAuditThatBreaksOff(t *testing.T) {
	w := village(t)
	k := newKeeper(t)
	a := w.auditor()
	ctx, cancel := context.WithCancel(t.Context())
	w.log.answer = func(name string, _ int) ([]byte, error, bool) {
		if name == checkpoint.HeadName(4) {
			cancel()
		}
		return nil, nil, false
	}
	a.Seen = NewSeen(k.file)
	if _, err := a.Audit(ctx, nil, nil, nil); err == nil {
		t.Error("it ended well")
	}
	w.log.answer = nil
	full := errors.New("the disk is full")
	a = w.auditor()
	a.Seen = NewSeen(k.file)
	if _, err := a.Audit(t.Context(), nil, func(*State) error { return full }, nil); !errors.Is(err, full) {
		t.Errorf("%v; want %v", err, full)
	}
	k = newKeeper(t)
	w.clean(k, 729)
}

// What is kept is believed only as it was written.
func TestStatesThatAreNone(t *testing.T) {
	w := village(t)
	k := newKeeper(t)
	w.clean(k, 729)
	good := bytes.Clone(k.state)
	for i := 0; i < len(good); i += 97 {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if _, err := ParseState(bad); !errors.Is(err, ErrState) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	for _, n := range []int{0, 1, 40, len(good) / 2, len(good) - 1} {
		if _, err := ParseState(good[:n]); !errors.Is(err, ErrState) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	s, err := ParseState(good)
	w.check(err)
	other := *s
	other.streams = bytes.Clone(s.streams)
	other.streams[39]++ // a count
	if _, err := other.open(); !errors.Is(err, ErrState) {
		t.Errorf("another stream: %v", err)
	}
	// The file of what was seen: cut, or another.
	w.check(k.file.Truncate(100))
	if _, err := s.OpenSeen(k.file); !errors.Is(err, ErrState) {
		t.Errorf("a short file of what was seen: %v", err)
	}
	w.check(k.file.Truncate(8 * 729))
	w.seal(1, lie{})
	if _, err := w.audit(k, w.auditor()); !errors.Is(err, ErrState) {
		t.Errorf("another file of what was seen: %v", err)
	}
	// The state of another log.
	v := newWorld(t)
	v.seal(2, lie{})
	if _, err := v.audit(&keeper{t: t, file: newKeeper(t).file}, v.auditor()); err != nil {
		t.Error(err)
	}
	s.Origin = "other.example/log"
	if _, err := w.auditor().Audit(t.Context(), s, nil, nil); !errors.Is(err, ErrState) {
		t.Errorf("the state of another log: %v", err)
	}
}

// A log that answers badly is not wrong, and one that is wrong does not get away with
// answering badly.
func TestAFlakyLog(t *testing.T) {
	w := village(t)
	unreachable := errors.New("no answer in time")
	for _, c := range []struct {
		what   string
		answer func(name string, nth int) ([]byte, error, bool)
		want   error // nil: all is well in the end
	}{
		{"each object cut at first", func(name string, nth int) ([]byte, error, bool) {
			b, there := w.log.all[name]
			return b[:len(b)/3], nil, there && nth == 1
		}, nil},
		{"each object absent at first", func(name string, nth int) ([]byte, error, bool) {
			return nil, fs.ErrNotExist, nth == 1 && name != "checkpoint" && name[:6] != "checkp"
		}, nil},
		{"a bundle cut otherwise each time", func(name string, nth int) ([]byte, error, bool) {
			return w.log.all["tile/entries/001"][:nth], nil, name == "tile/entries/001"
		}, ErrUnsteady},
		{"a tile that comes and goes", func(name string, nth int) ([]byte, error, bool) {
			return []byte("x"), map[bool]error{true: fs.ErrNotExist}[nth%2 == 0], name == "tile/0/001"
		}, ErrUnsteady},
		{"a bundle that never comes", func(name string, nth int) ([]byte, error, bool) { return nil, unreachable, name == "tile/entries/001" }, unreachable},
		{"a tile that never comes", func(name string, nth int) ([]byte, error, bool) { return nil, unreachable, name == "tile/1/000.p/2" }, unreachable},
		{"a head that never comes", func(name string, nth int) ([]byte, error, bool) {
			return nil, unreachable, name == checkpoint.HeadName(3)
		}, unreachable},
		{"a checkpoint that never comes", func(name string, nth int) ([]byte, error, bool) { return nil, unreachable, name == "checkpoint" }, unreachable},
		{"a signed one that never comes", func(name string, nth int) ([]byte, error, bool) {
			return nil, unreachable, name == checkpoint.SignedName(2)
		}, unreachable},
		{"a final one that never comes", func(name string, nth int) ([]byte, error, bool) {
			return nil, unreachable, name == checkpoint.FinalName(4)
		}, unreachable},
	} {
		t.Run(c.what, func(t *testing.T) {
			w.log.answer, w.log.reads = c.answer, map[string]int{}
			a := w.auditor()
			a.Ahead = false
			a.Rereads, a.Pause = 2, time.Millisecond
			_, err := w.audit(newKeeper(t), a)
			var f *Finding
			if errors.As(err, &f) || !errors.Is(err, c.want) {
				t.Errorf("%v; want %v", err, c.want)
			}
		})
	}
	w.log.answer = nil
}

func TestDir(t *testing.T) {
	w := village(t)
	dir := t.TempDir()
	for name, b := range w.log.all {
		path := filepath.Join(dir, filepath.FromSlash(name))
		w.check(os.MkdirAll(filepath.Dir(path), 0o755))
		w.check(os.WriteFile(path, b, 0o444))
	}
	audit := func() error {
		a := w.auditor()
		a.Log = Dir(dir)
		a.Seen = NewSeen(newKeeper(t).file)
		r, err := a.Audit(t.Context(), nil, nil, nil)
		if err == nil && r.To.Size != 729 {
			t.Errorf("size %d", r.To.Size)
		}
		return err
	}
	w.check(audit())
	for _, none := range []string{"heads", "heads/00000000000000000001/x", "tile/9/000"} {
		if _, err := Dir(dir).Read(t.Context(), none); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", none, err)
		}
	}
	if _, err := Dir(dir).Read(t.Context(), "../secret"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a name that leads out: %v", err)
	}
	w.check(os.WriteFile(filepath.Join(dir, "tile", "0", "000.p", "200"), []byte("x"), 0o644))
	wantFinding(t, audit(), "tile/0/000.p/200", "no batch")
}

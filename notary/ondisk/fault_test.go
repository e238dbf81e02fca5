package ondisk

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	bolt "go.etcd.io/bbolt"

	"trialnotary/notary"
)

var errFault = errors.New("injected fault")

type outcome int

const (
	refused   outcome = iota // the call has no effect, and fails
	ambiguous                // the call takes effect, but fails
	torn                     // half of what is written is, and the call fails
	killed                   // the call takes effect, and nothing after it does
	full                     // no effect: the disk is full
)

func (o outcome) String() string {
	return [...]string{"refused", "ambiguous", "torn", "killed", "full"}[o]
}

// faultyDisk makes one call of the disk fail, and remembers what a loss of power
// would take back: every name and every byte that was not synced.
type faultyDisk struct {
	at      int // the call that fails; -1: none
	outcome outcome

	calls []string
	dead  bool
	undo  []undo
}

// undo takes back one change of a name in dir, or of a file's bytes (dir is "").
type undo struct {
	dir, file string
	back      func()
}

// call counts a call and returns what its outcome makes of it: whether it takes
// effect, and the error, nil for none.
func (d *faultyDisk) call(op, name string) (effect bool, err error) {
	if d.dead {
		return false, fmt.Errorf("%s after death: %w", op, errFault)
	}
	n := len(d.calls)
	d.calls = append(d.calls, op+" "+filepath.Base(name))
	if n != d.at {
		return true, nil
	}
	switch d.outcome {
	case ambiguous:
		return true, errFault
	case killed:
		d.dead = true
		return true, errFault
	case full:
		return false, &fs.PathError{Op: op, Path: name, Err: syscall.ENOSPC}
	}
	return false, errFault
}

// names runs a change of a name in dir. back undoes it.
func (d *faultyDisk) names(op, dir, name string, change func() error, back func()) error {
	effect, fault := d.call(op, name)
	if effect {
		if err := change(); err != nil {
			return err
		}
		d.undo = append(d.undo, undo{dir: dir, back: back})
	}
	return fault
}

func (d *faultyDisk) mkdir(dir string, perm fs.FileMode) error {
	return d.names("mkdir", filepath.Dir(dir), dir, func() error { return osDisk{}.mkdir(dir, perm) },
		func() { os.RemoveAll(dir) })
}

func (d *faultyDisk) place(temp, name string) error {
	return d.names("place", filepath.Dir(name), name, func() error { return osDisk{}.place(temp, name) },
		func() { os.Remove(name) })
}

func (d *faultyDisk) replace(temp, name string) error {
	old, readErr := os.ReadFile(name)
	return d.names("replace", filepath.Dir(name), name, func() error { return osDisk{}.replace(temp, name) }, func() {
		os.Remove(name)
		if readErr == nil {
			os.WriteFile(name, old, 0o644)
		}
	})
}

func (d *faultyDisk) remove(name string) error {
	old, readErr := os.ReadFile(name)
	return d.names("remove", filepath.Dir(name), name, func() error { return osDisk{}.remove(name) }, func() {
		if readErr == nil {
			os.WriteFile(name, old, 0o644)
		}
	})
}

func (d *faultyDisk) syncDir(dir string) error {
	effect, fault := d.call("syncDir", dir)
	if effect {
		if err := (osDisk{}).syncDir(dir); err != nil {
			return err
		}
		d.keep(func(u undo) bool { return u.file == "" && u.dir == dir })
	}
	return fault
}

func (d *faultyDisk) commit(tx *bolt.Tx) error {
	effect, fault := d.call("commit", "")
	if effect {
		if err := (osDisk{}).commit(tx); err != nil {
			return err
		}
	}
	return fault
}

func (d *faultyDisk) create(name string, perm fs.FileMode) (file, error) {
	effect, fault := d.call("create", name)
	if !effect {
		return nil, fault
	}
	f, err := osDisk{}.create(name, perm)
	if err != nil {
		return nil, err
	}
	if fault != nil {
		f.Close()
		return nil, fault
	}
	return &faultyFile{d, f, name}, nil
}

// keep forgets how to take back what is durable now.
func (d *faultyDisk) keep(durable func(undo) bool) {
	var left []undo
	for _, u := range d.undo {
		if !durable(u) {
			left = append(left, u)
		}
	}
	d.undo = left
}

// losePower takes back what was not synced, the latest first.
func (d *faultyDisk) losePower() {
	for i := len(d.undo) - 1; i >= 0; i-- {
		d.undo[i].back()
	}
	d.undo = nil
}

type faultyFile struct {
	d    *faultyDisk
	f    file
	name string
}

func (f *faultyFile) Write(b []byte) (int, error) {
	effect, fault := f.d.call("write", f.name)
	if !effect {
		n := 0
		if f.d.outcome == torn {
			n, _ = f.f.Write(b[:len(b)/2])
		}
		return n, fault
	}
	n, err := f.f.Write(b)
	// Unsynced bytes are lost under whatever name the file has by then: the open
	// file is truncated, not the name.
	target := f.f.(*os.File)
	f.d.undo = append(f.d.undo, undo{file: f.name, back: func() { target.Truncate(int64(len(b) / 2)) }})
	return n, errors.Join(err, fault)
}

func (f *faultyFile) Sync() error {
	effect, fault := f.d.call("sync", f.name)
	if effect {
		if err := f.f.Sync(); err != nil {
			return err
		}
		f.d.keep(func(u undo) bool { return u.file == f.name })
	}
	return fault
}

// Close leaves the file open for losePower; the test's process is short.
func (f *faultyFile) Close() error {
	_, fault := f.d.call("close", f.name)
	return fault
}

// A writing call, what is true before it, and what is true after it.
type writing struct {
	name  string
	write func(t *testing.T, s *Store) error
	state func(t *testing.T, s *Store) string // "old" or "new", else torn
}

func writings() []writing {
	big := bytes.Repeat([]byte("tile"), 5000)
	whole := func(data []byte, err error, old string) string {
		switch {
		case errors.Is(err, notary.ErrNotFound) && old == "":
			return "old"
		case err != nil:
			return err.Error()
		case old != "" && string(data) == old, old == "" && data == nil:
			return "old"
		case bytes.Equal(data, big):
			return "new"
		}
		return fmt.Sprintf("%d bytes", len(data))
	}
	statements := make([]notary.Accepted, 3)
	refs := []notary.Ref{{}}
	for i := range statements {
		statements[i].Statement[0] = byte(i + 1)
		statements[i].Note = big[:8000]
	}
	inbox := func(t *testing.T, s *Store) string {
		pending, err := s.Pending(t.Context(), 10)
		must(t, err)
		return fmt.Sprint(len(pending))
	}
	return []writing{
		{"Put", func(t *testing.T, s *Store) error { return s.Put(t.Context(), "tile/0/x001/234", big) },
			func(t *testing.T, s *Store) string {
				data, err := s.Get(t.Context(), "tile/0/x001/234")
				return whole(data, err, "")
			}},
		{"SwapCheckpoint", func(t *testing.T, s *Store) error { return s.SwapCheckpoint(t.Context(), []byte("before"), big) },
			func(t *testing.T, s *Store) string {
				data, err := s.Checkpoint(t.Context())
				return whole(data, err, "before")
			}},
		{"PutState", func(t *testing.T, s *Store) error { return s.PutState(t.Context(), "map/1", big) },
			func(t *testing.T, s *Store) string {
				data, err := s.GetState(t.Context(), "map/1", 0, -1)
				return whole(data, err, "before")
			}},
		{"PutState in a new directory", func(t *testing.T, s *Store) error { return s.PutState(t.Context(), "staging/a/1", big) },
			func(t *testing.T, s *Store) string {
				data, err := s.GetState(t.Context(), "staging/a/1", 0, -1)
				return whole(data, err, "")
			}},
		{"DeleteState", func(t *testing.T, s *Store) error { return s.DeleteState(t.Context(), "map/1") },
			func(t *testing.T, s *Store) string {
				data, err := s.GetState(t.Context(), "map/1", 0, -1)
				if errors.Is(err, notary.ErrNotFound) {
					return "new"
				}
				return whole(data, err, "before")
			}},
		{"SwapHead", func(t *testing.T, s *Store) error { return s.SwapHead(t.Context(), []byte("before"), big) },
			func(t *testing.T, s *Store) string {
				data, err := s.Head(t.Context())
				return whole(data, err, "before")
			}},
		{"AddRows", func(t *testing.T, s *Store) error {
			return s.AddRows(t.Context(), []notary.Row{{Partition: "p", Sort: "a", Value: big[:9000]}, {Partition: "p", Sort: "b", Value: []byte("b")}})
		},
			func(t *testing.T, s *Store) string {
				rows, err := s.ListRows(t.Context(), "p", "", 10)
				must(t, err)
				return map[int]string{0: "old", 2: "new"}[len(rows)]
			}},
		{"Accept", func(t *testing.T, s *Store) error { return s.Accept(t.Context(), statements) },
			func(t *testing.T, s *Store) string { return map[string]string{"1": "old", "4": "new"}[inbox(t, s)] }},
		{"Clear", func(t *testing.T, s *Store) error { return s.Clear(t.Context(), refs) },
			func(t *testing.T, s *Store) string { return map[string]string{"1": "old", "0": "new"}[inbox(t, s)] }},
	}
}

// prepare makes a store with something to replace.
func prepare(t *testing.T) string {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	ctx := t.Context()
	must(t, s.SwapCheckpoint(ctx, nil, []byte("before")))
	must(t, s.PutState(ctx, "map/1", []byte("before")))
	must(t, s.SwapHead(ctx, nil, []byte("before")))
	must(t, s.Accept(ctx, []notary.Accepted{{Note: []byte("before")}}))
	must(t, s.Close())
	return dir
}

func openFaulty(t *testing.T, dir string, d *faultyDisk) *Store {
	t.Helper()
	at := d.at
	d.at = -1
	s, err := open(dir, d)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	d.at, d.calls = at, nil
	d.undo = nil
	return s
}

// Every call of the disk × every outcome × with and without a loss of power
// after it: the store holds the old state or the new one, the new one if the
// call had reported success, and the call can be repeated.
func TestEveryFault(t *testing.T) {
	for _, w := range writings() {
		t.Run(w.name, func(t *testing.T) {
			good := &faultyDisk{at: -1}
			s := openFaulty(t, prepare(t), good)
			must(t, w.write(t, s))
			if len(good.calls) == 0 {
				t.Fatal("the disk was not asked")
			}
			for at, call := range good.calls {
				for _, o := range []outcome{refused, ambiguous, torn, killed, full} {
					for _, power := range []bool{false, true} {
						t.Run(fmt.Sprintf("%d %s/%v/power lost=%v", at, strings.ReplaceAll(call, "/", " "), o, power), func(t *testing.T) {
							testFault(t, w, &faultyDisk{at: at, outcome: o}, power)
						})
					}
				}
			}
		})
	}
}

func testFault(t *testing.T, w writing, d *faultyDisk, losePower bool) {
	dir := prepare(t)
	s := openFaulty(t, dir, d)
	err := w.write(t, s)
	if d.outcome == full && err != nil && !strings.Contains(err.Error(), "the disk is full, nothing of this call was accepted") {
		t.Errorf("a full disk is called: %v", err)
	}
	must(t, s.Close())
	if losePower {
		d.losePower()
	}
	s = mustOpen(t, dir)
	state := w.state(t, s)
	if state != "old" && state != "new" {
		t.Fatalf("after %v: neither old nor new: %s", err, state)
	}
	if err == nil && state != "new" {
		t.Fatalf("reported as done, but %s", state)
	}
	for name := range files(t, filepath.Join(dir, "log")) {
		if name != "checkpoint" && name != "tile/0/x001/234" {
			t.Errorf("an auditor would see %s", name)
		}
	}
	if err := w.write(t, s); err != nil && !(state == "new" && errors.Is(err, notary.ErrConflict)) {
		t.Fatalf("repeated: %v", err)
	}
	if state := w.state(t, s); state != "new" {
		t.Fatalf("after the repetition: %s", state)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "tmp")); err != nil || len(left) > 0 {
		t.Errorf("left in tmp: %v, %v", left, err)
	}
}

// What Put reported survives a loss of power, though not one call failed.
func TestReportedIsDurable(t *testing.T) {
	for _, w := range writings() {
		d := &faultyDisk{at: -1}
		dir := prepare(t)
		s := openFaulty(t, dir, d)
		must(t, w.write(t, s))
		must(t, s.Close())
		d.losePower()
		if state := w.state(t, mustOpen(t, dir)); state != "new" {
			t.Errorf("%s: %s", w.name, state)
		}
	}
}

// Any fault of Open itself: opening again works, and finds the data.
func TestOpenAfterFaults(t *testing.T) {
	for _, o := range []outcome{refused, ambiguous, killed, full} {
		for at := 0; ; at++ {
			dir := t.TempDir()
			d := &faultyDisk{at: at, outcome: o}
			s, err := open(dir, d)
			if err == nil {
				s.Close()
			}
			done := len(d.calls) <= at
			d.losePower()
			s = mustOpen(t, dir)
			must(t, s.SwapHead(t.Context(), nil, []byte("head")))
			must(t, s.Close())
			if done {
				break
			}
		}
	}
}

// After a commit that failed for an unknown reason, nothing is read or written
// until the store is opened again; after one that found the disk full, it goes on.
func TestBrokenUntilReopened(t *testing.T) {
	for _, o := range []outcome{ambiguous, full} {
		t.Run(o.String(), func(t *testing.T) {
			ctx := t.Context()
			dir := prepare(t)
			d := &faultyDisk{at: 0, outcome: o}
			s := openFaulty(t, dir, d)
			if err := s.SwapHead(ctx, []byte("before"), []byte("after")); err == nil {
				t.Fatal("no fault")
			}
			_, err := s.Head(ctx)
			if broken := err != nil && strings.Contains(err.Error(), "open the store again"); broken != (o == ambiguous) {
				t.Fatalf("head: %v", err)
			}
			if err := s.Accept(ctx, []notary.Accepted{{Note: []byte("n")}}); (err == nil) != (o == full) {
				t.Fatalf("accept: %v", err)
			}
			must(t, s.Close())
			_, err = mustOpen(t, dir).Head(ctx)
			must(t, err)
		})
	}
}

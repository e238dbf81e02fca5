package mirror

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// failing is a disk on which one call fails, and after it, if the process is killed,
// every other.
type failing struct {
	osDisk
	mu     sync.Mutex
	calls  int
	at     int
	killed bool // the process, too: half of what was being written is there
	down   bool
}

var errKilled = errors.New("killed")

func (f *failing) fails() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return errKilled
	}
	f.calls++
	if f.calls-1 != f.at {
		return nil
	}
	if f.killed {
		f.down = true
		return errKilled
	}
	return syscall.ENOSPC
}

func (f *failing) mkdir(dir string) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.osDisk.mkdir(dir)
}

func (f *failing) mkdirAll(dir string) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.osDisk.mkdirAll(dir)
}

func (f *failing) removeAll(dir string) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.osDisk.removeAll(dir)
}

func (f *failing) write(name string, data []byte) error {
	if err := f.fails(); err != nil {
		_ = os.WriteFile(name, data[:len(data)/2], 0o644) // as far as it came
		return err
	}
	return f.osDisk.write(name, data)
}

func (f *failing) rename(from, to string) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.osDisk.rename(from, to)
}

func (f *failing) syncDir(dir string) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.osDisk.syncDir(dir)
}

// Whichever call of the disk fails, and whether the process dies with it or the disk
// is full: what has a final name is the log's, the checkpoint covers nothing that is
// not there, and the next update ends with the log.
func TestEveryCallOfTheDiskFails(t *testing.T) {
	w := newWorld(t)
	w.grow(2, 260)
	held := t.TempDir()
	w.mustUpdate(held)
	w.grow(3, 270)
	whole := t.TempDir()
	w.mustUpdate(whole)
	count := &failing{at: -1}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(held)); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t.Context(), w.options(dir), count); err != nil {
		t.Fatal(err)
	}
	for at := range count.calls {
		for _, killed := range []bool{false, true} {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(held)); err != nil {
				t.Fatal(err)
			}
			_, err := run(t.Context(), w.options(dir), &failing{at: at, killed: killed})
			if err == nil {
				t.Fatalf("call %d: nothing was said", at)
			}
			covered := held
			for _, name := range names(t, dir) {
				got, _ := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
				want, err := os.ReadFile(filepath.Join(whole, filepath.FromSlash(name)))
				if name == CheckpointName && err == nil && string(got) == string(want) {
					covered = whole
					continue
				} else if name == CheckpointName {
					want, err = os.ReadFile(filepath.Join(held, name))
				}
				if err != nil || string(got) != string(want) {
					t.Fatalf("call %d, killed %v: %s has a final name and is not the log's", at, killed, name)
				}
			}
			for _, name := range names(t, covered) {
				if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
					t.Fatalf("call %d, killed %v: the checkpoint covers %s, which is not there", at, killed, name)
				}
			}
			// A batch that has a head is whole.
			for _, name := range names(t, dir) {
				if n, ok := strings.CutPrefix(name, "heads/"); ok {
					if _, err := os.Stat(filepath.Join(dir, "signed", n)); err != nil {
						t.Fatalf("call %d, killed %v: %s is there before what it is of", at, killed, name)
					}
				}
			}
			w.mustUpdate(dir)
			w.same(dir)
			if t.Failed() {
				t.Fatalf("after call %d, killed %v", at, killed)
			}
		}
	}
}

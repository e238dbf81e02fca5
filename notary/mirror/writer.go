package mirror

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sync/errgroup"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/tile"
)

// How much is written together, so that the disk is waited for once and not for each
// object.
const (
	groupObjects = 1 << 10
	groupBytes   = 16 << 20
)

// tempDir holds what is not whole yet.
const tempDir = ".tmp"

// writer puts verified objects in place.
type writer struct {
	dir     Dir
	disk    disk
	temps   int
	objects []tile.Object // of batches that are complete
	heads   []tile.Object // theirs, placed after everything else
	bytes   int
	made    map[string]bool // directories that are there, durably
}

func newWriter(dir string, d disk) (*writer, error) {
	dir = filepath.Clean(dir)
	if err := d.mkdirAll(dir); err != nil {
		return nil, err
	}
	temp := filepath.Join(dir, tempDir)
	if err := errors.Join(d.removeAll(temp), d.mkdirAll(temp)); err != nil { // what a crash left
		return nil, err
	}
	return &writer{dir: Dir(dir), disk: d, made: map[string]bool{dir: true}}, nil
}

func (w *writer) add(name string, data []byte) {
	w.objects = append(w.objects, tile.Object{Name: name, Data: data})
	w.bytes += len(data)
}

func (w *writer) addHead(name string, data []byte) {
	w.heads = append(w.heads, tile.Object{Name: name, Data: data})
	w.bytes += len(data)
}

func (w *writer) full() bool { return len(w.objects) >= groupObjects || w.bytes >= groupBytes }

// flush puts in place what was added, and returns how many objects it wrote.
func (w *writer) flush() (int, error) {
	n, err := w.place(w.objects)
	if err != nil {
		return n, err
	}
	// ── a crash up to here leaves objects of batches that have no head: the next update
	// finds them there, equal
	heads, err := w.place(w.heads)
	w.objects, w.heads, w.bytes = nil, nil, 0
	return n + heads, err
}

// place writes objects durably. One that is there must be equal.
func (w *writer) place(objects []tile.Object) (int, error) {
	type placed struct{ temp, path string }
	todo := make([]placed, 0, len(objects))
	var g errgroup.Group
	g.SetLimit(8)
	for _, o := range objects {
		path, err := w.dir.path(o.Name)
		if err != nil {
			return 0, err
		}
		switch there, err := os.ReadFile(path); {
		case err == nil && bytes.Equal(there, o.Data):
			continue
		case err == nil:
			return 0, refuse(o.Name, "the directory holds other bytes of that name than the log shows now")
		case !isNone(err):
			return 0, err
		}
		if err := w.makeDir(filepath.Dir(path)); err != nil {
			return 0, errors.Join(err, g.Wait())
		}
		temp := w.temp()
		todo = append(todo, placed{temp, path})
		g.Go(func() error { return w.disk.write(temp, o.Data) })
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	dirs := map[string]bool{}
	for i, p := range todo {
		if err := w.disk.rename(p.temp, p.path); err != nil {
			return i, err
		}
		dirs[filepath.Dir(p.path)] = true
	}
	for dir := range dirs {
		if err := w.disk.syncDir(dir); err != nil {
			return len(todo), err
		}
	}
	return len(todo), nil
}

func (w *writer) temp() string {
	w.temps++
	return filepath.Join(string(w.dir), tempDir, strconv.Itoa(w.temps))
}

// makeDir makes a directory below the mirror's, durably.
func (w *writer) makeDir(dir string) error {
	if w.made[dir] {
		return nil
	}
	parent := filepath.Dir(dir)
	if err := w.makeDir(parent); err != nil {
		return err
	}
	if err := w.disk.mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	w.made[dir] = true
	return w.disk.syncDir(parent)
}

// replace gives one of the names that change new bytes, all at once.
func (w *writer) replace(name string, data []byte) error {
	path, err := w.dir.path(name)
	if err != nil {
		return err
	}
	if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, data) {
		return nil
	}
	temp := w.temp()
	if err := w.disk.write(temp, data); err != nil {
		return err
	}
	if err := w.disk.rename(temp, path); err != nil {
		return err
	}
	return w.disk.syncDir(string(w.dir))
}

// evidence keeps two checkpoints that contradict each other, and returns where.
func (w *writer) evidence(shown checkpoint.Signed, held []byte) (string, error) {
	sum := sha256.Sum256(append(bytes.Clone(held), shown.Raw...))
	dir := filepath.Join(string(w.dir), "refused", fmt.Sprintf("%020d-%x", shown.Size, sum[:8]))
	if err := w.makeDir(dir); err != nil {
		return "", err
	}
	for name, data := range map[string][]byte{"held.checkpoint": held, "shown.checkpoint": shown.Raw} {
		temp := w.temp()
		if err := w.disk.write(temp, data); err != nil {
			return "", err
		}
		if err := w.disk.rename(temp, filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	return dir, w.disk.syncDir(dir)
}

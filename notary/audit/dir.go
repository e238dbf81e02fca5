package audit

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Dir is a log in a directory: what a service keeps under its DIR/log, or a mirror.
type Dir string

// maxObject bounds an object in bytes: a bundle of 256 entries has at most 16 MiB,
// and ours some 70 KiB.
const maxObject = 1 << 20

// Read implements [Reader]. Of what is larger than any object of a log it returns the
// beginning.
func (d Dir) Read(_ context.Context, name string) ([]byte, error) {
	local, err := filepath.Localize(name)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(string(d), local)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		return nil, fs.ErrNotExist
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fs.ErrNotExist // names that begin other names are directories
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, min(info.Size(), maxObject))
	_, err = io.ReadFull(f, b)
	return b, err
}

// List calls f with the name of every object of the log but for its checkpoint, in no
// particular order.
func (d Dir) List(f func(name string) error) error {
	for _, top := range []string{"tile", "heads", "signed", "checkpoints"} {
		err := filepath.WalkDir(filepath.Join(string(d), top), func(path string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || e.IsDir() {
				return err
			}
			name, err := filepath.Rel(string(d), path)
			if err != nil {
				return err
			}
			return f(strings.ReplaceAll(name, string(filepath.Separator), "/"))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

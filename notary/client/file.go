package client

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"trialnotary/notary/text"
)

// Modes of the files written here. On Windows a private file has an access list of
// its owner alone instead, and the directory's rules hold for a public one.
const (
	Private = fs.FileMode(0o600) // keys, manifests, trials, invites, pending
	Public  = fs.FileMode(0o644) // receipts, verifier keys
)

// ErrExists is wrapped when a file is there already: none is ever overwritten.
var ErrExists = errors.New("it exists already, and is never overwritten")

// FileError: a file cannot be read.
type FileError struct {
	Path string
	What string // goes on after the path, with the cause
	Err  error  // the cause; nil for a file of the wrong kind
}

func (e *FileError) Error() string { return text.Visible(e.Path) + " " + e.What }
func (e *FileError) Unwrap() error { return e.Err }

// Unreadable returns the error of a file that the system will not let be read.
func Unreadable(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &FileError{name, "cannot be found", err}
	}
	return &FileError{name, "cannot be read (" + cause(err) + ")", err}
}

// ReadFile reads a regular file of at most limit bytes. Errors are [*FileError].
func ReadFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, Unreadable(name, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, &FileError{name, "is a directory, and a file is wanted", nil}
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, Unreadable(name, err)
	}
	if int64(len(b)) > limit {
		return nil, &FileError{name, fmt.Sprintf("is larger than %d bytes, as no file of ours is", limit), nil}
	}
	return b, nil
}

// WriteNew writes a file that does not exist: whole and durable when it returns
// nil, and not at all otherwise. It wraps [ErrExists] if the name is taken.
func WriteNew(name string, data []byte, mode fs.FileMode) error {
	if err := CheckName(name); err != nil {
		return fmt.Errorf("%s cannot be written: %w", name, err)
	}
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("%s: %w", name, ErrExists)
	}
	temp, err := writeTemp(name, data, mode)
	if err != nil {
		return fmt.Errorf("%s cannot be written: %s", name, cause(err))
	}
	defer os.Remove(temp)
	// A link, unlike a rename, fails if the name was taken meanwhile.
	err = os.Link(temp, name)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s: %w", name, ErrExists)
	case err != nil: // a file system without links, as on many memory sticks
		if err := createNew(name, data, mode); errors.Is(err, ErrExists) {
			return err
		} else if err != nil {
			return fmt.Errorf("%s cannot be written: %s", name, cause(err))
		}
	}
	return SyncDir(filepath.Dir(name))
}

// createNew writes the file under its own name and takes it away again if that
// fails.
func createNew(name string, data []byte, mode fs.FileMode) error {
	f, err := openNew(name, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", name, ErrExists)
	} else if err != nil {
		return &fs.PathError{Op: "write", Path: name, Err: errors.New(cause(err))}
	}
	if err := fill(f, data); err != nil {
		os.Remove(name)
		return &fs.PathError{Op: "write", Path: name, Err: errors.New(cause(err))}
	}
	return nil
}

func fill(f *os.File, data []byte) error {
	_, err := f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// Writable returns an error unless files can be made in a directory. It makes one,
// empty, and removes it.
func Writable(dir string) error {
	temp, err := writeTemp(filepath.Join(dir, "writable"), nil, Private)
	if err != nil {
		return fmt.Errorf("nothing can be written in %s: %s", dir, cause(err))
	}
	return os.Remove(temp)
}

// writeTemp writes a file beside name that no one else knows of.
func writeTemp(name string, data []byte, mode fs.FileMode) (string, error) {
	var r [8]byte
	rand.Read(r[:]) // never fails
	temp := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+hex.EncodeToString(r[:])+".tmp")
	return temp, createNew(temp, data, mode)
}

// Replace writes a file over one that holds old, and keeps that beside it under
// name.previous. A crash leaves the old file or the new one, never none. It fails
// if the file holds something else than old by now.
func Replace(name string, old, data []byte, mode fs.FileMode) error {
	now, err := ReadFile(name, int64(len(old))+1)
	if err != nil || !bytes.Equal(now, old) {
		return fmt.Errorf("%s was changed by someone else meanwhile; it was left as it is", name)
	}
	for _, w := range []struct {
		name string
		data []byte
	}{{name + ".previous", old}, {name, data}} {
		temp, err := writeTemp(w.name, w.data, mode)
		if err != nil {
			return err
		}
		if err := os.Rename(temp, w.name); err != nil {
			os.Remove(temp)
			return fmt.Errorf("write %s: %s", w.name, cause(err))
		}
	}
	return SyncDir(filepath.Dir(name))
}

// Exchange writes a file over one that holds old, of which the new one has all that
// matters. A crash leaves the one or the other. It fails if the file holds something
// else than old by now.
func Exchange(name string, old, data []byte, mode fs.FileMode) error {
	now, err := ReadFile(name, int64(len(old))+1)
	if err != nil || !bytes.Equal(now, old) {
		return fmt.Errorf("%s was changed by someone else meanwhile; it was left as it is", name)
	}
	return put(name, data, mode)
}

// Keep writes a private file over whatever is there, which can be had again. A crash
// leaves the old file or the new one, whole.
func Keep(name string, data []byte) error { return put(name, data, Private) }

// put writes a file over whatever is there; only for what can be had again.
func put(name string, data []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("write %s: %s", name, cause(err))
	}
	temp, err := writeTemp(name, data, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, name); err != nil {
		os.Remove(temp)
		return fmt.Errorf("write %s: %s", name, cause(err))
	}
	return SyncDir(filepath.Dir(name))
}

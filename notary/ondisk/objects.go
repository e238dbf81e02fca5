package ondisk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"trialnotary/notary"
)

// maxDirs bounds the memory that known directories take.
const maxDirs = 1 << 14

// Put writes an object of the public log once and for ever.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	if err := s.put(ctx, name, data); err != nil {
		return fmt.Errorf("put %s: %w", name, explain(err))
	}
	return nil
}

func (s *Store) put(ctx context.Context, name string, data []byte) error {
	if err := notary.CheckPublicName(name); err != nil {
		return err
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	path, err := s.path("log", name)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := s.makeDirs(dir, 0o755); err != nil {
		return err
	}
	// Most repeated calls end here, without writing.
	if err := compare(path, data); !errors.Is(err, fs.ErrNotExist) {
		return s.alreadyThere(err, dir)
	}
	temp, err := s.writeTemp(data, 0o444)
	if err != nil {
		return err
	}
	// ── a crash up to here leaves nothing but a file under tmp
	if err := s.disk.place(temp, path); err != nil {
		s.disk.remove(temp)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		return s.alreadyThere(compare(path, data), dir)
	}
	// ── a loss of power here may leave the object, whole, or nothing
	return s.disk.syncDir(dir)
}

// alreadyThere ends a Put whose name is taken. Whoever wrote equal bytes may have
// ended before syncing the directory.
func (s *Store) alreadyThere(compared error, dir string) error {
	if compared != nil {
		return compared
	}
	return s.disk.syncDir(dir)
}

// compare returns nil if the file holds data, notary.ErrDiffers if it holds other
// bytes, fs.ErrNotExist if there is none.
func compare(path string, data []byte) error {
	got, err := readFile(path)
	if err == nil && !bytes.Equal(got, data) {
		return notary.ErrDiffers
	}
	return err
}

// Get returns an object of the public log, or notary.ErrNotFound.
func (s *Store) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := s.get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", name, err)
	}
	return data, nil
}

func (s *Store) get(ctx context.Context, name string) ([]byte, error) {
	if err := notary.CheckPublicName(name); err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	path, err := s.path("log", name)
	if err != nil {
		return nil, err
	}
	data, err := readFile(path)
	if isNone(err, path) {
		return nil, notary.ErrNotFound
	}
	return data, err
}

// isNone reports that err, of reading path, means that no object is there. Names
// that begin other names are directories here, and files have nothing below them.
func isNone(err error, path string) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, fs.ErrNotExist) || isNoDirectory(err) {
		return true
	}
	info, statErr := os.Stat(path)
	return statErr == nil && info.IsDir()
}

// readFile returns a file's bytes, not nil even when it is empty.
func readFile(path string) ([]byte, error) { return os.ReadFile(path) }

// path returns where an object is. Some names that the contract allows are
// devices or unreachable on Windows.
func (s *Store) path(root, name string) (string, error) {
	local, err := filepath.Localize(name)
	if err != nil {
		return "", fmt.Errorf("object name %q: this system cannot have such a file", name)
	}
	return filepath.Join(s.dir, root, local), nil
}

// writeTemp writes data to a new file under tmp, and returns its name once the
// bytes are durable.
func (s *Store) writeTemp(data []byte, perm fs.FileMode) (string, error) {
	temp := filepath.Join(s.dir, "tmp", strconv.FormatUint(s.temps.Add(1), 10))
	f, err := s.disk.create(temp, perm)
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		s.disk.remove(temp)
		return "", err
	}
	return temp, nil
}

// makeDirs makes dir, below the store's directory, and makes it durable: each
// name on the way is synced once by this process, even those that are there, as
// whoever made them may have ended too early.
func (s *Store) makeDirs(dir string, perm fs.FileMode) error {
	s.dirMu.RLock()
	known := s.dirs[dir]
	s.dirMu.RUnlock()
	if known {
		return nil
	}
	s.dirMu.Lock()
	defer s.dirMu.Unlock()
	return s.makeDirsLocked(dir, perm)
}

func (s *Store) makeDirsLocked(dir string, perm fs.FileMode) error {
	if s.dirs[dir] || dir == s.dir {
		return nil
	}
	parent := filepath.Dir(dir)
	if err := s.makeDirsLocked(parent, perm); err != nil {
		return err
	}
	if err := s.disk.mkdir(dir, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.disk.syncDir(parent); err != nil {
		return err
	}
	if len(s.dirs) >= maxDirs {
		clear(s.dirs)
	}
	s.dirs[dir] = true
	return nil
}

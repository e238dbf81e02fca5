package ondisk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trialnotary/notary"
)

// PutState writes a private object, replacing any under that name.
func (s *Store) PutState(ctx context.Context, name string, data []byte) error {
	path, err := s.statePath(ctx, name)
	if err == nil {
		err = s.makeDirs(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = s.writeReplacing(path, data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("put state %s: %w", name, explain(err))
	}
	return nil
}

func (s *Store) statePath(ctx context.Context, name string) (string, error) {
	if err := notary.CheckName(name); err != nil {
		return "", err
	}
	if err := s.ready(ctx); err != nil {
		return "", err
	}
	return s.path("state", name)
}

// GetState returns length bytes of a private object from offset on, fewer where
// it ends, to its end when length < 0, by one positioned read.
func (s *Store) GetState(ctx context.Context, name string, offset, length int64) ([]byte, error) {
	data, err := s.getState(ctx, name, offset, length)
	if err != nil {
		return nil, fmt.Errorf("get state %s: %w", name, err)
	}
	return data, nil
}

func (s *Store) getState(ctx context.Context, name string, offset, length int64) ([]byte, error) {
	if offset < 0 {
		return nil, fmt.Errorf("offset %d", offset)
	}
	path, err := s.statePath(ctx, name)
	if err != nil {
		return nil, err
	}
	s.replaceMu.RLock()
	defer s.replaceMu.RUnlock()
	f, err := os.Open(path)
	if isNone(err, path) {
		return nil, notary.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, notary.ErrNotFound
	}
	rest := max(0, info.Size()-offset)
	if length < 0 || length > rest {
		length = rest
	}
	data := make([]byte, length)
	if _, err := f.ReadAt(data, offset); err != nil && !(errors.Is(err, io.EOF) && length == 0) {
		return nil, err
	}
	return data, nil
}

// ListState returns, in order, the names of private objects that begin with
// prefix. It reads the directories below the prefix's last slash only.
func (s *Store) ListState(ctx context.Context, prefix string) ([]string, error) {
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("list state %s: %w", prefix, err)
	}
	root := filepath.Join(s.dir, "state")
	from := root
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		if notary.CheckName(prefix[:i]) != nil {
			return nil, nil // no name begins like that
		}
		path, err := s.path("state", prefix[:i])
		if err != nil {
			return nil, nil
		}
		from = path
	}
	var names []string
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // none there, or removed meanwhile
			return nil
		case err != nil:
			return err
		case d.IsDir():
			return ctx.Err()
		}
		name, err := filepath.Rel(root, path)
		if name = filepath.ToSlash(name); strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
		return err
	})
	if err != nil && !isNoDirectory(err) {
		return nil, fmt.Errorf("list state %s: %w", prefix, err)
	}
	slices.Sort(names) // a directory's order is another one: "a-b" is before "a/b"
	return names, nil
}

// DeleteState removes a private object. An absent one is no error. Directories
// stay: another call may be about to write there.
func (s *Store) DeleteState(ctx context.Context, name string) error {
	if err := s.deleteState(ctx, name); err != nil {
		return fmt.Errorf("delete state %s: %w", name, explain(err))
	}
	return nil
}

func (s *Store) deleteState(ctx context.Context, name string) error {
	path, err := s.statePath(ctx, name)
	if err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if err == nil && info.IsDir() {
		return nil // names begin with this one; an empty directory could be removed
	}
	s.replaceMu.Lock()
	err = s.disk.remove(path)
	s.replaceMu.Unlock()
	if isNone(err, path) {
		// It may have been removed by a process that ended before syncing.
		err = s.disk.syncDir(filepath.Dir(path))
		if isNone(err, filepath.Dir(path)) {
			return nil
		}
		return err
	}
	if err != nil {
		return err
	}
	return s.disk.syncDir(filepath.Dir(path))
}

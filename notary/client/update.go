package client

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// ReadTrial reads a .trial file.
func ReadTrial(name string) (*Trial, error) {
	b, err := ReadFile(name, MaxProfile)
	if err != nil {
		return nil, err
	}
	t, err := ParseTrial(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// UpdateTrial changes a .trial file: it reads it, lets change change it, and
// replaces it, with the version before kept as name.previous. Processes of this
// machine take turns, so no grant and no salt is lost. If change fails, or changes
// nothing, the file stays as it is.
func (m Memory) UpdateTrial(name string, change func(*Trial) error) (*Trial, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	lock := m.path("lock", "", abs)
	if err := os.MkdirAll(filepath.Dir(lock), 0o700); err != nil {
		return nil, fmt.Errorf("%s: %s", filepath.Dir(lock), cause(err))
	}
	unlock, err := lockedfile.MutexAt(lock).Lock()
	if err != nil {
		return nil, fmt.Errorf("%s: %s", lock, cause(err))
	}
	defer unlock()
	old, err := ReadFile(name, MaxProfile)
	if err != nil {
		return nil, fmt.Errorf("the trial file cannot be brought forward: %s", err)
	}
	t, err := ParseTrial(old)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t.Trust = m.Current(t.Trust)
	if err := change(t); err != nil {
		return t, err
	}
	b, err := t.Bytes()
	if err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	if string(b) == string(old) {
		return t, nil
	}
	if _, err := ParseTrial(b); err != nil { // what could not be read again is not written
		return t, fmt.Errorf("%s: %w", name, err)
	}
	return t, Replace(name, old, b, Private)
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

// sponsorList holds the keys that may register trials: those fixed at the start
// and those of a file that may change at any time.
type sponsorList struct {
	fixed   []statement.PublicKey
	file    string
	missing bool   // the file need not be there
	read    string // what the file held when it was read last
	current atomic.Pointer[[]statement.PublicKey]
}

// newSponsorList parses the keys given and reads the file.
func newSponsorList(vkeys []string, file string, missing bool) (*sponsorList, error) {
	l := &sponsorList{file: file, missing: missing, read: "\x00"}
	for _, v := range vkeys {
		k, err := statement.ParsePublicKey(v)
		if err != nil {
			return nil, fmt.Errorf("--sponsor: %w", err)
		}
		l.fixed = append(l.fixed, k)
	}
	_, err := l.refresh()
	return l, err
}

// refresh reads the file again and reports whether it had changed. After an error
// the keys are those of before; the same error is returned once.
func (l *sponsorList) refresh() (changed bool, err error) {
	b, err := client.ReadFile(l.file, 1<<20)
	if _, stat := os.Stat(l.file); errors.Is(stat, fs.ErrNotExist) && l.missing {
		b, err = nil, nil
	}
	now := string(b)
	if err != nil {
		now = "\x00" + err.Error()
	}
	if now == l.read {
		return false, nil
	}
	l.read = now
	if err != nil {
		return false, err
	}
	keys := slices.Clone(l.fixed)
	for i, line := range strings.Split(now, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		k, err := statement.ParsePublicKey(line)
		if err != nil {
			return false, fmt.Errorf("%s: line %d: %w", l.file, i+1, err)
		}
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	l.current.Store(&keys)
	return true, nil
}

// keys returns the keys as of the last refresh. They are not the caller's.
func (l *sponsorList) keys() []statement.PublicKey { return *l.current.Load() }

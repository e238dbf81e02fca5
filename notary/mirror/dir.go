package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
)

// MaxObject bounds an object that is read, in bytes: a bundle of ours has some 70 KiB.
const MaxObject = 1 << 20

// Dir reads a mirror, or any other directory that holds a public log. Safe for
// concurrent use, also while it is updated.
type Dir string

// Object returns an object by name, or notary.ErrNotFound.
func (d Dir) Object(_ context.Context, name string) ([]byte, error) {
	path, err := d.path(name)
	if err != nil {
		return nil, notary.ErrNotFound
	}
	f, err := os.Open(path)
	if isNone(err) {
		return nil, notary.ErrNotFound
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return nil, notary.ErrNotFound
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxObject+1))
	if err == nil && len(b) > MaxObject {
		err = fmt.Errorf("%s is larger than %d bytes, as no object of a log is", path, MaxObject)
	}
	return b, err
}

// path returns where an object is; no name leads out of the directory, or to what is
// in it beside the log.
func (d Dir) path(name string) (string, error) {
	if err := notary.CheckName(name); err != nil {
		return "", err
	}
	switch first, _, _ := strings.Cut(name, "/"); first {
	case CheckpointName, TrustName, "tile", "heads", "signed", "checkpoints", "handovers":
	default:
		return "", fmt.Errorf("%q is no name of a public log", name)
	}
	local, err := filepath.Localize(name)
	return filepath.Join(string(d), local), err
}

// isNone reports that nothing is at a path: a part of it may be a file.
func isNone(err error) bool {
	var p *fs.PathError
	return errors.Is(err, fs.ErrNotExist) || errors.As(err, &p) && strings.HasSuffix(p.Err.Error(), "not a directory")
}

// lastHead returns the head of the last batch that is there. Heads are written in
// order, each when its batch is whole.
func (d Dir) lastHead(ctx context.Context) (checkpoint.Head, error) {
	has := func(batch uint64) bool {
		path, err := d.path(checkpoint.HeadName(batch))
		if err == nil {
			_, err = os.Lstat(path)
		}
		return err == nil
	}
	low, high := uint64(0), uint64(1)
	for has(high) {
		low, high = high, 2*high
	}
	for high-low > 1 {
		if mid := low + (high-low)/2; has(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	if low == 0 {
		return checkpoint.Head{}, nil
	}
	b, err := d.Object(ctx, checkpoint.HeadName(low))
	if err != nil {
		return checkpoint.Head{}, err
	}
	h, err := checkpoint.ParseHead(b)
	if err == nil && h.Batch != low {
		err = fmt.Errorf("%s is of batch %d", checkpoint.HeadName(low), h.Batch)
	}
	if err != nil {
		return h, damaged(string(d), err)
	}
	return h, nil
}

func damaged(dir string, err error) error {
	return fmt.Errorf("%s is damaged: %w; mirror the log anew into another directory", dir, err)
}

package audit

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/text"
	"trialnotary/notary/tile"
)

// Lister is a [Reader] that knows which objects there are: then an audit from the
// first batch on finds also those that no batch published.
type Lister interface {
	Reader
	List(func(name string) error) error
}

// surplus finds the objects of a listing that the log up to at should not have.
// What is beyond at is being published. Names with a dot in front are the system's.
func (a *Auditor) surplus(ctx context.Context, log Lister, at Position) error {
	var all Findings
	err := log.List(func(name string) error {
		if strings.HasPrefix(path.Base(name), ".") || a.expected(name, at) {
			return nil
		}
		f := found(name, "no batch of the log has such an object")
		if strings.HasPrefix(name, "checkpoints/") || strings.HasPrefix(name, "signed/") {
			if b, err := log.Read(ctx, name); err == nil {
				f.Signed = a.signed(b)
			}
		}
		if len(all) < maxFindings {
			all = append(all, f)
		}
		return nil
	})
	if len(all) > 0 {
		return errors.Join(all, err)
	}
	return err
}

func (a *Auditor) expected(name string, at Position) bool {
	if strings.HasPrefix(name, "tile/") {
		level, index, width, err := tile.ParsePath(name)
		if err != nil {
			return false
		}
		level = max(level, 0)
		n, have := index*tile.Width+uint64(width), at.Size>>(8*level)
		return n > have || width == tile.Width || a.endsAt(n<<(8*level), (n+1)<<(8*level))
	}
	dir, digits, _ := strings.Cut(name, "/")
	n, err := text.ParseUint(strings.TrimLeft(digits, "0"))
	if err != nil {
		return false
	}
	switch dir {
	case "heads":
		return name == checkpoint.HeadName(n)
	case "signed":
		return name == checkpoint.SignedName(n)
	}
	return name == checkpoint.FinalName(n) && (n > at.Size || a.endsAt(n, n+1))
}

// endsAt reports whether a batch ends at a size from lo on and below hi.
func (a *Auditor) endsAt(lo, hi uint64) bool {
	i, _ := slices.BinarySearch(a.ends, lo)
	return i < len(a.ends) && a.ends[i] < hi
}

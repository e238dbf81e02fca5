package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"

	"trialnotary/notary/manifest"
)

// Comparison is how files at hand relate to those of a manifest or an opening.
// Each list is in path order; every sealed file is in exactly one of the first
// three.
type Comparison struct {
	Matched []string
	Changed []Difference
	Missing []string
	Extra   []Extra

	tree *Tree // what is at hand
}

// Disk returns the name by which the system knows the file at hand that goes by that
// path, "" if there is none.
func (c *Comparison) Disk(path string) string {
	if c.tree == nil {
		return ""
	}
	return c.tree.Disk(path)
}

// Difference is a sealed file whose bytes at hand are others, or cannot be said
// to be the same.
type Difference struct {
	Path string
	// Reason goes on after the path: "has 13 bytes, 12 were sealed".
	Reason string
	// Unread: no statement about the bytes is possible, since they cannot be read
	// or are being written.
	Unread bool
}

// Extra is something at hand under a name that was not sealed (or, of an opening,
// not opened).
type Extra struct {
	Path string
	// SameAs is the missing sealed file that has the very same bytes, if any: this
	// one was renamed or moved.
	SameAs string
	// Reason is not empty for what is no readable file: "is a symbolic link …".
	Reason string
}

// OK reports whether every sealed file is at hand, unchanged.
func (c *Comparison) OK() bool { return len(c.Changed) == 0 && len(c.Missing) == 0 }

// Exact reports whether, besides, nothing else is at hand.
func (c *Comparison) Exact() bool { return c.OK() && len(c.Extra) == 0 }

// Compare reads the files that paths name and compares them with a manifest: size
// and both digests. Names are found as [Scan] gives them, with one addition: a
// path to a single file is also recognised by the longest end of its full path
// that was sealed, so that DIR/lab/b.csv is compared with lab/b.csv.
//
// What cannot be read, and links, do not end it: they are in the result. Errors
// are of type [*InputError]: a path that does not exist, or the end of ctx.
// progress is as in [Tree.Hash]; a file of another size is not read.
func Compare(ctx context.Context, m *manifest.Manifest, paths []string, progress func(Progress)) (Comparison, error) {
	return compare(ctx, m.Files, paths, progress)
}

// CompareOpening is [Compare] with the files that an opening opens. Whether the
// opening is of the dataset is for [manifest.Opening.Verify].
func CompareOpening(ctx context.Context, o *manifest.Opening, paths []string, progress func(Progress)) (Comparison, error) {
	files := make([]manifest.File, len(o.Files))
	for i := range o.Files {
		files[i] = o.Files[i].Leaf.File
	}
	return compare(ctx, files, paths, progress)
}

// find returns the number of the sealed file with that path; sealed is sorted.
func find(sealed []manifest.File, path string) (int, bool) {
	return slices.BinarySearchFunc(sealed, path, func(f manifest.File, p string) int { return strings.Compare(f.Path, p) })
}

func compare(ctx context.Context, sealed []manifest.File, paths []string, progress func(Progress)) (c Comparison, err error) {
	faults := map[string]*InputError{}
	w := walker{list: os.ReadDir, safe: nothingCompared, hint: "verify", problem: func(path string, e *InputError) { faults[path] = e },
		rename: func(arg, base string) string { return longestSealed(sealed, arg, base) }}
	here, err := w.scan(paths)
	if err != nil {
		return c, err
	}
	c.tree = here
	seen := make([]bool, len(sealed)) // sealed files that are accounted for
	for path, e := range faults {
		if i, ok := find(sealed, path); ok {
			seen[i] = true
			c.Changed = append(c.Changed, Difference{Path: path, Reason: e.reason(), Unread: true})
		} else {
			c.Extra = append(c.Extra, Extra{Path: path, Reason: e.reason()})
		}
	}
	read := &Tree{roots: here.roots, open: here.open}
	var others []source
	for _, s := range here.files {
		i, ok := find(sealed, s.path)
		switch {
		case !ok:
			others = append(others, s)
			continue
		case uint64(s.size) != sealed[i].Size:
			c.Changed = append(c.Changed, Difference{Path: s.path, Reason: fmt.Sprintf("has %d bytes, %d were sealed", s.size, sealed[i].Size)})
		default:
			read.files = append(read.files, s)
		}
		seen[i] = true
	}
	missing := map[uint64][]int{} // by size
	for i := range sealed {
		if !seen[i] {
			c.Missing = append(c.Missing, sealed[i].Path)
			missing[sealed[i].Size] = append(missing[sealed[i].Size], i)
		}
	}
	// Other files are read only where they may be missing ones under a new name.
	for _, s := range others {
		if len(missing[uint64(s.size)]) > 0 {
			read.files = append(read.files, s)
		} else {
			c.Extra = append(c.Extra, Extra{Path: s.path})
		}
	}
	var mu sync.Mutex
	err = newHasher(read, progress).run(ctx, func(_ int, f manifest.File, err error) error {
		mu.Lock()
		defer mu.Unlock()
		if i, ok := find(sealed, f.Path); ok {
			c.judge(f, sealed[i], err)
			return nil
		}
		e := Extra{Path: f.Path}
		for _, i := range missing[f.Size] {
			if err == nil && sameBytes(f, sealed[i]) {
				e.SameAs = sealed[i].Path
			}
		}
		if err != nil {
			e.Reason = hashFault(err)
		}
		c.Extra = append(c.Extra, e)
		return nil
	})
	if e, ok := errors.AsType[*InputError](err); ok {
		e.Safe = nothingCompared
		return Comparison{}, e
	}
	slices.Sort(c.Matched)
	slices.SortFunc(c.Changed, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(c.Extra, func(a, b Extra) int { return strings.Compare(a.Path, b.Path) })
	return c, err
}

// judge compares a file at hand, of the size sealed, with the sealed one.
func (c *Comparison) judge(f, sealed manifest.File, err error) {
	d := Difference{Path: f.Path}
	same256, same512 := f.SHA256 == sealed.SHA256, f.SHA512 == sealed.SHA512
	switch {
	case err != nil:
		d.Reason, d.Unread = hashFault(err)+" ("+cause(err)+")", true
	case same256 && same512:
		c.Matched = append(c.Matched, f.Path)
		return
	case same256:
		d.Reason = "has another SHA-512 than was sealed"
	case same512:
		d.Reason = "has another SHA-256 than was sealed"
	default:
		d.Reason = "has other bytes than were sealed: both digests differ"
	}
	c.Changed = append(c.Changed, d)
}

func sameBytes(a, b manifest.File) bool {
	return a.Size == b.Size && a.SHA256 == b.SHA256 && a.SHA512 == b.SHA512
}

// longestSealed returns the longest end of a file's full path that is a sealed
// path, or base.
func longestSealed(sealed []manifest.File, arg, base string) string {
	abs, err := filepath.Abs(arg)
	if err != nil {
		return base
	}
	for p := norm.NFC.String(filepath.ToSlash(abs)); p != ""; {
		if _, ok := find(sealed, p); ok {
			return p
		}
		_, p, _ = strings.Cut(p, "/")
	}
	return base
}

// SealedPaths returns the paths in a manifest that a name may stand for: that very
// path, and the longest end of the full path of the file of that name on disk. More
// than one: it is not clear which is meant.
func SealedPaths(m *manifest.Manifest, name string) (all []string) {
	p := norm.NFC.String(filepath.ToSlash(name))
	if _, ok := m.Find(p); ok {
		all = append(all, p)
	}
	if info, err := os.Lstat(name); err == nil && !info.IsDir() {
		if at := longestSealed(m.Files, name, ""); at != "" && at != p {
			all = append(all, at)
		}
	}
	return all
}

package client

import (
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"trialnotary/notary/manifest"
	"trialnotary/notary/text"
)

// Tree is the files below some paths, under the names a manifest gives them, as
// they were when [Scan] saw them. No file has been read yet.
type Tree struct {
	// Skipped are the names that skip told Scan to leave out, a directory ending
	// with "/": to be shown, for what is left out is not sealed.
	Skipped []string

	args  []string
	skip  func(path string, dir bool) bool
	roots []string // what the arguments name, as given to the system
	files []source // by path

	// How a file is opened: os.Open, except in tests of failing reads.
	open func(name string) (file, error)
}

// source is one file of a Tree: small, since there may be very many.
type source struct {
	path  string // in the manifest
	rel   string // on disk below its root; "" for the root itself
	root  int32
	size  int64
	mtime int64 // Unix nanoseconds
}

type file interface {
	io.ReadCloser
	Stat() (fs.FileInfo, error)
}

func openFile(name string) (file, error) { return os.Open(name) }

// Scan finds the regular files that paths name. Their names in the manifest:
//
//   - one file is named by its base name;
//   - the files of one directory are named relative to it, with "/";
//   - of several paths, each file is named by its base name and the files of
//     each directory by the directory's base name, "/", and their path below it:
//     DIR alone and DIR/* give the same names, but for hidden files.
//
// Names are normalised to NFC; two that become the same are an error, and so are
// symbolic links, devices and pipes, directories that cannot be listed, names that
// no manifest can hold, and a path below which there is no file. Empty
// subdirectories are not part of a dataset. If skip is not nil, files and
// directories for whose name in the manifest it returns true are left out, with all
// below them; a path that was named itself never is. [Tree.Hash] asks it again.
//
// Errors are of type [*InputError].
func Scan(paths []string, skip func(path string, dir bool) bool) (*Tree, error) {
	w := walker{list: os.ReadDir, skip: skip, safe: nothingSealed, hint: "seal", foldCase: runtime.GOOS == "windows"}
	return w.scan(paths)
}

// Len returns the number of files.
func (t *Tree) Len() int { return len(t.files) }

// Bytes returns the sum of the sizes of all files in bytes.
func (t *Tree) Bytes() uint64 {
	var n uint64
	for i := range t.files {
		n += uint64(t.files[i].size)
	}
	return n
}

// Paths returns the names of all files in the manifest, in its order.
func (t *Tree) Paths() []string {
	p := make([]string, len(t.files))
	for i := range t.files {
		p[i] = t.files[i].path
	}
	return p
}

// All yields the name in the manifest and the size in bytes of every file, by name.
func (t *Tree) All() iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		for i := range t.files {
			if !yield(t.files[i].path, uint64(t.files[i].size)) {
				return
			}
		}
	}
}

// Disk returns the name by which the system knows a file of the tree, "" if there
// is none of that name in the manifest.
func (t *Tree) Disk(path string) string {
	i, ok := slices.BinarySearchFunc(t.files, path, func(s source, p string) int { return strings.Compare(s.path, p) })
	if !ok {
		return ""
	}
	return t.disk(&t.files[i])
}

// disk returns the name by which the system knows the file.
func (t *Tree) disk(s *source) string {
	if s.rel == "" {
		return t.roots[s.root]
	}
	return joinDisk(t.roots[s.root], s.rel)
}

// walker finds files for one purpose: the errors say what it was.
type walker struct {
	list func(dir string) ([]fs.DirEntry, error) // os.ReadDir, except in tests
	skip func(path string, dir bool) bool
	safe string // "Nothing was sealed.": what every error says of the user's data
	hint string // the verb to try again
	// A problem with one file or directory below a path: nil ends the scan with
	// it, otherwise it is handed here and the scan goes on.
	problem func(path string, e *InputError)
	// Names that differ by case alone are one file here, as on Windows.
	foldCase bool
	// The name of an argument that is no directory, if not its base name.
	rename func(arg, base string) string

	t *Tree
}

func (w *walker) fail(path, disk string, err error, what, do string) error {
	e := &InputError{Path: disk, What: what, Safe: w.safe, Do: do, Err: err}
	if w.problem != nil && path != "" {
		w.problem(path, e)
		return nil
	}
	return e
}

func (w *walker) scan(args []string) (*Tree, error) {
	w.t = &Tree{args: args, skip: w.skip, open: openFile}
	if len(args) == 0 {
		return nil, &InputError{What: "no file or directory was named", Safe: w.safe, Do: "Name what to " + w.hint + ": one or more files or directories."}
	}
	for _, arg := range args {
		if err := w.argument(arg, len(args) > 1); err != nil {
			return nil, err
		}
	}
	t := w.t
	slices.SortFunc(t.files, func(a, b source) int { return strings.Compare(a.path, b.path) })
	if w.foldCase {
		if err := w.sameBut(); err != nil {
			return nil, err
		}
	}
	for i := 1; i < len(t.files); i++ {
		if t.files[i-1].path != t.files[i].path {
			continue
		}
		a, b := t.disk(&t.files[i-1]), t.disk(&t.files[i])
		do := fmt.Sprintf("Rename one of them, then %s again.", w.hint)
		if a == b {
			do = "Name it once."
		}
		return nil, &InputError{Path: b, What: fmt.Sprintf("and %s would both be named %q in the manifest, where letters that look alike are the same",
			text.Visible(a), t.files[i].path), Safe: w.safe, Do: do}
	}
	return t, nil
}

// sameBut returns an error if two names in the manifest differ by the case of
// letters alone: on such a system they came from one file that was named twice, or
// could not stand beside each other when the data are unpacked.
func (w *walker) sameBut() error {
	seen := make(map[string]int32, len(w.t.files))
	for i := range w.t.files {
		low := strings.ToLower(w.t.files[i].path)
		j, ok := seen[low]
		if seen[low] = int32(i); !ok || w.t.files[j].path == w.t.files[i].path {
			continue
		}
		return &InputError{Path: w.t.disk(&w.t.files[i]), What: "and " + text.Visible(w.t.disk(&w.t.files[j])) + " differ by upper and lower case alone, and are the same name on this system",
			Safe: w.safe, Do: "Name it once; or rename one of them, then " + w.hint + " again."}
	}
	return nil
}

// argument finds the files below one path.
func (w *walker) argument(arg string, several bool) error {
	info, err := os.Lstat(arg)
	if err != nil {
		return &InputError{Path: arg, What: "cannot be found or looked at", Safe: w.safe, Do: "Check the name and that you may read it.", Err: err}
	}
	name := ""
	if several || !info.IsDir() {
		if name, err = argumentName(arg); err != nil {
			return &InputError{Path: arg, What: "has no name of its own", Safe: w.safe, Do: "Name it alone, or by its path from the directory above.", Err: err}
		}
		name = norm.NFC.String(name)
		if w.rename != nil && !info.IsDir() {
			name = w.rename(arg, name)
		}
	}
	root := int32(len(w.t.roots))
	w.t.roots = append(w.t.roots, arg)
	before := len(w.t.files) + len(w.t.Skipped)
	if err := w.visit(name, "", root, info); err != nil {
		return err
	}
	if info.IsDir() && len(w.t.files)+len(w.t.Skipped) == before && w.problem == nil {
		return &InputError{Path: arg, What: "holds no file", Safe: w.safe, Do: "Check that it is the directory you mean."}
	}
	if len(w.t.files) == 0 && w.problem == nil && len(w.t.args) == 1 {
		return &InputError{Path: arg, What: "holds no file but those left out", Safe: w.safe, Do: "Name a file itself to have it taken in."}
	}
	return nil
}

// visit takes in the file or directory that is rel below a root, as path.
func (w *walker) visit(path, rel string, root int32, info fs.FileInfo) error {
	s := source{path: path, rel: rel, root: root, size: info.Size(), mtime: info.ModTime().UnixNano()}
	disk := w.t.disk(&s)
	mode := info.Mode()
	if rel != "" && w.skip != nil && w.skip(path, mode.IsDir()) {
		if mode.IsDir() {
			path += "/"
		}
		w.t.Skipped = append(w.t.Skipped, path)
		return nil
	}
	if path != "" {
		if err := manifest.CheckPath(path); err != nil {
			return w.fail(path, disk, err, "has a name that no manifest can hold", "Rename it, then "+w.hint+" again.")
		}
	}
	switch {
	case mode.IsRegular():
		w.t.files = append(w.t.files, s)
		return nil
	case mode&fs.ModeSymlink != 0:
		return w.fail(path, disk, nil, "is a symbolic link, which names bytes that lie elsewhere", "Replace it by what it points to, or leave it out, then "+w.hint+" again.")
	case !mode.IsDir():
		return w.fail(path, disk, nil, "is neither a file nor a directory", "Remove it or leave it out, then "+w.hint+" again.")
	}
	entries, err := w.list(disk)
	if err != nil {
		return w.fail(path, disk, err, "is a directory that cannot be listed", "Make it readable, then "+w.hint+" again.")
	}
	for _, e := range entries {
		below, name := joinSlash(rel, e.Name()), joinSlash(path, e.Name())
		if !norm.NFC.IsNormalString(name) {
			name = norm.NFC.String(name)
		} else if below == name {
			name = below // one string in memory, not two
		}
		info, err := e.Info()
		if err != nil {
			err = w.fail(name, joinDisk(w.t.roots[root], below), err, "cannot be looked at", "If something is still writing here, wait until it is done, then "+w.hint+" again.")
		} else {
			err = w.visit(name, below, root, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

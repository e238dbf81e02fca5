// Package inventory reads other people's lists of files, so that what they list is
// checked before it is sealed: BagIt bags (RFC 8493), the output of sha256sum and
// sha512sum, and RO-Crates (RO-Crate 1.0 to 1.2).
//
//	bag/bagit.txt                   BagIt-Version: 1.0
//	    manifest-sha512.txt         <sha512 hex>  data/a.csv
//	    data/a.csv
//
//	SHA256SUMS                      <sha256 hex>  lab/b.csv
//	                                SHA256 (lab/b.csv) = <sha256 hex>
//
//	crate/ro-crate-metadata.json    {"@id": "a.csv", "@type": "File", "sha256": "…"}
//
// A list is checked in two steps, so that hours of hashing are not begun in vain:
// [List.Against] compares names and sizes, [List.Differ] the digests of a reading
// that computes SHA-256 and SHA-512 anyway. Where a list has nothing better,
// MD5 and SHA-1 are compared by [List.ReadWeak]: they tell an accident, not a forger.
//
// Paths are those of a manifest: relative to the list's directory, with "/", in
// Unicode normalisation form C. No URL in a list is ever followed. What a list says
// twice, or of a path outside its directory, is an error wrapping [ErrList].
package inventory

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"trialnotary/notary/manifest"
	"trialnotary/notary/text"
)

// MaxSize is the size in bytes of the largest list read: room for a million files.
const MaxSize = 256 << 20

// ErrList is wrapped by the error of a list that cannot be relied on.
var ErrList = errors.New("not a list that can be relied on")

// Form is the kind of a list.
type Form string

// The forms.
const (
	Bag   Form = "bag"
	Sums  Form = "sums"
	Crate Form = "ro-crate"
)

// Algorithm of a digest, in lower case without hyphen, as BagIt writes it.
type Algorithm string

// The algorithms, strongest first.
const (
	SHA512 Algorithm = "sha512"
	SHA256 Algorithm = "sha256"
	SHA1   Algorithm = "sha1"
	MD5    Algorithm = "md5"
)

// size returns the length of a digest in bytes, 0 if the algorithm is unknown.
func (a Algorithm) size() int {
	return map[Algorithm]int{SHA512: 64, SHA256: 32, SHA1: 20, MD5: 16}[a]
}

func (a Algorithm) weak() bool { return a == SHA1 || a == MD5 }

// Digest is what a list says of a file's bytes.
type Digest struct {
	Algorithm Algorithm
	Sum       []byte
	From      string // the file that says so: "manifest-sha512.txt"
}

// Entry is one file of a list.
type Entry struct {
	Path    string
	Size    int64 // -1: the list does not say
	Digests []Digest
}

// List is what other people say a dataset consists of.
type List struct {
	Form  Form
	Title string   // "a BagIt 1.0 bag"
	Notes []string // what a reader should know: "manifest-blake3.txt was not read"
	Files []Entry  // by path

	// What is below the directory and not listed is a difference, unless allowed
	// says so; where exact is false it is simply not part of the dataset.
	exact   bool
	allowed func(path string) bool
	folders map[string]bool // that must hold something: "lab/"
	remote  map[string]bool // paths that still have to be fetched
	oxum    *oxum
}

// Difference is one way in which files are not what a list says.
type Difference struct {
	Path   string
	Reason string // goes on after the path: "is listed and not here"
}

func (d Difference) String() string { return text.Visible(strings.TrimSpace(d.Path + " " + d.Reason)) }

// Find returns the number of the entry of a path.
func (l *List) Find(path string) (int, bool) {
	return slices.BinarySearchFunc(l.Files, path, func(e Entry, p string) int { return strings.Compare(e.Path, p) })
}

// Leaves reports whether a file or directory is no part of the dataset: for a list
// that stands beside other files, all that it does not name.
func (l *List) Leaves(path string) bool {
	if l.exact {
		return false
	}
	if _, ok := l.Find(path); ok {
		return false
	}
	i, _ := l.Find(path + "/")
	return i == len(l.Files) || !strings.HasPrefix(l.Files[i].Path, path+"/")
}

// Against compares the names and sizes of the files at hand, each named once, with
// the list.
func (l *List) Against(here map[string]uint64) []Difference {
	var all []Difference
	for _, e := range l.Files {
		size, ok := here[e.Path]
		switch {
		case !ok && l.remote[e.Path]:
			all = append(all, Difference{e.Path, "is still to be fetched: fetch.txt says from where"})
		case !ok:
			all = append(all, Difference{e.Path, "is listed and not here"})
		case e.Size >= 0 && uint64(e.Size) != size:
			all = append(all, Difference{e.Path, fmt.Sprintf("has %d bytes, %d are listed", size, e.Size)})
		}
	}
	full := map[string]bool{} // the folders that hold something
	for path := range here {
		for f := range ancestors(path) {
			full[f] = true
		}
	}
	for f := range l.folders {
		if !full[f] {
			all = append(all, Difference{f, "is listed and holds no file here"})
		}
	}
	if l.exact {
		for path := range here {
			if _, ok := l.Find(path); !ok && !l.allowed(path) {
				all = append(all, Difference{path, "is here and not listed"})
			}
		}
	}
	all = append(all, l.oxum.against(here)...)
	slices.SortStableFunc(all, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// ancestors yields "a/" and "a/b/" for a/b/c.
func ancestors(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(path) {
			if path[i] == '/' && !yield(path[:i+1]) {
				return
			}
		}
	}
}

// Differ compares the digests of files that were read with those listed, and
// returns how many files' digests it compared.
func (l *List) Differ(read []manifest.File) (compared int, all []Difference) {
	for i := range read {
		f := &read[i]
		at, ok := l.Find(f.Path)
		if !ok {
			continue
		}
		strong := false
		for _, d := range l.Files[at].Digests {
			var sum []byte
			switch d.Algorithm {
			case SHA256:
				sum = f.SHA256[:]
			case SHA512:
				sum = f.SHA512[:]
			default:
				continue
			}
			strong = true
			if string(sum) != string(d.Sum) {
				all = append(all, Difference{f.Path, d.differs()})
				break
			}
		}
		if strong {
			compared++
		}
	}
	return compared, all
}

func (d Digest) differs() string {
	return fmt.Sprintf("has other bytes than %s says (%s)", d.From, d.Algorithm)
}

// reading gathers the entries of one or more lists, a line at a time.
type reading struct {
	entries map[string]*Entry
	from    string
	line    int
}

// add takes in one line of a list.
func (r *reading) add(path string, size int64, d ...Digest) error {
	path, err := clean(path)
	if err != nil {
		return r.fail("%w", err)
	}
	e := r.entries[path]
	if e == nil {
		e = &Entry{Path: path, Size: -1}
		r.entries[path] = e
	}
	if size >= 0 {
		e.Size = size
	}
	for _, d := range d {
		d.From = r.from
		for _, old := range e.Digests {
			if old.From == d.From && old.Algorithm == d.Algorithm {
				return r.fail("lists %q a second time", text.Visible(path))
			}
		}
		e.Digests = append(e.Digests, d)
	}
	return nil
}

func (r *reading) fail(format string, a ...any) error {
	return fmt.Errorf("%s: line %d: %w: %w", r.from, r.line, fmt.Errorf(format, a...), ErrList)
}

func (r *reading) sorted() []Entry {
	all := make([]Entry, 0, len(r.entries))
	for _, e := range r.entries {
		all = append(all, *e)
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// clean returns a listed path as a manifest has it. "./" before it says nothing.
func clean(p string) (string, error) {
	p = norm.NFC.String(p)
	for strings.HasPrefix(p, "./") {
		p = p[2:]
	}
	if strings.HasPrefix(p, "~") && strings.Contains(p, "/") {
		return "", fmt.Errorf("path %q begins in a home directory", text.Visible(p))
	}
	if err := manifest.CheckPath(p); err != nil {
		return "", errors.New(strings.TrimSuffix(err.Error(), ": "+text.ErrFormat.Error()))
	}
	return p, nil
}

// digest parses hex digits in either case.
func digest(a Algorithm, s string) (Digest, error) {
	sum, err := hex.DecodeString(s)
	if err != nil || len(sum) != a.size() {
		return Digest{}, fmt.Errorf("%q is no %s in hex digits", clip(s), a)
	}
	return Digest{Algorithm: a, Sum: sum}, nil
}

func clip(s string) string {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "…"
	}
	return text.Visible(s)
}

// readFile reads a list of bounded size.
func readFile(dir fs.FS, name string) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s cannot be read: %w", name, err)
	case len(b) > MaxSize:
		return nil, fmt.Errorf("%s is larger than %d bytes: %w", name, MaxSize, ErrList)
	}
	b, _ = text.Outer(b)
	return b, nil
}

// isFile reports whether a regular file of that name is in the directory.
func isFile(dir fs.FS, name string) bool {
	info, err := fs.Stat(dir, name)
	return err == nil && info.Mode().IsRegular()
}

// Detect returns the forms of list that a directory shows signs of.
func Detect(dir fs.FS) []Form {
	var all []Form
	if isFile(dir, declaration) {
		all = append(all, Bag)
	}
	if isFile(dir, crateFile) || isFile(dir, oldCrateFile) {
		all = append(all, Crate)
	}
	return all
}

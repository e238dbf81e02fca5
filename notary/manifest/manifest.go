// Package manifest is the private list of the files of a dataset: what lets a
// site show later which bytes were sealed, one file at a time if it wishes
// (formats, section Manifest).
//
// A manifest names every file with its size and two digests:
//
//	trialnotary/manifest@v1
//	secret WNCsVM+0tDPtQIO85elCEK2iwpLJgAZA746SO2RTShk=
//	files 2
//	d69c916b…5e7daf c31cfe0c…df4e3 12 a.csv
//	83df961a…7abbeec 78f26027…30e698 13 lab/b.csv
//	content csv/v1 9cab8107…315cb a.csv
//
// From each file and the secret follows a [Leaf], salted so that the leaf's
// hash tells nothing about a file one does not hold. The dataset root, which a
// statement carries, is the RFC 6962 tree head over the leaves in path order.
// An [Opening] hands out some leaves with their inclusion proofs: it shows those
// files and hides all others. Without the manifest the data cannot be checked;
// with the secret destroyed the leaves' hashes are random-looking numbers.
//
// Everything is canonical: the same files under the same secret have one
// manifest, and parse followed by format gives the same bytes or it is an error.
package manifest

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"trialnotary/notary/text"
)

// Version is the first line of a manifest.
const Version = "trialnotary/manifest@v1"

// MaxSize is the size in bytes of the largest manifest read: room for some four
// million files with paths of 50 bytes.
const MaxSize = 1 << 30

// The shortest line of a file: two digests, a size of one digit, a path of one byte.
const minLine = 64 + 1 + 128 + 1 + 1 + 1 + 1 + 1

// File is one file of a dataset.
type File struct {
	Path   string // see [CheckPath]
	Size   uint64 // bytes
	SHA256 [32]byte
	SHA512 [64]byte
	// Content is nil where the manifest has no content line for the path.
	Content *Content
}

// Content is a digest of what a file says, whatever its bytes: the profile names
// how it is computed.
type Content struct {
	Profile string // [a-z0-9][a-z0-9._/-]{0,63}: see package content
	SHA256  [32]byte
}

// Manifest lists the files of a dataset in path order. Whoever holds Secret can
// test guesses about files not shown to them: a manifest is private.
type Manifest struct {
	Secret [32]byte
	Files  []File // at least one, paths strictly increasing by bytes
}

// New returns the manifest of files under a fresh secret. It normalises and
// sorts the paths (see [Normalize]); files is not kept.
func New(files []File) (*Manifest, error) {
	m := &Manifest{Files: slices.Clone(files)}
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	paths, err := Normalize(paths)
	if err != nil {
		return nil, err
	}
	for i, p := range paths {
		m.Files[i].Path = p
	}
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	if err := m.check(); err != nil {
		return nil, err
	}
	rand.Read(m.Secret[:]) // never fails: crypto/rand
	return m, nil
}

// Parse parses a manifest of at most [MaxSize] bytes. Errors wrap
// [text.ErrFormat] and name the line.
func Parse(b []byte) (*Manifest, error) {
	if len(b) > MaxSize {
		return nil, fmt.Errorf("manifest: %d bytes, at most %d are allowed: %w", len(b), MaxSize, text.ErrFormat)
	}
	r := text.NewReader(b)
	r.Exact(Version)
	m := &Manifest{Secret: r.Hash("secret")}
	n := r.Uint("files")
	switch {
	case r.Err() != nil:
	case n == 0:
		r.Fail("names no file")
	case n > uint64(len(b)/minLine): // also keeps a lying count from allocating memory
		r.Fail("announces %d files, for which the manifest is too short", n)
	default:
		m.Files = make([]File, 0, n)
	}
	var total uint64
	for i := uint64(0); i < n && r.Err() == nil; i++ {
		f := readFile(r)
		var carry uint64
		if total, carry = bits.Add64(total, f.Size, 0); carry != 0 {
			r.Fail("brings the sum of all sizes above 64 bits")
		}
		if i > 0 && r.Err() == nil && m.Files[i-1].Path >= f.Path {
			r.Fail("has path %q, which is not after the path before it, %q", clip(f.Path), clip(m.Files[i-1].Path))
		}
		m.Files = append(m.Files, f)
	}
	for next := 0; r.Has("content"); {
		next = m.readContent(r, next)
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if !bytes.Equal(m.append(make([]byte, 0, len(b))), b) {
		return nil, fmt.Errorf("manifest: %w", text.ErrFormat)
	}
	return m, nil
}

func readFile(r *text.Reader) (f File) {
	field := strings.SplitN(r.Line(), " ", 4)
	if r.Err() != nil {
		return f
	}
	if len(field) != 4 {
		r.Fail("is not a file: want SHA-256, SHA-512, size and path")
		return f
	}
	f.SHA256 = parseHex32(r, field[0])
	f.SHA512 = parseHex64(r, field[1])
	f.Size = r.ParseUint(field[2])
	if why := pathFault(field[3]); why != "" {
		r.Fail("has path %q, which %s", clip(field[3]), why)
	}
	f.Path = strings.Clone(field[3]) // lets go of the whole text
	return f
}

// readContent reads one content line, whose path is not before file next, and
// returns the number of the file after it.
func (m *Manifest) readContent(r *text.Reader, next int) int {
	field := strings.SplitN(r.Value("content"), " ", 3)
	if r.Err() != nil {
		return next
	}
	if len(field) != 3 {
		r.Fail("is not a content line: want profile, SHA-256 and path")
		return next
	}
	if !validProfile(field[0]) {
		r.Fail("has profile %q, want [a-z0-9][a-z0-9._/-]{0,63}", clip(field[0]))
	}
	c := &Content{Profile: strings.Clone(field[0]), SHA256: parseHex32(r, field[1])}
	i, ok := m.Find(field[2])
	switch {
	case r.Err() != nil:
	case !ok:
		r.Fail("is about %q, which is no file of this manifest", clip(field[2]))
	case m.Files[i].Content != nil:
		r.Fail("is a second content line for %q", field[2])
	case i < next:
		r.Fail("is about %q: content lines are not in path order", field[2])
	default:
		m.Files[i].Content = c
		return i + 1
	}
	return next
}

// Bytes returns the manifest's text, or an error when it breaks a rule.
func (m *Manifest) Bytes() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	return m.append(nil), nil
}

// append appends the text; every rule must hold.
func (m *Manifest) append(b []byte) []byte {
	b = append(b, Version+"\nsecret "+text.Base64(m.Secret[:])+"\nfiles "...)
	b = strconv.AppendInt(b, int64(len(m.Files)), 10)
	b = append(b, '\n')
	for i := range m.Files {
		f := &m.Files[i]
		b = append(hex.AppendEncode(b, f.SHA256[:]), ' ')
		b = append(hex.AppendEncode(b, f.SHA512[:]), ' ')
		b = append(strconv.AppendUint(b, f.Size, 10), ' ')
		b = append(append(b, f.Path...), '\n')
	}
	for i := range m.Files {
		if f := &m.Files[i]; f.Content != nil {
			b = append(append(append(b, "content "...), f.Content.Profile...), ' ')
			b = append(hex.AppendEncode(b, f.Content.SHA256[:]), ' ')
			b = append(append(b, f.Path...), '\n')
		}
	}
	return b
}

func (m *Manifest) check() error {
	if len(m.Files) == 0 {
		return fmt.Errorf("manifest: names no file: %w", text.ErrFormat)
	}
	var total uint64
	for i := range m.Files {
		f := &m.Files[i]
		if err := f.check(); err != nil {
			return fmt.Errorf("manifest: %w", err)
		}
		if i > 0 && m.Files[i-1].Path >= f.Path {
			return fmt.Errorf("manifest: path %q is not after %q: %w", clip(f.Path), clip(m.Files[i-1].Path), text.ErrFormat)
		}
		var carry uint64
		if total, carry = bits.Add64(total, f.Size, 0); carry != 0 {
			return fmt.Errorf("manifest: the sum of all sizes is above 64 bits: %w", text.ErrFormat)
		}
	}
	return nil
}

func (f *File) check() error {
	if err := CheckPath(f.Path); err != nil {
		return err
	}
	if f.Content != nil && !validProfile(f.Content.Profile) {
		return fmt.Errorf("path %q: content profile %q, want [a-z0-9][a-z0-9._/-]{0,63}: %w", clip(f.Path), clip(f.Content.Profile), text.ErrFormat)
	}
	return nil
}

// Total returns the sum of all sizes in bytes.
func (m *Manifest) Total() (n uint64) {
	for i := range m.Files {
		n += m.Files[i].Size
	}
	return n
}

// Find returns the number of the file with that path.
func (m *Manifest) Find(path string) (int, bool) {
	return slices.BinarySearchFunc(m.Files, path, func(f File, p string) int { return strings.Compare(f.Path, p) })
}

// clip keeps what is quoted in an error short: files come from outside.
func clip(s string) string {
	if len(s) > 120 {
		return strings.ToValidUTF8(s[:120], "") + "…"
	}
	return s
}

func validProfile(s string) bool {
	for i := range len(s) {
		c := s[i]
		alnum := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alnum && (i == 0 || c != '.' && c != '_' && c != '/' && c != '-') {
			return false
		}
	}
	return 1 <= len(s) && len(s) <= 64
}

// parseHex64 parses 128 lowercase hex digits as a field of the line read last.
func parseHex64(r *text.Reader, s string) (h [64]byte) {
	if len(s) != 128 {
		r.Fail("has a SHA-512 of %d characters, want 128 lowercase hex digits", len(s))
		return h
	}
	left, right := r.ParseHex(s[:64]), r.ParseHex(s[64:])
	copy(h[:32], left[:])
	copy(h[32:], right[:])
	return h
}

// parseHex32 parses 64 lowercase hex digits as a field of the line read last.
// The length is tested first: fields come from outside and may have any.
func parseHex32(r *text.Reader, s string) [32]byte {
	if len(s) != 64 {
		r.Fail("has a SHA-256 of %d characters, want 64 lowercase hex digits", len(s))
		return [32]byte{}
	}
	return r.ParseHex(s)
}

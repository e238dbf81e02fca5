package text

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/tools/txtar"
)

// Part is one file of an [Archive]: a name without blanks and data that is
// empty or ends with a line feed.
type Part struct {
	Name string
	Data []byte
}

// Archive is a txtar container whose comment is one version line. What the
// parts are and in which order is the format's own rule.
type Archive struct {
	Version string
	Parts   []Part
}

// Bytes returns the archive. It fails if a part could not be read back: a line
// of its data looks like a marker, or it does not end with a line feed.
func (a Archive) Bytes() ([]byte, error) {
	ar := txtar.Archive{Comment: []byte(a.Version + "\n")}
	for _, p := range a.Parts {
		ar.Files = append(ar.Files, txtar.File{Name: p.Name, Data: p.Data})
	}
	b := txtar.Format(&ar)
	back, err := ParseArchive(b, a.Version, 0)
	if err != nil {
		return nil, err
	}
	if len(back.Parts) != len(a.Parts) {
		return nil, fmt.Errorf("a part holds a line that starts a part: %w", ErrFormat)
	}
	for i, p := range back.Parts {
		if p.Name != a.Parts[i].Name || !bytes.Equal(p.Data, a.Parts[i].Data) {
			return nil, fmt.Errorf("part %q cannot be stored: %w", a.Parts[i].Name, ErrFormat)
		}
	}
	return b, nil
}

// ParseArchive parses a canonical archive of at most limit bytes (0: no limit)
// with that version line. The parts' data alias b.
func ParseArchive(b []byte, version string, limit int) (Archive, error) {
	if limit > 0 && len(b) > limit {
		return Archive{}, fmt.Errorf("%d bytes, at most %d are allowed: %w", len(b), limit, ErrFormat)
	}
	first, _, _ := bytes.Cut(b, []byte("\n"))
	if string(first) != version {
		return Archive{}, fmt.Errorf("line 1 is %q, want %q: %w", clip(string(first)), version, ErrFormat)
	}
	if i := IndexForbidden(string(b), true); i >= 0 {
		n := bytes.Count(b[:i], []byte("\n")) + 1
		return Archive{}, fmt.Errorf("line %d %s: %w", n, describeForbidden(string(b[i:])), ErrFormat)
	}
	ar := txtar.Parse(b)
	if string(ar.Comment) != version+"\n" {
		return Archive{}, fmt.Errorf("line 2 is not the start of a part: %w", ErrFormat)
	}
	a := Archive{Version: version}
	seen := make(map[string]bool, len(ar.Files))
	for _, f := range ar.Files {
		switch {
		case seen[f.Name]:
			return Archive{}, fmt.Errorf("part %q stands twice: %w", clip(f.Name), ErrFormat)
		case f.Name == "" || strings.ContainsAny(f.Name, " \t"):
			return Archive{}, fmt.Errorf("part name %q has blanks: %w", clip(f.Name), ErrFormat)
		}
		seen[f.Name] = true
		a.Parts = append(a.Parts, Part{f.Name, f.Data})
	}
	if !bytes.Equal(txtar.Format(ar), b) {
		return Archive{}, fmt.Errorf("the container is not written canonically: %w", ErrFormat)
	}
	return a, nil
}

// Outer undoes what mail and editors do to a file that travels: a leading byte
// order mark and CR LF line ends. It reports what it undid, in words, or "".
func Outer(b []byte) ([]byte, string) {
	var undone []string
	if c, ok := bytes.CutPrefix(b, []byte("\ufeff")); ok {
		b = c
		undone = append(undone, "a byte order mark")
	}
	if bytes.Contains(b, []byte("\r\n")) {
		b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
		undone = append(undone, "CR LF line ends")
	}
	return b, strings.Join(undone, " and ")
}

package inventory

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	crateFile    = "ro-crate-metadata.json"
	oldCrateFile = "ro-crate-metadata.jsonld" // RO-Crate 1.0
	previewFile  = "ro-crate-preview.html"
	previewDir   = "ro-crate-preview_files/"
)

// entity is one of a crate's graph, as far as it matters here.
type entity struct {
	ID     string          `json:"@id"`
	Type   words           `json:"@type"`
	SHA256 json.RawMessage `json:"sha256"`
	SHA512 json.RawMessage `json:"sha512"`
	Size   json.RawMessage `json:"contentSize"`
}

// words is a JSON string or an array of them.
type words []string

func (w *words) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*w = words{one}
		return nil
	}
	var all []string
	err := json.Unmarshal(b, &all)
	*w = all
	return err
}

// ReadCrate reads the metadata of an RO-Crate: its File entities with sha256,
// sha512 and contentSize where they stand. A Dataset entity other than the root
// stands for all files below it. Entities on the web are not part of the dataset.
func ReadCrate(dir fs.FS) (*List, error) {
	name := crateFile
	if !isFile(dir, name) {
		name = oldCrateFile
	}
	b, err := readFile(dir, name)
	if err != nil {
		return nil, err
	}
	fail := func(format string, a ...any) error {
		return fmt.Errorf("%s: %w: %w", name, fmt.Errorf(format, a...), ErrList)
	}
	var crate struct {
		Graph []entity `json:"@graph"`
	}
	if err := json.Unmarshal(b, &crate); err != nil {
		return nil, fail("it is not the JSON of a crate: %w", err)
	}
	l := &List{Form: Crate, Title: "an RO-Crate", exact: true, folders: map[string]bool{}}
	r := &reading{entries: map[string]*Entry{}, from: name}
	seen := map[string]bool{}
	described, web := false, 0
	for _, e := range crate.Graph {
		if seen[e.ID] {
			return nil, fail("the entity %q stands twice", clip(e.ID))
		}
		seen[e.ID] = true
		described = described || e.ID == name || e.ID == "./"+name
		file, folder := slices.Contains(e.Type, "File"), slices.Contains(e.Type, "Dataset")
		if e.ID == "" || !file && !folder || strings.HasPrefix(e.ID, "#") {
			continue
		}
		path, remote, err := localPath(e.ID)
		switch {
		case err != nil:
			return nil, fail("%w", err)
		case remote:
			web++
		case file:
			if err := r.addEntity(path, e); err != nil {
				return nil, fail("%w", err)
			}
		case path != "" && path != ".":
			p, err := clean(strings.TrimSuffix(path, "/"))
			if err != nil {
				return nil, fail("%w", err)
			}
			l.folders[p+"/"] = true
		}
	}
	if !described {
		return nil, fail("it does not describe itself, as the metadata of a crate does")
	}
	if l.Files = r.sorted(); len(l.Files) == 0 && len(l.folders) == 0 {
		return nil, fail("it lists no file that lies here")
	}
	if web > 0 {
		l.Notes = append(l.Notes, fmt.Sprintf("%d listed as on the web: nothing was fetched, and they are not part of this", web))
	}
	l.allowed = func(p string) bool {
		for f := range ancestors(p) {
			if l.folders[f] || f == previewDir {
				return true
			}
		}
		return p == crateFile || p == oldCrateFile || p == previewFile
	}
	return l, nil
}

// localPath returns the path that an @id names, or that it lies on the web.
func localPath(id string) (path string, remote bool, err error) {
	u, err := url.Parse(id)
	switch {
	case err != nil:
		return "", false, fmt.Errorf("the entity %q has no @id that can be read", clip(id))
	case u.Scheme != "" && u.Scheme != "file" || u.Scheme == "" && u.Host != "":
		return "", true, nil
	case u.Scheme == "file" || strings.HasPrefix(u.Path, "/"):
		return "", false, fmt.Errorf("the entity %q lies outside the crate", clip(id))
	case u.RawQuery != "" || u.Fragment != "":
		return "", false, fmt.Errorf("the entity %q is no path of a file", clip(id))
	}
	for strings.HasPrefix(u.Path, "./") {
		u.Path = u.Path[2:]
	}
	return u.Path, false, nil
}

func (r *reading) addEntity(path string, e entity) error {
	var all []Digest
	for a, raw := range map[Algorithm]json.RawMessage{SHA256: e.SHA256, SHA512: e.SHA512} {
		if len(raw) == 0 || string(raw) == "null" {
			continue
		}
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return fmt.Errorf("%s of %q is no text", a, clip(e.ID))
		}
		d, err := digest(a, s)
		if err != nil {
			return fmt.Errorf("%q: %w", clip(e.ID), err)
		}
		all = append(all, d)
	}
	size, err := contentSize(e.Size)
	if err != nil {
		return fmt.Errorf("%q: %w", clip(e.ID), err)
	}
	path, err = clean(path)
	if err != nil {
		return err
	}
	if r.entries[path] != nil {
		return fmt.Errorf("%q is listed a second time", clip(path))
	}
	return r.add(path, size, all...)
}

// contentSize parses a number of bytes; a size in other words ("3 MB") says nothing
// exact and is passed over.
func contentSize(raw json.RawMessage) (int64, error) {
	var s string
	if len(raw) == 0 || string(raw) == "null" {
		return -1, nil
	}
	if json.Unmarshal(raw, &s) != nil {
		s = string(raw)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return -1, nil
	case err != nil || n < 0:
		return 0, fmt.Errorf("its contentSize %s is no size", clip(string(raw)))
	}
	return n, nil
}

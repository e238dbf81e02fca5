package inventory

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const declaration = "bagit.txt"

var (
	bagManifest    = regexp.MustCompile(`^manifest-([a-z0-9]+)\.txt$`)
	bagTagManifest = regexp.MustCompile(`^tagmanifest-([a-z0-9]+)\.txt$`)
)

// oxum is a bag's Payload-Oxum: the octets and the number of its payload's files.
type oxum struct{ bytes, files uint64 }

func (o *oxum) against(here map[string]uint64) []Difference {
	if o == nil {
		return nil
	}
	var is oxum
	for path, size := range here {
		if strings.HasPrefix(path, "data/") {
			is.bytes, is.files = is.bytes+size, is.files+1
		}
	}
	if is == *o {
		return nil
	}
	return []Difference{{"data/", fmt.Sprintf("holds %d bytes in %d files, bag-info.txt says %d in %d (Payload-Oxum)", is.bytes, is.files, o.bytes, o.files)}}
}

// ReadBag reads the lists of a bag (RFC 8493, and the versions before it): every
// payload manifest and tag manifest of a known algorithm, Payload-Oxum and
// fetch.txt.
func ReadBag(dir fs.FS) (*List, error) {
	version, err := readDeclaration(dir)
	if err != nil {
		return nil, err
	}
	l := &List{Form: Bag, Title: "a BagIt " + version + " bag", exact: true, remote: map[string]bool{}}
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, fmt.Errorf("the bag cannot be listed: %w", err)
	}
	r := &reading{entries: map[string]*Entry{}}
	var payload, unknown []string
	for _, e := range entries {
		m, tag := bagManifest.FindStringSubmatch(e.Name()), false
		if m == nil {
			if m, tag = bagTagManifest.FindStringSubmatch(e.Name()), true; m == nil {
				continue
			}
		}
		a := Algorithm(m[1])
		if a.size() == 0 {
			unknown = append(unknown, e.Name())
			continue
		}
		if !tag {
			payload = append(payload, e.Name())
		}
		if err := r.readManifest(dir, e.Name(), a, tag, version); err != nil {
			return nil, err
		}
	}
	if len(payload) == 0 {
		return nil, fmt.Errorf("the bag has no payload manifest of md5, sha1, sha256 or sha512: %w", ErrList)
	}
	for _, u := range unknown {
		l.Notes = append(l.Notes, u+" was not read: its algorithm is not known here")
	}
	l.Files = r.sorted()
	if version == "1.0" {
		if err := sameFiles(l.Files, payload); err != nil {
			return nil, err
		}
	}
	l.allowed = func(p string) bool { return !strings.HasPrefix(p, "data/") } // tag files need not be listed
	if isFile(dir, "fetch.txt") {
		if err := l.readFetch(dir); err != nil {
			return nil, err
		}
	}
	return l, l.readOxum(dir)
}

// readDeclaration reads bagit.txt (section 2.1.1) and returns the version.
func readDeclaration(dir fs.FS) (string, error) {
	b, err := readFile(dir, declaration)
	if err != nil {
		return "", err
	}
	tags := map[string]string{}
	for _, line := range tagLines(b) {
		if key, value, ok := strings.Cut(line, ":"); ok {
			tags[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	version := tags["BagIt-Version"]
	if !slices.Contains([]string{"0.93", "0.94", "0.95", "0.96", "0.97", "1.0"}, version) {
		return "", fmt.Errorf("bagit.txt names the version %q; 0.93 to 1.0 are known: %w", clip(version), ErrList)
	}
	if e := tags["Tag-File-Character-Encoding"]; !strings.EqualFold(e, "UTF-8") {
		return "", fmt.Errorf("bagit.txt names the encoding %q; only UTF-8 is read: %w", clip(e), ErrList)
	}
	return version, nil
}

// readManifest reads a payload or tag manifest (sections 2.1.3 and 2.2.1).
func (r *reading) readManifest(dir fs.FS, name string, a Algorithm, tag bool, version string) error {
	b, err := readFile(dir, name)
	if err != nil {
		return err
	}
	r.from, r.line = name, 0
	for _, line := range tagLines(b) {
		if r.line++; strings.TrimSpace(line) == "" {
			continue
		}
		i := strings.IndexAny(line, " \t")
		if i < 0 {
			return r.fail("%q is no checksum and path", clip(line))
		}
		p := strings.TrimLeft(line[i:], " \t")
		p = strings.TrimPrefix(strings.TrimPrefix(p, "*"), "./") // as md5sum and find write them
		p = decodePath(p, version)
		d, err := digest(a, line[:i])
		switch inside := strings.HasPrefix(p, "data/"); {
		case err != nil:
			return r.fail("%w", err)
		case !tag && !inside:
			return r.fail("%q is not below data/", clip(p))
		case tag && (inside || bagTagManifest.MatchString(p)):
			return r.fail("%q is no tag file that a tag manifest may list", clip(p))
		}
		if err := r.add(p, -1, d); err != nil {
			return err
		}
	}
	return nil
}

// decodePath undoes the encoding of line ends and, since 1.0, of percent signs.
func decodePath(p, version string) string {
	codes := []string{"%0A", "\n", "%0a", "\n", "%0D", "\r", "%0d", "\r"}
	if version == "1.0" {
		codes = append(codes, "%25", "%")
	}
	return strings.NewReplacer(codes...).Replace(p)
}

// sameFiles refuses a payload file that one manifest lists and another does not
// (section 2.1.3, since 1.0).
func sameFiles(files []Entry, manifests []string) error {
	for _, e := range files {
		if !strings.HasPrefix(e.Path, "data/") {
			continue
		}
		for _, m := range manifests {
			if !slices.ContainsFunc(e.Digests, func(d Digest) bool { return d.From == m }) {
				return fmt.Errorf("%s does not list %q, which another manifest of the bag does: %w", m, clip(e.Path), ErrList)
			}
		}
	}
	return nil
}

// readFetch reads fetch.txt (section 2.2.3). Nothing is fetched.
func (l *List) readFetch(dir fs.FS) error {
	b, err := readFile(dir, "fetch.txt")
	if err != nil {
		return err
	}
	r := &reading{from: "fetch.txt"}
	for _, line := range tagLines(b) {
		if r.line++; strings.TrimSpace(line) == "" {
			continue
		}
		f := strings.Fields(line)
		if len(f) < 3 {
			return r.fail("%q is no address, length and path", clip(line))
		}
		_, after, _ := strings.Cut(strings.TrimLeft(line, " \t"), f[0])
		_, after, _ = strings.Cut(after, f[1])
		p, err := clean(decodePath(strings.TrimLeft(after, " \t"), "1.0"))
		if err != nil {
			return r.fail("%w", err)
		}
		i, ok := l.Find(p)
		if !ok || !strings.HasPrefix(p, "data/") {
			return r.fail("%q is in no payload manifest", clip(p))
		}
		l.remote[p] = true
		if f[1] != "-" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil || n < 0 {
				return r.fail("%q is no length", clip(f[1]))
			}
			l.Files[i].Size = n
		}
	}
	return nil
}

// readOxum reads Payload-Oxum out of bag-info.txt (section 2.2.2), if it is there.
func (l *List) readOxum(dir fs.FS) error {
	const name = "bag-info.txt"
	if !isFile(dir, name) {
		return nil
	}
	b, err := readFile(dir, name)
	if err != nil {
		return err
	}
	for i, line := range tagLines(b) {
		key, value, ok := strings.Cut(line, ":")
		if !ok || !strings.EqualFold(strings.TrimSpace(key), "Payload-Oxum") {
			continue
		}
		r := &reading{from: name, line: i + 1}
		left, right, _ := strings.Cut(strings.TrimSpace(value), ".")
		bytes, err1 := strconv.ParseUint(left, 10, 64)
		files, err2 := strconv.ParseUint(right, 10, 64)
		if err1 != nil || err2 != nil {
			return r.fail("%q is no Payload-Oxum: bytes, a full stop, files", clip(value))
		}
		if l.oxum != nil {
			return r.fail("is a second Payload-Oxum")
		}
		l.oxum = &oxum{bytes, files}
	}
	return nil
}

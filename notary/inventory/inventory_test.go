package inventory

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"trialnotary/notary/manifest"
)

// dir makes a directory of files.
func dir(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, data := range files {
		m[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return m
}

func sum(a Algorithm, s string) string {
	switch a {
	case MD5:
		h := md5.Sum([]byte(s))
		return hex.EncodeToString(h[:])
	case SHA1:
		h := sha1.Sum([]byte(s))
		return hex.EncodeToString(h[:])
	case SHA256:
		h := sha256.Sum256([]byte(s))
		return hex.EncodeToString(h[:])
	}
	h := sha512.Sum512([]byte(s))
	return hex.EncodeToString(h[:])
}

// check compares a directory with its list, in every step, and returns all that
// differs.
func check(t *testing.T, l *List, here fstest.MapFS) []string {
	t.Helper()
	sizes := map[string]uint64{}
	var read []manifest.File
	for _, name := range slices.Sorted(maps.Keys(here)) {
		if l.Leaves(name) {
			continue
		}
		b := here[name].Data
		sizes[name] = uint64(len(b))
		read = append(read, manifest.File{Path: name, Size: uint64(len(b)), SHA256: sha256.Sum256(b), SHA512: sha512.Sum512(b)})
	}
	all := l.Against(sizes)
	if len(all) == 0 {
		_, weak, err := l.ReadWeak(context.Background(), func(p string) (io.ReadCloser, error) { return here.Open(p) })
		if err != nil {
			t.Fatal(err)
		}
		_, strong := l.Differ(read)
		all = append(weak, strong...)
	}
	var words []string
	for _, d := range all {
		words = append(words, d.String())
	}
	return words
}

const declared = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

// bag is a bag of two files with every part a bag may have.
func bag() map[string]string {
	files := map[string]string{
		"bagit.txt":       declared,
		"bag-info.txt":    "Source-Organization: Site 042\nExternal-Description: two\n lines\nPayload-Oxum: 5.2\n",
		"data/a.csv":      "a,b\n",
		"data/lab/b.csv":  "c",
		"notes/about.txt": "need not be listed",
	}
	for _, a := range []Algorithm{MD5, SHA1, SHA256, SHA512} {
		files["manifest-"+string(a)+".txt"] = sum(a, "a,b\n") + "  data/a.csv\n" + strings.ToUpper(sum(a, "c")) + " *./data/lab/b.csv\n"
	}
	files["tagmanifest-sha256.txt"] = sum(SHA256, declared) + "\tbagit.txt\n"
	return files
}

func TestBagIsChecked(t *testing.T) {
	good := dir(bag())
	l, err := ReadBag(good)
	if err != nil {
		t.Fatal(err)
	}
	if l.Title != "a BagIt 1.0 bag" || len(l.Files) != 3 {
		t.Errorf("%+v", l)
	}
	if got := check(t, l, good); len(got) > 0 {
		t.Errorf("a good bag: %q", got)
	}
	for _, c := range []struct {
		what   string
		change func(map[string]string)
		want   string
	}{
		{"another byte", func(f map[string]string) { f["data/a.csv"] = "a,c\n" }, "data/a.csv has other bytes than manifest-sha256.txt says"},
		{"one digest of two", func(f map[string]string) {
			f["manifest-sha512.txt"] = strings.Replace(f["manifest-sha512.txt"], sum(SHA512, "a,b\n"), sum(SHA512, "x"), 1)
		}, "manifest-sha512.txt says"},
		{"missing", func(f map[string]string) { delete(f, "data/a.csv") }, "data/a.csv is listed and not here"},
		{"extra", func(f map[string]string) { f["data/c.csv"] = "" }, "data/c.csv is here and not listed"},
		{"a tag file", func(f map[string]string) { f["bagit.txt"] = declared + "\n" }, "bagit.txt has other bytes than tagmanifest-sha256.txt says"},
		{"a tag file gone", func(f map[string]string) {
			f["tagmanifest-sha256.txt"] += sum(SHA256, "x") + "  gone.txt\n"
		}, "gone.txt is listed and not here"},
		{"oxum", func(f map[string]string) {
			f["bag-info.txt"] = strings.Replace(f["bag-info.txt"], "5.2", "6.2", 1)
		}, "holds 5 bytes in 2 files, bag-info.txt says 6 in 2"},
		{"to be fetched", func(f map[string]string) {
			delete(f, "data/a.csv")
			f["fetch.txt"] = "https://evil.example/a.csv - data/a.csv\n"
			delete(f, "bag-info.txt")
		}, "data/a.csv is still to be fetched"},
		{"fetched, of another length", func(f map[string]string) {
			f["fetch.txt"] = "https://evil.example/a.csv 17 data/a.csv\n"
		}, "data/a.csv has 4 bytes, 17 are listed"},
	} {
		files := bag()
		c.change(files)
		d := dir(files)
		l, err := ReadBag(d)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
		} else if got := check(t, l, d); !strings.Contains(strings.Join(got, "\n"), c.want) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// Where there is nothing better, MD5 and SHA-1 are read.
func TestWeakDigestsAreReadWhereThereIsNoOther(t *testing.T) {
	for _, a := range []Algorithm{MD5, SHA1} {
		files := map[string]string{"bagit.txt": strings.Replace(declared, "1.0", "0.97", 1), "data/a": "a", "manifest-" + string(a) + ".txt": sum(a, "a") + " data/a\n"}
		l, err := ReadBag(dir(files))
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		if got := check(t, l, dir(files)); len(got) > 0 {
			t.Errorf("%s: %q", a, got)
		}
		files["data/a"] = "b"
		if got := check(t, l, dir(files)); len(got) != 1 || !strings.Contains(got[0], string(a)) {
			t.Errorf("%s of other bytes: %q", a, got)
		}
	}
}

func TestBagsThatCannotBeReliedOn(t *testing.T) {
	line := func(p string) func(map[string]string) {
		return func(f map[string]string) { f["manifest-sha256.txt"] += sum(SHA256, "x") + "  " + p + "\n" }
	}
	for _, c := range []struct {
		what   string
		change func(map[string]string)
		want   string
	}{
		{"no version", func(f map[string]string) { f["bagit.txt"] = "x" }, "names the version"},
		{"of the future", func(f map[string]string) { f["bagit.txt"] = strings.Replace(declared, "1.0", "2.0", 1) }, `"2.0"`},
		{"another encoding", func(f map[string]string) { f["bagit.txt"] = strings.Replace(declared, "UTF-8", "UTF-16", 1) }, "only UTF-8"},
		{"no manifest", func(f map[string]string) {
			maps.DeleteFunc(f, func(n, _ string) bool { return strings.HasPrefix(n, "manifest-") })
		}, "no payload manifest"},
		{"upwards", line("data/../../etc/passwd"), `segment ".."`},
		{"absolute", line("/etc/passwd"), "not below data/"},
		{"a home", line("~root/x"), "not below data/"},
		{"outside data", line("bagit.txt"), "not below data/"},
		{"backslash", line(`data\a.csv`), "not below data/"},
		{"backslash within", line(`data/lab\b.csv`), "backslash"},
		{"line end within", line("data/x%0Ay"), "control"},
		{"twice", line("data/a.csv"), "a second time"},
		{"only in one manifest", line("data/z.csv"), "does not list"},
		{"half a digest", func(f map[string]string) { f["manifest-sha256.txt"] += "abcd  data/x\n" }, "is no sha256"},
		{"no path", func(f map[string]string) { f["manifest-sha256.txt"] += "abcd\n" }, "line 3"},
		{"tag manifest of the payload", func(f map[string]string) { f["tagmanifest-sha256.txt"] += sum(SHA256, "c") + " data/a.csv\n" }, "no tag file"},
		{"fetch of a stranger", func(f map[string]string) { f["fetch.txt"] = "https://x.example/ 3 data/stranger\n" }, "in no payload manifest"},
		{"fetch of no length", func(f map[string]string) { f["fetch.txt"] = "https://x.example/ three data/a.csv\n" }, "no length"},
		{"half an oxum", func(f map[string]string) { f["bag-info.txt"] = "Payload-Oxum: 5\n" }, "no Payload-Oxum"},
		{"two oxums", func(f map[string]string) { f["bag-info.txt"] += "payload-oxum: 6.2\n" }, "second Payload-Oxum"},
	} {
		files := bag()
		c.change(files)
		if _, err := ReadBag(dir(files)); !errors.Is(err, ErrList) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
	files := bag()
	files["manifest-blake3.txt"] = "anything"
	if l, err := ReadBag(dir(files)); err != nil || len(l.Notes) != 1 {
		t.Errorf("an unknown algorithm besides: %v", err)
	}
}

// The percent sign is encoded since 1.0, and stood for itself before.
func TestPercentInBagPaths(t *testing.T) {
	for version, name := range map[string]string{"1.0": "data/100%.csv", "0.97": "data/100%25.csv"} {
		files := map[string]string{"bagit.txt": strings.Replace(declared, "1.0", version, 1), name: "a", "manifest-sha256.txt": sum(SHA256, "a") + " data/100%25.csv\n"}
		l, err := ReadBag(dir(files))
		if err != nil {
			t.Fatal(err)
		}
		if got := check(t, l, dir(files)); len(got) > 0 {
			t.Errorf("%s: %q", version, got)
		}
	}
}

func TestSumsAreRead(t *testing.T) {
	a, b, c := sum(SHA256, "a"), sum(SHA256, "b"), sum(SHA512, "c")
	d := dir(map[string]string{
		"SUMS":  "# made by hand\r\n" + a + "  a.csv\r\n" + b + " *lab/b (1).csv\n\nSHA512 (lab/c) = 1) = " + c + "\n" + sum(SHA512, "a") + "  ./a.csv\n",
		"a.csv": "a", "lab/b (1).csv": "b", "lab/c) = 1": "c", "stranger": "", "lab/stranger": "",
	})
	l, err := ReadSums(d, "SUMS")
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Files) != 3 || len(l.Files[0].Digests) != 2 {
		t.Errorf("%+v", l.Files)
	}
	if got := check(t, l, d); len(got) > 0 {
		t.Errorf("%q", got)
	}
	if l.Leaves("lab") || !l.Leaves("la") || !l.Leaves("stranger") || l.Leaves("a.csv") {
		t.Error("what is left out is not what is not listed")
	}
	d["lab/b (1).csv"].Data = []byte("x")
	delete(d, "a.csv")
	if got := check(t, l, d); !slices.Equal(got, []string{"a.csv is listed and not here"}) {
		t.Errorf("%q", got)
	}
	d["a.csv"] = &fstest.MapFile{Data: []byte("a")}
	if got := check(t, l, d); len(got) != 1 || !strings.Contains(got[0], "lab/b (1).csv has other bytes than SUMS says (sha256)") {
		t.Errorf("%q", got)
	}
}

func TestSumsThatCannotBeReliedOn(t *testing.T) {
	a := sum(SHA256, "a")
	for text, want := range map[string]string{
		"":                             "lists no file",
		"# nothing\n":                  "lists no file",
		"hello\n":                      "line 1",
		a + " a\n":                     "line 1",
		a + "\n":                       "line 1",
		"zz" + a[2:] + "  a\n":         "no sha256",
		sum(MD5, "a") + "  a\n":        "make the list with sha256sum",
		"MD5 (a) = 00\n":               "make the list with sha256sum",
		"SHA256 (a) = 00\n":            "no sha256",
		a + "  a\n" + a + "  ./a\n":    "a second time",
		a + "  ../a\n":                 `segment ".."`,
		a + "  /etc/passwd\n":          "not relative",
		a + "  ~/x\n":                  "home directory",
		a + `  a\b` + "\n":             "backslash",
		`\` + a + `  a\\b` + "\n":      "backslash",
		`\` + a + `  a\nb` + "\n":      "control",
		`\` + a + `  a\x` + "\n":       "escape",
		`\` + a + `  a\` + "\n":        "escape",
		`\SHA256 (a\tb) = ` + a + "\n": "escape",
		a + "  a\u202eb\n":             "bidirectional",
		a + "  a//b\n":                 `segment ""`,
	} {
		if _, err := ReadSums(dir(map[string]string{"S": text}), "S"); !errors.Is(err, ErrList) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if LooksLikeSums([]byte("subject,visit\n")) || !LooksLikeSums([]byte("\ufeff# x\r\n\r\n"+a+"  a\r\n")) || LooksLikeSums(nil) {
		t.Error("a list is known by its first line")
	}
}

// crate is an RO-Crate as of version 1.1 with what this package looks at.
func crate(entities ...string) map[string]string {
	return map[string]string{
		"ro-crate-metadata.json": `{"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [
{"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"}},
{"@id": "./", "@type": "Dataset", "hasPart": []},
` + strings.Join(entities, ",\n") + "]}",
		"ro-crate-preview.html": "<p>", "ro-crate-preview_files/a.css": "",
		"dm with blank.csv": "a", "lab/b.csv": "b", "lab/deep/c.csv": "c",
	}
}

var crateFiles = []string{
	fmt.Sprintf(`{"@id": "./dm%%20with%%20blank.csv", "@type": ["File", "SoftwareSourceCode"], "sha256": %q, "contentSize": "1"}`, sum(SHA256, "a")),
	`{"@id": "lab/", "@type": "Dataset"}`,
	`{"@id": "lab/b.csv", "@type": "File", "contentSize": 1}`,
	`{"@id": "https://data.example/big.bin", "@type": "File"}`,
	`{"@id": "#jdoe", "@type": "Person", "name": "Jane Doe"}`,
}

func TestCrateIsChecked(t *testing.T) {
	d := dir(crate(crateFiles...))
	l, err := ReadCrate(d)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Files) != 2 || len(l.Notes) != 1 || l.Bare() != 1 {
		t.Errorf("%+v", l)
	}
	if got := check(t, l, d); len(got) > 0 {
		t.Errorf("%q", got)
	}
	for what, c := range map[string]struct {
		change func(fstest.MapFS)
		want   string
	}{
		"another byte": {func(d fstest.MapFS) { d["dm with blank.csv"].Data = []byte("x") }, "dm with blank.csv has other bytes"},
		"another size": {func(d fstest.MapFS) { d["lab/b.csv"].Data = []byte("xx") }, "lab/b.csv has 2 bytes, 1 are listed"},
		"missing":      {func(d fstest.MapFS) { delete(d, "lab/b.csv") }, "lab/b.csv is listed and not here"},
		"extra":        {func(d fstest.MapFS) { d["extra.csv"] = &fstest.MapFile{} }, "extra.csv is here and not listed"},
		"no folder":    {func(d fstest.MapFS) { delete(d, "lab/b.csv"); delete(d, "lab/deep/c.csv") }, "lab/ is listed and holds no file here"},
	} {
		d := dir(crate(crateFiles...))
		c.change(d)
		if got := check(t, l, d); !strings.Contains(strings.Join(got, "\n"), c.want) {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

func TestCratesThatCannotBeReliedOn(t *testing.T) {
	for entity, want := range map[string]string{
		`{"@id": "../a", "@type": "File"}`:                               `segment ".."`,
		`{"@id": "%2e%2e/a", "@type": "File"}`:                           `segment ".."`,
		`{"@id": "/etc/passwd", "@type": "File"}`:                        "outside the crate",
		`{"@id": "file:///etc/passwd", "@type": "File"}`:                 "outside the crate",
		`{"@id": "a?b", "@type": "File"}`:                                "no path",
		`{"@id": "a%0Ab", "@type": "File"}`:                              "control",
		`{"@id": "a", "@type": "File"}, {"@id": "./a", "@type": "File"}`: "a second time",
		`{"@id": "a", "@type": "File"}, {"@id": "a", "@type": "File"}`:   "stands twice",
		`{"@id": "a", "@type": "File", "sha256": "00"}`:                  "no sha256",
		`{"@id": "a", "@type": "File", "sha256": 1}`:                     "no text",
		`{"@id": "a", "@type": "File", "contentSize": -1}`:               "no size",
		`{"@id": "../", "@type": "Dataset"}`:                             `segment ".."`,
		`{"@id": "a", "@type": {"File": 1}}`:                             "not the JSON of a crate",
		`{"@id": "#x", "@type": "File"}`:                                 "no file that lies here",
	} {
		if _, err := ReadCrate(dir(crate(entity))); !errors.Is(err, ErrList) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entity, err, want)
		}
	}
	if _, err := ReadCrate(dir(map[string]string{crateFile: `{"@graph": [{"@id": "a", "@type": "File"}]}`})); !errors.Is(err, ErrList) {
		t.Errorf("a crate that does not describe itself: %v", err)
	}
	if l, err := ReadCrate(dir(crate(`{"@id": "a", "@type": "File", "contentSize": "3 MB"}`))); err != nil || l.Files[0].Size != -1 {
		t.Errorf("a size in words: %v", err)
	}
}

func TestDetect(t *testing.T) {
	both := bag()
	both["ro-crate-metadata.jsonld"] = "{}"
	for want, files := range map[string]map[string]string{
		"[bag ro-crate]": both, "[bag]": bag(), "[ro-crate]": crate(), "[]": {"data/bagit.txt": "", "manifest-md5.txt": ""},
	} {
		if got := fmt.Sprint(Detect(dir(files))); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func FuzzLists(f *testing.F) {
	f.Add([]byte(bag()["manifest-sha256.txt"]))
	f.Add([]byte("SHA256 (a) = " + sum(SHA256, "a") + "\n\\" + sum(SHA256, "b") + "  b\\\\\n"))
	f.Add([]byte(crate(crateFiles...)[crateFile]))
	f.Fuzz(func(t *testing.T, b []byte) {
		files := fstest.MapFS{"S": {Data: b}, crateFile: {Data: b}, "bagit.txt": {Data: []byte(declared)}, "manifest-sha256.txt": {Data: b}}
		lists := make([]*List, 0, 3)
		for _, read := range []func() (*List, error){
			func() (*List, error) { return ReadSums(files, "S") }, func() (*List, error) { return ReadBag(files) }, func() (*List, error) { return ReadCrate(files) },
		} {
			if l, err := read(); err == nil {
				lists = append(lists, l)
			} else if !errors.Is(err, ErrList) {
				t.Fatal(err)
			}
		}
		for _, l := range lists {
			for i, e := range l.Files {
				if manifest.CheckPath(e.Path) != nil || i > 0 && l.Files[i-1].Path >= e.Path {
					t.Fatalf("path %q", e.Path)
				}
			}
			if l.Form != Sums {
				continue
			}
			// What is written anew, in the one form, is read as the same.
			var out []byte
			for _, e := range l.Files {
				for _, d := range e.Digests {
					if d.Algorithm == SHA256 {
						out = AppendSum(out, [32]byte(d.Sum), e.Path)
					}
				}
			}
			if len(out) == 0 {
				continue
			}
			back, err := ReadSums(fstest.MapFS{"T": {Data: out}}, "T")
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, e := range back.Files {
				if i, ok := l.Find(e.Path); !ok || !slices.ContainsFunc(l.Files[i].Digests, func(d Digest) bool { return bytes.Equal(d.Sum, e.Digests[0].Sum) }) {
					t.Fatalf("%q is read as another", e.Path)
				}
			}
		}
	})
}

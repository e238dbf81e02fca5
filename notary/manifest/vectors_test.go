package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trialnotary/notary/text"
)

var update = flag.Bool("update", false, "write testdata/vectors")

const vectors = "testdata/vectors/"

// dataset is what a statement says of the dataset of a good vector.
type dataset struct {
	Root  string `json:"root"`
	Files uint64 `json:"files"`
	Bytes uint64 `json:"bytes"`
}

// verifyVector reads a vector as a verifier would that holds the statement.
func verifyVector(b []byte, d dataset) error {
	root, err := text.ParseHash(d.Root)
	if err != nil {
		return err
	}
	if bytes.HasPrefix(b, []byte("trialnotary/opening@")) {
		o, err := ParseOpening(b)
		if err != nil {
			return err
		}
		return o.Verify(root, d.Files)
	}
	m, err := Parse(b)
	if err != nil {
		return err
	}
	if m.Root() != root || uint64(len(m.Files)) != d.Files || m.Total() != d.Bytes {
		return errors.New("it is of another dataset")
	}
	return nil
}

func TestGoodVectors(t *testing.T) {
	if *update {
		writeGood(t)
	}
	var want map[string]dataset
	if err := json.Unmarshal(read(t, vectors+"good.json"), &want); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(vectors + "good/*.txt")
	if len(files) != len(want) {
		t.Errorf("%d files, good.json names %d", len(files), len(want))
	}
	for name, d := range want {
		if err := verifyVector(read(t, vectors+"good/"+name), d); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// writeGood writes the vectors other than the sample ones, which are not ours.
func writeGood(t *testing.T) {
	write := func(name string, v interface{ Bytes() ([]byte, error) }, err error) {
		b, err2 := v.Bytes()
		if err := errors.Join(err, err2, os.WriteFile(vectors+"good/"+name, b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	names := &Manifest{Secret: [32]byte{9}, Files: []File{
		{Path: "-- file-1 --"}, {Path: "content csv-rows of a file"}, {Path: "lab/Müller 2.csv", Size: 1<<64 - 1, Content: &Content{Profile: "csv-rows"}}, {Path: "データ.csv"},
	}}
	seven, one := numbered(7), numbered(1)
	write("manifest-names.txt", names, nil)
	write("manifest-one.txt", one, nil)
	o, err := one.Open(one.Files[0].Path)
	write("opening-one.txt", o, err)
	o, err = seven.Open(seven.Files[0].Path, seven.Files[4].Path, seven.Files[6].Path)
	write("opening-seven.txt", o, err)
	all := map[string]dataset{}
	for name, m := range map[string]*Manifest{
		"manifest-sample.txt": sample(t), "opening-sample.txt": sample(t),
		"manifest-names.txt": names, "manifest-one.txt": one, "opening-one.txt": one, "opening-seven.txt": seven,
	} {
		root := m.Root()
		all[name] = dataset{text.Base64(root[:]), uint64(len(m.Files)), m.Total()}
	}
	writeJSON(t, "good.json", all)
}

func writeJSON(t *testing.T, name string, v any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err := errors.Join(err, os.WriteFile(vectors+name, append(b, '\n'), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// bad is one way to spoil a sample vector: old is replaced by new once, and a
// verifier says error.
type bad struct{ name, reason, old, new, error string }

const (
	a256 = "d69c916b9fc8e29b3c597717c22b24b30dfc96a0b0416ce41e2e8f9a015e7daf"
	a512 = "c31cfe0c221e23b2abd700a7c1aa50ed55de8f2afad02cf54e7aa70528250253f8865922bd3619fb6e8f924f920ab782ca6f132f7d409da5c879eae9f38df4e3"
)

func badManifests(t *testing.T) []bad {
	lines := strings.SplitAfter(string(read(t, vectors+"good/manifest-sample.txt")), "\n")
	a, b, content := lines[3], lines[4], lines[6]
	return []bad{
		{"version", "the version is unknown", "manifest@v1", "manifest@v2", "line 1"},
		{"bom", "a byte order mark stands before the first line", "trialnotary/manifest", "\ufefftrialnotary/manifest", "line 1"},
		{"crlf", "a line ends with CR LF", "files 3\n", "files 3\r\n", "line 3 ends with CR LF"},
		{"no-lf", "the last line does not end with LF", content, strings.TrimSuffix(content, "\n"), "does not end with a line feed"},
		{"blank-line", "a line is empty", "files 3\n", "files 3\n\n", "line 4"},
		{"secret-missing", "the secret is missing", lines[1], "", "line 2"},
		{"secret-short", "the secret has 31 bytes", "secret WNCs", "secret ", "line 2"},
		{"secret-variant", "the secret's base64 is not canonical: unused bits are set", "TShk=", "TShl=", "line 2"},
		{"secret-unpadded", "the secret's base64 is not padded", "TShk=", "TShk", "line 2"},
		{"files-zero", "the number of files is 0", "files 3", "files 0", "names no file"},
		{"files-leading-zero", "the number of files has a leading zero", "files 3", "files 03", "line 3"},
		{"files-fewer", "the number of files is lower than the file lines", "files 3", "files 2", "line 6"},
		{"files-more", "the number of files is higher than the file lines", "files 3", "files 4", "line 3"},
		{"files-huge", "the number of files is one that no memory holds", "files 3", "files 18446744073709551615", "too short"},
		{"digest-upper", "a digest is in upper case", a256 + " c31c", strings.ToUpper(a256) + " c31c", "line 4"},
		{"sha256-long", "a SHA-256 is of 33 bytes", a256, a256 + "00", "line 4"},
		{"sha512-long", "a SHA-512 is of 65 bytes", a512, a512 + "00", "line 4"},
		{"sha512-missing", "a file has one digest", a512 + " ", "", "line 4"},
		{"sha512-short", "a SHA-512 is of 63 bytes", a512, a512[2:], "line 4"},
		{"size-negative", "a size is negative", " 12 a.csv", " -12 a.csv", "line 4"},
		{"size-leading-zero", "a size has a leading zero", " 12 a.csv", " 012 a.csv", "line 4"},
		{"size-overflow", "the sizes add up to more than 64 bits", " 13 lab/b.csv", " 18446744073709551615 lab/b.csv", "above 64 bits"},
		{"order", "two files are not in path order", a + b, b + a, "line 5 has path"},
		{"twice", "a path stands twice", b, a, "line 5 has path"},
		{"path-missing", "a file has no path", " 12 a.csv", " 12", "line 4"},
		{"path-two-blanks", "two blanks stand before a path", " 12 a.csv", " 12  a.csv", "begins or ends with a blank"},
		{"path-trailing-blank", "a path ends with a blank", " 12 a.csv", " 12 a.csv ", "line 4 has leading or trailing blanks"},
		{"path-absolute", "a path is absolute", "10 readme.txt", "10 /readme.txt", "not relative"},
		{"path-dot-dot", "a path has the segment ..", "13 lab/b.csv", "13 lab/../b.csv", `segment ".."`},
		{"path-dot", "a path has the segment .", "13 lab/b.csv", "13 lab/./b.csv", `segment "."`},
		{"path-empty-segment", "a path has an empty segment", "13 lab/b.csv", "13 lab//b.csv", `segment ""`},
		{"path-trailing-slash", "a path ends with a slash", "13 lab/b.csv", "13 lab/b.csv/", "ends with a slash"},
		{"path-backslash", "a path has a backslash", "13 lab/b.csv", `13 lab\b.csv`, "backslash"},
		{"path-control", "a path has a control character", "10 readme.txt", "10 read\x1bme.txt", "U+001B"},
		{"path-c1", "a path has a C1 control character", "10 readme.txt", "10 read\u0085me.txt", "U+0085"},
		{"path-bidi", "a path has a bidirectional control", "10 readme.txt", "10 read\u202eme.txt", "U+202E"},
		{"path-nfd", "a path is in Unicode normalisation form D", "10 readme.txt", "10 u\u0308.txt", "normalisation form C"},
		{"path-utf8", "a path is not UTF-8", "10 readme.txt", "10 read\xffme.txt", "UTF-8"},
		{"content-unknown", "a content line is about no file of the manifest", content, strings.Replace(content, " a.csv", " b.csv", 1), "no file of this manifest"},
		{"content-twice", "a path has two content lines", content, content + content, "second content line"},
		{"content-order", "content lines are not in path order", content, strings.Replace(content, " a.csv", " lab/b.csv", 1) + content, "not in path order"},
		{"content-early", "a content line stands before a file", b + lines[5] + content, b + content + lines[5], "line 6"},
		{"content-profile", "a content profile is in upper case", "csv-rows", "CSV", "profile"},
		{"content-two-fields", "a content line has no path", content, "content csv-rows " + a256 + "\n", "line 7"},
		{"extra", "an unknown line follows", content, content + "note x\n", "line 8"},
		{"other-secret", "another secret: not the dataset of the statement", "secret WNCs", "secret XNCs", "another dataset"},
		{"other-size", "another size: not the dataset of the statement", " 12 a.csv", " 21 a.csv", "another dataset"},
		{"other-content", "no content line: not the dataset of the statement", content, "", "another dataset"},
	}
}

func badOpenings(t *testing.T) []bad {
	s := string(read(t, vectors+"good/opening-sample.txt"))
	second := s[strings.Index(s, "-- file-2 --"):]
	first := strings.TrimPrefix(strings.TrimSuffix(s, second), OpeningVersion+"\n")
	swapped := strings.NewReplacer("file-2", "file-1", "proof-2", "proof-1").Replace(second) +
		strings.NewReplacer("file-1", "file-2", "proof-1", "proof-2").Replace(first)
	again := strings.NewReplacer("file-1", "file-2", "proof-1", "proof-2").Replace(first)
	aSalt, bSalt := "uujOOGpVxA2nILgK1hBVO2v7V00gbzn+IK1p1A4+BU4=", "PHowPmUClT60bgEUSOfzI8Ec3ZDYs/KcGjp+7ikkmK4="
	node := "node wtXDQx6jdxluq+gDF/Xa65Q1iRngkZpRzo0GQZPYb50=\n"
	upper := "node kYUeA8TTYPzG8UYe4q+KhMEGN423RY08wyp1lEYLds0=\n"
	return []bad{
		{"version", "the version is unknown", "opening@v1", "opening@v2", "line 1"},
		{"nothing", "no file is opened", first + second, "", "opens no file"},
		{"proof-missing", "the last proof is missing", second[strings.Index(second, "-- proof-2"):], "", `"proof-2" is missing`},
		{"from-two", "the numbers do not start with 1", first, "", `"file-1" is due`},
		{"leading-zero", "a part's number has a leading zero", "-- file-2 --", "-- file-02 --", `"file-2" is due`},
		{"part-extra", "a part is unknown", second, second + "-- note --\nx\n", `"file-3" is due`},
		{"text-before", "a line stands before the first part", OpeningVersion + "\n", OpeningVersion + "\nhello\n", "line 2"},
		{"marker-blanks", "a part's marker is not canonical", "-- file-2 --", "--  file-2 --", ""},
		{"order", "the files are not in path order", first + second, swapped, "not after"},
		{"twice", "a file is opened twice", second, again, "not after"},
		{"file-version", "a leaf's version is unknown", "trialnotary/file@v1", "trialnotary/file@v2", "part file-1: file: line 1"},
		{"file-order", "a leaf's lines are in another order", "size 12\nsha256 " + a256, "sha256 " + a256 + "\nsize 12", "line 3"},
		{"file-extra", "a leaf has an unknown line", "salt " + aSalt, "salt " + aSalt + "\nnote x", "is unexpected"},
		{"file-path", "a leaf's path goes upwards", "path a.csv", "path ../a.csv", `segment ".."`},
		{"file-digest-long", "a leaf's SHA-256 is of 33 bytes", "sha256 " + a256, "sha256 00" + a256, "part file-1: file: line 4"},
		{"file-nfd", "a leaf's path is in Unicode normalisation form D", "path a.csv", "path u\u0308.csv", "normalisation form C"},
		{"other-path", "a file is given another name", "path a.csv", "path b.csv", "not in the dataset"},
		{"other-size", "a file is given another size", "size 12", "size 13", "not in the dataset"},
		{"other-digest", "a file is given another SHA-256", "sha256 d69c", "sha256 d69d", "not in the dataset"},
		{"other-content", "a leaf's content line is left out", "content csv-rows " + a256 + "\n", "", "not in the dataset"},
		{"other-salt", "a leaf has another file's salt", aSalt, bSalt, "not in the dataset"},
		{"proof-order", "a proof's lines are in another order", "files 3\nindex 0", "index 0\nfiles 3", "line 2"},
		{"proof-short", "a proof lacks a node", node, "", "not in the dataset"},
		{"proof-long", "a proof has a node too many", node, node + node, "not in the dataset"},
		{"proof-endless", "a proof has more nodes than any tree is high", node, strings.Repeat(node, 65), "65th node"},
		{"proof-swapped", "a proof's nodes are in another order", node + upper, upper + node, "not in the dataset"},
		{"index", "the index is another file's", "index 1", "index 2", "not in the dataset"},
		{"index-outside", "the index is not below the number of files", "index 1", "index 3", "index 3 of 3"},
		{"files", "the number of files is not the statement's", first + second, strings.ReplaceAll(first+second, "files 3", "files 4"), "of 4 files"},
		{"files-differ", "the proofs are of different datasets", second, strings.Replace(second, "files 3", "files 4", 1), "another dataset"},
		{"root", "the root is not the statement's", first + second, strings.ReplaceAll(first+second, "root AU5X", "root BU5X"), "another dataset"},
		{"root-variant", "the root's base64 is not canonical: unused bits are set", "m1kOlc=", "m1kOld=", "line 1"},
	}
}

func TestBadVectors(t *testing.T) {
	reasons := map[string]string{}
	files := map[string][]byte{}
	d := dataset{sampleRoot, sampleFiles, 35}
	for kind, list := range map[string][]bad{"manifest": badManifests(t), "opening": badOpenings(t)} {
		good := read(t, vectors+"good/"+kind+"-sample.txt")
		for _, c := range list {
			name := kind + "-" + c.name + ".txt"
			if !bytes.Contains(good, []byte(c.old)) || files[name] != nil {
				t.Fatalf("%s: its edit does not apply, or its name is taken", name)
			}
			reasons[name] = c.reason
			files[name] = bytes.Replace(good, []byte(c.old), []byte(c.new), 1)
			err := verifyVector(files[name], d)
			if err == nil || !strings.Contains(err.Error(), c.error) {
				t.Errorf("%s (%s): %v, want %q", name, c.reason, err, c.error)
			}
		}
	}
	reasons["manifest-empty.txt"], files["manifest-empty.txt"] = "it is empty", []byte{}
	if *update {
		for name, b := range files {
			if err := os.WriteFile(vectors+"bad/"+name, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		writeJSON(t, "bad.json", reasons)
	}
	// What another language reads is what was just tested.
	var stored map[string]string
	if err := json.Unmarshal(read(t, vectors+"bad.json"), &stored); err != nil {
		t.Fatal(err)
	}
	on, _ := filepath.Glob(vectors + "bad/*.txt")
	if len(stored) != len(files) || len(on) != len(files) {
		t.Errorf("%d reasons and %d files are stored, want %d: run with -update", len(stored), len(on), len(files))
	}
	for name, b := range files {
		if stored[name] != reasons[name] || !slices.Contains(on, filepath.FromSlash(vectors+"bad/"+name)) || !bytes.Equal(read(t, vectors+"bad/"+name), b) {
			t.Errorf("%s is not stored as it is tested: run with -update", name)
		}
		if verifyVector(read(t, vectors+"bad/"+name), d) == nil {
			t.Errorf("%s: accepted, though %s", name, stored[name])
		}
	}
}

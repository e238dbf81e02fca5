package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/transparency-dev/merkle/rfc6962"

	"trialnotary/notary/text"
)

const (
	sampleRoot  = "AU5XUydotHFrrCjLZaREgRGRjKBbsu57/8ezKm1kOlc="
	sampleFiles = 3
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sample(t testing.TB) *Manifest {
	t.Helper()
	m, err := Parse(read(t, "testdata/vectors/good/manifest-sample.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// numbered returns a manifest of n small invented files.
func numbered(n int) *Manifest {
	m := &Manifest{Secret: [32]byte{1, 2, 3}}
	for i := range n {
		f := File{Path: fmt.Sprintf("site-%03d/visit-%06d.csv", i/1000, i), Size: uint64(i)}
		f.SHA256[0], f.SHA512[0] = byte(i), byte(i>>8)
		m.Files = append(m.Files, f)
	}
	return m
}

// The sample was written by an independent implementation: its root, in the
// statement of its receipt, must be ours.
func TestTheSampleManifestHasTheRootItsStatementNames(t *testing.T) {
	m := sample(t)
	root := m.Root()
	if got := text.Base64(root[:]); got != sampleRoot || len(m.Files) != sampleFiles || m.Total() != 35 {
		t.Errorf("root %s, %d files, %d bytes", got, len(m.Files), m.Total())
	}
	if m.Files[0].Content == nil || m.Files[1].Content != nil {
		t.Error("the content line is not with its file")
	}
}

// Every bit of a manifest matters: changed, it is refused or is of another dataset.
func TestEverySingleBitOfAManifestCounts(t *testing.T) {
	good := read(t, "testdata/vectors/good/manifest-sample.txt")
	root := sample(t).Root()
	for i := range 8 * len(good) {
		b := bytes.Clone(good)
		b[i/8] ^= 1 << (i % 8)
		if m, err := Parse(b); err == nil && m.Root() == root {
			t.Fatalf("bit %d of byte %d may be changed", i%8, i/8)
		}
	}
}

func TestNewSortsNormalisesAndDrawsASecret(t *testing.T) {
	files := []File{{Path: "z"}, {Path: "a/b", Size: 2}, {Path: "a", Size: 1}, {Path: "Mu\u0308ller.csv"}}
	m, err := New(files)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range m.Files {
		paths = append(paths, f.Path)
	}
	if want := []string{"Müller.csv", "a", "a/b", "z"}; !slices.Equal(paths, want) {
		t.Errorf("paths %q, want %q", paths, want)
	}
	if files[0].Path != "z" {
		t.Error("the caller's slice was changed")
	}
	again, _ := New(files)
	if again.Secret == m.Secret || m.Secret == [32]byte{} {
		t.Error("the secret is not fresh")
	}
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if back, err := Parse(b); err != nil || back.Root() != m.Root() {
		t.Errorf("its own text does not read back: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		why   string
		files []File
		want  string
	}{
		{"no file", nil, "no file"},
		{"the same path twice", []File{{Path: "a"}, {Path: "a"}}, `two files are named "a"`},
		{"two spellings of one name", []File{{Path: "\u00fc.csv"}, {Path: "u\u0308.csv"}}, `two files are named "ü.csv"`},
		{"sizes beyond 64 bits", []File{{Path: "a", Size: 1 << 63}, {Path: "b", Size: 1 << 63}}, "above 64 bits"},
		{"a content profile with a blank", []File{{Path: "a", Content: &Content{Profile: "csv rows"}}}, "content profile"},
		{"a path upwards", []File{{Path: "../a"}}, `segment ".."`},
	} {
		if _, err := New(c.files); err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}

func TestCheckPath(t *testing.T) {
	for _, p := range []string{"a", "a b/c d.csv", "...", "a/..b", "Müller.csv", "日本/データ.csv", "-- x --", "a:b", strings.Repeat("x", MaxPath)} {
		if err := CheckPath(p); err != nil {
			t.Errorf("refused: %v", err)
		}
	}
	for p, why := range map[string]string{
		"": "is empty", "/a": "not relative", "a/": "ends with a slash", "a//b": `segment ""`, "./a": `segment "."`, "a/./b": `segment "."`,
		"..": `segment ".."`, "a/..": `segment ".."`, `a\b`: "backslash", " a": "blank", "a ": "blank", "a\u00a0": "blank",
		"a\nb": "control", "a\tb": "control", "a\u0085b": "control", "a\u2028b": "control", "gpj.\u202etxt": "bidirectional",
		"a\xffb": "not UTF-8", "u\u0308": "normalisation form C", strings.Repeat("x", MaxPath+1): "longer than",
	} {
		if err := CheckPath(p); err == nil || !strings.Contains(err.Error(), why) || !errors.Is(err, text.ErrFormat) {
			t.Errorf("%.20q: %v, want %q", p, err, why)
		}
	}
}

// RFC 6962 §2.1 as it is written, over every small size.
func TestRootIsTheTreeHeadOverTheLeaves(t *testing.T) {
	var mth func(leaves [][]byte) []byte
	mth = func(leaves [][]byte) []byte {
		if len(leaves) == 1 {
			return rfc6962.DefaultHasher.HashLeaf(leaves[0])
		}
		k := 1
		for 2*k < len(leaves) {
			k *= 2
		}
		return rfc6962.DefaultHasher.HashChildren(mth(leaves[:k]), mth(leaves[k:]))
	}
	for n := 1; n < 40; n++ {
		m := numbered(n)
		var leaves [][]byte
		for i := range m.Files {
			leaves = append(leaves, m.Leaf(i))
		}
		if root := m.Root(); !bytes.Equal(root[:], mth(leaves)) {
			t.Errorf("%d files: another root", n)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(read(f, "testdata/vectors/good/manifest-sample.txt"))
	f.Add(read(f, "testdata/vectors/good/manifest-names.txt"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			if !errors.Is(err, text.ErrFormat) {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		if back, err := m.Bytes(); err != nil || !bytes.Equal(back, b) {
			t.Fatalf("parse and format give other bytes (%v):\n%q\n%q", err, b, back)
		}
	})
}

func BenchmarkParse100000(b *testing.B) {
	text, err := numbered(100_000).Bytes()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRoot100000(b *testing.B) {
	m := numbered(100_000)
	for b.Loop() {
		m.Root()
	}
}

package manifest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"trialnotary/notary/text"
)

// The independent implementation opened two files of the sample: ours verifies
// that opening and writes the very same one.
func TestTheSampleOpeningVerifiesAndIsOurs(t *testing.T) {
	m, good := sample(t), read(t, "testdata/vectors/good/opening-sample.txt")
	o, err := ParseOpening(good)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Verify(m.Root(), sampleFiles); err != nil {
		t.Fatal(err)
	}
	ours, err := m.Open("lab/b.csv", "a.csv", "a.csv")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := ours.Bytes(); err != nil || !bytes.Equal(b, good) {
		t.Errorf("ours differs (%v):\n%s", err, b)
	}
}

func TestEverySingleBitOfAnOpeningCounts(t *testing.T) {
	good := read(t, "testdata/vectors/good/opening-sample.txt")
	root := sample(t).Root()
	for i := range 8 * len(good) {
		b := bytes.Clone(good)
		b[i/8] ^= 1 << (i % 8)
		if o, err := ParseOpening(b); err == nil && o.Verify(root, sampleFiles) == nil {
			t.Fatalf("bit %d of byte %d may be changed", i%8, i/8)
		}
	}
}

func TestEveryFileOfEverySmallDatasetOpens(t *testing.T) {
	for n := 1; n <= 33; n++ {
		m := numbered(n)
		root := m.Root()
		for i := range n {
			o, err := m.Open(m.Files[i].Path)
			if err != nil {
				t.Fatal(err)
			}
			if err := o.Verify(root, uint64(n)); err != nil {
				t.Fatalf("file %d of %d: %v", i, n, err)
			}
			if o.Verify(root, uint64(n+1)) == nil || o.Verify([32]byte{}, uint64(n)) == nil {
				t.Fatalf("file %d of %d verifies for another dataset", i, n)
			}
			for at := range uint64(n) { // the place is part of what is proved
				if o.Files[0].Index = at; at != uint64(i) && o.Verify(root, uint64(n)) == nil {
					t.Fatalf("file %d of %d verifies as file %d", i, n, at)
				}
			}
		}
	}
}

// An opening tells nothing about the files it does not open.
func TestAnOpeningNamesNoOtherFile(t *testing.T) {
	m := sample(t)
	o, err := m.Open("a.csv")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := o.Bytes()
	if s := string(b); strings.Contains(s, "lab/") || strings.Contains(s, "readme") || strings.Contains(s, text.Base64(m.Secret[:])) {
		t.Error(s)
	}
}

func TestOpenFindsTheFileUnderEitherSpelling(t *testing.T) {
	m, err := New([]File{{Path: "M\u00fcller.csv"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Open("Mu\u0308ller.csv"); err != nil {
		t.Error(err)
	}
	for _, paths := range [][]string{nil, {"other.csv"}} {
		if _, err := m.Open(paths...); err == nil {
			t.Errorf("%q was opened", paths)
		}
	}
}

func FuzzParseOpening(f *testing.F) {
	f.Add(read(f, "testdata/vectors/good/opening-sample.txt"))
	f.Add(read(f, "testdata/vectors/good/opening-one.txt"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := ParseOpening(b)
		if err != nil {
			if !errors.Is(err, text.ErrFormat) {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		if back, err := o.Bytes(); err != nil || !bytes.Equal(back, b) {
			t.Fatalf("parse and format give other bytes (%v):\n%q\n%q", err, b, back)
		}
	})
}

func BenchmarkOpen100000(b *testing.B) {
	m := numbered(100_000)
	for b.Loop() {
		if _, err := m.Open(m.Files[70_321].Path); err != nil {
			b.Fatal(err)
		}
	}
}

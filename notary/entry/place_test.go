package entry

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// A place reads just the entries that Parse reads, if they are of that place and
// index.
func TestPlaceAgreesWithParse(t *testing.T) {
	files, err := filepath.Glob(vectors + "*/*.txt")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Parse(b)
		p := NewPlace(3, noon)
		if err == nil {
			if p, err = PlaceOf(b); err != nil {
				t.Fatal(err)
			}
		}
		index := want.Index
		if err != nil {
			index = 7
		}
		var got Entry
		_, bad := Parse(b)
		if ok := p.Parse(b, index, &got); ok != (bad == nil) || ok && got != want {
			t.Errorf("%s: %v, %+v; want %v, %+v", file, ok, got, bad == nil, want)
		}
		if bad == nil && p.Parse(b, index+1, &got) {
			t.Errorf("%s is taken for an entry of another index", file)
		}
	}
}

// Every byte that is changed, put in or left out makes Parse and a place agree.
func FuzzPlace(f *testing.F) {
	for _, b := range good {
		f.Add(b, uint64(7))
	}
	f.Fuzz(func(t *testing.T, b []byte, index uint64) {
		p := NewPlace(3, noon)
		var got Entry
		ok := p.Parse(b, index, &got)
		want, err := Parse(b)
		if same := err == nil && want.Index == index && want.Batch == 3 && want.Time.Equal(noon); ok != same || ok && got != want {
			t.Fatalf("%q: %v, %+v; want %v, %+v", b, ok, got, same, want)
		}
	})
}

func TestPlaceOfChangedEntries(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p := NewPlace(one.Batch, one.Time)
	leaf := one.Append(nil)
	for range 20_000 {
		b := append([]byte(nil), leaf...)
		switch at := r.IntN(len(b)); r.IntN(3) {
		case 0:
			b[at] = byte(r.IntN(256))
		case 1:
			b = append(b[:at], b[at+1:]...)
		default:
			b = append(b[:at], append([]byte{b[at]}, b[at:]...)...)
		}
		var got Entry
		ok := p.Parse(b, one.Index, &got)
		want, err := Parse(b)
		if same := err == nil && want.Index == one.Index && want.Batch == one.Batch && want.Time.Equal(one.Time); ok != same || ok && got != want {
			t.Fatalf("%q: %v; want %v", b, ok, same)
		}
	}
}

func TestPlaceOf(t *testing.T) {
	for _, leaf := range [][]byte{one.Append(nil), Batch{Index: 9, Number: 3, Time: noon}.Append(nil)} {
		p, err := PlaceOf(leaf)
		if err != nil || p.String() != "batch 3 of 2026-11-22T12:00:00Z" {
			t.Errorf("%q: %v, %v", leaf, p.String(), err)
		}
	}
	if _, err := PlaceOf([]byte("x\n")); err == nil {
		t.Error("no leaf has a place")
	}
}

func TestPlaceDoesNotAllocate(t *testing.T) {
	p, leaf := NewPlace(one.Batch, one.Time), one.Append(nil)
	var e Entry
	if n := testing.AllocsPerRun(100, func() {
		if !p.Parse(leaf, one.Index, &e) {
			t.Fatal("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkPlaceParse(b *testing.B) {
	p := NewPlace(3, noon)
	leaf := Entry{Index: 9_999_999, Batch: 3, Time: noon, Seq: 12345}.Append(nil)
	var e Entry
	b.ReportAllocs()
	for b.Loop() {
		if !p.Parse(leaf, 9_999_999, &e) {
			b.Fatalf("%q", leaf)
		}
	}
}

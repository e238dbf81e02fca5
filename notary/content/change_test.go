package content

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestEveryByteCounts changes bytes of a file, one at a time: outside the stamps
// of a transport file, and wherever an independent reader sees other data, the digest
// is another or none.
func TestEveryByteCounts(t *testing.T) {
	dm := read(t, "testdata/cdisc/dm.xpt")
	two := twoMembers(dm)
	free := map[int]bool{}
	for _, at := range stamps(two) {
		for i := range xptStamp {
			free[at+i] = true
		}
	}
	if len(free) != 6*xptStamp {
		t.Fatalf("%d bytes of stamps", len(free))
	}
	cases := []struct {
		profile string
		b       []byte
		same    func(a, b []byte, at int) bool
	}{
		{XPT5, two, func(_, _ []byte, at int) bool { return free[at] }},
		{DatasetJSON, read(t, "testdata/vectors/good/small-2.json"), sameJSON},
		{DatasetJSON, read(t, "testdata/cdisc/dm.json"), sameJSON},
		{CSV, read(t, "testdata/vectors/good/windows.csv"), sameCSV},
	}
	for _, c := range cases {
		want, ok := digest(t, c.profile, c.b, 1<<20)
		if !ok {
			t.Fatal(c.profile)
		}
		// Of a large file: some bytes, and all near stamps.
		step := 1 + len(c.b)/1000
		for i := range c.b {
			if i%step != 0 && !free[i-8] && !free[i+8] || c.profile != XPT5 && i%step != 0 {
				continue
			}
			b := slices.Clone(c.b)
			b[i] ^= []byte{0x01, 0x20, 0x80}[i%3]
			got, ok := digest(t, c.profile, b, 1<<20)
			if ok && got == want && !c.same(c.b, b, i) {
				t.Fatalf("%s: byte %d from %q to %q is not noticed", c.profile, i, c.b[i], b[i])
			}
		}
	}
}

// sameJSON reports whether a library reads the same data, but for the time of export.
func sameJSON(a, b []byte, _ int) bool {
	x, okX := libraryJSON(a)
	y, okY := libraryJSON(b)
	return okX && okY && reflect.DeepEqual(x, y)
}

func libraryJSON(b []byte) (all []any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	for {
		var v any
		err := d.Decode(&v)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, false
		}
		all = append(all, v)
	}
	if len(all) == 0 {
		return nil, false
	}
	o, ok := all[0].(map[string]any)
	if !ok {
		return nil, false
	}
	delete(o, "datasetJSONCreationDateTime")
	rows, inside := o["rows"].([]any)
	delete(o, "rows")
	if !inside {
		rows = all[1:]
	}
	if len(rows) == 0 {
		rows = []any{}
	}
	return []any{o, rows}, true
}

func sameCSV(a, b []byte, _ int) bool {
	x, okX := libraryCSV(a)
	y, okY := libraryCSV(b)
	return okX && okY && slices.EqualFunc(x, y, slices.Equal)
}

func libraryCSV(b []byte) ([][]string, bool) {
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte(byteOrderMark)))).ReadAll()
	// The library leaves out empty lines, which are rows of one empty field.
	rows = slices.DeleteFunc(rows, func(r []string) bool { return len(r) == 1 && r[0] == "" })
	return rows, err == nil
}

// TestPermittedChanges: what a profile leaves out does not change the digest.
func TestPermittedChanges(t *testing.T) {
	two := twoMembers(read(t, "testdata/cdisc/dm.xpt"))
	want, _ := digest(t, XPT5, two, 80)
	for i, at := range stamps(two) {
		b := slices.Clone(two)
		copy(b[at:], "01JAN00:00:00:00")
		if got, ok := digest(t, XPT5, b, 80); !ok || got != want {
			t.Errorf("stamp %d counts", i)
		}
	}
	dj := read(t, "testdata/cdisc/dm.json")
	want, _ = digest(t, DatasetJSON, dj, 80)
	var v map[string]json.RawMessage
	if err := json.Unmarshal(dj, &v); err != nil {
		t.Fatal(err)
	}
	// Every member but the time of creation counts, also those of a vendor.
	for key := range v {
		other := map[string]json.RawMessage{}
		for k, x := range v {
			other[k] = x
		}
		switch key {
		case "columns", "rows":
			other[key] = json.RawMessage(`[]`)
		case "datasetJSONVersion":
			other[key] = json.RawMessage(`"1.1.7"`)
		default:
			other[key] = json.RawMessage(`"other"`)
		}
		b, err := json.Marshal(other)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := digest(t, DatasetJSON, b, 80)
		if !ok || (got == want) != (key == "datasetJSONCreationDateTime") {
			t.Errorf("another %s: %t, same %t", key, ok, got == want)
		}
	}
}

// TestMemory: however large one value is, it is not kept.
func TestMemory(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 1<<20)
	for profile, parts := range map[string][2]string{
		CSV:         {"a\n\"", "\"\n"},
		DatasetJSON: {small(`"`)[:len(small(`"`))-3], `"]]}`},
	} {
		d := New(profile)
		io.WriteString(d, parts[0])
		n := testing.AllocsPerRun(64, func() { d.Write(long) })
		io.WriteString(d, parts[1])
		if _, ok := d.Sum(); !ok || n > 0 {
			t.Errorf("%s: read %t, %v allocations for a piece of a value", profile, ok, n)
		}
	}
	// What must be kept has a bound, and so has depth: beyond it nothing is read.
	for name, b := range map[string]string{
		"object":  `{"a":{"b":"` + strings.Repeat("x", maxJSONObject+1) + `"}}`,
		"keys":    `{"a":{` + strings.Repeat(`"k":0,`, 1<<18) + `"b":0}}`,
		"key":     `{"` + strings.Repeat("x", maxJSONKey+1) + `":0}`,
		"members": "{" + strings.Repeat(`"k":0,`, 2) + `"b":0}`,
		"depth":   strings.Repeat(`[`, 1<<16),
	} {
		d := newDatasetJSON()
		io.WriteString(d, b)
		if !d.text.bad {
			t.Errorf("%s: it is read on", name)
		}
	}
}

func FuzzXPT5(f *testing.F) {
	dm := read(f, "testdata/cdisc/dm.xpt")
	f.Add(dm[:1200], 3)
	f.Add(lookalike(dm, "21AUG20:09:14:29"), 80)
	f.Fuzz(func(t *testing.T, b []byte, chunk int) {
		sum, ok := digest(t, XPT5, b, 1+chunk&0xff)
		if !ok {
			return
		}
		later := slices.Clone(b)
		for _, at := range stamps(b)[:4] { // of the file and its first member
			copy(later[at:], "01JAN00:00:00:00")
		}
		if again, _ := digest(t, XPT5, later, 80); again != sum {
			t.Error("the stamps count")
		}
		for _, at := range []int{1, 41, len(b) - 1, len(b) / 2} {
			other := slices.Clone(b)
			other[at] ^= 1
			if inStamp(b, at) {
				continue
			}
			if got, ok := digest(t, XPT5, other, 80); ok && got == sum {
				t.Errorf("byte %d does not count", at)
			}
		}
	})
}

func inStamp(b []byte, at int) bool {
	for _, s := range stamps(b) {
		if s <= at && at < s+xptStamp {
			return true
		}
	}
	return false
}

// FuzzDatasetJSON: what has a digest is JSON to a library, and its digest survives
// another spelling by it; two texts with the same digest are the same to it.
func FuzzDatasetJSON(f *testing.F) {
	f.Add([]byte(small("1.50")), []byte(small("1.5")))
	f.Add(read(f, "testdata/vectors/good/small.json"), read(f, "testdata/vectors/good/small-2.json"))
	f.Add(read(f, "testdata/vectors/good/oneline.ndjson"), read(f, "testdata/vectors/good/two-rows.json"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, okX := digest(t, DatasetJSON, a, 7)
		y, okY := digest(t, DatasetJSON, b, 1<<16)
		if whole, ok := digest(t, DatasetJSON, a, 1<<16); ok != okX || whole != x {
			t.Error("the size of chunks matters")
		}
		if okX {
			v, ok := libraryJSON(a)
			if !ok {
				t.Fatal("a library does not read it")
			}
			o := v[0].(map[string]any)
			o["rows"], o["datasetJSONCreationDateTime"] = v[1], "now"
			again, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			if z, ok := digest(t, DatasetJSON, again, 64); !ok || z != x {
				t.Errorf("another spelling has another digest: %s", again)
			}
		}
		if okX && okY && (x == y) != sameJSON(a, b, 0) {
			t.Errorf("same digest: %t", x == y)
		}
	})
}

// FuzzCSV: what has a digest is CSV to a library; two texts with the same digest are
// the same to it.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("a,b\r\n1,\"x\r\ny\"\"\"\r\n"), []byte("\xef\xbb\xbf\"a\",b\n1,\"x\ny\"\"\""))
	f.Add([]byte("a\n\n"), []byte("a\n\"\""))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, okX := digest(t, CSV, a, 3)
		y, okY := digest(t, CSV, b, 1<<16)
		if whole, ok := digest(t, CSV, a, 1<<16); ok != okX || whole != x {
			t.Error("the size of chunks matters")
		}
		if _, ok := libraryCSV(a); okX && !ok {
			t.Fatal("a library does not read it")
		}
		if okX && okY && x == y && !sameCSV(a, b, 0) {
			t.Error("the same digest, other rows")
		}
	})
}

func BenchmarkDigest(b *testing.B) {
	for name, file := range map[string]string{"xpt": "cdisc/dm.xpt", "json": "cdisc/dm.json", "csv": "vectors/good/windows.csv"} {
		b.Run(name, func(b *testing.B) {
			text := read(b, "testdata/"+file)
			d := New(Profile(file))
			b.SetBytes(int64(len(text)))
			for range b.N {
				d = New(Profile(file))
				d.Write(text)
			}
			d.Sum()
		})
	}
}

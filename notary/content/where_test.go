package content

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
)

func section(b []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}

func TestCompare(t *testing.T) {
	dm, dj := read(t, "testdata/cdisc/dm.xpt"), read(t, "testdata/cdisc/dm.json")
	two := twoMembers(dm)
	late := bytes.LastIndex(two, []byte("ZAN_HIGH"))
	changed := bytes.Clone(two)
	copy(changed[late:], "ZAN_LOW ")
	for name, c := range map[string]struct {
		profile      string
		sealed, made []byte
		want         Where
		found        bool
	}{
		"a value of a member":    {XPT5, two, changed, Where{Member: "SUPPDM", Row: 18, Column: 22, Name: "ACTARMCD", Sealed: "ZAN_HIGH", Given: "ZAN_LOW", HasValue: true}, true},
		"a label":                {XPT5, dm, swap(t, dm, "Demographics ", "Demography   "), Where{Member: "DM", Header: true}, true},
		"a variable":             {XPT5, dm, swap(t, dm, "Domain Abbreviation", "Domain abbreviation"), Where{Member: "DM", Header: true}, true},
		"a member more":          {XPT5, dm, two, Where{Member: "DM", Row: 19, Ends: "sealed"}, true},
		"stamps alone":           {XPT5, two, restamped(two, "22NOV26:14:32:00"), Where{}, false},
		"no transport file":      {XPT5, dm, dj, Where{}, false},
		"a cell":                 {DatasetJSON, dj, swap(t, dj, `"1938",74,`, `"1938",75,`), Where{Keys: []string{"rows"}, Row: 9, Column: 15, Name: "AGE", Sealed: "74", Given: "75", HasValue: true}, true},
		"a cell, as NDJSON":      {DatasetJSON, dj, read(t, "testdata/vectors/good/value.ndjson"), Where{Keys: []string{"rows"}}, true},
		"an attribute":           {DatasetJSON, dj, swap(t, dj, "CDISC SDTM MSG Team", "Somebody"), Where{Keys: []string{"originator"}}, true},
		"another spelling":       {DatasetJSON, dj, pretty(t, dj), Where{}, false},
		"a field":                {CSV, []byte("subject,dose\n001,1\n002,2\n"), []byte("subject,dose\r\n001,\"1\"\n002,3\n"), Where{Row: 3, Column: 2, Name: "dose", Sealed: "2", Given: "3", HasValue: true}, true},
		"a row more":             {CSV, []byte("a,b\n1,2\n"), []byte("a,b\n1,2\n3,4\n"), Where{Row: 3, Column: 1, Name: "a", Ends: "sealed"}, true},
		"a row less":             {CSV, []byte("a,b\n1,2\n"), []byte("a,b\n"), Where{Row: 2, Column: 1, Name: "a", Ends: "given"}, true},
		"a long field":           {CSV, []byte("a\n" + strings.Repeat("x", 1<<20) + "y\n"), []byte("a\n" + strings.Repeat("x", 1<<20) + "z\n"), Where{Row: 2, Column: 1, Name: "a", Sealed: strings.Repeat("x", maxShown), Given: strings.Repeat("x", maxShown), HasValue: true}, true},
		"a profile nobody knows": {"csv/v2", []byte("a"), []byte("b"), Where{}, false},
	} {
		got, found, err := Compare(c.profile, section(c.sealed), section(c.made))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "a cell, as NDJSON" { // any column will do
			found, got = found && got.Row > 0 && got.Name != "", Where{Keys: got.Keys}
		}
		if found != c.found || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v %t, want %+v %t", name, got, found, c.want, c.found)
		}
	}
}

func TestIBMFloat(t *testing.T) {
	for want, b := range map[string][]byte{
		"1": {0x41, 0x10}, "-118.625": {0xc2, 0x76, 0xa0}, "0": {0, 0, 0, 0, 0, 0, 0, 0}, ".": {0x2e, 0}, "74": {0x42, 0x4a, 0, 0, 0, 0, 0, 0},
	} {
		if got := ibmFloat(b); got != want {
			t.Errorf("% x: %s, want %s", b, got, want)
		}
	}
}

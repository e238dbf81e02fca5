package tile

import (
	"errors"
	"math"
	"testing"
)

func TestPaths(t *testing.T) {
	for _, c := range []struct {
		level int
		index uint64
		width int
		want  string
	}{
		{0, 0, 256, "tile/0/000"},
		{0, 0, 1, "tile/0/000.p/1"},
		{1, 999, 255, "tile/1/999.p/255"},
		{0, 1000, 256, "tile/0/x001/000"},
		{2, 1234067, 17, "tile/2/x001/x234/067.p/17"},
		{63, math.MaxUint64, 256, "tile/63/x018/x446/x744/x073/x709/x551/615"},
		{-1, 0, 256, "tile/entries/000"},
		{-1, 1234, 5, "tile/entries/x001/234.p/5"},
	} {
		got := ""
		if c.level < 0 {
			got = BundlePath(c.index, c.width)
		} else {
			got = HashPath(c.level, c.index, c.width)
		}
		if got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
		if l, i, w, err := ParsePath(c.want); l != c.level || i != c.index || w != c.width || err != nil {
			t.Errorf("%s parses as %d, %d, %d, %v", c.want, l, i, w, err)
		}
	}
}

var badPaths = map[string]string{
	"":                   "empty",
	"checkpoint":         "another object",
	"tile":               "no level",
	"tile/":              "no level",
	"tile/0":             "no index",
	"tile/0/":            "no index",
	"tile/entries":       "no index",
	"tile/64/000":        "a level above 63",
	"tile/00/000":        "a level with a leading zero",
	"tile/+0/000":        "a level with a sign",
	"tile/-1/000":        "a negative level",
	"tile/8/0/000":       "a tile height",
	"tile/0/0":           "an index of one digit",
	"tile/0/0000":        "an index of four digits",
	"tile/0/x000/001":    "a leading empty group",
	"tile/0/001/000":     "a group without x",
	"tile/0/x001":        "a last group with x",
	"tile/0/x001/00":     "a short last group",
	"tile/0/-01":         "a sign in the index",
	"tile/0/000.p/0":     "an empty partial tile",
	"tile/0/000.p/256":   "a full width written as partial",
	"tile/0/000.p/01":    "a width with a leading zero",
	"tile/0/000.p/+1":    "a width with a sign",
	"tile/0/000.p/":      "no width",
	"tile/0/000.p":       "no width",
	"tile/0/000.p/1/":    "a trailing slash",
	"tile/0/000/":        "a trailing slash",
	"/tile/0/000":        "a leading slash",
	"tile/0/000.p/1.p/1": "two widths",
	"tile/Entries/000":   "another case",
	"tile/0/x018/x446/x744/x073/x709/x551/616": "an index of more than 64 bits",
}

func TestParsePathRefuses(t *testing.T) {
	for name, why := range badPaths {
		if _, _, _, err := ParsePath(name); !errors.Is(err, ErrFormat) {
			t.Errorf("%q (%s): %v", name, why, err)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	f.Add("tile/0/x001/234.p/5")
	f.Add("tile/entries/x018/x446/x744/x073/x709/x551/615")
	for name := range badPaths {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		level, index, width, err := ParsePath(name)
		if err != nil {
			return
		}
		back := BundlePath(index, width)
		if level >= 0 {
			back = HashPath(level, index, width)
		}
		if back != name {
			t.Fatalf("%q formats as %q", name, back)
		}
	})
}

func TestParseBundleRefuses(t *testing.T) {
	full := []byte{}
	for range Width {
		full = AppendBundle(full, nil)
	}
	if e, err := ParseBundle(full); err != nil || len(e) != Width {
		t.Fatalf("a full bundle of empty entries: %d, %v", len(e), err)
	}
	for why, b := range map[string][]byte{
		"empty":                 {},
		"half a length":         {0},
		"half a second length":  {0, 1, 'a', 0},
		"an entry cut short":    {0, 2, 'a'},
		"a length without data": {0, 1},
		"257 entries":           append(full, 0, 0),
	} {
		if _, err := ParseBundle(b); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func FuzzParseBundle(f *testing.F) {
	f.Add([]byte{0, 2, 'h', 'i'})
	f.Add([]byte{0, 0, 0, 1, 'x'})
	f.Add([]byte{0, 3, 'h', 'i'})
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := ParseBundle(b)
		if err != nil {
			return
		}
		var back []byte
		for _, e := range entries {
			back = AppendBundle(back, e)
		}
		if string(back) != string(b) {
			t.Fatal("the bundle formats differently")
		}
	})
}

func FuzzUnmarshalEdge(f *testing.F) {
	var e Edge
	f.Add(e.Marshal())
	for i := range 258 {
		e.Append([]byte{byte(i)})
		if i == 0 || i >= 254 {
			f.Add(e.Marshal())
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := UnmarshalEdge(b)
		if err != nil {
			return
		}
		if string(e.Marshal()) != string(b) {
			t.Fatal("the edge formats differently")
		}
		e.Append([]byte("one more"))
		e.Root()
	})
}

package text

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestReader(t *testing.T) {
	good := "x@v1\nsize 7\nroot " + Base64(make([]byte, 32)) + "\ntime 2026-11-22T13:29:00Z\nlist a b\n"
	read := func(s string) error {
		r := NewReader([]byte(s))
		r.Exact("x@v1")
		r.Uint("size")
		r.Hash("root")
		r.Time("time")
		r.Fields("list", 2, 2)
		return r.Done()
	}
	if err := read(good); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ bad, want string }{
		"empty":                  {"", "empty"},
		"no last line feed":      {strings.TrimSuffix(good, "\n"), "line feed"},
		"CR LF":                  {strings.ReplaceAll(good, "\n", "\r\n"), "CR LF"},
		"another version":        {strings.Replace(good, "v1", "v2", 1), "line 1"},
		"a leading zero":         {strings.Replace(good, "7", "07", 1), "line 2"},
		"a sign":                 {strings.Replace(good, "7", "+7", 1), "line 2"},
		"a number too large":     {strings.Replace(good, "7", "18446744073709551616", 1), "line 2"},
		"two blanks":             {strings.Replace(good, "size 7", "size  7", 1), "line 2"},
		"a trailing blank":       {strings.Replace(good, "size 7", "size 7 ", 1), "line 2"},
		"base64 without padding": {strings.Replace(good, "A=", "A", 1), "line 3"},
		"base64 trailing bits":   {strings.Replace(good, "A=", "B=", 1), "line 3"},
		"a time with a fraction": {strings.Replace(good, "00Z", "00.5Z", 1), "line 4"},
		"a time with an offset":  {strings.Replace(good, "00Z", "00+00:00", 1), "line 4"},
		"a field too many":       {strings.Replace(good, "a b", "a b c", 1), "line 5"},
		"a line too many":        {good + "more\n", "line 6"},
		"a line missing":         {strings.Replace(good, "list a b\n", "", 1), "line 5"},
		"a control character":    {strings.Replace(good, "a b", "a\x01 b", 1), "U+0001"},
		"a right-to-left mark":   {strings.Replace(good, "a b", "a\u202e b", 1), "U+202E"},
		"a line separator":       {strings.Replace(good, "a b", "a\u2028 b", 1), "U+2028"},
		"invalid UTF-8":          {strings.Replace(good, "a b", "a\xff b", 1), "UTF-8"},
	} {
		if err := read(c.bad); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestArchive(t *testing.T) {
	a := Archive{"x@v1", []Part{{"one", []byte("1\n")}, {"two", nil}}}
	b, err := a.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseArchive(b, "x@v1", len(b)); err != nil {
		t.Fatal(err)
	}
	if _, err := ParseArchive(b, "x@v1", len(b)-1); err == nil {
		t.Error("an archive over its limit was read")
	}
	for name, bad := range map[string]string{
		"another version":  "x@v2\n-- one --\n",
		"text before":      "x@v1\nhello\n-- one --\n",
		"twice":            "x@v1\n-- one --\n-- one --\n",
		"no line feed":     "x@v1\n-- one --\n1",
		"blanks in a name": "x@v1\n-- one two --\n",
		"an odd marker":    "x@v1\n--  one --\n",
		"CR LF":            "x@v1\r\n-- one --\r\n",
	} {
		if _, err := ParseArchive([]byte(bad), "x@v1", 0); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string]Archive{
		"a marker in data":  {"x@v1", []Part{{"one", []byte("-- two --\n")}}},
		"data without LF":   {"x@v1", []Part{{"one", []byte("1")}}},
		"a name with blank": {"x@v1", []Part{{"o ne", nil}}},
	} {
		if _, err := bad.Bytes(); !errors.Is(err, ErrFormat) {
			t.Errorf("%s was written: %v", name, err)
		}
	}
}

func TestOuter(t *testing.T) {
	b, undone := Outer([]byte("\ufeffa\r\nb\r\n"))
	if string(b) != "a\nb\n" || undone != "a byte order mark and CR LF line ends" {
		t.Fatalf("%q %q", b, undone)
	}
	if b, undone := Outer([]byte("a\n")); string(b) != "a\n" || undone != "" {
		t.Fatalf("%q %q", b, undone)
	}
}

func TestValues(t *testing.T) {
	if got := Visible("a\u202eb\x1b[31m\xff"); got != "a<U+202E>b<U+001B>[31m<FF>" {
		t.Errorf("Visible: %q", got)
	}
	if got := Fingerprint([32]byte{0x9f, 0x3c}); got != "9F3C-0000-0000-0000-0000-0000-0000-0000-0000-0000" {
		t.Errorf("Fingerprint: %q", got)
	}
	for _, bad := range []string{"", "00", strings.Repeat("A", 64), strings.Repeat("0", 66), strings.Repeat("g", 64)} {
		if _, err := ParseHex(bad); !errors.Is(err, ErrFormat) {
			t.Errorf("ParseHex(%q): %v", bad, err)
		}
	}
	if got := FormatTime(time.Date(2026, 11, 22, 14, 29, 0, 5, time.FixedZone("", 3600))); got != "2026-11-22T13:29:00Z" {
		t.Errorf("FormatTime: %q", got)
	}
}

func FuzzArchive(f *testing.F) {
	f.Add([]byte("x@v1\n-- one --\n1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseArchive(b, "x@v1", 0)
		if err != nil {
			return
		}
		if back, err := a.Bytes(); err != nil || string(back) != string(b) {
			t.Fatalf("%q became %q (%v)", b, back, err)
		}
	})
}

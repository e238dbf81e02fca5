package explain

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestOffset(t *testing.T) {
	for _, c := range []struct {
		sealed, given string
		at, line      uint64
	}{
		{"a\nb\nc", "a\nb\nd", 4, 3},
		{"a\nb", "a\nb", 3, 2},
		{"a\nb", "a", 1, 1},
		{"", "x", 0, 1},
		{"a\x00\nb", "a\x00\nc", 3, 0},
	} {
		at, line, err := Offset(t.Context(), strings.NewReader(c.sealed), strings.NewReader(c.given))
		if err != nil || at != c.at || line != c.line {
			t.Errorf("%q, %q: %d, line %d, %v", c.sealed, c.given, at, line, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Offset(ctx, strings.NewReader("a"), strings.NewReader("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// zipped is a zip of members, each a name and a text, packed or stored.
func zipped(t *testing.T, method uint16, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: members[i], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, members[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func part(b []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}

func TestCompareZips(t *testing.T) {
	sealed := zipped(t, zip.Deflate, "a", "1", "b", "2", "c", "3")
	for name, c := range map[string]struct {
		given []byte
		want  Members
	}{
		"packed again": {zipped(t, zip.Store, "c", "3", "b", "2", "a", "1"), Members{Same: 3}},
		"other":        {zipped(t, zip.Deflate, "a", "1", "b", "4", "d", "3"), Members{Same: 1, Changed: []string{"b"}, Missing: []string{"c"}, Added: []string{"d"}}},
	} {
		got, err := CompareZips(t.Context(), part(sealed), part(c.given))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	damaged := zipped(t, zip.Store, "a", "the very letters")
	copy(damaged[bytes.Index(damaged, []byte("very")):], "VERY") // its checksum no longer fits
	for name, b := range map[string][]byte{
		"no zip": []byte("PK\x03\x04"), "a member twice": zipped(t, zip.Deflate, "a", "1", "a", "1"), "damaged": damaged,
	} {
		if _, err := CompareZips(t.Context(), part(sealed), part(b)); !errors.Is(err, ErrZip) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A bomb is unpacked as far as the limit, whatever sizes it claims.
	bomb := zipped(t, zip.Deflate, "a", strings.Repeat("0", 8<<20))
	if _, err := unpack(t.Context(), part(bomb), 1<<20); !errors.Is(err, ErrZip) {
		t.Errorf("a bomb: %v", err)
	}
	if _, err := unpack(t.Context(), part(bomb), 8<<20); err != nil {
		t.Errorf("as large as allowed: %v", err)
	}
}

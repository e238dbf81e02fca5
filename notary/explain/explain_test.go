package explain

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"trialnotary/notary/content"
	"trialnotary/notary/manifest"
)

// sealedFile is the line of a manifest for a file of these bytes.
func sealedFile(name string, b []byte) manifest.File {
	f := manifest.File{Path: name, Size: uint64(len(b)), SHA256: sha256.Sum256(b), SHA512: sha512.Sum512(b)}
	if d := content.New(content.Profile(name)); d != nil {
		d.Write(b)
		if sum, ok := d.Sum(); ok {
			f.Content = &manifest.Content{Profile: content.Profile(name), SHA256: sum}
		}
	}
	return f
}

func opens(b []byte) Open {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// byByte hands out one byte at a time.
func byByte(b []byte) Open {
	return func() (io.ReadCloser, error) { return io.NopCloser(iotest.OneByteReader(bytes.NewReader(b))), nil }
}

const vectors = "../content/testdata/vectors/"

func TestBytes(t *testing.T) {
	file := func(name string) string {
		b, err := os.ReadFile(vectors + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	dm, dj := file("../cdisc/dm.xpt"), file("../cdisc/dm.json")
	const bom = "\xef\xbb\xbf"
	var cases []testCase
	for _, c := range []struct {
		name, sealed, given string
		want                Finding
	}{
		{"a.txt", "a\nb\n", "a\nb\n", Finding{Cause: AsSealed}},
		{"a.txt", "a\nb\n", "a\r\nb\r\n", Finding{Cause: Rewritten, Changes: []Change{ToCRLF}}},
		{"a.txt", "a\r\nb\r\n", "a\nb\n", Finding{Cause: Rewritten, Changes: []Change{ToLF}}},
		{"a.txt", "a\nb\n", bom + "a\nb\n", Finding{Cause: Rewritten, Changes: []Change{MarkAdded}}},
		{"a.txt", bom + "a\nb\n", "a\nb\n", Finding{Cause: Rewritten, Changes: []Change{MarkRemoved}}},
		{"a.txt", "a\nb", "a\nb\n", Finding{Cause: Rewritten, Changes: []Change{NewlineAdded}}},
		{"a.txt", "a\nb\n\n", "a\nb", Finding{Cause: Rewritten, Changes: []Change{NewlineRemoved}}},
		{"a.txt", "a\r\nb\r\n", "a\r\nb", Finding{Cause: Rewritten, Changes: []Change{NewlineRemoved}}},
		{"a.txt", "caf\u00e9\n", "cafe\u0301\n", Finding{Cause: Rewritten, Changes: []Change{Decomposed}}},
		{"a.txt", "cafe\u0301\n", "caf\u00e9\n", Finding{Cause: Rewritten, Changes: []Change{Composed}}},
		{"a.txt", "caf\u00e9\nx", bom + "cafe\u0301\r\nx\r\n", Finding{Cause: Rewritten, Changes: []Change{ToCRLF, MarkAdded, NewlineAdded, Decomposed}}},
		{"a.txt", "a\rb\n", "a\rb\r\n", Finding{Cause: Rewritten, Changes: []Change{ToCRLF}}},
		{"a.txt", "a\r", "a\r\r\n", Finding{Cause: Rewritten, Changes: []Change{NewlineAdded}}},
		{"a.txt", "\n", "\r\n", Finding{Cause: Rewritten, Changes: []Change{ToCRLF}}},
		// At the end, too, what is told is all that happened.
		{"a.txt", "a\n\n", "a\r\n", Finding{Cause: Rewritten, Changes: []Change{ToCRLF, NewlineRemoved}}},
		{"a.txt", "a\r\n\r\n", "a\n\r\n", Finding{Cause: Rewritten, Changes: []Change{ToLF}}},
		{"a.txt", "a\n", "a\r\n\n", Finding{Cause: Rewritten, Changes: []Change{NewlineAdded}}},
		{"a.txt", "", bom, Finding{Cause: Rewritten, Changes: []Change{MarkAdded}}},
		{"a.txt", "a\nb\n", "a\nc\n", Finding{Cause: Unknown}},
		{"a.txt", "a\nb\n", "a\nb\nmore", Finding{Cause: Longer, More: 4}},
		{"a.txt", "a\nb\n", "a", Finding{Cause: Unknown}},
		{"a.txt", "a\nb\n", "", Finding{Cause: CutOff}},
		// Sealed with one kind of line end and another: which was which is lost.
		{"a.txt", "a\nb\r\n", "a\r\nb\r\n", Finding{Cause: Unknown}},
		{"a.csv", "a,b\n1,2\r\n", "a,b\r\n1,2\r\n", Finding{Cause: SameData, Profile: content.CSV}},
		{"a.csv", "a,b\n1,2\n", "\"a\",\"b\"\n1,2\n", Finding{Cause: SameData, Profile: content.CSV}},
		{"a.csv", "a,b\n1,2\n", "a,b\n1,2.0\n", Finding{Cause: OtherData, Profile: content.CSV}},
		{"a.csv", "a,b\n1,2\n", "a,b\n1\n", Finding{Cause: CutOff}},
		{"a.csv", "a,b\n1,2\n", "a,b\n1,\"2\n", Finding{Cause: Unreadable, Profile: content.CSV}},
		{"a.csv", "a,b\n1,2\n", "a,b\n1,2\n3,4\n", Finding{Cause: Longer, More: 4}},
		{"dm.xpt", dm, file("good/reexport.xpt"), Finding{Cause: SameData, Profile: content.XPT5}},
		{"dm.xpt", dm, file("good/value.xpt"), Finding{Cause: OtherData, Profile: content.XPT5}},
		{"dm.xpt", dm, strings.ReplaceAll(dm, "\n", "\r\n"), Finding{Cause: Rewritten, Changes: []Change{ToCRLF}, Binary: true}},
		{"dm.xpt", dm, dm[:4000], Finding{Cause: CutOff}},
		{"dm.json", dj, file("good/reexport.json"), Finding{Cause: SameData, Profile: content.DatasetJSON}},
		{"dm.json", dj, file("good/pretty.json"), Finding{Cause: SameData, Profile: content.DatasetJSON}},
		{"dm.json", dj, file("../cdisc/dm.ndjson"), Finding{Cause: SameData, Profile: content.DatasetJSON}},
		{"dm.json", dj, file("good/value.json"), Finding{Cause: OtherData, Profile: content.DatasetJSON}},
		{"dm.json", dj, file("good/number.json"), Finding{Cause: OtherData, Profile: content.DatasetJSON}},
		{"a.docx", "PK\x03\x04one", "PK\x03\x04two", Finding{Cause: Zip}},
	} {
		cases = append(cases, vectorCase(c.name, c.sealed, c.given, c.want))
		sealed := sealedFile(c.name, []byte(c.sealed))
		for _, open := range []Open{opens([]byte(c.given)), byByte([]byte(c.given))} {
			got, err := Bytes(t.Context(), sealed, open)
			if err != nil {
				t.Fatal(err)
			}
			if got.Cause != c.want.Cause || !slices.Equal(got.Changes, c.want.Changes) || got.Binary != c.want.Binary || got.Profile != c.want.Profile || got.More != c.want.More {
				t.Errorf("%s %.20q → %.20q: %+v, want %+v", c.name, c.sealed, c.given, got, c.want)
			}
		}
	}
	// The page reads the same cases.
	b, err := json.MarshalIndent(cases, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	if *update {
		if err := os.WriteFile("testdata/vectors/cases.json", b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadFile("testdata/vectors/cases.json"); err != nil || !bytes.Equal(kept, b) {
		t.Errorf("testdata/vectors/cases.json is not these cases (%v): go test ./notary/explain -update", err)
	}
}

var update = flag.Bool("update", false, "write testdata/vectors/cases.json")

// testCase is one file, as sealed and as given, each in base64 or as the name of a
// vector of notary/content, and what is found.
type testCase struct {
	Path    string   `json:"path"`
	Sealed  string   `json:"sealed"`
	Given   string   `json:"given"`
	Cause   Cause    `json:"cause"`
	Changes []Change `json:"changes"`
	Binary  bool     `json:"binary"`
	Profile string   `json:"profile"`
	More    uint64   `json:"more"`
	Content string   `json:"content"` // digest that was sealed, in hex
}

func vectorCase(path, sealed, given string, f Finding) testCase {
	c := testCase{path, inBase64(sealed), inBase64(given), f.Cause, append([]Change{}, f.Changes...), f.Binary, f.Profile, f.More, ""}
	if s := sealedFile(path, []byte(sealed)); s.Content != nil {
		c.Content = hex.EncodeToString(s.Content.SHA256[:])
	}
	return c
}

func inBase64(s string) string {
	for _, name := range []string{"../cdisc/dm.xpt", "../cdisc/dm.json", "../cdisc/dm.ndjson", "good/reexport.xpt", "good/value.xpt",
		"good/reexport.json", "good/pretty.json", "good/value.json", "good/number.json"} {
		if b, err := os.ReadFile(vectors + name); err == nil && string(b) == s {
			return "file:" + name
		}
	}
	return base64.StdEncoding.EncodeToString([]byte(s))
}

// A profile of a later version is no proof of anything.
func TestUnknownProfile(t *testing.T) {
	f := sealedFile("a.csv", []byte("a\n"))
	f.Content.Profile = "csv/v9"
	if got, err := Bytes(t.Context(), f, opens([]byte("b\n"))); err != nil || got.Cause != Unknown {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReadingFails(t *testing.T) {
	fails := errors.New("the disk is gone")
	open := func() (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(fails)), nil }
	if _, err := Bytes(t.Context(), sealedFile("a", nil), open); !errors.Is(err, fails) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Bytes(ctx, sealedFile("a", nil), opens([]byte("x"))); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// FuzzBytes: whatever the changes, they are told, and what is called rewritten is.
func FuzzBytes(f *testing.F) {
	f.Add([]byte("a\nb\r\nc\r"), byte(3))
	f.Add([]byte("caf\u00e9\n\n"), byte(0xff))
	f.Fuzz(func(t *testing.T, b []byte, how byte) {
		given := b
		if how&1 != 0 {
			given = bytes.ReplaceAll(bytes.ReplaceAll(given, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		}
		if how&2 != 0 {
			given = append([]byte(mark), given...)
		}
		if how&4 != 0 {
			given = append(slices.Clone(given), "\r\n"...)
		}
		got, err := Bytes(t.Context(), sealedFile("a.txt", b), byByte(given))
		if err != nil {
			t.Fatal(err)
		}
		mixed := bytes.Contains(b, []byte("\r\n"))
		if !mixed && !bytes.HasSuffix(b, []byte("\r")) && how&7 != 0 && !bytes.Equal(given, b) && got.Cause != Rewritten && got.Cause != Longer {
			t.Errorf("%q became %q: %+v", b, given, got)
		}
	})
}

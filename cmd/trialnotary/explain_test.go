package main

import (
	"crypto/sha256"
	"crypto/sha512"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/client"
	"trialnotary/notary/content"
	"trialnotary/notary/manifest"
)

// TestAWrongContentDigestProvesNothing: whoever seals one file with the digest of what
// another says has two to show; the original shows which one was meant to be hidden.
func TestAWrongContentDigestProvesNothing(t *testing.T) {
	says := func(b string) *manifest.Content {
		d := content.New(content.CSV)
		io.WriteString(d, b)
		sum, ok := d.Sum()
		if !ok {
			t.Fatalf("%q has no content digest", b)
		}
		return &manifest.Content{Profile: content.CSV, SHA256: sum}
	}
	const sealed, given = "dose\n10\n", "dose\n\"99\"\n"
	for _, c := range []struct {
		name, word string
		content    *manifest.Content
		same       bool
	}{
		{"of another file", "not known why: as the original shows", says(given), false},
		{"of none that it could be", "not known why: as the original shows", &manifest.Content{Profile: content.CSV}, false},
		{"its own", "proved: not only quotes and line ends differ", says(sealed), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, b := range map[string]string{"original/lb.csv": sealed, "given/lb.csv": given} {
				name = filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(b), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			m := &manifest.Manifest{Files: []manifest.File{{Path: "lb.csv", Size: uint64(len(sealed)), SHA256: sha256.Sum256([]byte(sealed)),
				SHA512: sha512.Sum512([]byte(sealed)), Content: c.content}}}
			var err error
			cmp := &compared{files: m.Files}
			if cmp.Comparison, err = client.Compare(t.Context(), m, []string{filepath.Join(dir, "given")}, nil); err != nil {
				t.Fatal(err)
			}
			all, err := reasons(t.Context(), cmp)
			if err != nil || len(all) != 1 {
				t.Fatalf("%+v, %v", all, err)
			}
			a := &app{out: io.Discard, err: io.Discard, now: time.Now}
			if err := a.look(t.Context(), cmp, all, explaining{original: filepath.Join(dir, "original")}); err != nil {
				t.Fatal(err)
			}
			if words := causeWords(all[0]); !strings.HasPrefix(words, c.word) || all[0].same() != c.same {
				t.Errorf("%s; same: %t", words, all[0].same())
			}
			if len(all[0].where) != 1 || all[0].where[0] != "first difference: row 2, column 1" {
				t.Errorf("where: %q", all[0].where)
			}
		})
	}
}

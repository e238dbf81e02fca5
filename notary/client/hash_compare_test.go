package client

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"trialnotary/notary/manifest"
)

// sealed returns a directory of the trial's files and its manifest.
func sealed(t *testing.T) (string, *manifest.Manifest) {
	dir := plant(t, trial)
	m, err := scan(t, dir).Hash(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return dir, m
}

func compared(t *testing.T, m *manifest.Manifest, paths ...string) Comparison {
	t.Helper()
	c, err := Compare(t.Context(), m, paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Matched {
		if _, err := os.Stat(c.Disk(p)); err != nil {
			t.Errorf("%s matches, and lies nowhere: %v", p, err)
		}
	}
	c.tree = nil // where files lie is no part of what is compared
	return c
}

func TestCompareTellsWhatBecameOfEveryFile(t *testing.T) {
	dir, m := sealed(t)
	if c := compared(t, m, dir); !c.Exact() || len(c.Matched) != 3 {
		t.Errorf("untouched: %+v", c)
	}
	write(t, filepath.Join(dir, "notes.txt"), "mine")
	if c := compared(t, m, dir); !c.OK() || c.Exact() || !reflect.DeepEqual(c.Extra, []Extra{{Path: "notes.txt"}}) {
		t.Errorf("one file more: %+v", c)
	}
	write(t, filepath.Join(dir, "a.csv"), "id,age\n1,31\n") // one byte
	write(t, filepath.Join(dir, "lab/b.csv"), "id,hb\n")
	os.Rename(filepath.Join(dir, "readme.txt"), filepath.Join(dir, "liesmich.txt"))
	want := Comparison{
		Changed: []Difference{
			{Path: "a.csv", Reason: "has other bytes than were sealed: both digests differ"},
			{Path: "lab/b.csv", Reason: "has 6 bytes, 13 were sealed"},
		},
		Missing: []string{"readme.txt"},
		Extra:   []Extra{{Path: "liesmich.txt", SameAs: "readme.txt"}, {Path: "notes.txt"}},
	}
	if c := compared(t, m, dir); c.OK() || !reflect.DeepEqual(c, want) {
		t.Errorf("changed: %+v", c)
	}
}

// One digest alone does not vouch for a file.
func TestBothDigestsMustMatch(t *testing.T) {
	dir, m := sealed(t)
	m.Files[0].SHA256[5] ^= 1
	m.Files[1].SHA512[40] ^= 1
	c := compared(t, m, dir)
	want := []Difference{{Path: "a.csv", Reason: "has another SHA-256 than was sealed"}, {Path: "lab/b.csv", Reason: "has another SHA-512 than was sealed"}}
	if !reflect.DeepEqual(c.Changed, want) {
		t.Errorf("%+v", c)
	}
}

func TestCompareOpening(t *testing.T) {
	dir, m := sealed(t)
	o, err := m.Open("lab/b.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "lab", "b.csv"), dir} { // a file is recognised by the end of its path
		c, err := CompareOpening(t.Context(), o, []string{path}, nil)
		if err != nil || !c.OK() || len(c.Matched) != 1 {
			t.Errorf("%s: %+v, %v", path, c, err)
		}
	}
	write(t, filepath.Join(dir, "lab", "b.csv"), "id,hb\n1,14.3\n")
	if c, _ := CompareOpening(t.Context(), o, []string{dir}, nil); c.OK() || len(c.Changed) != 1 {
		t.Errorf("changed: %+v", c)
	}
}

func TestWhatCannotBeReadIsInTheComparison(t *testing.T) {
	dir, m := sealed(t)
	os.Remove(filepath.Join(dir, "a.csv"))
	if err := os.Symlink("readme.txt", filepath.Join(dir, "a.csv")); err != nil {
		t.Skipf("this system makes no symbolic links here: %v", err)
	}
	os.Symlink("nowhere", filepath.Join(dir, "dangling"))
	c := compared(t, m, dir)
	if len(c.Changed) != 1 || !c.Changed[0].Unread || !strings.Contains(c.Changed[0].Reason, "symbolic link") || len(c.Matched) != 2 {
		t.Errorf("a sealed file that is a link now: %+v", c)
	}
	if len(c.Extra) != 1 || c.Extra[0].Reason == "" {
		t.Errorf("a link that was not sealed: %+v", c.Extra)
	}
}

func TestNamesOnDiskAreNormalisedBeforeTheyAreCompared(t *testing.T) {
	dir := plant(t, map[string]string{"Mu\u0308ller.csv": "x"})
	m, err := scan(t, dir).Hash(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	other := plant(t, map[string]string{"M\u00fcller.csv": "x"})
	for _, path := range []string{dir, other, filepath.Join(dir, "Mu\u0308ller.csv")} {
		if c := compared(t, m, path); !c.Exact() {
			t.Errorf("%+v", c)
		}
	}
}

func TestCompareWithNothing(t *testing.T) {
	dir, m := sealed(t)
	if c := compared(t, m, t.TempDir()); c.OK() || len(c.Missing) != 3 {
		t.Errorf("an empty directory: %+v", c)
	}
	_, err := Compare(t.Context(), m, []string{filepath.Join(dir, "absent")}, nil)
	refused(t, "a path that does not exist", err, "Nothing was compared")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Compare(ctx, m, []string{dir}, nil)
	refused(t, "stopped", err, "Nothing was compared")
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

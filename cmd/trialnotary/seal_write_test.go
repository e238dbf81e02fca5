package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/client"
	"trialnotary/notary/manifest"
)

// Two seals of the same second choose the same names; the one that comes second to
// write finds others, and overwrites nothing. A prefix that was asked for is not
// changed: then nothing is written.
func TestSealsOfTheSameSecondKeepApart(t *testing.T) {
	pending := samplePending(t)
	m, err := manifest.New([]manifest.File{{Path: "a.csv"}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 13, 29, 0, 0, time.UTC)
	for _, ext := range []string{".manifest", ".pending"} { // what the other has written by then
		dir := t.TempDir()
		s := sealing{kind: "dataset", paths: []string{filepath.Join(dir, "export")}}
		if s.prefix, err = s.choosePrefix(at); err != nil || !strings.HasSuffix(s.prefix, "export.20261122T132900Z") {
			t.Fatal(s.prefix, err)
		}
		other := s.prefix + ext
		if err := os.WriteFile(other, []byte("the other's"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.writeBeside(m, pending, at); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(s.prefix, "export.20261122T132900Z-2") {
			t.Errorf("the prefix is %s", s.prefix)
		}
		if b, _ := os.ReadFile(other); string(b) != "the other's" {
			t.Errorf("%s was overwritten", other)
		}
		left, _ := filepath.Glob(filepath.Join(dir, "*"))
		if len(left) != 3 {
			t.Errorf("%q", left)
		}

		s = sealing{kind: "dataset", out: strings.TrimSuffix(other, ext), prefix: strings.TrimSuffix(other, ext)}
		if err := s.writeBeside(m, pending, at); err == nil || !strings.Contains(err.Error(), "never overwritten") {
			t.Errorf("with --out: %v", err)
		}
		if now, _ := filepath.Glob(filepath.Join(dir, "*")); len(now) != 3 {
			t.Errorf("with --out, beside: %q", now)
		}
	}
}

// samplePending returns a pending statement as a site writes it.
func samplePending(t *testing.T) *client.Pending {
	t.Helper()
	w := newWard(t)
	if err := os.WriteFile(w.path("a.csv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.run(t, "seal", "a.csv", "--offline", "--out", "one")
	p, err := readPending(w.path("one.pending"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

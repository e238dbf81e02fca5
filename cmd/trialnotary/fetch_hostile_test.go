package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"trialnotary/notary/receipt"
)

// try runs a command that may fail.
func (d *desk) try(args ...string) (code int, said string) {
	var out strings.Builder
	a := &app{in: os.Stdin, out: &out, err: io.Discard, prompt: io.Discard, now: d.now}
	root := a.root()
	root.SetArgs(args)
	c, err := root.ExecuteC()
	a.err = &out
	return a.finish(c, err), out.String()
}

// A service that lies is found out: no receipt is written of what it says, and no
// trial file.
func TestFetchAndRecoverFromALyingService(t *testing.T) {
	flip := func(b []byte) []byte { // still base64
		b = bytes.Clone(b)
		if at := len(b) - 200; b[at] == 'A' {
			b[at] = 'B'
		} else {
			b[at] = 'A'
		}
		return b
	}
	lies := map[string]struct {
		path  string // contains
		alter func([]byte) []byte
		codes []int
		words string
	}{
		"the hashes in a tile":        {"/tile/0/", otherHashes, []int{exitNotVerified, exitUsage}, "not in the public log"},
		"a tile cut short":            {"/tile/0/", func(b []byte) []byte { return b[:len(b)-32] }, []int{exitNotVerified, exitUsage}, "want"},
		"a signature of checkpoint":   {"/checkpoint", flip, []int{exitService}, "does not verify"},
		"a signature of a final one":  {"/checkpoints/", flip, []int{exitNotVerified}, "verif"},
		"a final one of another size": {"/checkpoints/", func(b []byte) []byte { return bytes.Replace(b, []byte("village\n"), []byte("village\n1"), 1) }, []int{exitService}, "not the checkpoint of that size"},
		"a head of another batch":     {"/heads/", func(b []byte) []byte { return bytes.Replace(b, []byte("batch "), []byte("batch 1"), 1) }, []int{exitService}, ""},
		"the statement of an entry":   {"/entries", func(b []byte) []byte { return bytes.Replace(b, []byte("statement "), []byte("statement 0"), 1) }, []int{exitService}, "not the stream's entries"},
		"another statement":           {"/statements", func(b []byte) []byte { return bytes.Replace(b, []byte("time 20"), []byte("time 19"), 1) }, []int{exitService}, "another statement"},
		"entries out of order":        {"/entries", func(b []byte) []byte { return bytes.Replace(b, []byte("seq 1\n"), []byte("seq 2\n"), 1) }, []int{exitService}, "not the stream's entries"},
		"a page of something else":    {"/statements", func([]byte) []byte { return []byte("<html>") }, []int{exitService}, "not the stream's statements"},
	}
	d := newDesk(t)
	d.run("keygen", "--name", "jane", "--no-passphrase", "--out", d.path("jane.key"))
	d.run("enrol", d.path("T.trial"), "site-1", d.path("jane.key.pub"), "--out", d.path("jane.invite"))
	d.fill(d.notary, d.path("jane.invite"), d.path("jane.key"), 3)
	d.settle()
	type lie = func(string, []byte) ([]byte, bool)
	var now atomic.Value
	now.Store(lie(func(_ string, b []byte) ([]byte, bool) { return b, false }))
	d.alter = func(path string, b []byte) ([]byte, bool) { return now.Load().(lie)(path, b) }
	for what, l := range lies {
		now.Store(lie(func(path string, b []byte) ([]byte, bool) {
			if strings.HasPrefix(path, l.path) || strings.HasSuffix(path, l.path) {
				return l.alter(b), false
			}
			return b, false
		}))
		for _, command := range [][]string{
			{"fetch", d.path("T.trial"), "--out", d.path("out")},
			{"recover", "NCT01234567", "--key", d.path("rec.key"), "--service", d.http.URL, "--out", d.path("R.trial")},
		} {
			code, said := d.try(command...)
			fits := false
			for _, c := range l.codes {
				fits = fits || c == code
			}
			if !fits || !strings.Contains(said, l.words) {
				t.Errorf("%s: %s ends with %d:\n%s", what, command[0], code, said)
			}
		}
		if written, _ := filepath.Glob(d.path("out/*/*")); len(written) > 0 || exists(d.path("R.trial")) == nil {
			t.Fatalf("%s: %q was written", what, written)
		}
	}
	now.Store(lie(func(_ string, b []byte) ([]byte, bool) { return b, false }))
	if code, said := d.try("fetch", d.path("T.trial"), "--out", d.path("out")); code != 0 {
		t.Errorf("the truth: %d\n%s", code, said)
	}
}

// otherHashes changes every hash of a tile.
func otherHashes(b []byte) []byte {
	b = bytes.Clone(b)
	for i := 5; i < len(b); i += 32 {
		b[i] ^= 1
	}
	return b
}

// A batch that never became final is covered by the next one that did; what no final
// checkpoint covers yet is pending.
func TestFetchWhereABatchHasNoFinalCheckpoint(t *testing.T) {
	d := newDesk(t)
	var missing atomic.Value
	missing.Store("none")
	d.alter = func(path string, b []byte) ([]byte, bool) { return b, path == missing.Load().(string) }
	d.run("keygen", "--name", "jane", "--no-passphrase", "--out", d.path("jane.key"))
	d.run("enrol", d.path("T.trial"), "site-1", d.path("jane.key.pub"), "--out", d.path("jane.invite"))
	d.fill(d.notary, d.path("jane.invite"), d.path("jane.key"), 1)
	d.settle()
	d.run("fetch", d.path("T.trial"), "--out", d.path("one"))
	size := func(name string) string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := receipt.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		v, err := r.Verify(receipt.Options{Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return "/checkpoints/" + strings.Repeat("0", 19) + string(rune('0'+v.FinalSize))
	}
	enrolled := size(d.path("one/trial/000001-enrolment.receipt"))
	sealed := size(d.path("one/site-1/000001-note.receipt"))
	missing.Store(enrolled)
	d.run("fetch", d.path("T.trial"), "--out", d.path("two"))
	if got := size(d.path("two/trial/000001-enrolment.receipt")); got != sealed {
		t.Errorf("the enrolment is proved by %s, want %s", got, sealed)
	}
	if code, said := d.try("verify", d.path("two"), "--trust", d.path("T.trial")); code != 0 {
		t.Errorf("%d\n%s", code, said)
	}
	missing.Store(sealed)
	code, said := d.try("fetch", d.path("T.trial"), "--out", d.path("three"))
	if code != exitPending || !strings.Contains(said, "1 not yet under a final checkpoint") || exists(d.path("three/site-1/000001-note.receipt")) == nil {
		t.Errorf("%d\n%s", code, said)
	}
}

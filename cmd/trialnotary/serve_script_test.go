package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"trialnotary/notary/receipt"
)

// TestScriptsAgainstServe tells the stories of a site, a sponsor and a board again,
// each with a `serve` of its own: a process, files on a disk, a log that is really
// there.
func TestScriptsAgainstServe(t *testing.T) {
	if testing.Short() {
		t.Skip("each starts a process")
	}
	sample, err := filepath.Abs("testdata/sample")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"script/admitted", "script/site", "script/sponsor", "script/share", "script/lists", "serve/rotated"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServed(t)
			testscript.Run(t, testscript.Params{
				Files: []string{"testdata/" + name + ".txtar"},
				Setup: func(e *testscript.Env) error {
					e.Values[servedKey{}] = s
					e.Setenv("TRIALNOTARY_CONFIG", filepath.Join(e.WorkDir, "config"))
					e.Setenv("SERVICE", s.process.url)
					e.Setenv("TZ", "UTC")
					return os.CopyFS(filepath.Join(e.WorkDir, "sample"), os.DirFS(sample))
				},
				Cmds: scriptCommands(map[string]scriptCommand{"admit": admitServed, "service": serviceServed, "rotated": rotatedServed}),
			})
		})
	}
}

type servedKey struct{}

// served is a `serve` with its directory and the file of its sponsors.
type served struct {
	t        *testing.T
	dir      string
	sponsors string
	process  *process
}

func newServed(t *testing.T) *served {
	dir := t.TempDir()
	s := &served{t: t, dir: filepath.Join(dir, "log"), sponsors: filepath.Join(dir, "sponsors.txt")}
	if err := os.WriteFile(s.sponsors, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.start("127.0.0.1:0")
	return s
}

func (s *served) start(address string) {
	s.process = startProcess(s.t, "--listen", address, "--dir", s.dir, "--origin", "log.example/served", "--every", "100ms", "--sponsors", s.sponsors)
}

// admit FILE.pub: adds the key to the sponsors file of the running service, waits
// until it counts, and sets FINGERPRINT to what the operator now says of the log.
func admitServed(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value(servedKey{}).(*served)
	key := ts.ReadFile(args[0])
	f, err := os.OpenFile(s.sponsors, os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteString(key)
	ts.Check(err)
	ts.Check(f.Close())
	for range 400 {
		r, err := http.Get(s.process.url + "/trust")
		ts.Check(err)
		b, err := io.ReadAll(r.Body)
		r.Body.Close()
		ts.Check(err)
		if strings.Contains(string(b), strings.TrimSpace(key)) {
			t, err := receipt.ParseTrust(b)
			ts.Check(err)
			ts.Setenv("FINGERPRINT", t.Fingerprint)
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	ts.Fatalf("the key of %s never counted", args[0])
}

// service STATUS: the service crashes; 0: it is started again, at the same address.
func serviceServed(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value(servedKey{}).(*served)
	if args[0] != "0" {
		s.process.kill()
		return
	}
	s.start(strings.TrimPrefix(s.process.url, "http://"))
}

// rotated FILE: the log has new keys, its service goes on at the same address, and its
// new trust file is written there.
func rotatedServed(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value(servedKey{}).(*served)
	s.process.terminate()
	r, err := rotate(context.Background(), s.dir, len(args) > 1, func(string) error { return nil })
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), r.trust.Raw, 0o644))
	ts.Setenv("FINGERPRINT", r.trust.Fingerprint)
	s.start(strings.TrimPrefix(s.process.url, "http://"))
}

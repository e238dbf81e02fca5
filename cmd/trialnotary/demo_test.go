package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestDemoVerb is no test: it is the program that the demo under test runs.
func TestDemoVerb(t *testing.T) {
	line := os.Getenv("DEMO_TEST_VERB")
	if line == "" {
		t.Skip("the process that other tests start")
	}
	os.Exit(run(strings.Split(line, "\n")))
}

// testProgram runs verbs in processes of the test binary, on a machine whose user
// has settings: if one of them reached a verb of the demo, it would fail.
func testProgram(ctx context.Context, args ...string) (*exec.Cmd, error) {
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestDemoVerb$")
	cmd.Env = append(os.Environ(), "DEMO_TEST_VERB="+strings.Join(args, "\n"),
		"TRIALNOTARY_CONFIG=/no/such/place", "TRIALNOTARY_KEY=/no/such/key", "TRIALNOTARY_TRUST=/no/such/trust", "TRIALNOTARY_SERVICE=ftp://no.such")
	return cmd, nil
}

// said is what a demo has printed so far.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// runDemo runs `demo` and returns its exit code and what it printed.
func runDemo(ctx context.Context, program program, out io.Writer, args ...string) error {
	c := newDemoCommand(program)
	c.SetArgs(args)
	c.SetOut(out)
	c.SetErr(out)
	c.SilenceErrors, c.SilenceUsage = true, true
	return c.ExecuteContext(ctx)
}

// verb runs a verb in a folder of the demo, as somebody would who tries things out
// afterwards.
func verb(t *testing.T, dir string, args ...string) (int, string) {
	t.Helper()
	cmd, err := testProgram(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "DEMO_TEST_VERB="+strings.Join(args, "\n"), "TRIALNOTARY_CONFIG="+filepath.Join(t.TempDir(), "none"))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestDemoTellsTheStory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	var out said
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- runDemo(ctx, testProgram, &out, "--dir", dir, "--serve") }()

	// It ends with the service running again, at the address of before.
	var url string
	for url == "" {
		select {
		case err := <-ended:
			t.Fatalf("the demo ended: %v\n%s", err, out.String())
		case <-time.After(50 * time.Millisecond):
		}
		_, after, _ := strings.Cut(out.String(), "The notary runs again at ")
		if u, _, ok := strings.Cut(after, ","); ok {
			url = u
		}
	}
	answer, err := http.Get(url + "/checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("GET /checkpoint: %s", answer.Status)
	}
	// What it says to try works.
	if code, out := verb(t, filepath.Join(dir, "site-701"), "seal", "export", "--supersedes", "export.receipt", "--reason", "two rows were missing",
		"--invite", "site-701.invite", "--key", "rossi.key", "--out", "mine"); code != exitDone {
		t.Errorf("seal against the running service: exit %d\n%s", code, out)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatalf("after Ctrl-C: %v", err)
	}
	if code, out := verb(t, filepath.Join(dir, "site-701"), "verify", "mine.receipt", "export", "--trust", "../operator/notary/log.trust"); code != exitDone {
		t.Errorf("verify what was sealed against it: exit %d\n%s", code, out)
	}

	story := out.String()
	for _, part := range []string{
		"sponsor$ trialnotary keygen --name acme",
		"operator$ trialnotary serve --dir notary",
		"REGISTERED   NCT99999999",
		"JOINED   site-708 · NCT99999999",
		"SEALED   protocol · trial · NCT99999999",
		"SEALED   dataset · site-701 · NCT99999999",
		"nothing answers at " + url,
		"5 receipts: 5 verified",
		"NOT VERIFIED   dataset · site-701 · NCT99999999",
		"NOT VERIFIED   altered/site-701.receipt",
		"Stopped; nothing was lost.",
	} {
		if !strings.Contains(story, part) {
			t.Errorf("the story does not say %q", part)
		}
	}
	// The verdict comes after the service was stopped, the refusals after that.
	at := -1
	for _, part := range []string{"\n6  The notary is switched off", "\n    VERIFIED   dataset · site-701", "\n    NOT VERIFIED   dataset", "\n    NOT VERIFIED   altered/"} {
		i := strings.Index(story, part)
		if i <= at {
			t.Errorf("%q is not in its place", part)
		}
		at = i
	}
	for _, word := range []string{"\x1b", "\r", "blockchain", "immutable", "tamper-proof"} {
		if strings.Contains(strings.ToLower(story), word) {
			t.Errorf("the story contains %q", word)
		}
	}
	for line := range strings.Lines(story) {
		if n := columns(strings.TrimSuffix(line, "\n")); n > 100 && !strings.Contains(line, dir) {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}

	for _, name := range []string{"README.txt", "LICENSE-of-the-data.txt", "operator/notary/log.trust", "sponsor/NCT99999999.trial",
		"sponsor/protocol.receipt", "sponsor/protocol.manifest", "sponsor/analysis-plan.receipt", "sponsor/database-lock.receipt",
		"site-701/export/dm.json", "site-701/export.receipt", "site-701/export.manifest", "site-708/export/ae.xpt", "site-708/export.receipt",
		"ethics-board/site-701.receipt", "ethics-board/site-701/ae.json", "ethics-board/altered/site-701.receipt"} {
		if exists(filepath.Join(dir, name)) != nil {
			t.Errorf("%s is not there", name)
		}
	}
	receipts := 0
	left, err := below([]string{dir}, ".receipt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range left {
		want := exitDone
		if filepath.Base(filepath.Dir(name)) == "altered" {
			want = exitNotVerified
		}
		if code, out := verb(t, dir, "verify", name, "--trust", "operator/notary/log.trust"); code != want {
			t.Errorf("verify %s: exit %d, want %d\n%s", name, code, want, out)
		}
		receipts++
	}
	if receipts != 12 { // five, the board's five, the altered one, and that of this test
		t.Errorf("%d receipts", receipts)
	}
	if pending, _ := below([]string{dir}, ".pending"); len(pending) > 0 {
		t.Errorf("left pending: %s", pending)
	}
	original, altered := contents(t, dir, "ethics-board/site-701/ae.json"), contents(t, dir, "ethics-board/altered/site-701/ae.json")
	if n := differing(original, altered); n != 1 {
		t.Errorf("%d bytes of the dataset were changed", n)
	}
	if n := differing(contents(t, dir, "ethics-board/site-701.receipt"), contents(t, dir, "ethics-board/altered/site-701.receipt")); n != 1 {
		t.Errorf("%d bytes of the receipt were changed", n)
	}
}

func contents(t *testing.T, elem ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// differing counts the bytes in which a and b differ.
func differing(a, b []byte) int {
	n := max(len(a), len(b)) - min(len(a), len(b))
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// TestDemoBelievesNoVerb has a program that refuses nothing tell the story.
func TestDemoBelievesNoVerb(t *testing.T) {
	t.Parallel()
	gullible := func(ctx context.Context, args ...string) (*exec.Cmd, error) {
		if args[0] == "verify" && slices.Contains(args, "altered/site-701") {
			args = []string{"verify", "--help"} // exit code 0
		}
		return testProgram(ctx, args...)
	}
	dir := filepath.Join(t.TempDir(), "demo")
	var out said
	err := runDemo(t.Context(), gullible, &out, "--dir", dir, "--json")
	if codeOf(err) != exitNotVerified {
		t.Fatalf("exit code %d, want 1: %v\n%s", codeOf(err), err, out.String())
	}
	var done demoDone
	if err := json.Unmarshal([]byte(out.String()), &done); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if want := "ended with exit code 0 where 1 was expected"; !strings.Contains(done.Error, want) || done.Exit != exitNotVerified {
		t.Errorf("error %q, exit %d", done.Error, done.Exit)
	}
	if len(done.Receipts) != 5 || done.Receipts[0].Kind != "protocol" || done.Receipts[4].Kind != "database-lock" {
		t.Errorf("the order the board found: %v", done.Receipts)
	}
	for _, r := range done.Commands {
		if r.Exit != exitDone {
			t.Errorf("%s: exit %d: %s", r.Args, r.Exit, r.Answer)
		}
	}
}

// TestDemoStopsAtTheFirstFailure has a verb fail in the middle.
func TestDemoStopsAtTheFirstFailure(t *testing.T) {
	t.Parallel()
	broken := func(ctx context.Context, args ...string) (*exec.Cmd, error) {
		if args[0] == "register" {
			args = append(args, "--no-such-flag")
		}
		return testProgram(ctx, args...)
	}
	dir := filepath.Join(t.TempDir(), "demo")
	var out said
	err := runDemo(t.Context(), broken, &out, "--dir", dir)
	if codeOf(err) != exitUsage || !strings.Contains(fmt.Sprint(err), "register") {
		t.Fatalf("exit code %d: %v", codeOf(err), err)
	}
	if s := out.String(); !strings.Contains(s, "no-such-flag") || strings.Contains(s, "Two sites") {
		t.Errorf("the story went on, or the answer is not shown:\n%s", s)
	}
}

func TestDemoOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.txt"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := runDemo(t.Context(), testProgram, io.Discard, "--dir", dir)
	if codeOf(err) != exitUsage || hint(err) != "Choose a new one: demo --dir "+quote(dir+"-2") {
		t.Errorf("a directory that is not empty: exit code %d, %v, %s", codeOf(err), err, hint(err))
	}
	if err := runDemo(t.Context(), testProgram, io.Discard, "--dir", filepath.Join(dir, "mine.txt")); codeOf(err) != exitUsage {
		t.Errorf("a file: exit code %d, %v", codeOf(err), err)
	}
	if there, _ := os.ReadDir(dir); len(there) != 1 {
		t.Errorf("%d entries in the directory", len(there))
	}
	t.Chdir(dir)
	if err := os.Mkdir(demoDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := chooseDemoDir(newDemoCommand(testProgram), ""); err != nil || got != demoDir+"-2" {
		t.Errorf("the default directory: %s, %v", got, err)
	}
}

func TestDemoLinesFit(t *testing.T) {
	var out bytes.Buffer
	d := &demo{out: &out, width: 40}
	d.answer("  bytes      2 of 2 files match; 1 file here was not sealed: notes.txt\n             more of it\n" + strings.Repeat("x", 50) + " y\n")
	d.person("sponsor").prompt([]string{"enrol", "t.trial", "--person", "Maria Rossi", "--json"})
	want := `      bytes      2 of 2 files match; 1
                 file here was not
                 sealed: notes.txt
                 more of it
    ` + strings.Repeat("x", 50) + `
    y

  sponsor$ trialnotary enrol t.trial \
      --person 'Maria Rossi' --json
`
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
}

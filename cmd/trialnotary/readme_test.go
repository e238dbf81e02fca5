package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestReadmeStory types what the README tells its reader to type, in order, and
// compares the answers it promises.
func TestReadmeStory(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the README's commands are for a POSIX shell")
	}
	raw, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, story, ok := strings.Cut(string(raw), "\n## The story, typed\n")
	story, _, end := strings.Cut(story, "\n## ")
	if !ok || !end {
		t.Fatal("the README has no section \"The story, typed\"")
	}
	var commands []string
	var answers []string
	for i, block := range strings.Split(story, "```") {
		switch {
		case i%2 == 0:
		case strings.HasPrefix(block, "console\n"):
			for _, line := range strings.Split(block, "\n") {
				if c, ok := strings.CutPrefix(line, "$ "); ok {
					commands = append(commands, c)
				}
			}
		default:
			answers = append(answers, strings.TrimSpace(block))
		}
	}
	if len(commands) < 10 {
		t.Fatalf("only %d commands were found", len(commands))
	}

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "passphrase"), []byte("a passphrase for the test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()

	script := "set -eu\ntrap 'kill $server 2>/dev/null || true' EXIT\nserver=\n"
	for _, c := range commands {
		run := strings.Replace(c, "http://127.0.0.1:8344", "http://"+address, 1)
		switch {
		case strings.HasPrefix(c, "go build -o story/ "): // the reader is in the repository
			run = fmt.Sprintf("go build -C %s -o %s ./cmd/trialnotary", shellQuote(repository), shellQuote(filepath.Join(dir, "story")+"/"))
		case strings.HasPrefix(c, "trialnotary serve "):
			run = strings.Replace(c, " > ", " --listen "+address+" > ", 1) + "\nserver=$!"
		}
		script += "echo " + shellQuote("$ "+c) + "\n" + run + "\n"
	}
	sh := exec.Command("sh", "-c", script)
	sh.Dir = dir
	sh.Env = append(os.Environ(), "TRIALNOTARY_CONFIG="+filepath.Join(dir, "config"), "TRIALNOTARY_PASSPHRASE_FILE="+filepath.Join(dir, "passphrase"),
		"NO_COLOR=1", "TZ=UTC")
	out, err := sh.CombinedOutput()
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "story", "serve.txt"))
		t.Fatalf("%v\n%s\nthe service:\n%s", err, out, log)
	}
	// The story ends as it began: nothing is left running.
	for tries := 0; ; tries++ {
		c, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		if c.Close(); tries == 100 {
			t.Fatal("the service still runs after the story")
		}
		time.Sleep(100 * time.Millisecond)
	}
	if !strings.Contains(string(out), "NOT VERIFIED") || !strings.Contains(string(out), "exit code 1\n") {
		t.Errorf("the changed byte was not refused:\n%s", out)
	}
	for _, line := range strings.Split(strings.Join(answers, "\n"), "\n") {
		// What differs from run to run stands behind the words that begin a line.
		words := strings.Join(strings.Fields(line)[:2], " ")
		if !strings.Contains(strings.Join(strings.Fields(string(out)), " "), words) {
			t.Errorf("no answer has the line %q:\n%s", line, out)
		}
	}
	if len(answers) < 4 {
		t.Errorf("only %d answers were found", len(answers))
	}
}

func shellQuote(s string) string {
	return fmt.Sprintf("'%s'", strings.ReplaceAll(s, "'", `'\''`))
}

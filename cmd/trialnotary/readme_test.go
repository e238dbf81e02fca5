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
)

// TestReadmeStory types what the README tells its reader to type, in order, and
// compares the verdict it promises.
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
	verdict := ""
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
			verdict = strings.TrimSpace(block)
		}
	}
	if len(commands) < 10 {
		t.Fatalf("only %d commands were found", len(commands))
	}

	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("protocol.txt", "Protocol, version 1\n")
	write("export/dm.csv", "subject,visit\n")
	write("passphrase", "a passphrase for the test\n")
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "bin", "trialnotary"), ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()

	script := "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"
	for _, c := range commands {
		c = strings.Replace(c, "http://127.0.0.1:8344", "http://"+address, 1)
		if strings.HasPrefix(c, "trialnotary serve ") {
			c = strings.Replace(c, " &", " --listen "+address+" >serve.out 2>&1 &", 1)
		}
		if strings.Contains(c, `"$FINGERPRINT"`) {
			script += `FINGERPRINT=$(grep -oE '[0-9A-F]{4}(-[0-9A-F]{4}){9}' serve.out | head -n 1)` + "\n"
		}
		script += "echo " + shellQuote("$ "+c) + "\n" + c + "\n"
	}
	sh := exec.Command("sh", "-c", script)
	sh.Dir = dir
	sh.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"TRIALNOTARY_CONFIG="+filepath.Join(dir, "config"), "TRIALNOTARY_PASSPHRASE_FILE="+filepath.Join(dir, "passphrase"),
		"NO_COLOR=1", "TZ=UTC")
	out, err := sh.CombinedOutput()
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "serve.out"))
		t.Fatalf("%v\n%s\nthe service:\n%s", err, out, log)
	}
	if !strings.Contains(string(out), "NOT VERIFIED") || !strings.Contains(string(out), "exit code 1\n") {
		t.Errorf("the changed byte was not refused:\n%s", out)
	}
	for _, line := range strings.Split(verdict, "\n") {
		// What differs from run to run stands behind the words that begin a line.
		words := strings.Join(strings.Fields(line)[:2], " ")
		if !strings.Contains(strings.Join(strings.Fields(string(out)), " "), words) {
			t.Errorf("the verdict has no line %q:\n%s", line, out)
		}
	}
}

func shellQuote(s string) string {
	return fmt.Sprintf("'%s'", strings.ReplaceAll(s, "'", `'\''`))
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	version     = "4.14.0"
	defaultPort = 4566
	region      = "us-east-1"
	account     = "000000000000"
)

// place is where the emulator lives on this machine. Below dir:
//
//	venv/ java/ cdk/ bin/   installed once, kept by down
//	run/                    one run: pid, log, FILESYSTEM_ROOT (fs/), outputs; emptied by the next start
type place struct {
	dir  string
	port int
	out  io.Writer
}

func (p place) path(elem ...string) string { return filepath.Join(append([]string{p.dir}, elem...)...) }
func (p place) run(elem ...string) string  { return p.path(append([]string{"run"}, elem...)...) }
func (p place) lib(elem ...string) string {
	return p.run(append([]string{"fs", "var", "lib", "localstack", "lib"}, elem...)...)
}
func (p place) endpoint() string { return fmt.Sprintf("http://127.0.0.1:%d", p.port) }
func (p place) front() string    { return fmt.Sprintf("127.0.0.1:%d", p.port+1) }

func (p place) say(format string, a ...any) { fmt.Fprintf(p.out, format+"\n", a...) }

// environ is what a client of the emulator needs in its environment.
func (p place) environ() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + p.endpoint(),
		// The SDK of Node builds bucket.host names, which nothing here resolves, unless S3 has an endpoint of its own.
		"AWS_ENDPOINT_URL_S3=" + p.endpoint(),
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region,
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_EC2_METADATA_DISABLED=true",
	}
}

// step runs a command of the installation; its output is shown only if it fails.
func (p place) step(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, tail(out, 40))
	}
	return nil
}

// tail is the last n lines of b.
func tail(b []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// once does install unless the file dir/.done says that this very want was
// installed before. A half-done installation is removed and done again.
func (p place) once(dir, want, what string, install func() error) error {
	mark := filepath.Join(dir, ".done")
	if done, err := os.ReadFile(mark); err == nil && string(done) == want {
		return nil
	}
	p.say("installing %s (the first time only)", what)
	began := time.Now()
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return err
	}
	if err := install(); err != nil {
		return fmt.Errorf("install %s: %w", what, err)
	}
	p.say("installed %s in %s", what, time.Since(began).Round(time.Second))
	return os.WriteFile(mark, []byte(want), 0o644)
}

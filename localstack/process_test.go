//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func testPlace(t *testing.T) place {
	p := place{dir: t.TempDir(), port: 1, out: t.Output()}
	if err := os.MkdirAll(p.run(), 0o755); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBackgroundEndsWhenAskedAndWhenNot(t *testing.T) {
	for name, script := range map[string]string{
		"polite":   "echo hello; exec sleep 60",
		"stubborn": "trap '' TERM; echo hello; while :; do sleep 1; done",
	} {
		t.Run(name, func(t *testing.T) {
			p := testPlace(t)
			if _, ok := p.running(name); ok {
				t.Fatal("runs before it was started")
			}
			if err := p.background(name, p.dir, nil, "sh", "-c", script); err != nil {
				t.Fatal(err)
			}
			err := p.await(t.Context(), name, 5*time.Second, func() error {
				if b, _ := os.ReadFile(p.run(name + ".log")); string(b) != "hello\n" {
					return errors.New("no hello yet")
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := p.running(name); !ok {
				t.Fatal("does not run")
			}
			if err := p.end(name, 300*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			for until := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				if _, ok := p.running(name); !ok {
					break
				} else if time.Now().After(until) {
					t.Fatal("still runs")
				}
			}
			if _, err := os.Stat(p.run(name + ".log")); err != nil {
				t.Errorf("the log is gone: %v", err)
			}
			if err := p.end(name, time.Second); err != nil {
				t.Errorf("ending it again: %v", err)
			}
		})
	}
}

// A process id in a file may by now be somebody else's: only the lock counts.
func TestStaleProcessIDIsNobodys(t *testing.T) {
	p := testPlace(t)
	for _, name := range []string{"localstack.pid", "localstack.lock"} {
		if err := os.WriteFile(p.run(name), []byte("1234567\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if pid, ok := p.running("localstack"); ok {
		t.Errorf("process %d is taken for ours", pid)
	}
}

func TestAwaitTellsWhatTheProcessSaid(t *testing.T) {
	p := testPlace(t)
	if err := p.background("short", p.dir, nil, "sh", "-c", "echo no such table; exit 1"); err != nil {
		t.Fatal(err)
	}
	err := p.await(t.Context(), "short", 20*time.Second, func() error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "ended by itself") || !strings.Contains(err.Error(), "no such table") {
		t.Errorf("await: %v", err)
	}
}

func TestOnceInstallsAgainWhatIsHalfDoneOrChanged(t *testing.T) {
	p := testPlace(t)
	dir, runs := filepath.Join(p.dir, "thing"), 0
	install := func(err error) func() error {
		return func() error {
			runs++
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("what was there is in the way: %v", left)
			}
			return errors.Join(os.WriteFile(filepath.Join(dir, "part"), nil, 0o644), err)
		}
	}
	broken := errors.New("network")
	for _, c := range []struct {
		want string
		fail error
		runs int
		why  string
	}{
		{"v1", broken, 1, "the first time, which fails"},
		{"v1", nil, 2, "the first was half done"},
		{"v1", nil, 2, "it is there"},
		{"v2", nil, 3, "another is wanted"},
	} {
		if err := p.once(dir, c.want, "a thing", install(c.fail)); !errors.Is(err, c.fail) {
			t.Errorf("%s: %v", c.why, err)
		}
		if runs != c.runs {
			t.Errorf("%s: installed %d times, want %d", c.why, runs, c.runs)
		}
	}
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// background starts a program that outlives this one. Its output is run/<name>.log,
// its process id run/<name>.pid, and it holds a lock on run/<name>.lock while it lives.
func (p place) background(name, dir string, env []string, program string, args ...string) error {
	log, err := os.Create(p.run(name + ".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	lock, err := os.Create(p.run(name + ".lock"))
	if err != nil {
		return err
	}
	defer lock.Close()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), env...), log, log
	if err := detach(cmd, lock); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	return os.WriteFile(p.run(name+".pid"), []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o644)
}

// running is the process id of what background started under this name, if it lives.
func (p place) running(name string) (int, bool) {
	lock, err := os.Open(p.run(name + ".lock"))
	if err != nil {
		return 0, false
	}
	defer lock.Close()
	b, err := os.ReadFile(p.run(name + ".pid"))
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	return pid, err == nil && pid > 1 && held(lock)
}

// end stops what background started under this name: asked first, killed after
// patience has passed. LocalStack sometimes hangs when asked.
func (p place) end(name string, patience time.Duration) error {
	pid, ok := p.running(name)
	if !ok {
		return nil
	}
	if err := end(pid); err != nil {
		return fmt.Errorf("stop %s (process %d): %w", name, pid, err)
	}
	for until := time.Now().Add(patience); ok && time.Now().Before(until); _, ok = p.running(name) {
		time.Sleep(100 * time.Millisecond)
	}
	// Its children too, should it have left any behind.
	if err := kill(pid); err != nil {
		return fmt.Errorf("kill %s (process %d): %w", name, pid, err)
	}
	return os.Remove(p.run(name + ".pid"))
}

// await polls try until it succeeds. It gives up early when what was started under
// this name has ended.
func (p place) await(ctx context.Context, name string, patience time.Duration, try func() error) error {
	for deadline := time.Now().Add(patience); ; {
		err := try()
		if err == nil {
			return nil
		}
		_, ok := p.running(name)
		if !ok {
			err = fmt.Errorf("it ended by itself")
		}
		if !ok || ctx.Err() != nil || time.Now().After(deadline) {
			log, _ := os.ReadFile(p.run(name + ".log"))
			return fmt.Errorf("%s does not come up: %w; the end of %s:\n%s", name, err, p.run(name+".log"), tail(log, 20))
		}
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
}

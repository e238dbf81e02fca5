package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// test runs the end-to-end tests, which find the emulator by dir and port.
func (p place) test(ctx context.Context) error {
	if err := p.healthy(ctx); err != nil {
		return fmt.Errorf("%w\nfirst: go run ./localstack up", err)
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-timeout=20m", "./localstack/...")
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, p.out, os.Stderr
	cmd.Env = append(os.Environ(), "TRIALNOTARY_LOCALSTACK_DIR="+p.dir, "TRIALNOTARY_LOCALSTACK_PORT="+strconv.Itoa(p.port))
	return cmd.Run()
}

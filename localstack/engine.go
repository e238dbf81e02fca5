package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"
)

//go:embed compose.yaml
var compose string

// start brings LocalStack up, in Docker where an engine works, else in host mode,
// and waits until it is healthy. One that is up already is left as it is.
func (p place) start(ctx context.Context) error {
	if _, ok := p.running("localstack"); ok {
		if err := p.await(ctx, "localstack", time.Minute, func() error { return p.healthy(ctx) }); err != nil {
			return fmt.Errorf("%w\nstop it with: go run ./localstack down", err)
		}
		p.say("LocalStack %s is up at %s", version, p.endpoint())
		return nil
	}
	if err := p.healthy(ctx); err == nil && !p.docked() {
		return fmt.Errorf("another LocalStack, not started from %s, answers at %s: stop it, or give another -port", p.dir, p.endpoint())
	} else if answers(ctx, p.endpoint()) && !p.docked() {
		return fmt.Errorf("something else listens at %s: give another -port", p.endpoint())
	}
	if err := errors.Join(os.RemoveAll(p.run()), os.MkdirAll(p.run(), 0o755)); err != nil {
		return err
	}
	began := time.Now()
	how, wait := "in host mode", func() error {
		return p.await(ctx, "localstack", 3*time.Minute, func() error { return p.healthy(ctx) })
	}
	if engineWorks(ctx) {
		how, wait = "in Docker", func() error { return p.healthy(ctx) }
		if err := p.startDocker(ctx); err != nil {
			return err
		}
	} else if err := p.startHost(ctx); err != nil {
		return err
	}
	if err := wait(); err != nil {
		return err
	}
	p.say("LocalStack %s is up at %s, %s, after %s", version, p.endpoint(), how, time.Since(began).Round(time.Second))
	return nil
}

// down stops what start started. Logs stay in run/ until the next start.
func (p place) down(ctx context.Context) error {
	if err := p.end("front", time.Second); err != nil {
		return err
	}
	if p.docked() {
		if err := p.docker(ctx, "down", "--volumes"); err != nil {
			return err
		}
		if err := os.Remove(p.run("compose.yaml")); err != nil {
			return err
		}
	} else if _, ok := p.running("localstack"); !ok {
		p.say("LocalStack is not up")
		return nil
	} else if err := p.end("localstack", 8*time.Second); err != nil {
		return err
	} else if answers(ctx, p.endpoint()) {
		return fmt.Errorf("LocalStack was stopped, and yet something answers at %s", p.endpoint())
	}
	p.say("LocalStack is down; logs are in %s", p.run())
	return nil
}

// answers says whether any HTTP server listens there.
func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	res.Body.Close()
	return true
}

// engineWorks says whether a Docker engine with compose answers. A client without
// an engine is as good as none. TRIALNOTARY_LOCALSTACK_HOST=1 asks for host mode.
func engineWorks(ctx context.Context) bool {
	if os.Getenv("TRIALNOTARY_LOCALSTACK_HOST") != "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, "docker", "info", "--format", "{{.ServerVersion}}").Run() == nil &&
		exec.CommandContext(ctx, "docker", "compose", "version").Run() == nil
}

// docked says whether this run is one in Docker.
func (p place) docked() bool { _, err := os.Stat(p.run("compose.yaml")); return err == nil }

func (p place) startDocker(ctx context.Context) error {
	if err := os.WriteFile(p.run("compose.yaml"), []byte(compose), 0o644); err != nil {
		return err
	}
	p.say("starting LocalStack %s in Docker; its image is pulled the first time", version)
	return p.docker(ctx, "up", "--detach", "--wait")
}

func (p place) docker(ctx context.Context, args ...string) error {
	return p.step(ctx, p.run(), []string{"TRIALNOTARY_LOCALSTACK_PORT=" + strconv.Itoa(p.port)},
		"docker", append([]string{"compose", "-p", "trialnotary", "-f", p.run("compose.yaml")}, args...)...)
}

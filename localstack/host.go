package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

//go:embed executor
var executor embed.FS

// startHost starts LocalStack in host mode, installing first what is missing.
func (p place) startHost(ctx context.Context) error {
	if runtime.GOOS == "windows" {
		return errors.New("host mode needs Linux or macOS; start Docker and try again")
	}
	if err := p.installPython(ctx); err != nil {
		return err
	}
	if err := p.installDynamoDB(ctx); err != nil {
		return err
	}
	java, err := findJava(ctx)
	if err != nil {
		return err
	}
	for _, dir := range []string{p.path("bin"), p.run("tmp"), p.run("functions"), p.lib("dynamodb-local"), p.lib("java")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := errors.Join(
		// LocalStack finds both in place and downloads neither.
		os.Symlink(p.path("java"), p.lib("dynamodb-local", "2")),
		os.Symlink(java, p.lib("java", "21")),
		p.writeExecutor(),
		p.build(ctx, "lambda-init", "./localstack/init"),
	); err != nil {
		return err
	}
	return p.background("localstack", p.path("run"), p.hostEnviron(), p.python(), "-m", "localstack.runtime.main")
}

func (p place) hostEnviron() []string {
	return []string{
		"PYTHONPATH=" + p.run("executor"),
		"PYTHONUNBUFFERED=1",
		"TMPDIR=" + p.run("tmp"),
		"FILESYSTEM_ROOT=" + p.run("fs"),
		"OVERRIDE_IN_DOCKER=0", // a machine that is itself a container confuses it
		"GATEWAY_LISTEN=127.0.0.1:" + strconv.Itoa(p.port),
		"LOCALSTACK_HOST=localhost.localstack.cloud:" + strconv.Itoa(p.port),
		"DNS_ADDRESS=0", "DISABLE_EVENTS=1", "SKIP_SSL_CERT_DOWNLOAD=1",
		"EAGER_SERVICE_LOADING=1", "SERVICES=" + strings.Join(append([]string{"cloudwatch", "logs", "sns", "sqs"}, services...), ","),
		"DYNAMODB_IN_MEMORY=1",
		"LAMBDA_RUNTIME_EXECUTOR=process",
		"TRIALNOTARY_LAMBDA_INIT=" + p.path("bin", "lambda-init"),
		"TRIALNOTARY_LAMBDA_LOGS=" + p.run("functions"),
	}
}

// writeExecutor lays the process executor out as an installed Python distribution,
// so that its entry point is found, without asking pip.
func (p place) writeExecutor() error {
	to := p.run("executor")
	meta := filepath.Join(to, "trialnotary_process_executor-1.dist-info")
	if err := os.MkdirAll(meta, 0o755); err != nil {
		return err
	}
	return fs.WalkDir(executor, "executor", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := executor.ReadFile(name)
		if err != nil {
			return err
		}
		dir := meta
		if filepath.Ext(name) == ".py" {
			dir = to
		}
		return os.WriteFile(filepath.Join(dir, filepath.Base(name)), b, 0o644)
	})
}

// build compiles one of this module's commands into bin/. The harness is run from
// within the module, by go run.
func (p place) build(ctx context.Context, name, pkg string) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	return p.step(ctx, root, []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-o", p.path("bin", name), pkg)
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	mod := strings.TrimSpace(string(out))
	if err != nil || filepath.Base(mod) != "go.mod" {
		return "", errors.New("not inside the module: run it as go run ./localstack, from the repository")
	}
	return filepath.Dir(mod), nil
}

// findJava is the home of a Java 17 or later: $JAVA_HOME, or that of java on the PATH.
func findJava(ctx context.Context) (string, error) {
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	out, err := exec.CommandContext(ctx, java, "-XshowSettings:properties", "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("Java 17 or later is needed to run DynamoDB Local: %s: %w", java, err)
	}
	var home, spec string
	for line := range strings.Lines(string(out)) {
		switch key, value, _ := strings.Cut(strings.TrimSpace(line), " = "); key {
		case "java.home":
			home = value
		case "java.specification.version":
			spec = value
		}
	}
	if n, err := strconv.Atoi(spec); err != nil || n < 17 || home == "" {
		return "", fmt.Errorf("Java 17 or later is needed to run DynamoDB Local; %s says it is version %q", java, spec)
	}
	return home, nil
}

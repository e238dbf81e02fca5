package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The pins matter: newer releases of several of these break LocalStack 4.14.0.
//
//go:embed constraints.txt
var constraints string

// installPython puts LocalStack into an environment of its own, venv/.
func (p place) installPython(ctx context.Context) error {
	dir := p.path("venv")
	return p.once(dir, version+"\n"+constraints, "LocalStack "+version+" from its Python packages, some minutes", func() error {
		python, err := findPython(ctx)
		if err != nil {
			return err
		}
		if err := p.step(ctx, p.dir, nil, python, "-m", "venv", dir); err != nil {
			return err
		}
		pins := filepath.Join(dir, "constraints.txt")
		if err := os.WriteFile(pins, []byte(constraints), 0o644); err != nil {
			return err
		}
		return p.step(ctx, p.dir, nil, p.python(), "-m", "pip", "install", "--disable-pip-version-check", "--quiet",
			"--constraint", pins, "localstack-core[runtime]=="+version)
	})
}

func (p place) python() string { return p.path("venv", "bin", "python") }

// findPython is a Python 3.13, the one LocalStack 4.14.0 is released with (it does
// not load its services on 3.12): $TRIALNOTARY_PYTHON, or the first that answers on
// the PATH or below pyenv.
func findPython(ctx context.Context) (string, error) {
	candidates := []string{os.Getenv("TRIALNOTARY_PYTHON"), "python3.13", "python3"}
	if home, err := os.UserHomeDir(); err == nil {
		found, _ := filepath.Glob(filepath.Join(home, ".pyenv", "versions", "3.13.*", "bin", "python3"))
		candidates = append(candidates, found...)
	}
	for _, c := range slices.DeleteFunc(candidates, func(c string) bool { return c == "" }) {
		// A shim of pyenv is on the PATH and answers only for an active version.
		out, err := exec.CommandContext(ctx, c, "-c", "import sys, venv, ensurepip; print(sys.version_info[1], sys.executable)").Output()
		if err != nil {
			continue
		}
		minor, path, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		if n, err := strconv.Atoi(minor); err == nil && n == 13 {
			return path, nil
		}
	}
	return "", fmt.Errorf("LocalStack %s needs Python 3.13 with venv, and none was found; name one in TRIALNOTARY_PYTHON", version)
}

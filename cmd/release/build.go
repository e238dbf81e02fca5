package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

const program = "trialnotary/cmd/trialnotary"

// environment is that of the go command: nothing of the machine that would change
// what comes out.
func environment(system, arch string) []string {
	var env []string
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		switch {
		case strings.HasPrefix(name, "CGO_"), strings.HasPrefix(name, "GOAMD64"), strings.HasPrefix(name, "GOARM64"),
			name == "GOFLAGS", name == "GOEXPERIMENT", name == "GOFIPS140", name == "GODEBUG", name == "GOOS", name == "GOARCH":
		default:
			env = append(env, e)
		}
	}
	return append(env, "CGO_ENABLED=0", "GOWORK=off", "GOAMD64=v1", "GOARM64=v8.0", "GOOS="+system, "GOARCH="+arch)
}

// build returns the binary for a system: without the machine's paths, symbols, a
// build id or what git says, and with the release's name.
func build(v version, system, arch, work string) ([]byte, error) {
	out := filepath.Join(work, "binary")
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid= -X 'main.release="+v.line()+"'", "-o", out, program)
	c.Env = environment(system, arch)
	if said, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, said)
	}
	return os.ReadFile(out)
}

// manualOf returns the man pages and completions, as the program of this machine
// writes them.
func manualOf(v version, work string) ([]file, error) {
	b, err := build(v, runtime.GOOS, runtime.GOARCH, work)
	if err != nil {
		return nil, err
	}
	self, dir := filepath.Join(work, "self.exe"), filepath.Join(work, "manual")
	if err := os.WriteFile(self, b, 0o700); err != nil {
		return nil, err
	}
	if said, err := exec.Command(self, "--version").Output(); err != nil || !strings.HasPrefix(string(said), "trialnotary "+v.line()+",") {
		return nil, fmt.Errorf("trialnotary --version says %q, and not %s (%v)", said, v.line(), err)
	}
	c := exec.Command(self, "man", dir)
	c.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+strconv.FormatInt(v.time.Unix(), 10), "TRIALNOTARY_KEY=", "TRIALNOTARY_SERVICE=", "TRIALNOTARY_TRUST=")
	if said, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("trialnotary man: %w\n%s", err, said)
	}
	var all []file
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		all = append(all, file{name: name, data: b})
		return err
	})
	return all, err
}

// module is one that the binary is made of.
type module struct {
	Path, Version, Sum, Dir string
}

// modules returns those that a binary for a system holds code of, in order of their
// paths, the Go standard library first.
func modules(system, arch string) ([]module, error) {
	c := exec.Command("go", "list", "-deps", "-json=Module", program)
	c.Env = environment(system, arch)
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	where, err := exec.Command("go", "env", "GOVERSION", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	goVersion, goRoot, _ := strings.Cut(strings.TrimSpace(string(where)), "\n")
	return parseModules(out, goVersion, goRoot)
}

func parseModules(list []byte, goVersion, goRoot string) ([]module, error) {
	all := []module{{Path: "std", Version: goVersion, Dir: goRoot}}
	seen := map[string]bool{}
	for d := json.NewDecoder(bytes.NewReader(list)); ; {
		var p struct {
			Module *struct {
				module
				Main    bool
				Replace *module
			}
		}
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		switch m := p.Module; {
		case m == nil || m.Main || seen[m.Path]:
			continue
		case m.Replace != nil:
			return nil, fmt.Errorf("the module %s is replaced by %s: a release is made of what was published", m.Path, m.Replace.Path)
		default:
			seen[m.Path] = true
			all = append(all, m.module)
		}
	}
	sortModules(all[1:])
	return all, nil
}

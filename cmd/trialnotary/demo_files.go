package main

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"trialnotary/notary/client"
)

// sample is the sample trial: see its README.
//
//go:embed testdata/demo
var sample embed.FS

const sampleDir = "testdata/demo"

// unpack makes the folders of the people, with what they have at the beginning.
func (d *demo) unpack() error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil { // keys without a passphrase will lie in it
		return &fault{code: exitUsage, err: err, do: "Name a directory that can be made: trialnotary demo --dir DIR"}
	}
	for _, who := range []string{operator, sponsor, site701, site708, board} {
		if err := os.MkdirAll(filepath.Join(d.dir, who), 0o700); err != nil {
			return err
		}
	}
	for from, to := range map[string]string{
		"LICENSE":                   "LICENSE-of-the-data.txt",
		"README.md":                 "README-of-the-data.md",
		"sponsor/protocol.txt":      "sponsor/protocol.txt",
		"sponsor/analysis-plan.txt": "sponsor/analysis-plan.txt",
		"sponsor/locked":            "sponsor/locked",
		"site-701":                  "site-701/export",
		"site-708":                  "site-708/export",
	} {
		if err := copyFiles(sample, path.Join(sampleDir, from), filepath.Join(d.dir, to)); err != nil {
			return err
		}
	}
	return nil
}

// hand copies files, or folders, from one person's folder into another's: what
// people send each other.
func (d *demo) hand(from, to string, names ...string) error {
	for _, name := range names {
		if err := copyFiles(os.DirFS(filepath.Join(d.dir, from)), name, filepath.Join(d.dir, to, path.Base(name))); err != nil {
			return err
		}
	}
	return nil
}

// copyFiles copies a file, or a folder with all in it. Nothing is overwritten.
func copyFiles(from fs.FS, name, to string) error {
	return fs.WalkDir(from, name, func(at string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, filepath.FromSlash(strings.TrimPrefix(at, name)))
		if e.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		b, err := fs.ReadFile(from, at)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		return client.WriteNew(target, b, client.Public)
	})
}

// alter replaces before, which stands once behind mark, by after, of the same
// length: in a copy, never in what was sealed.
func alter(name, mark, before, after string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	i := bytes.Index(b, []byte(mark))
	if i < 0 || len(before) != len(after) {
		return fmt.Errorf("%s: %q is not in it", name, mark)
	}
	j := bytes.Index(b[i:], []byte(before))
	if j < 0 {
		return fmt.Errorf("%s: behind %q there is no %q", name, mark, before)
	}
	copy(b[i+j:], after)
	return os.WriteFile(name, b, 0o644)
}

// callable returns how the user can call this program: from where the demo was
// started, and from the people's folders. What `go run` built is gone some time
// later, so it is kept beside them.
func (d *demo) callable() (here, folder string, err error) {
	name, err := os.Executable()
	if err != nil {
		return "", "", err
	}
	if onPath("trialnotary", name) {
		return "trialnotary", "trialnotary", nil
	}
	if !strings.Contains(filepath.ToSlash(name), "/go-build") {
		return quote(name), quote(name), nil
	}
	kept := "trialnotary"
	if runtime.GOOS == "windows" {
		kept += ".exe"
	}
	to := filepath.Join(d.dir, kept)
	if exists(to) != nil && os.Link(name, to) != nil {
		if err := copyProgram(name, to); err != nil {
			return "", "", err
		}
	}
	if filepath.Dir(to) == "." {
		to = "." + string(filepath.Separator) + kept // a bare name is looked for elsewhere
	}
	return quote(to), filepath.Join("..", kept), nil
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// functionNames are the folders under functions/, one per Lambda function.
var functionNames = []string{"submit", "prove", "seal", "audit"}

// buildZips builds every function for linux on machine (a GOARCH) and returns the
// paths of their zips in dir. The same sources and Go release give the same
// bytes: an unchanged function is not deployed again, and anyone can check what
// runs against the sources.
func buildZips(dir, machine string) (map[string]string, error) {
	zips := map[string]string{}
	dir = filepath.Join(dir, machine)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, name := range functionNames {
		zips[name] = filepath.Join(dir, name+".zip")
		if err := buildZip(zips[name], name, machine); err != nil {
			return nil, fmt.Errorf("function %s: %w", name, err)
		}
	}
	return zips, nil
}

// buildZip builds one function and writes its zip to path, whole or not at all.
func buildZip(path, name, machine string) error {
	work, err := os.MkdirTemp(filepath.Dir(path), ".build-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	binary := filepath.Join(work, "bootstrap")
	// The build id and the folder names of this machine stay out; lambda.norpc
	// leaves out the RPC of a runtime long gone, a third of the size.
	build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-tags", "lambda.norpc",
		"-ldflags", "-s -w -buildid=", "-o", binary, "trialnotary/functions/"+name)
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+machine, "GOARM64=v8.0", "GOAMD64=v1",
		"CGO_ENABLED=0", "GOFLAGS=", "GOEXPERIMENT=")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	packed, err := pack(program)
	if err != nil {
		return err
	}
	whole := filepath.Join(work, "zip")
	if err := os.WriteFile(whole, packed, 0o644); err != nil {
		return err
	}
	return os.Rename(whole, path)
}

// pack returns a zip with program as its only file, `bootstrap`, at a fixed time.
func pack(program []byte) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	h.SetMode(0o755)
	f, err := w.CreateHeader(h)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(program); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

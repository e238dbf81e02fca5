// Command release builds what is handed out: for each system a zip with the binary,
// what to do with it, the manual, what shells complete with and the licences of what
// it is made of; its bill of materials (CycloneDX) beside it; and SHA256SUMS of all.
//
//	go run ./cmd/release            every system, into dist/
//	go run ./cmd/release -targets windows/amd64 -out /elsewhere
//
// The same commit and Go give the same bytes, wherever and whenever it is run: the
// only time in them is the commit's. What is not committed is said in the version.
package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// systems are those that the client is released for.
const systems = "windows/amd64,windows/arm64,darwin/amd64,darwin/arm64,linux/amd64,linux/arm64"

func main() {
	out := flag.String("out", "dist", "`DIR` to write to; what is there of other releases stays")
	targets := flag.String("targets", systems, "systems to build for, as `OS/ARCH,…`")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "release: %q is an argument, and it takes none\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := release(*out, strings.Split(*targets, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func release(out string, targets []string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	v, err := versionOf(".")
	if err != nil {
		return err
	}
	manual, err := manualOf(v, work)
	if err != nil {
		return err
	}
	slices.Sort(targets)
	var sums bytes.Buffer
	for _, t := range slices.Compact(targets) {
		system, arch, ok := strings.Cut(t, "/")
		if !ok {
			return fmt.Errorf("%q is not a system as in windows/amd64", t)
		}
		files, err := pack(v, system, arch, manual, work)
		if err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		for _, f := range files {
			if err := os.WriteFile(filepath.Join(out, f.name), f.data, 0o644); err != nil {
				return err
			}
			fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(f.data), f.name)
			fmt.Printf("%s  %d bytes\n", f.name, len(f.data))
		}
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), sums.Bytes(), 0o644)
}

// file is one file of a release or of a zip in it.
type file struct {
	name       string // with "/"
	data       []byte
	executable bool
}

// pack returns the zip for one system and its bill of materials.
func pack(v version, system, arch string, manual []file, work string) ([]file, error) {
	binary, err := build(v, system, arch, work)
	if err != nil {
		return nil, err
	}
	parts, err := modules(system, arch)
	if err != nil {
		return nil, err
	}
	licences, err := licencesOf(parts)
	if err != nil {
		return nil, err
	}
	bom, err := billOf(v, system, arch, binary, parts)
	if err != nil {
		return nil, err
	}
	program := "trialnotary"
	if system == "windows" {
		program += ".exe"
	}
	in := []file{
		{program, binary, true},
		{"README.txt", readme(v, system), false},
		{"LICENCES.txt", licences, false},
	}
	for _, m := range manual {
		// Windows has no man, and of the shells PowerShell.
		if system != "windows" || strings.HasSuffix(m.name, ".ps1") {
			in = append(in, m)
		}
	}
	zipped, err := zipOf(v, in)
	if err != nil {
		return nil, err
	}
	name := "trialnotary_" + v.name + "_" + system + "_" + arch
	return []file{{name: name + ".cdx.json", data: bom}, {name: name + ".zip", data: zipped}}, nil
}

package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// maxProgram is what a function's program may have, in bytes: its start is part of
// every cold answer.
const maxProgram = 13_000_000

func TestZipsAreReproducibleAndSmall(t *testing.T) {
	for _, machine := range []string{"arm64", "amd64"} {
		t.Run(machine, func(t *testing.T) { testZips(t, machine) })
	}
}

func testZips(t *testing.T, machine string) {
	first, err := buildZips(t.TempDir(), machine)
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "seal.zip")
	if err := buildZip(again, "seal", machine); err != nil {
		t.Fatal(err)
	}
	a, err := os.ReadFile(first["seal"])
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(again)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("two builds of one function differ")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for name, path := range first {
		z, err := zip.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		if len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 || z.File[0].Modified.Year() != 1980 {
			t.Fatalf("%s: %+v", name, z.File)
		}
		n := z.File[0].UncompressedSize64
		t.Logf("%s: a program of %d bytes", name, n)
		if n > maxProgram {
			t.Errorf("%s: a program of %d bytes, at most %d", name, n, maxProgram)
		}
		f, err := z.Open("bootstrap")
		if err != nil {
			t.Fatal(err)
		}
		var program bytes.Buffer
		if _, err := program.ReadFrom(f); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(program.Bytes(), []byte(filepath.Dir(here))) {
			t.Errorf("%s: names a folder of this machine", name)
		}
	}
}

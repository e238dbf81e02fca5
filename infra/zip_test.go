package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// maxBinary is what a function's program may have, in bytes: its start is part of
// every cold answer.
const maxBinary = 13 << 20

func TestZipsAreReproducible(t *testing.T) {
	s, err := readStage(parametersOf("local"))
	if err != nil {
		t.Fatal(err)
	}
	first, err := buildZips(t.TempDir(), s.Machine)
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "seal.zip")
	if err := buildZip(again, "seal", s.Machine); err != nil {
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
		if n := z.File[0].UncompressedSize64; n > maxBinary {
			t.Errorf("%s: a program of %d bytes, at most %d", name, n, maxBinary)
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

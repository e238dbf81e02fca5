package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A part that did not run, or was skipped even in part, is told of; and each part
// is a test that exists.
func TestLeftOut(t *testing.T) {
	var all strings.Builder
	for _, part := range parts {
		all.WriteString("=== RUN   " + part + "\n--- PASS: " + part + " (1.00s)\n")
	}
	for _, c := range []struct {
		printed string
		want    []string
	}{
		{all.String() + "    --- PASS: TestStory/the_log (0.01s)\nPASS\n", nil},
		{strings.Replace(all.String(), "--- PASS: TestLoad", "--- SKIP: TestLoad", 1), []string{"TestLoad"}},
		{strings.Replace(all.String(), "--- PASS: TestLoad (1.00s)\n", "", 1), []string{"TestLoad"}},
		{all.String() + "    --- SKIP: TestStory/killed_sealers (0.01s)\n", []string{"TestStory/killed_sealers"}},
		{"", parts},
	} {
		if got := leftOut(c.printed); !slices.Equal(got, c.want) {
			t.Errorf("left out %q, want %q", got, c.want)
		}
	}
	var source []byte
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, b...)
	}
	for _, part := range parts {
		if !strings.Contains(string(source), "\nfunc "+part+"(t *testing.T) {\n") {
			t.Errorf("there is no test %s", part)
		}
	}
}

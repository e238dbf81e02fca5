package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSmokeSaysWhatItLacks(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other.json")
	if err := os.WriteFile(other, []byte(`{"trialnotary-local":{}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		reason string
		args   []string
		says   string
	}{
		{"no trial of ours in a log that trials rely on", []string{"-stage", "prod", "-c", "origin=log.example.org/trials",
			"-c", "retention=25y", "-c", "sponsors=" + testSponsor}, "for dev and local"},
		{"nothing was deployed", []string{"-stage", "dev", "-outputs", filepath.Join(dir, "none.json")}, "--outputs-file"},
		{"another stage was deployed", []string{"-stage", "dev", "-outputs", other}, "no stack trialnotary-dev"},
	} {
		if err := run(append([]string{"smoke"}, c.args...)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.reason, err)
		}
	}
}

package main

import (
	"archive/zip"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestManifestIsFolded(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.jar")
	class := "Class-Path:" + strings.Repeat(" DynamoDBLocal_lib/some-library-1.2.3.jar", 20)
	if err := writeJar(name, []string{"Main-Class: Main", class}, nil); err != nil {
		t.Fatal(err)
	}
	jar, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer jar.Close()
	f, err := jar.Open("META-INF/MANIFEST.MF")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if len(line) > 74 || !strings.HasSuffix(line, "\r\n") {
			t.Errorf("line %q", line)
		}
	}
	if got := strings.ReplaceAll(string(b), "\r\n ", ""); !strings.Contains(got, class+"\r\n") {
		t.Errorf("unfolded, the manifest is\n%s", got)
	}
}

// A Java machine takes the hand-made class for an agent.
func TestIdleAgentLoads(t *testing.T) {
	if _, err := findJava(t.Context()); err != nil {
		t.Skip(err)
	}
	agent := filepath.Join(t.TempDir(), "agent.jar")
	if err := writeJar(agent, []string{"Premain-Class: Idle"}, map[string][]byte{"Idle.class": idleClass()}); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "java", "-javaagent:"+agent, "-version").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

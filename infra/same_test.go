package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestTheCommandLineAndGoRunGiveTheSameTemplate runs the app as `go run ./infra`
// does and as the CDK's command line does, which hands over context and output
// directory in the environment. With TRIALNOTARY_CDK naming that program, it runs
// it too.
func TestTheCommandLineAndGoRunGiveTheSameTemplate(t *testing.T) {
	node(t)
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	app := filepath.Join(dir, "infra")
	run := func(env []string, program string, args ...string) {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir, cmd.Env = root, append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v\n%s", program, args, err, out)
		}
	}
	run(nil, "go", "build", "-o", app, "./infra")
	alone := filepath.Join(dir, "alone")
	run(nil, app, "-stage", "dev", "-c", "retention=30d", "-out", alone)

	settings, err := os.ReadFile(filepath.Join(root, "cdk.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cdk struct {
		PathMetadata, AssetMetadata, VersionReporting *bool
		Context                                       object
	}
	if err := json.Unmarshal(settings, &cdk); err != nil {
		t.Fatal(err)
	}
	for name, setting := range map[string]*bool{
		"pathMetadata": cdk.PathMetadata, "assetMetadata": cdk.AssetMetadata, "versionReporting": cdk.VersionReporting,
	} {
		if setting == nil || *setting {
			t.Errorf("cdk.json: %s is not false: it would add to the template what go run does not", name)
		}
	}
	if cdk.Context != nil {
		t.Error("cdk.json: go run does not see the context there; flags.json is the place")
	}
	// What the command line hands over for -c stage=dev -c retention=30d.
	context, err := json.Marshal(object{
		"stage": "dev", "retention": "30d", "aws:cdk:enable-path-metadata": false, "aws:cdk:enable-asset-metadata": false,
		"aws:cdk:version-reporting": false, "aws:cdk:bundling-stacks": []string{"**"},
	})
	if err != nil {
		t.Fatal(err)
	}
	handed := filepath.Join(dir, "handed")
	run([]string{"CDK_OUTDIR=" + handed, "CDK_CONTEXT_JSON=" + string(context)}, app)
	sameTemplate(t, alone, handed)

	program := os.Getenv("TRIALNOTARY_CDK")
	if program == "" {
		return
	}
	real := filepath.Join(dir, "real")
	run(nil, program, "synth", "--app", app, "--quiet", "--no-notices", "--output", real, "-c", "stage=dev", "-c", "retention=30d")
	sameTemplate(t, alone, real)
}

func sameTemplate(t *testing.T, a, b string) {
	t.Helper()
	x, err := os.ReadFile(filepath.Join(a, "trialnotary-dev.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(filepath.Join(b, "trialnotary-dev.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(x, y) {
		return
	}
	lines := bytes.Split(y, []byte("\n"))
	for i, line := range bytes.Split(x, []byte("\n")) {
		if i >= len(lines) || !bytes.Equal(line, lines[i]) {
			t.Fatalf("%s and %s differ at line %d: %s", filepath.Base(a), filepath.Base(b), i+1, line)
		}
	}
	t.Fatalf("%s goes on where %s ends", filepath.Base(b), filepath.Base(a))
}

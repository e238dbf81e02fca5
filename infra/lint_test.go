package main

import (
	"os/exec"
	"path/filepath"
	"testing"
)

func TestCloudFormationLinterHasNothingToSay(t *testing.T) {
	if _, err := exec.LookPath("cfn-lint"); err != nil {
		t.Skip("cfn-lint is not in PATH: install it with pip to have the templates checked against CloudFormation's own schemas")
	}
	for _, name := range stages {
		path := filepath.Join(synth(t, name), "trialnotary-"+name+".template.json")
		// W3005: the CDK names dependencies that follow from references too.
		if out, err := exec.Command("cfn-lint", "-i", "W3005", "--", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

package main

import (
	"fmt"
	"os"
	"strings"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/witness"
)

// readWitnesses reads the witnesses of a log's publication policy: lines as
// [checkpoint.ParseWitnesses] reads them, with commas between them or from @FILE.
// What is for people is left out, for a function's environment is small. What the
// functions would refuse at their first event is refused before it is deployed.
func readWitnesses(origin, value string) (string, error) {
	if file, ok := strings.CutPrefix(value, "@"); ok {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("witnesses: %w", err)
		}
		value = string(b)
	} else {
		value = strings.ReplaceAll(value, ",", "\n")
	}
	if strings.TrimSpace(value) == "" {
		return "", nil
	}
	log, err := checkpoint.GenerateEd25519(origin)
	if err != nil {
		return "", err
	}
	own, err := checkpoint.GenerateMLDSA44(origin)
	if err != nil {
		return "", err
	}
	// The log's own keys are not made yet; any stand for them.
	_, asked, err := checkpoint.ParseWitnesses(log.VerifierKey(), own.VerifierKey(), []byte(value))
	if err != nil {
		return "", err
	}
	for _, w := range asked {
		if _, err := witness.New(w, nil); err != nil {
			return "", err
		}
	}
	var lines []string
	for line := range strings.Lines(value) {
		if f := strings.Fields(line); len(f) > 0 && f[0][0] != '#' {
			lines = append(lines, strings.Join(f, " "))
		}
	}
	return strings.Join(lines, "\n"), nil
}

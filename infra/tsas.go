package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"trialnotary/notary/timestamp"
)

// readTSAs reads the time-stamping authorities to be asked and the certificates that
// they are trusted under, from @FILE as [timestamp.ParseAsked] reads it. What is for
// people is left out, for a function's environment is small.
func readTSAs(value string) (string, error) {
	if strings.TrimSpace(value) == "" {
		return "", nil
	}
	name, ok := strings.CutPrefix(value, "@")
	if !ok {
		return "", errors.New("tsas: certificates do not fit a command line: say -c tsas=@FILE, a name and a URL a line, then the root certificates as PEM")
	}
	file, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("tsas: %w", err)
	}
	asked, roots, err := timestamp.ParseAsked(file)
	if err != nil {
		return "", fmt.Errorf("tsas: %w", err)
	}
	var lines bytes.Buffer
	for _, a := range asked {
		fmt.Fprintf(&lines, "%s %s\n", a.Name(), a.URL())
	}
	return lines.String() + string(roots), nil
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// parts are the tests that show something on LocalStack. A run in which one of them
// was left out shows less than it says.
var parts = []string{
	"TestStory",            // what users, and the buckets, get to see
	"TestUnreliableAWS",    // every fault in every call, processes killed
	"TestTwoSealers",       // racing for every batch
	"TestTableRestored",    // nothing signed until it is repaired
	"TestLoad",             // ten thousand statements
	"TestWhatFunctionsAsk", // the counts that the README's costs are made of
}

// test runs the end-to-end tests, which find the emulator by dir and port.
func (p place) test(ctx context.Context) error {
	if err := p.healthy(ctx); err != nil {
		return fmt.Errorf("%w\nfirst: go run ./localstack up", err)
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	var told bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-timeout=30m", "./localstack/...")
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, io.MultiWriter(p.out, &told), os.Stderr
	cmd.Env = append(os.Environ(), "TRIALNOTARY_LOCALSTACK_DIR="+p.dir, "TRIALNOTARY_LOCALSTACK_PORT="+strconv.Itoa(p.port))
	if err := cmd.Run(); err != nil {
		return err
	}
	if p.docked() {
		p.say("In Docker this test cannot reach the functions' processes: what needs that was skipped.")
		return nil
	}
	if lack := leftOut(told.String()); len(lack) > 0 {
		return fmt.Errorf("all that ran has passed, but these did not run or were skipped: %s", strings.Join(lack, ", "))
	}
	return nil
}

var outcome = regexp.MustCompile(`(?m)^ *--- (PASS|SKIP): ([^ ]+) `)

// leftOut lists the parts that what `go test -v` printed has not passed, and
// whatever it skipped.
func leftOut(printed string) (lack []string) {
	passed := map[string]bool{}
	for _, m := range outcome.FindAllStringSubmatch(printed, -1) {
		if passed[m[2]] = m[1] == "PASS"; !passed[m[2]] {
			lack = append(lack, m[2])
		}
	}
	for _, part := range parts {
		if !passed[part] && !slices.Contains(lack, part) {
			lack = append(lack, part)
		}
	}
	return lack
}

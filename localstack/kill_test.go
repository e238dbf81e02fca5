package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/storetest"
)

// sealersDie kills the sealer's process again and again while statements come in and
// it is started without pause; then all that was accepted must be in the log, once.
func (d *deployed) sealersDie(t *testing.T) {
	d.needsHost(t)
	const statements = 12
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var others sync.WaitGroup
	others.Go(func() {
		for ctx.Err() == nil {
			_ = d.seal(ctx, t) // mostly killed
		}
	})
	kills := 0
	others.Go(func() {
		for ; ctx.Err() == nil; time.Sleep(70 * time.Millisecond) {
			kills += d.killFunction(t, "Seal")
		}
	})
	for i := range statements {
		d.cli(t, 0, "seal", "--kind", "note", "--label", fmt.Sprintf("note %d", i), "--invite", "rossi.invite", "--key", "rossi.key",
			"--no-wait", "--out", fmt.Sprintf("note-%02d", i))
	}
	stop()
	others.Wait()
	if kills == 0 {
		t.Error("no sealer was killed: nothing was shown")
	}
	t.Logf("%d sealers killed", kills)

	// Left alone, the next one finishes what any of them began.
	for until := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		err := d.seal(t.Context(), t)
		if err == nil {
			break
		} else if time.Now().After(until) {
			t.Fatal(err)
		}
	}
	for until := time.Now().Add(90 * time.Second); ; time.Sleep(2 * time.Second) {
		if _, code := d.try(t, "http://"+d.front(), "receipt", "."); code == 0 {
			break
		} else if code != 3 || time.Now().After(until) { // 3: not yet
			t.Fatalf("trialnotary receipt: exit %d; what was accepted is not all sealed", code)
		}
	}
	for i := range statements {
		d.cliOffline(t, 0, "verify", fmt.Sprintf("note-%02d.receipt", i))
	}
	if n := d.sealed(t, "week24.receipt"); n != 1+statements {
		t.Errorf("the stream has %d entries; the dataset and %d notes were accepted", n, statements)
	}
}

// needsHost skips what needs functions to be processes that can be found here and
// that reach this test.
func (d *deployed) needsHost(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/proc/self/exe"); err != nil || d.docked() {
		t.Skip("functions are found and killed by /proc, in host mode on Linux")
	}
}

// sealed verifies the log, in which no statement may be twice, and counts the
// entries of a receipt's stream.
func (d *deployed) sealed(t *testing.T, name string) (n int) {
	t.Helper()
	log, err := storetest.VerifyLog(func(name string) ([]byte, error) { return d.object(t.Context(), name) }, d.trust.Policy)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(d.file(name))
	if err != nil {
		t.Fatal(err)
	}
	r, err := receipt.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	mine, err := entry.Parse(r.Entry)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range log.Entries {
		if e.Stream == mine.Stream {
			n++
		}
	}
	return n
}

// seal starts the sealer as the rule does, and waits for it.
func (d *deployed) seal(ctx context.Context, t *testing.T) error {
	out, err := d.lambda().Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(d.function(t, "Seal")), Payload: []byte("{}")})
	if err == nil && out.FunctionError != nil {
		err = fmt.Errorf("seal: %s", out.Payload)
	}
	return err
}

// killFunction kills the processes of one function of this LocalStack and says how
// many.
func (d *deployed) killFunction(t *testing.T, function string) (killed int) {
	name, code := d.function(t, function), d.run("tmp")
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, proc := range all {
		exe, err := os.Readlink(proc + "/exe")
		if err != nil || !strings.HasPrefix(exe, code+"/") || filepath.Base(exe) != "bootstrap" {
			continue
		}
		env, err := os.ReadFile(proc + "/environ")
		if err != nil || !strings.Contains(string(env), "AWS_LAMBDA_FUNCTION_NAME="+name+"\x00") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(proc))
		if err != nil {
			continue
		}
		if p, err := os.FindProcess(pid); err == nil && p.Kill() == nil {
			killed++
		}
	}
	return killed
}

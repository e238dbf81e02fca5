package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/receipt"
)

// forge on|off: the operator shows, validly signed, another history of the same size.
func forge(ts *testscript.TestScript, _ bool, args []string) {
	v := of(ts)
	if args[0] == "off" {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.forged = nil
		return
	}
	v.settle()
	raw, err := v.notary.Object(context.Background(), "checkpoint")
	ts.Check(err)
	cp, err := checkpoint.Parse(raw)
	ts.Check(err)
	cp.Root[0] ^= 1
	other, err := checkpoint.Sign(cp.Checkpoint, v.signers)
	ts.Check(err)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.forged = map[string][]byte{"/checkpoint": other, "/" + checkpoint.FinalName(cp.Size): other}
}

// trusting OUT KEY.pub: writes the log's trust file with that auditor in it.
func trusting(ts *testscript.TestScript, _ bool, args []string) {
	v := of(ts)
	trust, err := (&receipt.Trust{Policy: v.policy, Auditors: []string{strings.TrimSpace(ts.ReadFile(args[1]))}}).Bytes()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), trust, 0o644))
}

// found NAME ENDING: sets a variable to the one file here whose name ends so.
func foundFile(ts *testscript.TestScript, _ bool, args []string) {
	all, err := filepath.Glob(ts.MkAbs("*" + args[1]))
	ts.Check(err)
	if len(all) != 1 {
		ts.Fatalf("%d files end with %s", len(all), args[1])
	}
	ts.Setenv(args[0], filepath.Base(all[0]))
}

// Who stops an audit is told how far it is, and what goes on from there.
func TestAStoppedAudit(t *testing.T) {
	t.Setenv("TRIALNOTARY_CONFIG", t.TempDir())
	v, err := newVillage()
	if err != nil {
		t.Fatal(err)
	}
	defer v.close()
	for {
		if _, err := v.notary.Object(t.Context(), "checkpoint"); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	state := filepath.Join(t.TempDir(), "log.audit")
	run := func(ctx context.Context) (int, string) {
		var out, errs bytes.Buffer
		a := newApp()
		a.out, a.err = &out, &errs
		root := a.root()
		root.SetArgs([]string{"audit", v.http.URL, "--state", state})
		c, err := root.ExecuteContextC(ctx)
		return a.finish(c, err), out.String() + errs.String()
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if code, said := run(stopped); code != exitPending || !strings.Contains(said, "STOPPED") || !strings.Contains(said, "it goes on from there") {
		t.Errorf("exit code %d:\n%s", code, said)
	}
	if code, said := run(t.Context()); code != exitUnconfirmed || !strings.Contains(said, "CONSISTENT") {
		t.Errorf("exit code %d:\n%s", code, said)
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/ondisk"
	"trialnotary/notary/receipt"
)

// A change of keys is killed after each of its steps and run again: no start is
// possible in between, old and new receipts verify under the new trust file, the old
// ones under the old one too, and the whole log under the new policy.
func TestRotateKilledAtEachStep(t *testing.T) {
	c := newCohort(t, 1)
	p := c.start("--every", "20ms")
	c.enrol(p.url)
	refs := []notary.Ref{c.must(p.url, c.data(0))}
	c.await(p.url, refs[0])
	killed := errors.New("killed")
	for n, step := range []string{"make", "hand over", "put away", "take", "trust"} {
		refs = append(refs, c.must(p.url, c.data(0))) // perhaps still waiting
		p.terminate()
		before := c.policy()
		_, err := rotate(t.Context(), c.dir, n == 2, func(done string) error {
			if done == step {
				return killed
			}
			return nil
		})
		if !errors.Is(err, killed) {
			t.Fatalf("%s: %v", step, err)
		}
		l, err := openLog(t.Context(), c.dir, "", false)
		if finished := step == "take" || step == "trust"; (err == nil) != finished {
			t.Fatalf("after %q the log opens: %v", step, err)
		} else if finished {
			if err := l.store.Close(); err != nil {
				t.Fatal(err)
			}
		} else if !strings.Contains(err.Error(), "trialnotary rotate --dir") {
			t.Errorf("after %q: %v", step, err)
		}
		r, err := rotate(t.Context(), c.dir, n == 2, func(string) error { return nil })
		if err != nil {
			t.Fatalf("again after %q: %v", step, err)
		}
		if r.crossed == (n == 2) {
			t.Errorf("%s: crossed %v", step, r.crossed)
		}
		now := c.policy()
		if all := now.Retired(); len(all) != n+1 || now.LogKeys()[0] == before.LogKeys()[0] || all[n].Policy.LogKeys()[0] != before.LogKeys()[0] {
			t.Fatalf("%s: retired %d times", step, len(all))
		}
		if _, err := os.Stat(filepath.Join(c.dir, r.oldKeys(), ed25519Key)); err != nil {
			t.Errorf("the old keys are gone: %v", err)
		}
		if previous, err := os.ReadFile(filepath.Join(c.dir, trustName+".previous")); err != nil {
			t.Error(err)
		} else if old, err := receipt.ParseTrust(previous); err != nil || old.Policy.LogKeys()[0] != before.LogKeys()[0] {
			t.Errorf("the old trust file is not kept: %v", err)
		}
		p = c.start("--every", "20ms")
		refs = append(refs, c.must(p.url, c.data(0)))
		for _, ref := range refs {
			c.await(p.url, ref) // under the trust file of now
		}
	}
	p.terminate()
	c.verifyLog()
	repair := repairCommand()
	repair.SetArgs([]string{"--dir", c.dir, "--all"})
	repair.SetOut(new(bytes.Buffer))
	repair.SetErr(new(bytes.Buffer))
	if err := repair.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.verifyLog()
}

// A service with other keys than the log's seals nothing, and says so.
func TestOtherKeysSealNothing(t *testing.T) {
	c := newCohort(t, 1)
	p := c.start("--every", "20ms")
	c.enrol(p.url)
	p.terminate()
	store, err := ondisk.Open(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	ed, err := checkpoint.GenerateEd25519(c.origin)
	if err != nil {
		t.Fatal(err)
	}
	pq, err := checkpoint.GenerateMLDSA44(c.origin)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := checkpoint.NewLogPolicy(ed.VerifierKey(), pq.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	s, err := notary.New(store, notary.Config{Origin: c.origin, Signers: []checkpoint.Signer{ed, pq}, Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Seal(t.Context()); !errors.Is(err, notary.ErrKeys) {
		t.Errorf("sealed under other keys: %v", err)
	}
	// Nor do those of before, once they handed over.
	before := c.policy()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := rotate(t.Context(), c.dir, true, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if store, err = ondisk.Open(c.dir); err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := notary.WithHandovers(t.Context(), before, store.Get); !errors.Is(err, notary.ErrKeys) {
		t.Errorf("the old keys go on: %v", err)
	}
}

func TestRotateSaysWhatItDid(t *testing.T) {
	c := newCohort(t, 1)
	run := func(arguments ...string) (string, error) {
		cmd, out := newApp().root(), new(bytes.Buffer)
		cmd.SetOut(out)
		cmd.SetArgs(append([]string{"rotate"}, arguments...))
		err := cmd.ExecuteContext(t.Context())
		return out.String(), err
	}
	if _, err := run("--dir", c.dir); err == nil || !strings.Contains(err.Error(), "there is no log in") {
		t.Errorf("no log: %v", err)
	}
	p := c.start("--every", "20ms")
	c.enrol(p.url)
	p.terminate()
	out, err := run("--dir", c.dir, "--json")
	var said struct {
		Log     string
		Size    uint64
		Crossed bool     `json:"cross_signed"`
		Keys    []string `json:"log_keys"`
	}
	if err == nil {
		err = json.Unmarshal([]byte(out), &said)
	}
	if err != nil || said.Log != c.origin || said.Size == 0 || !said.Crossed || said.Keys[0] != c.policy().LogKeys()[0] {
		t.Errorf("%s, %v", out, err)
	}
	again, err := run("--dir", c.dir)
	if err != nil || !strings.Contains(again, "No keys were made now") || !strings.Contains(again, "has new keys since size") || c.policy().LogKeys()[0] != said.Keys[0] {
		t.Errorf("a second time at the same size: %s, %v", again, err)
	}
	// Who says that keys are stolen is never told that they were changed when they were not.
	if again, err = run("--dir", c.dir, "--stolen"); err == nil || !strings.Contains(err.Error(), "no new keys were made") || c.policy().LogKeys()[0] != said.Keys[0] {
		t.Errorf("stolen, a second time at the same size: %s, %v", again, err)
	}
}

// What `trust` says of a file with other keys than those accepted before.
func TestTrustTellsHowTheKeysChanged(t *testing.T) {
	c := newCohort(t, 1)
	trust := func() *receipt.Trust {
		b, err := os.ReadFile(filepath.Join(c.dir, trustName))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := receipt.ParseTrust(b)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	p := c.start("--every", "20ms")
	c.enrol(p.url)
	p.terminate()
	first := trust()
	if _, err := rotate(t.Context(), c.dir, false, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	second := trust()
	p = c.start("--every", "20ms")
	c.await(p.url, c.must(p.url, c.data(0)))
	p.terminate()
	if _, err := rotate(t.Context(), c.dir, true, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	third := trust()
	for _, step := range []struct {
		before, now *receipt.Trust
		want        string
	}{
		{first, second, "cross-signed by the keys you trusted"}, {second, third, "did NOT sign"}, {first, third, "did NOT sign"},
		{second, first, "OTHER KEYS"}, {first, first, ""},
	} {
		change := changeOfKeys(&client.Accepted{Trust: step.before}, step.now)
		said := ""
		for _, l := range change.lines {
			said += l[0] + " " + l[1] + "\n"
		}
		if (step.want == "") != (said == "") || !strings.Contains(said, step.want) {
			t.Errorf("said %q, want %q", said, step.want)
		}
	}
	if change := changeOfKeys(nil, third); change.crossed != nil {
		t.Error("a first trust file is said to change keys")
	}

	// The same through the verb, which asks for the fingerprint all the same.
	config := t.TempDir()
	t.Setenv("TRIALNOTARY_CONFIG", config)
	for _, step := range []struct {
		t    *receipt.Trust
		want string
	}{{first, "ACCEPTED"}, {second, "same log, keys handed over at size"}, {third, "WARNING"}} {
		name := filepath.Join(t.TempDir(), "log.trust")
		if err := os.WriteFile(name, step.t.Raw, 0o600); err != nil {
			t.Fatal(err)
		}
		a, out := newApp(), new(bytes.Buffer)
		a.out = out
		cmd := a.root()
		cmd.SetArgs([]string{"trust", name, "--fingerprint", step.t.Fingerprint})
		if err := cmd.ExecuteContext(t.Context()); err != nil || !strings.Contains(out.String(), step.want) {
			t.Errorf("%v\n%s\nwant %q", err, out, step.want)
		}
		t.Log("\n" + out.String())
	}
}

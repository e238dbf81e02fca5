package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/onaws"
	"trialnotary/notary/statement"
	"trialnotary/notary/tile"
)

// cosigner is a witness that signs whatever it is asked to, or nothing.
type cosigner struct {
	checkpoint.Key
	away bool
}

func (c *cosigner) Name() string { return "w1" }

func (c *cosigner) Cosign(_ context.Context, cp checkpoint.Signed, _ func(uint64) ([]tile.Hash, error)) (checkpoint.Line, error) {
	if c.away {
		return checkpoint.Line{}, context.DeadlineExceeded
	}
	sig, err := c.Sign(cp.Text())
	return checkpoint.Line{Name: c.Key.Name(), Hash: c.KeyHash(), Sig: sig}, err
}

// Witnesses come to a log that had none. What was signed before they saw it, and
// what was final before there were any, is the log's by its own keys; the newest
// checkpoint must be theirs.
func TestWitnessesAreAdded(t *testing.T) {
	w := newWorld(t)
	w.register()
	w.clean(true, 1)
	k, err := checkpoint.GenerateCosignature("w.example")
	w.check(err)
	witness := &cosigner{Key: k}
	policy, _, err := onaws.Policy(w.signers, "witness w1 "+k.VerifierKey()+" https://w.example/\nquorum w1")
	w.check(err)
	w.service, err = notary.New(w.store, notary.Config{Origin: origin, Signers: w.signers, Policy: policy, Witnesses: []notary.Witness{witness},
		Now: func() time.Time { return w.now }, Sponsors: func() []statement.PublicKey { return []statement.PublicKey{w.sponsor.Public()} }})
	w.check(err)
	w.restart(policy)
	if err, failed := w.audit(false); err == nil || !failed || !strings.Contains(err.Error(), "the next batch ends this") {
		t.Errorf("nothing was sealed with them yet: %v, %v", failed, err)
	}
	witness.away = true
	w.protocols(1) // signed, and not final
	witness.away = false
	w.protocols(1)
	w.alarms = nil
	w.clean(true, 3)

	// A final checkpoint of the past that the log's own keys did not sign is found.
	name := checkpoint.FinalName(2)
	raw, err := w.store.Get(t.Context(), name)
	w.check(err)
	w.store.Tamper(name, []byte(strings.Replace(string(raw), "\n— ", "\n— not.", 1)))
	if err, failed := w.audit(true); err == nil || !failed {
		t.Errorf("without the log's own signature: %v, %v", failed, err)
	}
}

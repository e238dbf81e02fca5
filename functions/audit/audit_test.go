package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"trialnotary/functions/wire"
	"trialnotary/notary"
	"trialnotary/notary/audit"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/onaws"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

const origin = "log.example/trials"

// world is a log in memory, its service, and an auditor that meets them as the
// function would.
type world struct {
	t       *testing.T
	store   *storetest.Memory
	service *notary.Service
	auditor *auditor
	locked  map[string]string // name → what is wrong with its lock; "": not looked at
	looked  map[string]bool
	mu      sync.Mutex
	out     *bytes.Buffer
	alarms  []string

	signers   []checkpoint.Signer
	sponsor   statement.PrivateKey
	trialSalt [32]byte
	now       time.Time
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, store: storetest.NewMemory(), locked: map[string]string{}, looked: map[string]bool{}, out: new(bytes.Buffer),
		now: time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)}
	rand.Read(w.trialSalt[:])
	var err error
	if w.sponsor, err = statement.GenerateKey("acme"); err != nil {
		t.Fatal(err)
	}
	ed, err := checkpoint.GenerateEd25519(origin)
	if err != nil {
		t.Fatal(err)
	}
	ml, err := checkpoint.GenerateMLDSA44(origin)
	if err != nil {
		t.Fatal(err)
	}
	w.signers = []checkpoint.Signer{ed, ml}
	policy, _, err := onaws.Policy(w.signers, "")
	if err != nil {
		t.Fatal(err)
	}
	w.service, err = notary.New(w.store, notary.Config{Origin: origin, Signers: w.signers, Policy: policy,
		Now: func() time.Time { return w.now }, Sponsors: func() []statement.PublicKey { return []statement.PublicKey{w.sponsor.Public()} }})
	if err != nil {
		t.Fatal(err)
	}
	w.restart(policy)
	return w
}

// restart is a new process of the function.
func (w *world) restart(policy *checkpoint.Policy) {
	app := &wire.App{Env: onaws.Env{Origin: origin, Retention: onaws.Retention{Days: 30}}, Log: slog.New(slog.DiscardHandler), Out: w.out,
		Alarm: func(kind, object string) { w.alarms = append(w.alarms, kind+" "+object) }}
	w.auditor = &auditor{app: app, state: w.store, locks: w}
	if err := w.auditor.trust(policy); err != nil {
		w.t.Fatal(err)
	}
}

// CheckLocks and CheckLock stand for S3.
func (w *world) CheckLocks(context.Context, onaws.Retention) error { return w.lock("the log bucket") }
func (w *world) CheckLock(_ context.Context, name string, _ onaws.Retention) error {
	return w.lock(name)
}

func (w *world) lock(name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked[name] = true
	if why := w.locked[name]; why != "" {
		return &onaws.Unlocked{Object: name, Reason: why}
	}
	return nil
}

func (w *world) stream(name string) statement.StreamID {
	return statement.StreamIDOf(origin, "NCT01234567", name, w.trialSalt)
}

// register seals a batch with the trial's registration.
func (w *world) register() {
	w.t.Helper()
	recovery, err := statement.GenerateKey("acme.recovery")
	if err != nil {
		w.t.Fatal(err)
	}
	w.submit(&statement.Statement{StreamName: "registration", Kind: statement.KindRegistration,
		Keys: []statement.Key{{Role: statement.RoleSponsor, Name: "trial", Stream: w.stream("trial"), Key: w.sponsor.Public()},
			{Role: statement.RoleRecovery, Name: "trial", Stream: w.stream("trial"), Key: recovery.Public()}}})
}

// protocols seals a batch with n statements of the trial's own stream.
func (w *world) protocols(n int) {
	w.t.Helper()
	var all []*statement.Statement
	for i := range n {
		all = append(all, &statement.Statement{StreamName: "trial", StreamSalt: w.trialSalt, Kind: statement.KindNote, Label: fmt.Sprintf("note %d", i)})
	}
	w.submit(all...)
}

func (w *world) submit(all ...*statement.Statement) {
	w.t.Helper()
	for len(all) > 0 {
		some := all[:min(len(all), notary.MaxSubmission)]
		all = all[len(some):]
		var notes [][]byte
		for _, s := range some {
			s.Log, s.Trial, s.Time = origin, "NCT01234567", w.now
			rand.Read(s.Salt[:])
			n, err := statement.Sign(s, w.sponsor)
			if err != nil {
				w.t.Fatal(err)
			}
			notes = append(notes, n.Raw)
		}
		if _, err := w.service.Submit(w.t.Context(), notes); err != nil {
			w.t.Fatal(err)
		}
	}
	w.now = w.now.Add(time.Minute)
	if s, err := w.service.Seal(w.t.Context()); err != nil || s.Batch == 0 || s.Refused > 0 {
		w.t.Fatal(s, err)
	}
}

// audit runs one round and returns its error and the metric.
func (w *world) audit(full bool) (error, bool) {
	w.out.Reset()
	err := w.auditor.round(w.t.Context(), event{full})
	return err, strings.Contains(w.out.String(), `"AuditFailures":1`)
}

func (w *world) clean(full bool, batch uint64) {
	w.t.Helper()
	if err, failed := w.audit(full); err != nil || failed {
		w.t.Fatal(failed, err)
	}
	for _, name := range []string{newestProgress, fullProgress} {
		p, err := w.auditor.recall(w.t.Context(), name)
		if err != nil || p.Batch != batch && (name == newestProgress || full) {
			w.t.Fatalf("%s is at batch %d, want %d, %v", name, p.Batch, batch, err)
		}
	}
}

func TestTheLogIsAuditedAsItGrows(t *testing.T) {
	w := newWorld(t)
	w.clean(false, 0) // an empty log
	w.register()
	w.clean(false, 1)
	w.protocols(3)
	w.protocols(300) // over the end of a bundle
	w.clean(false, 3)
	w.clean(false, 3) // nothing is new
	w.restart(w.auditor.policy)
	w.protocols(2)
	w.clean(false, 4) // a new process goes on, with the map that the last one left
	w.clean(true, 4)
	// The locks of everything that was published were read back.
	for _, name := range w.store.Objects() {
		if !w.looked[name] {
			t.Errorf("nobody looked at the lock of %s", name)
		}
	}
	if len(w.alarms) > 0 {
		t.Error(w.alarms)
	}
}

// Whatever is changed or taken away after it was published is found by the next
// full audit, and what is new by the next hourly one.
func TestWhateverIsChangedIsFound(t *testing.T) {
	w := newWorld(t)
	w.register()
	w.protocols(3)
	policy := w.auditor.policy
	for _, name := range w.store.Objects() {
		if strings.HasPrefix(name, "checkpoints/") && !strings.HasSuffix(name, "6") {
			continue // one that is gone is not known to have been
		}
		good, err := w.store.Get(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for what, bad := range map[string][]byte{"changed": append(bytes.Clone(good), 'x'), "gone": nil} {
			for _, full := range []bool{true, false} {
				w.restart(policy)
				w.alarms = nil
				for _, p := range []string{newestProgress, fullProgress} {
					if err := w.store.DeleteState(t.Context(), p); err != nil {
						t.Fatal(err)
					}
				}
				w.store.Tamper(name, bad)
				err, failed := w.audit(full)
				var f *audit.Finding
				if !errors.As(err, &f) || !failed || len(w.alarms) != 1 || !strings.HasPrefix(w.alarms[0], "audit ") {
					t.Errorf("%s %s: %v, metric %v, alarms %q", name, what, err, failed, w.alarms)
				}
			}
		}
		w.store.Tamper(name, good)
	}
	w.restart(policy)
	w.clean(true, 2)
}

func TestTheCheckpointGoesForwardOnly(t *testing.T) {
	w := newWorld(t)
	w.register()
	old, err := w.store.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.protocols(1)
	w.clean(false, 2)
	now, err := w.store.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.SwapCheckpoint(t.Context(), now, old); err != nil {
		t.Fatal(err)
	}
	if err, failed := w.audit(false); err == nil || !failed || !strings.Contains(err.Error(), "gone back to size") {
		t.Error(failed, err)
	}
	if err := w.store.SwapCheckpoint(t.Context(), old, append(bytes.Clone(now), 'x')); err != nil {
		t.Fatal(err)
	}
	if err, failed := w.audit(false); err == nil || !failed {
		t.Error("a checkpoint that is none:", failed, err)
	}
}

func TestUnlockedObjectsAreFound(t *testing.T) {
	for _, name := range []string{"the log bucket", checkpoint.HeadName(2), checkpoint.SignedName(2), "tile/0/000.p/4", "tile/entries/000.p/4"} {
		w := newWorld(t)
		w.register()
		w.clean(false, 1)
		w.protocols(1)
		w.locked[name] = "2 versions, not 1"
		err, failed := w.audit(false)
		if err == nil || !failed || len(w.alarms) != 1 || w.alarms[0] != "unlocked "+name+": 2 versions, not 1" {
			t.Errorf("%s: %v, %v, %q", name, err, failed, w.alarms)
		}
		if p, err := w.auditor.recall(t.Context(), newestProgress); err != nil || p.Batch != 1 {
			t.Errorf("%s: progress %d, %v", name, p.Batch, err)
		}
	}
}

// A store that does not answer is no finding: nothing is said about the log.
func TestAFaultIsNoFinding(t *testing.T) {
	w := newWorld(t)
	w.register()
	calls := storetest.NewFaulty(w.store, nil)
	w.auditor.state = calls
	w.clean(false, 1)
	for n := range calls.Calls() {
		w.restart(w.auditor.policy)
		if err := w.store.DeleteState(t.Context(), newestProgress); err != nil {
			t.Fatal(err)
		}
		w.auditor.state = storetest.NewFaulty(w.store, storetest.At(n, storetest.Refuse))
		if err, failed := w.audit(false); failed || len(w.alarms) > 0 {
			t.Errorf("call %d: %v, an alarm: %q", n, err, w.alarms)
		}
	}
	w.auditor.state = w.store
	w.clean(false, 1)
}

// With little time left the audit stops and says how far it is.
func TestAnAuditResumes(t *testing.T) {
	w := newWorld(t)
	w.register()
	w.protocols(1)
	ctx, cancel := context.WithTimeout(t.Context(), lastBatch-time.Second)
	defer cancel()
	if err := w.auditor.round(ctx, event{true}); err != nil {
		t.Fatal(err)
	}
	if p, err := w.auditor.recall(t.Context(), newestProgress); err != nil || p.Batch != 0 {
		t.Fatal(p, err)
	}
	w.clean(false, 2)
	if p, err := w.auditor.recall(t.Context(), fullProgress); err != nil || p.Batch != 2 {
		t.Error("the full audit did not go on:", p, err)
	}
}

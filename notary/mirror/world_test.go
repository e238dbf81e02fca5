package mirror

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

const origin = "log.example/trials"

// world is a log in memory that can be made to show something else.
type world struct {
	t       testing.TB
	store   *storetest.Memory
	service *notary.Service
	policy  *checkpoint.Policy
	sponsor statement.PrivateKey
	salt    [32]byte
	now     time.Time

	mu    sync.Mutex
	alter map[string][]byte // what is shown instead; nil: nothing is there
	asked map[string]int
}

func newWorld(t testing.TB, keys ...checkpoint.Signer) *world {
	t.Helper()
	if keys == nil {
		keys = logKeys(t)
	}
	w := &world{t: t, store: storetest.NewMemory(), alter: map[string][]byte{}, asked: map[string]int{}, now: time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)}
	rand.Read(w.salt[:])
	var err error
	if w.policy, err = checkpoint.NewLogPolicy(keys[0].VerifierKey(), keys[1].VerifierKey()); err != nil {
		t.Fatal(err)
	}
	if w.sponsor, err = statement.GenerateKey("acme"); err != nil {
		t.Fatal(err)
	}
	w.service, err = notary.New(w.store, notary.Config{Origin: origin, Signers: keys, Policy: w.policy, Now: func() time.Time { return w.now },
		Sponsors: func() []statement.PublicKey { return []statement.PublicKey{w.sponsor.Public()} }})
	if err != nil {
		t.Fatal(err)
	}
	recovery, err := statement.GenerateKey("acme.recovery")
	if err != nil {
		t.Fatal(err)
	}
	trial := statement.StreamIDOf(origin, "NCT01234567", statement.TrialStream, w.salt)
	w.seal(&statement.Statement{StreamName: statement.RegistrationStream, Kind: statement.KindRegistration,
		Keys: []statement.Key{{Role: statement.RoleSponsor, Name: statement.TrialStream, Stream: trial, Key: w.sponsor.Public()},
			{Role: statement.RoleRecovery, Name: statement.TrialStream, Stream: trial, Key: recovery.Public()}}})
	return w
}

func logKeys(t testing.TB) []checkpoint.Signer {
	t.Helper()
	ed, err := checkpoint.GenerateEd25519(origin)
	if err != nil {
		t.Fatal(err)
	}
	ml, err := checkpoint.GenerateMLDSA44(origin)
	if err != nil {
		t.Fatal(err)
	}
	return []checkpoint.Signer{ed, ml}
}

// seal seals the statements as one batch.
func (w *world) seal(all ...*statement.Statement) {
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
		if _, err := w.service.Submit(context.Background(), notes); err != nil {
			w.t.Fatal(err)
		}
	}
	w.now = w.now.Add(time.Minute)
	if s, err := w.service.Seal(context.Background()); err != nil || s.Batch == 0 || s.Refused > 0 {
		w.t.Fatal(s, err)
	}
}

// grow seals batches of so many entries each.
func (w *world) grow(batches ...int) {
	w.t.Helper()
	for _, n := range batches {
		var all []*statement.Statement
		for i := range n {
			all = append(all, &statement.Statement{StreamName: statement.TrialStream, StreamSalt: w.salt, Kind: statement.KindNote, Label: fmt.Sprintf("note %d", i)})
		}
		w.seal(all...)
	}
}

// Object is what the log shows.
func (w *world) Object(ctx context.Context, name string) ([]byte, error) {
	w.mu.Lock()
	w.asked[name]++
	b, changed := w.alter[name]
	w.mu.Unlock()
	switch {
	case changed && b == nil:
		return nil, notary.ErrNotFound
	case changed:
		return b, nil
	case name != CheckpointName:
		return w.store.Get(ctx, name)
	}
	b, err := w.store.Checkpoint(ctx)
	if err == nil && b == nil {
		err = notary.ErrNotFound
	}
	return b, err
}

func (w *world) trust() *receipt.Trust {
	w.t.Helper()
	b, err := (&receipt.Trust{Policy: w.policy}).Bytes()
	if err != nil {
		w.t.Fatal(err)
	}
	t, err := receipt.ParseTrust(b)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

func (w *world) options(dir string) Options {
	t := w.trust()
	return Options{Source: w, Dir: dir, Trust: t, Operator: t.Raw, Parallel: 4}
}

func (w *world) mustUpdate(dir string) Result {
	w.t.Helper()
	r, err := Update(context.Background(), w.options(dir))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// size returns that of the newest checkpoint.
func (w *world) size() uint64 {
	w.t.Helper()
	raw, err := w.store.Checkpoint(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := checkpoint.Parse(raw)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Size
}

// same fails unless the directory holds the log, all of it and nothing else.
func (w *world) same(dir string) {
	w.t.Helper()
	want := map[string]bool{CheckpointName: true, TrustName: true}
	for _, name := range w.store.Objects() {
		want[name] = true
	}
	for _, name := range names(w.t, dir) {
		if !want[name] {
			w.t.Errorf("%s is in the mirror and not in the log", name)
		}
		delete(want, name)
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			w.t.Fatal(err)
		}
		log, err := w.Object(context.Background(), name)
		if name == TrustName {
			log, err = w.trust().Raw, nil
		}
		if err != nil || string(log) != string(got) {
			w.t.Errorf("%s is another in the mirror: %v", name, err)
		}
	}
	for name := range want {
		w.t.Errorf("%s is not in the mirror", name)
	}
	log, err := storetest.VerifyLog(func(name string) ([]byte, error) { return Dir(dir).Object(context.Background(), name) }, w.policy)
	if err != nil {
		w.t.Fatalf("the mirror does not verify: %v", err)
	}
	if raw, err := w.Object(context.Background(), CheckpointName); err == nil {
		if c, err := checkpoint.Parse(raw); err != nil || c.Size != log.Size {
			w.t.Fatalf("the mirror has %d leaves, the log %d, %v", log.Size, c.Size, err)
		}
	}
}

// names lists what is in a mirror under final names.
func names(t testing.TB, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == tempDir {
			return filepath.SkipDir
		}
		if !d.IsDir() {
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			all = append(all, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

package notary_test

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
	"trialnotary/notary/tile"
)

const origin = "log.example/trials"

// logKeys are made once: what is tested does not depend on which they are.
var logKeys = sync.OnceValue(func() [2]checkpoint.Key {
	ed, err := checkpoint.GenerateEd25519(origin)
	if err != nil {
		panic(err)
	}
	ml, err := checkpoint.GenerateMLDSA44(origin)
	if err != nil {
		panic(err)
	}
	return [2]checkpoint.Key{ed, ml}
})

// world is one log with the people around it. Its clock moves a second with
// every look.
type world struct {
	t       testing.TB
	store   notary.Store
	policy  *checkpoint.Policy
	signers []checkpoint.Signer
	svc     *notary.Service

	witnesses []notary.Witness // asked for a cosignature, none at first
	patience  time.Duration

	stampers      []notary.Timestamper // asked for time-stamps, none at first
	stampPatience time.Duration
	one           statement.PrivateKey // of site-001, where a test keeps it

	mu      *sync.Mutex
	now     time.Time
	alarms  []string
	accepts map[notary.Ref][]byte // everything that was answered 202

	sponsor, recovery, stranger statement.PrivateKey
	sponsors                    []statement.PublicKey
}

func newKey(t testing.TB, name string) statement.PrivateKey {
	t.Helper()
	k, err := statement.GenerateKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newWorld(t testing.TB, store notary.Store) *world {
	t.Helper()
	keys := logKeys()
	policy, err := checkpoint.NewLogPolicy(keys[0].VerifierKey(), keys[1].VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, mu: new(sync.Mutex), store: store, policy: policy, signers: []checkpoint.Signer{keys[0], keys[1]},
		now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), accepts: map[notary.Ref][]byte{},
		sponsor: newKey(t, "acme"), recovery: newKey(t, "acme.recovery"), stranger: newKey(t, "stranger")}
	w.sponsors = []statement.PublicKey{w.sponsor.Public()}
	w.svc = w.process(store)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Second)
	return w.now
}

func (w *world) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// process starts one more process of the service over a store.
func (w *world) process(store notary.Store) *notary.Service {
	w.t.Helper()
	s, err := notary.New(store, notary.Config{Origin: origin, Signers: w.signers, Policy: w.policy, Witnesses: w.witnesses, Patience: w.patience,
		Timestampers: w.stampers, StampPatience: w.stampPatience,
		Sponsors: func() []statement.PublicKey { return w.sponsors }, Now: w.clock,
		Alarm: func(kind, detail string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.alarms = append(w.alarms, kind+" "+detail)
		}})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func random32() (b [32]byte) {
	rand.Read(b[:])
	return b
}

// trial is what a sponsor keeps of a trial.
type trial struct {
	id       string
	reg      *statement.Note
	salt     [32]byte // of the trial stream
	stream   statement.StreamID
	sponsor  statement.PrivateKey
	recovery statement.PrivateKey
	salts    map[string][32]byte
}

func (w *world) newTrial(id string, also ...statement.Also) *trial {
	w.t.Helper()
	tr := &trial{id: id, salt: random32(), sponsor: w.sponsor, recovery: w.recovery, salts: map[string][32]byte{}}
	tr.stream = statement.StreamIDOf(origin, id, "trial", tr.salt)
	s := &statement.Statement{Log: origin, Trial: id, StreamName: "registration", Kind: statement.KindRegistration,
		Keys: []statement.Key{
			{Role: statement.RoleSponsor, Name: "trial", Stream: tr.stream, Key: w.sponsor.Public()},
			{Role: statement.RoleRecovery, Name: "trial", Stream: tr.stream, Key: w.recovery.Public()},
		}, Also: also, Time: w.clock(), Salt: random32()}
	if !statement.PublicTrial(id) {
		s.StreamSalt = random32()
	}
	tr.reg = w.sign(s, w.sponsor)
	return tr
}

func (w *world) sign(s *statement.Statement, k statement.PrivateKey) *statement.Note {
	w.t.Helper()
	s.Time = s.Time.UTC().Truncate(time.Second)
	n, err := statement.Sign(s, k)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// inTrial makes a statement of the trial stream.
func (w *world) inTrial(tr *trial, by statement.PrivateKey, kind statement.Kind, change func(*statement.Statement)) *statement.Note {
	s := &statement.Statement{Log: origin, Trial: tr.id, StreamName: "trial", StreamSalt: tr.salt,
		Kind: kind, Time: w.clock(), Salt: random32()}
	if change != nil {
		change(s)
	}
	return w.sign(s, by)
}

func (w *world) enrol(tr *trial, by statement.PrivateKey, name string, key statement.PublicKey, change ...func(*statement.Statement)) *statement.Note {
	if _, ok := tr.salts[name]; !ok {
		tr.salts[name] = random32()
	}
	return w.inTrial(tr, by, statement.KindEnrolment, func(s *statement.Statement) {
		s.Keys = []statement.Key{{Role: statement.RoleSite, Name: name, Key: key,
			Stream: statement.StreamIDOf(origin, tr.id, name, tr.salts[name])}}
		for _, f := range change {
			f(s)
		}
	})
}

func (w *world) revoke(tr *trial, by statement.PrivateKey, name string, key statement.PublicKey) *statement.Note {
	return w.inTrial(tr, by, statement.KindRevocation, func(s *statement.Statement) {
		s.Reason = "key lost"
		s.Keys = []statement.Key{{Role: statement.RoleSite, Name: name, Key: key,
			Stream: statement.StreamIDOf(origin, tr.id, name, tr.salts[name])}}
	})
}

// data makes a dataset statement of a site's stream.
func (w *world) data(tr *trial, name string, by statement.PrivateKey, change ...func(*statement.Statement)) *statement.Note {
	salt, ok := tr.salts[name]
	if !ok {
		salt = random32()
	}
	s := &statement.Statement{Log: origin, Trial: tr.id, StreamName: name, StreamSalt: salt,
		Kind: statement.KindDataset, Dataset: &statement.Dataset{Root: random32(), Files: 1, Bytes: 12},
		Time: w.clock(), Salt: random32()}
	for _, f := range change {
		f(s)
	}
	return w.sign(s, by)
}

// submit submits notes in one call through svc and remembers what was accepted.
func (w *world) submit(svc *notary.Service, notes ...*statement.Note) error {
	raw := make([][]byte, len(notes))
	for i, n := range notes {
		raw[i] = n.Raw
	}
	refs, err := svc.Submit(context.Background(), raw)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, r := range refs {
		if r.Statement != notes[i].ID {
			w.t.Fatalf("submission %d is answered for another statement", i)
		}
		w.accepts[r] = notes[i].Raw
		if notes[i].Kind == statement.KindRegistration {
			for _, s := range notes[i].RegistrationStreams() {
				w.accepts[notary.Ref{Stream: s, Statement: r.Statement}] = notes[i].Raw
			}
		}
	}
	return nil
}

func (w *world) mustSubmit(notes ...*statement.Note) {
	w.t.Helper()
	if err := w.submit(w.svc, notes...); err != nil {
		w.t.Fatal(err)
	}
}

// drain seals until nothing is left to do.
func drain(svc *notary.Service) error {
	for i := 0; ; i++ {
		s, err := svc.Seal(context.Background())
		if err != nil {
			return err
		}
		if !s.More {
			return nil
		}
		if i > 1000 {
			return errors.New("sealing does not end")
		}
	}
}

func (w *world) mustDrain() {
	w.t.Helper()
	if err := drain(w.svc); err != nil {
		w.t.Fatal(err)
	}
}

// registered returns a trial with two enrolled sites, sealed.
func (w *world) registered() (tr *trial, one, two statement.PrivateKey) {
	w.t.Helper()
	tr = w.newTrial("NCT01234567", statement.Also{Trial: "ISRCTN01234567"})
	one, two = newKey(w.t, "site-001.jdoe"), newKey(w.t, "site-002.roe")
	w.mustSubmit(tr.reg)
	w.mustDrain()
	w.mustSubmit(w.enrol(tr, w.sponsor, "site-001", one.Public()), w.enrol(tr, w.sponsor, "site-002", two.Public()))
	w.mustDrain()
	return tr, one, two
}

func object(store notary.Store) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if name != "checkpoint" {
			return store.Get(context.Background(), name)
		}
		b, err := store.Checkpoint(context.Background())
		if err == nil && b == nil {
			err = notary.ErrNotFound
		}
		return b, err
	}
}

// check re-verifies the whole log and that every accepted statement has exactly
// one outcome: one entry with a receipt that verifies, or a refusal with a reason.
func (w *world) check(store notary.Store) storetest.Log {
	w.t.Helper()
	log, err := storetest.VerifyLog(object(store), w.policy)
	if err != nil {
		w.t.Fatalf("the log does not verify: %v", err)
	}
	entries := map[notary.Ref]int{}
	for _, e := range log.Entries {
		entries[notary.Ref{Stream: e.Stream, Statement: e.Statement}]++
	}
	svc := w.process(store)
	for ref := range w.accepts {
		ev, err := svc.Receipt(context.Background(), ref)
		var refused *notary.Refusal
		switch {
		case errors.As(err, &refused):
			if refused.Reason == "" || entries[ref] != 0 {
				w.t.Fatalf("statement %s is refused (%q) and stands in the log %d times", ref.Statement, refused.Reason, entries[ref])
			}
		case err != nil:
			w.t.Fatalf("an accepted statement has no receipt: %v", err)
		case entries[ref] != 1:
			w.t.Fatalf("statement %s stands in the log %d times", ref.Statement, entries[ref])
		default:
			w.verifyEvidence(ref, ev)
		}
	}
	w.signedOnly(store, log)
	if p, err := store.Pending(context.Background(), 10); err != nil || len(p) > 0 {
		w.t.Fatalf("%d statements are left in the inbox (%v)", len(p), err)
	}
	return log
}

func (w *world) verifyEvidence(ref notary.Ref, ev receipt.Evidence) {
	w.t.Helper()
	p, err := checkpoint.ParseProof(ev.Proof)
	if err != nil {
		w.t.Fatal(err)
	}
	cp, err := checkpoint.Parse(p.Checkpoint)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.policy.Verify(cp, nil); err != nil {
		w.t.Fatal(err)
	}
	e, err := entry.Parse(ev.Entry)
	if err != nil {
		w.t.Fatal(err)
	}
	if e.Index != p.Index || e.Stream != ref.Stream || e.Statement != ref.Statement {
		w.t.Fatalf("evidence for %v is of %+v", ref, e)
	}
	if err := tile.VerifyInclusion(tile.LeafHash(ev.Entry), e.Index, cp.Size, p.Hashes, cp.Root); err != nil {
		w.t.Fatal(err)
	}
}

// signedOnly checks that nothing was ever signed but the batches of the log.
func (w *world) signedOnly(store notary.Store, log storetest.Log) {
	w.t.Helper()
	absent := func(name string) {
		if _, err := store.Get(context.Background(), name); !errors.Is(err, notary.ErrNotFound) {
			w.t.Fatalf("%s exists (%v); the log has %d batches and size %d", name, err, log.Batches, log.Size)
		}
	}
	for n := log.Batches + 1; n < log.Batches+5; n++ {
		absent(checkpoint.SignedName(n))
	}
	for size := uint64(1); size < log.Size+50; size++ {
		if log.Roots[size] == "" {
			absent(checkpoint.FinalName(size))
		}
	}
}

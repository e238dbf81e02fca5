package onaws

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/onaws/fakeaws"
	"trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

// A log whose keys are in KMS, two sealers at once, and every tenth call of AWS
// failing in some way: every accepted statement is sealed exactly once, the log
// verifies from its objects, and its checkpoint meets the policy.
func TestTheServiceOnAFailingAWS(t *testing.T) {
	t.Parallel()
	f := newFakeAWS(t)
	f.Keys = fakeaws.NewKeys(t)
	f.Table.Page, f.Table.Process = 10, 30
	seed := mrand.Uint64()
	rng := mrand.New(mrand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	f.Fail(func(fakeaws.Call) fakeaws.Fault {
		if rng.IntN(10) > 0 {
			return fakeaws.None
		}
		return fakeaws.Fault(1 + rng.IntN(int(fakeaws.Broken)))
	})
	sponsor, err := statement.GenerateKey("acme")
	must(t, err)
	var policy *checkpoint.Policy
	service := func() *notary.Service {
		e := withKeys("ed", "ml")
		for {
			c := f.clients()
			signers, err := Signers(t.Context(), c.KMS, e)
			if err != nil {
				continue
			}
			policy, _, err = Policy(signers, "")
			must(t, err)
			s, err := notary.New(NewStore(c, e), notary.Config{Origin: e.Origin, Signers: signers, Policy: policy, MaxBatch: 40,
				Sponsors: func() []statement.PublicKey { return []statement.PublicKey{sponsor.Public()} },
				Alarm:    func(kind, object string) { t.Errorf("alarm: %s %s", kind, object) }})
			must(t, err)
			return s
		}
	}
	var salt [32]byte
	rand.Read(salt[:])
	stream := statement.StreamIDOf(testEnv.Origin, "NCT01234567", "trial", salt)
	sign := func(s statement.Statement) []byte {
		s.Log, s.Trial, s.Time = testEnv.Origin, "NCT01234567", time.Now().UTC().Truncate(time.Second)
		rand.Read(s.Salt[:])
		n, err := statement.Sign(&s, sponsor)
		must(t, err)
		return n.Raw
	}
	submit := func(s *notary.Service, notes ...[]byte) {
		for {
			_, err := s.Submit(t.Context(), notes)
			var no *notary.Rejection
			if errors.As(err, &no) {
				t.Error(no)
				return
			}
			if err == nil {
				return
			}
		}
	}
	seal := func(ctx context.Context, s *notary.Service) bool {
		sealed, err := s.Seal(ctx)
		if errors.Is(err, notary.ErrForked) || errors.Is(err, notary.ErrRestored) {
			t.Error(err)
			return false
		}
		return err != nil || sealed.More
	}
	one, two := service(), service()
	submit(one, sign(statement.Statement{StreamName: "registration", Kind: statement.KindRegistration,
		Keys: []statement.Key{{Role: statement.RoleSponsor, Name: "trial", Stream: stream, Key: sponsor.Public()},
			{Role: statement.RoleRecovery, Name: "trial", Stream: stream, Key: sponsor.Public()}}}))
	for seal(t.Context(), one) {
	}
	const rounds, each = 6, 25
	var wg sync.WaitGroup
	for i := range rounds {
		var notes [][]byte
		for j := range each {
			notes = append(notes, sign(statement.Statement{StreamName: "trial", StreamSalt: salt, Kind: statement.KindNote, Label: fmt.Sprintf("note %d %d", i, j)}))
		}
		wg.Go(func() { submit(two, notes...) })
		for _, s := range []*notary.Service{one, two} {
			wg.Go(func() { seal(t.Context(), s) })
		}
	}
	wg.Wait()
	for seal(t.Context(), one) {
	}
	f.Fail(nil)
	store := f.store()
	log, err := storetest.VerifyLog(func(name string) ([]byte, error) {
		if name == "checkpoint" {
			b, err := store.Checkpoint(t.Context())
			if b == nil && err == nil {
				err = notary.ErrNotFound
			}
			return b, err
		}
		return store.Get(t.Context(), name)
	}, policy)
	must(t, err)
	if len(log.Entries) != 1+rounds*each {
		t.Errorf("%d entries, want %d", len(log.Entries), 1+rounds*each)
	}
	left, err := store.Pending(t.Context(), 1)
	must(t, err)
	if len(left) > 0 {
		t.Error("the inbox is not empty")
	}
	t.Logf("%d batches, %s", log.Batches, summary(f.Take()))
}

// summary counts calls by operation.
func summary(calls []string) string {
	counts := map[string]int{}
	for _, c := range calls {
		counts[c]++
	}
	return fmt.Sprintf("%d calls: %s", len(calls), strings.TrimPrefix(fmt.Sprint(counts), "map"))
}

// trial is a service with one trial, without faults.
type trial struct {
	t       *testing.T
	service *notary.Service
	sponsor statement.PrivateKey
	salt    [32]byte
}

func newTrial(t *testing.T, c *Clients, e Env) *trial {
	t.Helper()
	w := &trial{t: t}
	rand.Read(w.salt[:])
	var err error
	w.sponsor, err = statement.GenerateKey("acme")
	must(t, err)
	signers, err := Signers(t.Context(), c.KMS, e)
	must(t, err)
	policy, _, err := Policy(signers, "")
	must(t, err)
	w.service, err = notary.New(NewStore(c, e), notary.Config{Origin: e.Origin, Signers: signers, Policy: policy,
		Sponsors: func() []statement.PublicKey { return []statement.PublicKey{w.sponsor.Public()} }})
	must(t, err)
	return w
}

func (w *trial) sign(s statement.Statement) []byte {
	s.Log, s.Trial, s.Time = testEnv.Origin, "NCT01234567", time.Now().UTC().Truncate(time.Second)
	rand.Read(s.Salt[:])
	n, err := statement.Sign(&s, w.sponsor)
	must(w.t, err)
	return n.Raw
}

// register seals the trial's registration.
func (w *trial) register() {
	w.t.Helper()
	stream := statement.StreamIDOf(testEnv.Origin, "NCT01234567", "trial", w.salt)
	recovery, err := statement.GenerateKey("acme.recovery")
	must(w.t, err)
	_, err = w.service.Submit(w.t.Context(), [][]byte{w.sign(statement.Statement{StreamName: "registration", Kind: statement.KindRegistration,
		Keys: []statement.Key{{Role: statement.RoleSponsor, Name: "trial", Stream: stream, Key: w.sponsor.Public()},
			{Role: statement.RoleRecovery, Name: "trial", Stream: stream, Key: recovery.Public()}}})})
	must(w.t, err)
	_, err = w.service.Seal(w.t.Context())
	must(w.t, err)
}

// What each function asks of AWS on a good day, action by action: its role must
// allow these. prove and submit never sign and never write the log.
func TestWhatEachFunctionAsks(t *testing.T) {
	t.Parallel()
	f := newFakeAWS(t)
	f.Keys = fakeaws.NewKeys(t)
	e := withKeys("ed", "ml")
	w := newTrial(t, f.clients(), e)
	w.register()
	// Each a process of its own, that knows nothing yet.
	process := func() *notary.Service {
		p := newTrial(t, f.clients(), e)
		p.sponsor, p.salt = w.sponsor, w.salt
		return p.service
	}
	asks := func(what string, want []string, do func()) {
		t.Helper()
		f.Take()
		do()
		got := f.Take()
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("%s asks for %q, want %q", what, got, want)
		}
	}
	var refs []notary.Ref
	note := w.sign(statement.Statement{StreamName: "trial", StreamSalt: w.salt, Kind: statement.KindNote, Label: "note"})
	submit, prove, seal := process(), process(), process()
	asks("submit", []string{"BatchGetItem", "PutItem", "Query"}, func() {
		var err error
		refs, err = submit.Submit(t.Context(), [][]byte{note})
		must(t, err)
	})
	asks("prove, of a statement that waits", []string{"BatchGetItem"}, func() {
		if _, err := prove.Receipt(t.Context(), refs[0]); !errors.Is(err, notary.ErrPending) {
			t.Error(err)
		}
	})
	asks("seal", []string{"BatchGetItem", "BatchWriteItem", "GetObject", "PutItem", "PutObject", "Query", "Sign"}, func() {
		_, err := seal.Seal(t.Context())
		must(t, err)
	})
	asks("prove", []string{"BatchGetItem", "GetObject"}, func() {
		_, err := prove.Receipt(t.Context(), refs[0])
		must(t, err)
		for _, name := range []string{"checkpoint", checkpoint.HeadName(2)} {
			_, err := prove.Object(t.Context(), name)
			must(t, err)
		}
	})
	asks("prove, of what is in a stream", []string{"BatchGetItem", "GetObject", "ListObjectsV2", "PutItem", "Query"}, func() {
		for _, read := range []func(*request.Read) error{
			func(ask *request.Read) error {
				_, err := prove.Entries(t.Context(), ask, refs[0].Stream, 1)
				return err
			},
			func(ask *request.Read) error {
				_, err := prove.Statements(t.Context(), ask, refs[0].Stream, 1)
				return err
			},
			func(ask *request.Read) error {
				_, err := prove.StreamAt(t.Context(), ask, refs[0].Stream, 0)
				return err
			},
			func(ask *request.Read) error { _, err := prove.Access(t.Context(), ask, refs[0].Stream, 1); return err },
		} {
			must(t, read(w.ask()))
		}
	})
}

// ask is a request by the sponsor.
func (w *trial) ask() *request.Read {
	b, err := request.Read{Log: testEnv.Origin, Method: "GET", Path: "/streams", Time: time.Now().UTC().Truncate(time.Second)}.Sign(w.sponsor)
	must(w.t, err)
	ask, err := request.ParseRead(b)
	must(w.t, err)
	return ask
}

package notary_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

func TestTrialFromRegistrationToReceipts(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, two := w.registered()
	w.mustSubmit(w.inTrial(tr, w.sponsor, statement.KindProtocol, func(s *statement.Statement) {
		s.Dataset = &statement.Dataset{Root: random32(), Files: 1, Bytes: 3}
	}))
	w.mustSubmit(w.data(tr, "site-001", one), w.data(tr, "site-002", two), w.data(tr, "site-001", one))
	w.mustDrain()
	log := w.check(w.store)
	if log.Batches != 3 || len(log.Entries) != 2+2+4 {
		t.Fatalf("%d batches with %d entries", log.Batches, len(log.Entries))
	}
	if last := log.Entries[7]; last.Seq != 2 || last.Stream != statement.StreamIDOf(origin, tr.id, "site-001", tr.salts["site-001"]) {
		t.Fatalf("last entry %+v: order of acceptance was not kept", last)
	}
	if len(w.alarms) > 0 {
		t.Fatal(w.alarms)
	}
}

func TestSameStatementTwiceIsOneEntry(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, _ := w.registered()
	n := w.data(tr, "site-001", one)
	w.mustSubmit(n)
	w.mustSubmit(n, n)
	w.mustDrain()
	w.mustSubmit(n)
	w.mustDrain()
	w.check(w.store)
}

func TestReceiptAnswers(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, storetest.NewMemory())
	tr, one, _ := w.registered()
	n := w.data(tr, "site-001", one)
	ref := notary.Ref{Stream: n.Stream(), Statement: n.ID}
	if _, err := w.svc.Receipt(ctx, ref); !errors.Is(err, notary.ErrNotFound) {
		t.Fatalf("before it was submitted: %v", err)
	}
	w.mustSubmit(n)
	if _, err := w.svc.Receipt(ctx, ref); !errors.Is(err, notary.ErrPending) {
		t.Fatalf("before it was sealed: %v", err)
	}
	w.mustDrain()
	first, err := w.svc.Receipt(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	w.mustSubmit(w.data(tr, "site-001", one))
	w.mustDrain()
	again, err := w.process(w.store).Receipt(ctx, ref)
	if err != nil || string(again.Proof) != string(first.Proof) || string(again.Entry) != string(first.Entry) {
		t.Fatalf("the receipt changed: %v", err)
	}
}

func TestRejections(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, two := w.registered()
	other := w.newTrial("NCT07654321")
	w.mustSubmit(other.reg)
	w.mustDrain()
	foreign := w.data(tr, "site-001", one, func(s *statement.Statement) { s.Log = "log.example/other" })
	mixed := w.data(tr, "site-001", one, func(s *statement.Statement) { s.Trial = other.id })
	other.salts["site-001"] = tr.salts["site-001"]
	cases := []struct {
		name string
		note *statement.Note
		kind notary.RejectionKind
		want string
	}{
		{"another log", foreign, notary.Malformed, "is for the log"},
		{"another trial's stream", mixed, notary.Forbidden, "no key is enrolled"},
		{"another site's key", w.data(tr, "site-001", two), notary.Forbidden, ""},
		{"a stranger's key", w.data(tr, "site-001", w.stranger), notary.Forbidden, ""},
		{"the sponsor in a site's stream", w.data(tr, "site-001", w.sponsor), notary.Forbidden, ""},
		{"a site enrols", w.enrol(tr, one, "site-003", w.stranger.Public()), notary.Forbidden, ""},
		{"a stream nobody knows", w.data(tr, "site-009", one), notary.Forbidden, "no key is enrolled"},
		{"a sponsor who is not admitted", func() *statement.Note {
			w2 := *w
			w2.sponsor = w.stranger
			return w2.newTrial("NCT00000001").reg
		}(), notary.Forbidden, "may not register"},
		{"a second registration", w.newTrial("NCT01234567").reg, notary.Conflict, "registered in this log already"},
		{"an also id that is registered", w.newTrial("NCT00000002", statement.Also{Trial: "ISRCTN01234567"}).reg, notary.Conflict, "registered in this log already"},
		{"a second id for a stream name", func() *statement.Note {
			tr2 := *tr
			tr2.salts = map[string][32]byte{}
			return w.enrol(&tr2, w.sponsor, "site-001", w.stranger.Public())
		}(), notary.Conflict, ""},
		{"another trial's stream bound", w.inTrial(other, w.sponsor, statement.KindEnrolment, func(s *statement.Statement) {
			s.Keys = []statement.Key{{Role: statement.RoleSite, Name: "site-001", Key: w.stranger.Public(),
				Stream: statement.StreamIDOf(origin, tr.id, "site-001", tr.salts["site-001"])}}
		}), notary.Conflict, "another trial"},
		{"after a checkpoint that never was", w.data(tr, "site-001", one, func(s *statement.Statement) {
			s.After = &statement.After{Size: 3, Hash: random32()}
		}), notary.Conflict, "`after`"},
	}
	before, err := w.store.Pending(context.Background(), 10)
	if err != nil || len(before) != 0 {
		t.Fatal(err, len(before))
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			good := w.data(tr, "site-002", two)
			err := w.submit(w.svc, good, c.note)
			var r *notary.Rejection
			if !errors.As(err, &r) || r.Kind != c.kind || r.Index != 1 || !strings.Contains(r.Reason, c.want) {
				t.Fatalf("got %v (%+v)", err, r)
			}
		})
	}
	if p, err := w.store.Pending(context.Background(), 10); err != nil || len(p) != 0 {
		t.Fatalf("%d statements of rejected submissions were accepted (%v)", len(p), err)
	}
}

func TestMalformedNotes(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, _ := w.registered()
	good := string(w.data(tr, "site-001", one).Raw)
	forged := []byte(good)
	forged[len(forged)-10] ^= 4
	for name, bad := range map[string]string{
		"empty":              "",
		"cr lf":              strings.ReplaceAll(good, "\n", "\r\n"),
		"no last line feed":  strings.TrimSuffix(good, "\n"),
		"a second signature": good + good[strings.LastIndex(good, "— "):],
		"a byte order mark":  "\ufeff" + good,
		"too large":          good + strings.Repeat("x", 9<<10),
		"forged signature":   string(forged),
	} {
		_, err := w.svc.Submit(context.Background(), [][]byte{[]byte(bad)})
		var r *notary.Rejection
		if !errors.As(err, &r) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.svc.Submit(context.Background(), make([][]byte, notary.MaxSubmission+1)); err == nil {
		t.Error("too many statements in one submission were taken")
	}
}

func TestKeyRevokedBetweenAcceptAndSeal(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, two := w.registered()
	early := w.data(tr, "site-001", one)
	late := w.data(tr, "site-001", one)
	w.mustSubmit(early, w.revoke(tr, w.sponsor, "site-001", one.Public()), late, w.data(tr, "site-002", two))
	w.mustDrain()
	w.check(w.store)
	if _, err := w.svc.Receipt(context.Background(), notary.Ref{Stream: early.Stream(), Statement: early.ID}); err != nil {
		t.Fatalf("accepted before the revocation: %v", err)
	}
	var refused *notary.Refusal
	if _, err := w.svc.Receipt(context.Background(), notary.Ref{Stream: late.Stream(), Statement: late.ID}); !errors.As(err, &refused) {
		t.Fatalf("accepted after the revocation: %v", err)
	}
	if err := w.submit(w.svc, w.data(tr, "site-001", one)); err == nil {
		t.Fatal("a revoked key was accepted")
	}
	if err := w.submit(w.svc, late); err != nil {
		t.Fatalf("the same bytes get another answer: %v", err)
	}
}

func TestUntilIsTheBatchsTime(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, _, _ := w.registered()
	k := newKey(t, "monitor.x")
	until := w.clock().Add(time.Hour)
	w.mustSubmit(w.enrol(tr, w.sponsor, "monitor", k.Public(), func(s *statement.Statement) {
		s.Keys[0].Role, s.Until, s.Person = statement.RoleMonitor, until, "Max Roe"
	}))
	w.mustDrain()
	signed := func(who string) func(*statement.Statement) {
		return func(s *statement.Statement) { s.Meaning, s.Signer = "review", who }
	}
	if err := w.submit(w.svc, w.data(tr, "monitor", k, signed("Someone Else"))); err == nil {
		t.Fatal("another person's name was accepted under the key")
	}
	w.mustSubmit(w.data(tr, "monitor", k, signed("Max Roe")))
	late := w.data(tr, "monitor", k, signed("Max Roe"))
	w.mustDrain()
	w.mustSubmit(late)
	w.later(2 * time.Hour)
	w.mustDrain()
	w.check(w.store)
	var refused *notary.Refusal
	if _, err := w.svc.Receipt(context.Background(), notary.Ref{Stream: late.Stream(), Statement: late.ID}); !errors.As(err, &refused) {
		t.Fatalf("sealed after the key ended: %v", err)
	}
}

func TestSuccessionHandsTheStreamOver(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, _ := w.registered()
	next := newKey(t, "acme-2")
	w.mustSubmit(w.inTrial(tr, w.recovery, statement.KindSuccession, func(s *statement.Statement) {
		s.About, s.Reason = []statement.ID{tr.reg.ID}, "sponsor's key lost"
		s.Keys = []statement.Key{{Role: statement.RoleSponsor, Name: "trial", Stream: tr.stream, Key: next.Public()}}
	}))
	w.mustDrain()
	if err := w.submit(w.svc, w.enrol(tr, w.sponsor, "site-003", w.stranger.Public())); err == nil {
		t.Fatal("the succeeded sponsor key still enrols")
	}
	w.mustSubmit(w.enrol(tr, next, "site-003", w.stranger.Public()))
	w.mustDrain()
	w.mustSubmit(w.data(tr, "site-003", w.stranger), w.data(tr, "site-001", one))
	w.mustDrain()
	w.check(w.store)
}

func TestOnlyOneOfTwoPendingRegistrations(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	a, b := w.newTrial("NCT01234567"), w.newTrial("NCT01234567")
	w.mustSubmit(a.reg)
	w.mustSubmit(b.reg)
	w.mustDrain()
	log := w.check(w.store)
	if len(log.Entries) != 1 || log.Entries[0].Statement != a.reg.ID {
		t.Fatalf("%d registrations were sealed", len(log.Entries))
	}
}

func TestHeartbeat(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	w.registered()
	before := w.check(w.store)
	w.mustDrain()
	if after := w.check(w.store); after.Batches != before.Batches {
		t.Fatal("a batch with nothing in it was sealed")
	}
	w.later(25 * time.Hour)
	w.mustDrain()
	after := w.check(w.store)
	if after.Batches != before.Batches+1 || after.Size != before.Size+1 {
		t.Fatalf("no heartbeat: %d batches, size %d", after.Batches, after.Size)
	}
}

// A checkpoint that does not meet the policy is signed but not final; the next
// final one covers its batch.
func TestBatchWithoutQuorum(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, storetest.NewMemory())
	tr, one, _ := w.registered()
	strict := *w
	strict.policy = withMissingWitness(t, w.policy)
	n := w.data(tr, "site-001", one)
	w.mustSubmit(n)
	if err := drain(strict.process(w.store)); err != nil {
		t.Fatal(err)
	}
	ref := notary.Ref{Stream: n.Stream(), Statement: n.ID}
	if _, err := w.svc.Receipt(ctx, ref); !errors.Is(err, notary.ErrPending) {
		t.Fatalf("a receipt without a final checkpoint: %v", err)
	}
	size := w.mustHeadSize()
	w.mustSubmit(w.data(tr, "site-001", one))
	w.mustDrain()
	ev, err := w.svc.Receipt(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	w.verifyEvidence(ref, ev)
	if _, err := w.store.Get(ctx, checkpoint.FinalName(size)); !errors.Is(err, notary.ErrNotFound) {
		t.Fatalf("the checkpoint without quorum became final: %v", err)
	}
	w.check(w.store)
}

func withMissingWitness(t *testing.T, p *checkpoint.Policy) *checkpoint.Policy {
	t.Helper()
	k, err := checkpoint.GenerateCosignature("witness.example")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(p.Bytes())), "\n")
	quorum := strings.TrimPrefix(lines[len(lines)-1], "quorum ")
	lines[len(lines)-1] = "witness w1 " + k.VerifierKey() + "\ngroup strict all " + quorum + " w1\nquorum strict\n"
	strict, err := checkpoint.ParsePolicy([]byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return strict
}

func (w *world) mustHeadSize() uint64 {
	w.t.Helper()
	var size uint64
	for n := uint64(1); ; n++ {
		b, err := w.store.Get(context.Background(), checkpoint.HeadName(n))
		if err != nil {
			return size
		}
		h, err := checkpoint.ParseHead(b)
		if err != nil {
			w.t.Fatal(err)
		}
		size = h.Size
	}
}

func TestOneBusySiteDoesNotStarveAnother(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, two := w.registered()
	for range 30 {
		w.mustSubmit(w.data(tr, "site-001", one))
	}
	quiet := w.data(tr, "site-002", two)
	w.mustSubmit(quiet)
	small, err := notary.New(w.store, notary.Config{Origin: origin, Signers: w.signers, Policy: w.policy, Now: w.clock, MaxBatch: 6})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := small.Seal(context.Background()); err != nil || s.Entries != 6 || !s.More {
		t.Fatalf("%+v %v", s, err)
	}
	if _, err := w.svc.Receipt(context.Background(), notary.Ref{Stream: quiet.Stream(), Statement: quiet.ID}); err != nil {
		t.Fatalf("the quiet site waits behind the busy one: %v", err)
	}
	if err := drain(small); err != nil {
		t.Fatal(err)
	}
	w.check(w.store)
}

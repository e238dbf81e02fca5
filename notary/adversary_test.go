package notary_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

// A registration enters one stream for each of its ids: 120 of them in one
// submission are more than a store takes in one call.
func TestManyRegistrationsWithManyIDs(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	var notes []*statement.Note
	for i := range 120 {
		var also []statement.Also
		for j := range statement.MaxAlso {
			salt := random32()
			also = append(also, statement.Also{Trial: fmt.Sprintf("CODE-%d-%d", i, j), Salt: &salt})
		}
		notes = append(notes, w.newTrial(fmt.Sprintf("CODE-%d", i), also...).reg)
	}
	w.mustSubmit(notes...)
	w.mustDrain()
	if log := w.check(w.store); len(log.Entries) != 120*(1+statement.MaxAlso) {
		t.Fatalf("%d entries", len(log.Entries))
	}
}

// The registration stream of a public id can be computed by anyone. A sponsor who
// names it as a stream of their own trial must not keep another one's
// registration out, nor open it for two.
func TestRegistrationStreamTakenAsAnother(t *testing.T) {
	const id = "NCT99999999"
	public := statement.StreamIDOf(origin, id, "registration", [32]byte{})
	claims := map[string]func(w *world, tr *trial) *statement.Note{
		"as a site's": func(w *world, tr *trial) *statement.Note {
			return w.inTrial(tr, w.sponsor, statement.KindEnrolment, func(s *statement.Statement) {
				s.Keys = []statement.Key{{Role: statement.RoleSite, Name: "site-666", Stream: public, Key: w.stranger.Public()}}
			})
		},
		"as a site's whose key ends": func(w *world, tr *trial) *statement.Note {
			return w.inTrial(tr, w.sponsor, statement.KindRevocation, func(s *statement.Statement) {
				s.Reason = "none"
				s.Keys = []statement.Key{{Role: statement.RoleSite, Name: "site-666", Stream: public, Key: w.stranger.Public()}}
			})
		},
		"as a trial's": func(w *world, _ *trial) *statement.Note {
			s := w.newTrial("RIVAL-1").reg.Statement
			s.Keys[0].Stream, s.Keys[1].Stream = public, public
			return w.sign(&s, w.sponsor)
		},
	}
	for name, claim := range claims {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storetest.NewMemory())
			tr, _, _ := w.registered()
			w.mustSubmit(claim(w, tr))
			w.mustDrain()
			first, second := w.newTrial(id), w.newTrial(id)
			w.mustSubmit(first.reg)
			w.mustSubmit(second.reg)
			w.mustDrain()
			w.check(w.store)
			if _, err := w.svc.Receipt(context.Background(), notary.Ref{Stream: public, Statement: first.reg.ID}); err != nil {
				t.Fatalf("the registration of %s: %v", id, err)
			}
			var no *notary.Refusal
			if _, err := w.svc.Receipt(context.Background(), notary.Ref{Stream: public, Statement: second.reg.ID}); !errors.As(err, &no) {
				t.Fatalf("the second registration of %s: %v", id, err)
			}
			var rejected *notary.Rejection
			if err := w.submit(w.svc, w.newTrial(id).reg); !errors.As(err, &rejected) || rejected.Kind != notary.Conflict {
				t.Fatalf("a third registration of %s: %v", id, err)
			}
		})
	}
}

// A registration whose streams fell into two batches keeps those to come.
func TestRegistrationAcrossBatches(t *testing.T) {
	store := storetest.NewMemory()
	w := newWorld(t, store)
	rival := *w
	rival.sponsor = newKey(t, "rival")
	w.sponsors = append(w.sponsors, rival.sponsor.Public())
	small, err := notary.New(store, notary.Config{Origin: origin, Signers: w.signers, Policy: w.policy, MaxBatch: 2,
		Sponsors: func() []statement.PublicKey { return w.sponsors }, Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	w.svc = small
	ours := w.newTrial("NCT01234567", statement.Also{Trial: "NCT00000001"}, statement.Also{Trial: "NCT00000002"})
	theirs := rival.newTrial("NCT01234567")
	w.mustSubmit(ours.reg)
	w.mustSubmit(theirs.reg)
	w.mustDrain()
	w.check(store)
	if _, err := w.svc.Receipt(context.Background(), notary.Ref{Stream: ours.reg.Stream(), Statement: ours.reg.ID}); err != nil {
		t.Fatal(err)
	}
}

// A repair without the notes knows no registration and no enrolment. Until their
// authors bring them back, nobody else gets their trial id, trial stream or sites.
func TestNothingIsTakenOverAfterRepair(t *testing.T) {
	m := storetest.NewMemory()
	empty := m.Snapshot()
	w := newWorld(t, m)
	rival := *w
	rival.sponsor = newKey(t, "rival")
	w.sponsors = append(w.sponsors, rival.sponsor.Public())
	tr, one, _ := w.registered()
	w.mustSubmit(w.data(tr, "site-001", one))
	w.mustDrain()
	m.Restore(empty)
	deleteStaging(t, m)
	w.svc = w.process(m)
	if err := w.svc.Repair(context.Background(), false, nil); err != nil {
		t.Fatal(err)
	}
	conflict := func(what string, n *statement.Note) {
		t.Helper()
		var no *notary.Rejection
		if err := w.submit(w.svc, n); !errors.As(err, &no) || no.Kind != notary.Conflict {
			t.Fatalf("%s: %v", what, err)
		}
	}
	conflict("the trial id", rival.newTrial(tr.id).reg)
	conflict("another id of the trial", rival.newTrial("ISRCTN01234567").reg)
	s := rival.newTrial("RIVAL-1").reg.Statement
	s.Keys[0].Stream, s.Keys[1].Stream = tr.stream, tr.stream
	conflict("the trial stream", w.sign(&s, rival.sponsor))
	other := rival.newTrial("RIVAL-2")
	w.mustSubmit(other.reg)
	w.mustDrain()
	conflict("a site's stream", w.inTrial(other, rival.sponsor, statement.KindEnrolment, func(s *statement.Statement) {
		s.Keys = []statement.Key{{Role: statement.RoleSite, Name: "site-001", Key: w.stranger.Public(),
			Stream: statement.StreamIDOf(origin, tr.id, "site-001", tr.salts["site-001"])}}
	}))
	w.resubmitKnown()
	w.mustDrain()
	if err := w.svc.Repair(context.Background(), true, nil); err != nil {
		t.Fatal(err)
	}
	w.mustSubmit(w.data(tr, "site-001", one), w.enrol(tr, w.sponsor, "site-001", w.stranger.Public()))
	w.mustDrain()
	w.check(m)
}

// The database is from between a commit and its publication, and older than
// staging objects are kept: repair takes the batch from the log or, where nobody
// ever saw it, seals its statements anew.
func TestRepairOfACommitWithoutItsStaging(t *testing.T) {
	for _, published := range []bool{true, false} {
		t.Run(fmt.Sprintf("published %t", published), func(t *testing.T) {
			m := storetest.NewMemory()
			w := newWorld(t, m)
			tr, one, two := w.registered()
			w.mustSubmit(w.data(tr, "site-001", one))
			killed := storetest.NewFaulty(m, storetest.OnOp("SwapHead", 0, storetest.KillAfter))
			if err := drain(w.process(killed)); !errors.Is(err, storetest.ErrKilled) {
				t.Fatal(err)
			}
			old := m.Snapshot()
			if published {
				w.mustDrain()
				w.mustSubmit(w.data(tr, "site-002", two))
				w.mustDrain()
				m.Restore(old)
			}
			deleteStaging(t, m)
			w.svc = w.process(m)
			if err := drain(w.svc); err == nil || !strings.Contains(err.Error(), "run repair") {
				t.Fatal(err)
			}
			if err := w.svc.Repair(context.Background(), false, nil); err != nil {
				t.Fatal(err)
			}
			w.mustSubmit(w.data(tr, "site-001", one))
			w.mustDrain()
			w.check(m)
		})
	}
}

// A clock beyond what a format can write stops sealing, and not for ever.
func TestClockBeyondTheFormats(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, _ := w.registered()
	now := w.now
	w.mustSubmit(w.data(tr, "site-001", one))
	w.now = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := drain(w.svc); err == nil || !strings.Contains(err.Error(), "clock") {
		t.Fatal(err)
	}
	w.now = now
	w.mustDrain()
	w.check(w.store)
	if _, err := w.store.Get(context.Background(), checkpoint.SignedName(4)); !errors.Is(err, notary.ErrNotFound) {
		t.Fatal(err)
	}
}

// lacking is a store whose log was restored from a copy that has not all.
type lacking struct {
	notary.Store
	name string
}

func (l lacking) Get(ctx context.Context, name string) ([]byte, error) {
	if name == l.name {
		return nil, notary.ErrNotFound
	}
	return l.Store.Get(ctx, name)
}

// A log that lacks what the database says was published is not built upon: the
// batch would be missing from it for ever.
func TestLogOlderThanDatabase(t *testing.T) {
	for _, name := range []string{checkpoint.HeadName(2), checkpoint.SignedName(2)} {
		w := newWorld(t, storetest.NewMemory())
		tr, one, _ := w.registered() // two batches
		w.mustSubmit(w.data(tr, "site-001", one))
		for range 2 {
			if err := drain(w.process(lacking{w.store, name})); !errors.Is(err, notary.ErrForked) {
				t.Fatalf("a log without %s goes on: %v", name, err)
			}
		}
		if len(w.alarms) == 0 || w.alarms[0] != "forked "+name {
			t.Fatal(w.alarms)
		}
		w.mustDrain() // it was found again
		w.check(w.store)
	}
}

// A clock that was once far ahead: batch times never decrease, so what a key's
// `until` is compared with stays there. Whoever submits is told at once, not after
// a 202, and the operator is told once.
func TestClockOnceFarAhead(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, _ := w.registered()
	locum := newKey(t, "site-001.locum")
	w.mustSubmit(w.enrol(tr, w.sponsor, "site-001", locum.Public(), func(s *statement.Statement) {
		s.Until = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	}))
	w.mustDrain()
	w.mustSubmit(w.data(tr, "site-001", locum), w.data(tr, "site-001", one))
	w.mustDrain()
	now := w.now
	w.now = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	w.mustSubmit(w.data(tr, "site-001", one))
	w.mustDrain()
	w.now = now
	for _, svc := range []*notary.Service{w.svc, w.process(w.store)} {
		if err := drain(svc); err != nil {
			t.Fatal(err)
		}
		var no *notary.Rejection
		if err := w.submit(svc, w.data(tr, "site-001", locum)); !errors.As(err, &no) || no.Kind != notary.Forbidden {
			t.Fatalf("a key that no batch can let sign: %v", err)
		}
		if err := w.submit(svc, w.data(tr, "site-001", one)); err != nil {
			t.Fatal(err)
		}
		if err := drain(svc); err != nil {
			t.Fatal(err)
		}
	}
	w.check(w.store)
	if len(w.alarms) != 2 || !strings.HasPrefix(w.alarms[0], "clock ") { // one of each process
		t.Fatalf("alarms %q", w.alarms)
	}
}

// damaged is a store one of whose objects was damaged.
type damaged struct {
	notary.Store
	name string
}

func (d damaged) Get(ctx context.Context, name string) ([]byte, error) {
	b, err := d.Store.Get(ctx, name)
	if name == d.name && err == nil {
		b[0] ^= 1
	}
	return b, err
}

// A damaged tile stops sealing with an alarm, also where the tree ends with a
// whole tile.
func TestDamagedTileAtAFullTile(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, _ := w.registered() // 6 leaves
	var notes []*statement.Note
	for range 249 {
		notes = append(notes, w.data(tr, "site-001", one))
	}
	w.mustSubmit(notes...)
	w.mustDrain()
	w.mustSubmit(w.data(tr, "site-001", one))
	err := drain(w.process(damaged{w.store, "tile/1/000.p/1"}))
	if err == nil || !strings.Contains(err.Error(), "at size 256") || len(w.alarms) != 1 || !strings.HasPrefix(w.alarms[0], "unreadable ") {
		t.Fatal(err, w.alarms)
	}
	w.mustDrain()
	w.check(w.store)
}

// Staging objects that can no longer be read are as good as expired: repair takes
// what they held from the log.
func TestRepairWithDamagedStaging(t *testing.T) {
	ctx := context.Background()
	for _, damage := range []string{"cut", "changed"} {
		t.Run(damage, func(t *testing.T) {
			m := storetest.NewMemory()
			w := newWorld(t, m)
			tr, one, _ := w.registered()
			w.mustSubmit(w.data(tr, "site-001", one))
			killed := storetest.NewFaulty(m, storetest.OnOp("SwapHead", 0, storetest.KillAfter))
			if err := drain(w.process(killed)); !errors.Is(err, storetest.ErrKilled) {
				t.Fatal(err)
			}
			names, err := m.ListState(ctx, "staging/")
			if err != nil || len(names) != 3 {
				t.Fatal(names, err)
			}
			for _, name := range names {
				b, err := m.GetState(ctx, name, 0, -1)
				if err != nil {
					t.Fatal(err)
				}
				if damage == "cut" {
					b = b[:len(b)/2]
				} else {
					b = []byte(strings.Replace(string(b), "trialnotary/edge@v1\nsize ", "trialnotary/edge@v1\nsize 1", 1))
				}
				if err := m.PutState(ctx, name, b); err != nil {
					t.Fatal(err)
				}
			}
			for _, all := range []bool{false, true} {
				if err := w.process(m).Repair(ctx, all, nil); err != nil {
					t.Fatalf("all %t: %v", all, err)
				}
			}
			w.svc = w.process(m)
			w.mustSubmit(w.data(tr, "site-001", one))
			w.mustDrain()
			w.check(m)
		})
	}
}

// A service whose keys are not the ones that its policy asks for would accept
// statements and never give a receipt; it does not start.
func TestKeysThatCannotMeetThePolicy(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	other, err := checkpoint.GenerateEd25519(origin)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := checkpoint.GenerateMLDSA44("log.example/other")
	if err != nil {
		t.Fatal(err)
	}
	for name, signers := range map[string][]checkpoint.Signer{
		"no second key":          w.signers[:1],
		"another key":            {other, w.signers[1]},
		"a key of another log":   {w.signers[0], w.signers[1], foreign},
		"the same key two times": {w.signers[0], w.signers[1], w.signers[0]},
	} {
		if _, err := notary.New(w.store, notary.Config{Origin: origin, Signers: signers, Policy: w.policy}); err == nil {
			t.Errorf("%s: the service starts", name)
		}
	}
}

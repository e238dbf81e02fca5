package notary_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

func aboutIt(n *statement.Note, reason string) func(*statement.Statement) {
	return func(s *statement.Statement) {
		s.Kind, s.Dataset, s.About, s.Reason = statement.KindErasure, nil, []statement.ID{n.ID}, reason
	}
}

// holds reports whether any row or private object that a service could read has the
// note, or the log.
func (w *world) holds(n *statement.Note) bool {
	w.t.Helper()
	ctx := context.Background()
	v, err := w.store.GetRows(ctx, []notary.Row{{Partition: "ST#" + n.Stream().String() + "#" + n.ID.String(), Sort: "-"}})
	if err != nil {
		w.t.Fatal(err)
	}
	all := v
	pending, err := w.store.Pending(ctx, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range pending {
		all = append(all, p.Note)
	}
	names, err := w.store.ListState(ctx, "")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range names {
		b, err := w.store.GetState(ctx, name, 0, -1)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, b)
	}
	for _, b := range all {
		if bytes.Contains(b, n.Raw) {
			return true
		}
	}
	return false
}

// TestErase deletes a statement for good: the log stays as it was, the stream counts
// its entry as closed, and neither its author nor a repair brings it back.
func TestErase(t *testing.T) {
	for _, who := range []string{"the site", "the sponsor"} {
		for _, staging := range []string{"kept", "expired"} {
			t.Run(who+", staging "+staging, func(t *testing.T) {
				m := storetest.NewMemory()
				w := newWorld(t, m)
				tr, one, _ := w.registered()
				n, other := w.data(tr, "site-001", one), w.data(tr, "site-001", one)
				w.mustSubmit(n, other)
				w.mustDrain()
				old := m.Snapshot()
				erasure := w.data(tr, "site-001", one, aboutIt(n, "consent withdrawn"))
				if who == "the sponsor" {
					erasure = w.inTrial(tr, w.sponsor, statement.KindErasure, aboutIt(n, "consent withdrawn"))
				}
				if _, err := w.svc.Erase(context.Background(), refOf(n)); !errors.Is(err, notary.ErrNoErasure) || !w.holds(n) {
					t.Fatalf("without an erasure: %v", err)
				}
				w.mustSubmit(erasure)
				w.mustDrain()
				before := w.check(m)
				if staging == "expired" {
					deleteStaging(t, m)
				}
				e, err := w.svc.Erase(context.Background(), refOf(n))
				if err != nil || e.Statement != erasure.ID || e.Reason != "consent withdrawn" || e.Done || e.Staged != map[string]int{"kept": 1}[staging] {
					t.Fatalf("%+v, %v", e, err)
				}
				gone := func(when string) {
					t.Helper()
					if w.holds(n) || !w.holds(other) {
						t.Fatalf("%s: the erased is held: %v, the other: %v", when, w.holds(n), w.holds(other))
					}
					if _, err := w.svc.Receipt(context.Background(), refOf(n)); err != nil {
						t.Fatalf("%s: the public part of its receipt: %v", when, err)
					}
					if log := w.check(m); log.Size != before.Size {
						t.Fatalf("%s: the log has another size", when)
					}
					p, err := w.svc.Statements(context.Background(), w.ask(one), n.Stream(), 1)
					if err != nil || bytes.Contains(p.Body, []byte("-- statement-1 --")) || !bytes.Contains(p.Body, []byte("-- statement-2 --")) {
						t.Fatalf("%s: %q, %v", when, p.Body, err)
					}
				}
				gone("erased")
				if e, err := w.svc.Erase(context.Background(), refOf(n)); err != nil || !e.Done {
					t.Fatalf("again: %+v, %v", e, err)
				}
				if err := w.submit(w.svc, n); err != nil {
					t.Fatalf("submitted again: %v", err)
				}
				w.mustDrain() // until then it waits, and is dropped
				gone("submitted again")
				if err := w.svc.Repair(context.Background(), true, nil); err != nil {
					t.Fatal(err)
				}
				gone("repaired")

				// The database goes back to a copy that has the note; private objects do not.
				m.Restore(old)
				w.svc = w.process(m)
				if !w.holds(n) {
					t.Fatal("the copy shows nothing")
				}
				p, err := w.svc.Statements(context.Background(), w.ask(one), n.Stream(), 1)
				if err != nil || bytes.Contains(p.Body, n.Raw) || !bytes.Contains(p.Body, other.Raw) {
					t.Fatalf("restored and not repaired: %q, %v", p.Body, err)
				}
				if err := w.svc.Repair(context.Background(), false, nil); err != nil {
					t.Fatal(err)
				}
				gone("restored and repaired")
			})
		}
	}
}

func TestEraseRefuses(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, two := w.registered()
	n := w.data(tr, "site-001", one)
	grant := w.enrol(tr, w.sponsor, "site-003", newKey(t, "site-003.poe").Public())
	w.mustSubmit(n, grant)
	w.mustDrain()
	// An erasure in another site's stream is that site's word about what is not its own,
	// and so is one in the trial stream by a key that grants nothing.
	inTrial := newKey(t, "trial.clerk")
	w.mustSubmit(w.enrol(tr, w.sponsor, "trial", inTrial.Public(), func(s *statement.Statement) { s.Keys[0].Stream = tr.stream }))
	w.mustDrain()
	w.mustSubmit(w.data(tr, "site-002", two, aboutIt(n, "jealousy")), w.inTrial(tr, inTrial, statement.KindErasure, aboutIt(n, "tidying")),
		w.inTrial(tr, w.sponsor, statement.KindErasure, aboutIt(grant, "never happened")), w.inTrial(tr, w.sponsor, statement.KindErasure, aboutIt(tr.reg, "nor this")))
	w.mustDrain()
	for name, c := range map[string]struct {
		ref  notary.Ref
		want error
	}{
		"erased by others":  {refOf(n), notary.ErrNoErasure},
		"an enrolment":      {refOf(grant), notary.ErrKeyStatement},
		"a registration":    {refOf(tr.reg), notary.ErrKeyStatement},
		"never accepted":    {notary.Ref{Stream: n.Stream(), Statement: random32()}, notary.ErrNotFound},
		"in another stream": {notary.Ref{Stream: tr.stream, Statement: n.ID}, notary.ErrNotFound},
	} {
		if _, err := w.svc.Erase(context.Background(), c.ref); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	waiting := w.data(tr, "site-001", one)
	w.mustSubmit(waiting)
	if _, err := w.svc.Erase(context.Background(), refOf(waiting)); !errors.Is(err, notary.ErrPending) {
		t.Errorf("not sealed yet: %v", err)
	}
	if !w.holds(n) || !w.holds(grant) {
		t.Error("what was refused is erased")
	}
}

// TestEraseInterrupted fails every call of an erasure: once it was begun it is
// finished by the next, and the statement never comes back.
func TestEraseInterrupted(t *testing.T) {
	begin := func() (*world, *statement.Note) {
		w := newWorld(t, storetest.NewMemory())
		tr, one, _ := w.registered()
		n := w.data(tr, "site-001", one)
		w.mustSubmit(n)
		w.mustDrain()
		w.mustSubmit(w.data(tr, "site-001", one, aboutIt(n, "consent withdrawn")))
		w.mustDrain()
		return w, n
	}
	w, n := begin()
	good := storetest.NewFaulty(w.store, nil)
	if _, err := w.process(good).Erase(context.Background(), refOf(n)); err != nil {
		t.Fatal(err)
	}
	for i, call := range good.Calls() {
		for _, fault := range storetest.Faults() {
			w, n := begin()
			_, err := w.process(storetest.NewFaulty(w.store, storetest.At(i, fault))).Erase(context.Background(), refOf(n))
			if err == nil && w.holds(n) {
				t.Fatalf("%v, %v: erased, it says, and it is held", call, fault)
			}
			if _, err := w.svc.Erase(context.Background(), refOf(n)); err != nil || w.holds(n) {
				t.Fatalf("%v, %v: the next erasure: %v", call, fault, err)
			}
			w.check(w.store)
		}
	}
}

package notary_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

// resubmit is what clients do with the .pending files they still have.
func (w *world) resubmit() {
	w.t.Helper()
	for _, raw := range w.accepts {
		n, err := statement.Parse(raw)
		if err != nil {
			w.t.Fatal(err)
		}
		if err := w.submit(w.svc, n); err != nil {
			w.t.Fatalf("submitted again: %v", err)
		}
	}
}

// A database restored from an older copy signs nothing, and repair brings it
// forward, with or without the staging objects.
func TestDatabaseRestored(t *testing.T) {
	for _, staging := range []string{"kept", "expired"} {
		t.Run(staging, func(t *testing.T) {
			m := storetest.NewMemory()
			w := newWorld(t, m)
			tr, one, two := w.registered()
			old := m.Snapshot()
			late := newKey(t, "site-003.poe")
			w.mustSubmit(w.enrol(tr, w.sponsor, "site-003", late.Public()), w.data(tr, "site-001", one))
			w.mustDrain()
			w.mustSubmit(w.data(tr, "site-003", late), w.data(tr, "site-002", two))
			w.mustDrain()
			before := w.check(m)

			m.Restore(old)
			w.svc = w.process(m)
			w.mustSubmit(w.data(tr, "site-001", one)) // accepted all the same: durable
			if staging != "kept" {
				deleteStaging(t, m)
			}
			for range 3 {
				if err := drain(w.svc); !errors.Is(err, notary.ErrRestored) {
					t.Fatalf("a restored database seals: %v", err)
				}
			}
			if len(w.alarms) == 0 || !strings.HasPrefix(w.alarms[0], "restored heads/") {
				t.Fatalf("alarms: %q", w.alarms)
			}
			if log, err := storetest.VerifyLog(object(m), w.policy); err != nil || log.Size != before.Size {
				t.Fatalf("size %d (%v), was %d", log.Size, err, before.Size)
			}
			if err := w.svc.Repair(context.Background(), false, nil); err != nil {
				t.Fatal(err)
			}
			if staging != "kept" {
				// Their authors bring the notes back, and with them the grants.
				w.resubmitKnown()
				w.mustDrain()
				if err := w.svc.Repair(context.Background(), true, nil); err != nil {
					t.Fatal(err)
				}
			}
			w.mustDrain()
			w.resubmit()
			w.mustSubmit(w.data(tr, "site-003", late))
			w.mustDrain()
			if after := w.check(m); len(after.Entries) != len(before.Entries)+2 {
				t.Fatalf("%d entries after repair, want %d", len(after.Entries), len(before.Entries)+2)
			}
		})
	}
}

// resubmitKnown submits what the rows know, as far as it is accepted.
func (w *world) resubmitKnown() {
	for _, raw := range w.accepts {
		w.svc.Submit(context.Background(), [][]byte{raw})
	}
}

func deleteStaging(t *testing.T, store notary.Store) {
	t.Helper()
	names, err := store.ListState(context.Background(), "staging/")
	if err != nil || len(names) == 0 {
		t.Fatal(err, names)
	}
	for _, name := range names {
		if err := store.DeleteState(context.Background(), name); err != nil {
			t.Fatal(err)
		}
	}
}

// The whole database is lost; log and private objects are there.
func TestDatabaseLost(t *testing.T) {
	m := storetest.NewMemory()
	empty := m.Snapshot()
	w := newWorld(t, m)
	tr, one, _ := w.registered()
	w.mustSubmit(w.data(tr, "site-001", one))
	w.mustDrain()
	m.Restore(empty)
	w.svc = w.process(m)
	if err := drain(w.svc); !errors.Is(err, notary.ErrRestored) {
		t.Fatalf("an empty database beside a log seals: %v", err)
	}
	var batches []uint64
	if err := w.svc.Repair(context.Background(), false, func(n uint64) { batches = append(batches, n) }); err != nil {
		t.Fatal(err)
	}
	if len(batches) != 3 {
		t.Fatalf("repaired batches %v", batches)
	}
	w.mustSubmit(w.data(tr, "site-001", one))
	w.mustDrain()
	w.check(m)
}

// The log went on with another batch than the database committed: a zombie of
// before the restore published it.
func TestDatabaseCommittedAnotherBatch(t *testing.T) {
	m := storetest.NewMemory()
	w := newWorld(t, m)
	tr, one, two := w.registered()
	old := m.Snapshot()
	w.mustSubmit(w.data(tr, "site-001", one))
	first := storetest.NewFaulty(m, storetest.OnOp("SwapHead", 0, storetest.KillAfter))
	if err := drain(w.process(first)); !errors.Is(err, storetest.ErrKilled) {
		t.Fatal(err)
	}
	zombie := m.Snapshot() // batch 3 is committed, nothing of it is published
	m.Restore(old)
	w.accepts = map[notary.Ref][]byte{}
	w.mustSubmit(w.data(tr, "site-002", two))
	second := storetest.NewFaulty(m, storetest.OnOp("SwapHead", 0, storetest.KillAfter))
	if err := drain(w.process(second)); !errors.Is(err, storetest.ErrKilled) {
		t.Fatal(err)
	}
	restored := m.Snapshot()
	m.Restore(zombie)
	if err := drain(w.process(m)); err != nil { // the zombie publishes its batch 3
		t.Fatal(err)
	}
	m.Restore(restored)
	w.svc = w.process(m)
	if err := drain(w.svc); !errors.Is(err, notary.ErrForked) {
		t.Fatalf("a fork was not seen: %v", err)
	}
	if err := w.svc.Repair(context.Background(), false, nil); err != nil {
		t.Fatal(err)
	}
	w.mustDrain()
	w.check(m)
}

// Repair itself is interrupted at every call and run again.
func TestRepairInterrupted(t *testing.T) {
	build := func() (*world, *storetest.Memory) {
		m := storetest.NewMemory()
		w := newWorld(t, m)
		tr, one, two := w.registered()
		old := m.Snapshot()
		w.mustSubmit(w.data(tr, "site-001", one), w.revoke(tr, w.sponsor, "site-002", two.Public()))
		w.mustDrain()
		m.Restore(old)
		return w, m
	}
	w, m := build()
	good := storetest.NewFaulty(m, nil)
	if err := w.process(good).Repair(context.Background(), false, nil); err != nil {
		t.Fatal(err)
	}
	for n := range good.Calls() {
		for _, fault := range []storetest.Fault{storetest.KillBefore, storetest.KillHalf, storetest.KillAfter} {
			w, m := build()
			err := w.process(storetest.NewFaulty(m, storetest.At(n, fault))).Repair(context.Background(), false, nil)
			if err == nil && fault == storetest.KillBefore {
				t.Fatalf("call %d: repair went on without its store", n)
			}
			svc := w.process(m)
			if err := svc.Repair(context.Background(), false, nil); err != nil {
				t.Fatalf("call %d %v: %v", n, fault, err)
			}
			if err := drain(svc); err != nil {
				t.Fatalf("call %d %v: %v", n, fault, err)
			}
			w.check(m)
		}
	}
}

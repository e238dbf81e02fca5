package storetest

import (
	"testing"

	"trialnotary/notary"
)

func TestMemory(t *testing.T) {
	Harness{
		Open: func(*testing.T) notary.Store { return NewMemory() },
		// As good as memory can: the same half-stores, seen by another process.
		Reopen: func(_ *testing.T, s notary.Store) notary.Store { return s },
	}.Run(t)
}

func TestFaultyWithoutFaults(t *testing.T) {
	Run(t, func(*testing.T) notary.Store { return NewFaulty(NewMemory(), nil) })
}

func TestRestoreKeepsObjects(t *testing.T) {
	ctx := t.Context()
	m := NewMemory()
	a, b := statementOf(1, 1, 1), statementOf(2, 2, 1)
	noError(t, m.Accept(ctx, []notary.Accepted{a}))
	noError(t, m.SwapHead(ctx, nil, []byte("1")))
	noError(t, m.AddRows(ctx, []notary.Row{row("p", "a", "v")}))
	backup := m.Snapshot()

	noError(t, m.Clear(ctx, []notary.Ref{a.Ref}))
	noError(t, m.Accept(ctx, []notary.Accepted{b}))
	noError(t, m.SwapHead(ctx, []byte("1"), []byte("2")))
	noError(t, m.AddRows(ctx, []notary.Row{row("p", "b", "v")}))
	noError(t, m.Put(ctx, "heads/2", []byte("object")))
	noError(t, m.PutState(ctx, "staging/2", []byte("state")))
	noError(t, m.SwapCheckpoint(ctx, nil, []byte("checkpoint")))

	for range 2 { // the backup can be restored again
		m.Restore(backup)
		wantPendingOf(t, m, 10, []notary.Accepted{a})
		head, err := m.Head(ctx)
		wantBytes(t, "head", head, err, "1")
		rows, err := m.ListRows(ctx, "p", "", 10)
		noError(t, err)
		wantRows(t, rows, []notary.Row{row("p", "a", "v")})
		got, err := m.Get(ctx, "heads/2")
		wantBytes(t, "object", got, err, "object")
		got, err = m.GetState(ctx, "staging/2", 0, -1)
		wantBytes(t, "state", got, err, "state")
		got, err = m.Checkpoint(ctx)
		wantBytes(t, "checkpoint", got, err, "checkpoint")
		noError(t, m.Accept(ctx, []notary.Accepted{b}))
		noError(t, m.SwapRow(ctx, []byte("v"), row("p", "a", "w")))
	}
}

func TestTamper(t *testing.T) {
	ctx := t.Context()
	m := NewMemory()
	noError(t, m.Put(ctx, "b", []byte("1")))
	noError(t, m.Put(ctx, "a", []byte("2")))
	if got := m.Objects(); len(got) != 2 || got[0] != "a" || got[1] != "b" {
		t.Fatalf("objects %q", got)
	}
	m.Tamper("a", []byte("forged"))
	m.Tamper("b", nil)
	got, err := m.Get(ctx, "a")
	wantBytes(t, "a", got, err, "forged")
	_, err = m.Get(ctx, "b")
	wantError(t, err, notary.ErrNotFound)
}

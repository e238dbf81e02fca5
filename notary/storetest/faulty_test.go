package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"trialnotary/notary"
)

// Each fault of an AddRows of two rows: what took effect, what the caller heard,
// and whether the process lives.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		Fault
		written int
		err     error
		dead    bool
	}{
		{None, 2, nil, false},
		{Refuse, 0, ErrInjected, false},
		{Ambiguous, 2, ErrInjected, false},
		{Half, 1, ErrInjected, false},
		{KillBefore, 0, ErrKilled, true},
		{KillHalf, 1, ErrKilled, true},
		{KillAfter, 2, ErrKilled, true},
	} {
		t.Run(c.Fault.String(), func(t *testing.T) {
			ctx := t.Context()
			m := NewMemory()
			f := NewFaulty(m, At(1, c.Fault))
			_, err := f.Head(ctx) // call 0
			noError(t, err)
			err = f.AddRows(ctx, []notary.Row{row("p", "a", "v"), row("p", "b", "v")})
			if !errors.Is(err, c.err) {
				t.Errorf("heard %v, want %v", err, c.err)
			}
			rows, err := m.ListRows(ctx, "p", "", 10)
			noError(t, err)
			if len(rows) != c.written {
				t.Errorf("%d rows written, want %d", len(rows), c.written)
			}
			if f.Dead() != c.dead {
				t.Errorf("dead: %v", f.Dead())
			}
			if err := f.Put(ctx, "a", nil); errors.Is(err, ErrKilled) != c.dead {
				t.Errorf("later call: %v", err)
			}
			_, err = NewFaulty(m, nil).Head(ctx) // the next process
			noError(t, err)
		})
	}
}

func TestFaultyHalves(t *testing.T) {
	ctx := t.Context()
	m := NewMemory()
	all := []notary.Accepted{statementOf(1, 1, 1), statementOf(2, 2, 1), statementOf(3, 3, 1), statementOf(4, 4, 1)}
	wantError(t, NewFaulty(m, OnOp("Accept", 0, Half)).Accept(ctx, all), ErrInjected)
	wantPendingOf(t, m, 10, all[:2])
	noError(t, m.Accept(ctx, all))
	refs := []notary.Ref{all[0].Ref, all[1].Ref, all[2].Ref, all[3].Ref}
	wantError(t, NewFaulty(m, OnOp("Clear", 0, Half)).Clear(ctx, refs), ErrInjected)
	wantPendingOf(t, m, 10, all[2:])
	wantError(t, NewFaulty(m, OnOp("Put", 0, Half)).Put(ctx, "a", []byte("whole or not")), ErrInjected)
	_, err := m.Get(ctx, "a")
	wantError(t, err, notary.ErrNotFound)
}

func TestFaultyRecordsCalls(t *testing.T) {
	ctx := t.Context()
	f := NewFaulty(NewMemory(), OnOp("Put", 1, Refuse))
	noError(t, f.Put(ctx, "heads/0", nil))
	wantError(t, f.Put(ctx, "heads/1", nil), ErrInjected)
	noError(t, f.Put(ctx, "heads/1", nil))
	noError(t, f.SwapRow(ctx, nil, row("p", "s", "v")))
	_, err := f.Pending(ctx, 1)
	noError(t, err)
	got := fmt.Sprint(f.Calls())
	if want := "[Put heads/0 Put heads/1 Put heads/1 SwapRow p s Pending]"; got != want {
		t.Errorf("calls %s, want %s", got, want)
	}
	var writes []bool
	for _, c := range f.Calls() {
		writes = append(writes, c.Writes())
	}
	if !slices.Equal(writes, []bool{true, true, true, true, false}) {
		t.Errorf("writes: %v", writes)
	}
}

// Two processes read the same head. The first is held still before its swap
// while the second wins; then it is let go, and loses.
func TestFaultyHookInterleaves(t *testing.T) {
	ctx := t.Context()
	m := NewMemory()
	held, release := make(chan struct{}), make(chan struct{})
	zombie := NewFaulty(m, nil)
	zombie.Hook = func(_ context.Context, _ int, c Call) {
		if c.Op == "SwapHead" {
			close(held)
			<-release
		}
	}
	lost := make(chan error)
	go func() { lost <- zombie.SwapHead(ctx, nil, []byte("zombie")) }()
	<-held
	noError(t, NewFaulty(m, nil).SwapHead(ctx, nil, []byte("living")))
	close(release)
	wantError(t, <-lost, notary.ErrConflict)
}

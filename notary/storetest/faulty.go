package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"trialnotary/notary"
)

// Errors of a Faulty.
var (
	ErrInjected = errors.New("injected fault")
	ErrKilled   = errors.New("this process is dead")
)

// Fault is what happens to one call of a Faulty.
type Fault int

const (
	None       Fault = iota
	Refuse           // no effect, ErrInjected
	Ambiguous        // full effect, but ErrInjected
	Half             // Accept, Clear, AddRows: the first half takes effect; others: no effect; ErrInjected
	KillBefore       // no effect, ErrKilled, and so every later call
	KillHalf         // as Half, but ErrKilled, and so every later call
	KillAfter        // full effect, ErrKilled, and so every later call
)

// Faults returns every Fault but None.
func Faults() []Fault { return []Fault{Refuse, Ambiguous, Half, KillBefore, KillHalf, KillAfter} }

func (f Fault) String() string {
	return [...]string{"none", "refuse", "ambiguous", "half", "kill-before", "kill-half", "kill-after"}[f]
}

// Call is one call that a Faulty saw: the method's name, and the name of what it
// was about (object name, partition and sort key; empty if there is none).
type Call struct{ Op, Name string }

func (c Call) String() string {
	if c.Name == "" {
		return c.Op
	}
	return c.Op + " " + c.Name
}

// Writes reports whether the method changes the store.
func (c Call) Writes() bool {
	return slices.Contains([]string{"Accept", "Clear", "SwapHead", "Put", "SwapCheckpoint",
		"PutState", "DeleteState", "AddRows", "SwapRow"}, c.Op)
}

// Faulty is one process's view of a store: make a new one over the same store
// for the process that comes after it, or for another that runs beside it.
type Faulty struct {
	// Hook, if set before the first call, runs before each call takes effect, in
	// the caller's goroutine, so that a test can hold a process still while
	// another goes on. It runs for calls that will fail as well.
	Hook func(ctx context.Context, n int, c Call)

	store notary.Store
	plan  func(op string, n int) Fault

	mu    sync.Mutex
	calls []Call
	dead  bool
}

// NewFaulty wraps store. plan is asked once for each call: op is the method's
// name, n counts the calls of all methods from 0. A nil plan never fails.
func NewFaulty(store notary.Store, plan func(op string, n int) Fault) *Faulty {
	return &Faulty{store: store, plan: plan}
}

// At is a plan in which call n suffers the fault and no other does.
func At(n int, fault Fault) func(string, int) Fault {
	return func(_ string, i int) Fault {
		if i == n {
			return fault
		}
		return None
	}
}

// OnOp is a plan in which the nth call (from 0) of the method op suffers the
// fault and no other does.
func OnOp(op string, nth int, fault Fault) func(string, int) Fault {
	var mu sync.Mutex
	seen := 0
	return func(o string, _ int) Fault {
		mu.Lock()
		defer mu.Unlock()
		if o != op {
			return None
		}
		seen++
		if seen == nth+1 {
			return fault
		}
		return None
	}
}

// Calls returns the calls so far, in order. Those after death are not counted.
func (f *Faulty) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Dead reports whether a fault has killed the process.
func (f *Faulty) Dead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// Kill makes every later call, and every call under way, return ErrKilled.
func (f *Faulty) Kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = true
}

// call runs one call of the store as the plan has it. half does the first half
// of the work; it is nil for calls that are whole or not at all.
func (f *Faulty) call(ctx context.Context, op, name string, whole, half func() error) error {
	c := Call{op, name}
	f.mu.Lock()
	if f.dead {
		f.mu.Unlock()
		return fmt.Errorf("%v: %w", c, ErrKilled)
	}
	n := len(f.calls)
	f.calls = append(f.calls, c)
	fault := None
	if f.plan != nil {
		fault = f.plan(op, n)
	}
	f.mu.Unlock()

	if f.Hook != nil {
		f.Hook(ctx, n, c)
	}
	if f.Dead() { // killed while the hook held it still
		return fmt.Errorf("%v: %w", c, ErrKilled)
	}
	var err error
	switch fault {
	case None, Ambiguous, KillAfter:
		err = whole()
	case Half, KillHalf:
		if half != nil {
			err = half()
		}
	}
	switch fault {
	case KillBefore, KillHalf, KillAfter:
		f.Kill()
	}
	switch {
	case f.Dead():
		return fmt.Errorf("call %d, %v: %w", n, c, ErrKilled)
	case fault != None:
		return fmt.Errorf("call %d, %v (%v): %w", n, c, fault, ErrInjected)
	}
	return err
}

// ask is call for the methods that return something.
func ask[T any](f *Faulty, ctx context.Context, op, name string, whole func() (T, error)) (T, error) {
	var value T
	err := f.call(ctx, op, name, func() (err error) {
		value, err = whole()
		return err
	}, nil)
	if err != nil {
		return *new(T), err
	}
	return value, nil
}

func (f *Faulty) Accept(ctx context.Context, batch []notary.Accepted) error {
	return f.call(ctx, "Accept", "",
		func() error { return f.store.Accept(ctx, batch) },
		func() error { return f.store.Accept(ctx, batch[:len(batch)/2]) })
}

func (f *Faulty) Pending(ctx context.Context, max int) ([]notary.Accepted, error) {
	return ask(f, ctx, "Pending", "", func() ([]notary.Accepted, error) { return f.store.Pending(ctx, max) })
}

func (f *Faulty) Waiting(ctx context.Context, refs []notary.Ref) ([]bool, error) {
	return ask(f, ctx, "Waiting", "", func() ([]bool, error) { return f.store.Waiting(ctx, refs) })
}

func (f *Faulty) Clear(ctx context.Context, refs []notary.Ref) error {
	return f.call(ctx, "Clear", "",
		func() error { return f.store.Clear(ctx, refs) },
		func() error { return f.store.Clear(ctx, refs[:len(refs)/2]) })
}

func (f *Faulty) Head(ctx context.Context) ([]byte, error) {
	return ask(f, ctx, "Head", "", func() ([]byte, error) { return f.store.Head(ctx) })
}

func (f *Faulty) SwapHead(ctx context.Context, old, new []byte) error {
	return f.call(ctx, "SwapHead", "", func() error { return f.store.SwapHead(ctx, old, new) }, nil)
}

func (f *Faulty) Put(ctx context.Context, name string, data []byte) error {
	return f.call(ctx, "Put", name, func() error { return f.store.Put(ctx, name, data) }, nil)
}

func (f *Faulty) Get(ctx context.Context, name string) ([]byte, error) {
	return ask(f, ctx, "Get", name, func() ([]byte, error) { return f.store.Get(ctx, name) })
}

func (f *Faulty) Checkpoint(ctx context.Context) ([]byte, error) {
	return ask(f, ctx, "Checkpoint", "", func() ([]byte, error) { return f.store.Checkpoint(ctx) })
}

func (f *Faulty) SwapCheckpoint(ctx context.Context, old, new []byte) error {
	return f.call(ctx, "SwapCheckpoint", "", func() error { return f.store.SwapCheckpoint(ctx, old, new) }, nil)
}

func (f *Faulty) PutState(ctx context.Context, name string, data []byte) error {
	return f.call(ctx, "PutState", name, func() error { return f.store.PutState(ctx, name, data) }, nil)
}

func (f *Faulty) GetState(ctx context.Context, name string, offset, length int64) ([]byte, error) {
	return ask(f, ctx, "GetState", name, func() ([]byte, error) { return f.store.GetState(ctx, name, offset, length) })
}

func (f *Faulty) ListState(ctx context.Context, prefix string) ([]string, error) {
	return ask(f, ctx, "ListState", prefix, func() ([]string, error) { return f.store.ListState(ctx, prefix) })
}

func (f *Faulty) DeleteState(ctx context.Context, name string) error {
	return f.call(ctx, "DeleteState", name, func() error { return f.store.DeleteState(ctx, name) }, nil)
}

func (f *Faulty) AddRows(ctx context.Context, rows []notary.Row) error {
	return f.call(ctx, "AddRows", nameOfRows(rows),
		func() error { return f.store.AddRows(ctx, rows) },
		func() error { return f.store.AddRows(ctx, rows[:len(rows)/2]) })
}

func (f *Faulty) SwapRow(ctx context.Context, old []byte, row notary.Row) error {
	return f.call(ctx, "SwapRow", row.Partition+" "+row.Sort, func() error { return f.store.SwapRow(ctx, old, row) }, nil)
}

func (f *Faulty) GetRows(ctx context.Context, keys []notary.Row) ([][]byte, error) {
	return ask(f, ctx, "GetRows", nameOfRows(keys), func() ([][]byte, error) { return f.store.GetRows(ctx, keys) })
}

func (f *Faulty) ListRows(ctx context.Context, partition, from string, max int) ([]notary.Row, error) {
	return ask(f, ctx, "ListRows", partition+" "+from, func() ([]notary.Row, error) {
		return f.store.ListRows(ctx, partition, from, max)
	})
}

func nameOfRows(rows []notary.Row) string {
	if len(rows) == 0 {
		return ""
	}
	return rows[0].Partition + " " + rows[0].Sort
}

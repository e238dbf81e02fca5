package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"trialnotary/functions/wire"
	"trialnotary/notary"
	"trialnotary/notary/storetest"
)

// script is a service that seals as it is told, one step a call.
type script struct {
	steps   []func(context.Context) (notary.Sealed, error)
	repairs func(context.Context, bool, func(uint64)) error
	calls   int
	erase   func(notary.Ref) (notary.Erasure, error)
	stamps  func(context.Context) error
	stamped int
}

func (s *script) Stamp(ctx context.Context) error {
	s.stamped++
	if s.stamps == nil {
		return nil
	}
	return s.stamps(ctx)
}

func (s *script) Erase(_ context.Context, r notary.Ref) (notary.Erasure, error) { return s.erase(r) }

func (s *script) Seal(ctx context.Context) (notary.Sealed, error) {
	s.calls++
	if s.calls > len(s.steps) {
		return notary.Sealed{}, errors.New("called too often")
	}
	return s.steps[s.calls-1](ctx)
}

func (s *script) Repair(ctx context.Context, all bool, progress func(uint64)) error {
	return s.repairs(ctx, all, progress)
}

func gives(sealed notary.Sealed, err error) func(context.Context) (notary.Sealed, error) {
	return func(context.Context) (notary.Sealed, error) { return sealed, err }
}

// newTest returns a sealer over a script, its metrics, and a clock to move.
func newTest(s *script) (*sealer, *bytes.Buffer, *time.Time) {
	out, now := new(bytes.Buffer), time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)
	app := &wire.App{Store: storetest.NewMemory(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Out: out}
	sealer := newSealer(app)
	sealer.now = func() time.Time { return now }
	sealer.opened = func(context.Context) (seals, error) { return s, nil }
	return sealer, out, &now
}

// metrics returns the values of the last line written.
func metrics(t *testing.T, out *bytes.Buffer) map[string]float64 {
	t.Helper()
	var line map[string]json.RawMessage
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out.Reset()
	values := map[string]float64{}
	for name, raw := range line {
		var v float64
		if json.Unmarshal(raw, &v) == nil {
			values[name] = v
		}
	}
	return values
}

func want(t *testing.T, got map[string]float64, want map[string]float64) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
}

func TestARoundSealsAllThatWaits(t *testing.T) {
	s := &script{steps: []func(context.Context) (notary.Sealed, error){
		gives(notary.Sealed{Batch: 7, Entries: 10_000, More: true}, nil),
		gives(notary.Sealed{Batch: 8, Entries: 5, Refused: 2}, nil)}}
	sealer, out, _ := newTest(s)
	if err := sealer.round(t.Context()); err != nil || s.calls != 2 {
		t.Fatal(s.calls, err)
	}
	want(t, metrics(t, out), map[string]float64{"Entries": 10_005, "Refused": 2, "Forks": 0, "SealAge": 0, "OldestPending": 0})
}

// With less than half a minute left no batch is begun; the next tick goes on.
func TestNoBatchAtTheEndOfTheTime(t *testing.T) {
	var now *time.Time
	slow := func(context.Context) (notary.Sealed, error) {
		*now = now.Add(2 * time.Minute)
		return notary.Sealed{Batch: 1, Entries: 1, More: true}, nil
	}
	s := &script{steps: []func(context.Context) (notary.Sealed, error){slow, slow, slow, slow}}
	var sealer *sealer
	sealer, _, now = newTest(s)
	if err := sealer.round(deadline{t.Context(), now.Add(5 * time.Minute)}); err != nil || s.calls != 3 {
		t.Errorf("%d batches, %v", s.calls, err)
	}
}

// One authority that never answers leaves time for what the others gave to be kept.
func TestATickIsLongerThanOneAuthority(t *testing.T) {
	if stampPatience < 2*wire.StampPatience {
		t.Errorf("a tick has %s for all authorities, and %s for one", stampPatience, wire.StampPatience)
	}
}

// Time-stamps are asked for once a round has sealed all there is, with a deadline, and
// if the time is not nearly over; and what becomes of them is not the round's fault.
func TestStampsComeAfterTheRound(t *testing.T) {
	for name, c := range map[string]struct {
		sealed  error
		left    time.Duration
		stamps  error
		stamped int
	}{
		"all sealed":           {nil, 4 * time.Minute, nil, 1},
		"the store fails":      {nil, 4 * time.Minute, errors.New("throttled"), 1},
		"sealing failed":       {errors.New("x"), 4 * time.Minute, nil, 0},
		"the time nearly over": {nil, 45 * time.Second, nil, 0},
	} {
		s := &script{steps: []func(context.Context) (notary.Sealed, error){gives(notary.Sealed{Batch: 1, Entries: 1}, c.sealed)}}
		s.stamps = func(ctx context.Context) error {
			if end, ok := ctx.Deadline(); !ok || time.Until(end) > stampPatience {
				t.Errorf("%s: asked without a deadline", name)
			}
			return c.stamps
		}
		sealer, _, now := newTest(s)
		_, err := sealer.handle(deadline{t.Context(), now.Add(c.left)}, event{})
		if s.stamped != c.stamped || (err == nil) != (c.sealed == nil) {
			t.Errorf("%s: asked %d times, %v", name, s.stamped, err)
		}
	}
}

// deadline is a context with a deadline of the test's clock.
type deadline struct {
	context.Context
	at time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.at, true }

func TestWhatARoundReports(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		failed bool
		forks  float64
	}{
		"forked":               {fmt.Errorf("x: %w", notary.ErrForked), true, 1},
		"restored":             {fmt.Errorf("x: %w", notary.ErrRestored), true, 1},
		"another was first":    {fmt.Errorf("x: %w", notary.ErrLost), false, 0},
		"the store is away":    {errors.New("503"), true, 0},
		"the time ran out":     {context.DeadlineExceeded, true, 0},
		"nothing was the case": {nil, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{steps: []func(context.Context) (notary.Sealed, error){gives(notary.Sealed{}, nil), gives(notary.Sealed{}, c.err)}}
			sealer, out, now := newTest(s)
			if err := sealer.round(t.Context()); err != nil {
				t.Fatal(err)
			}
			metrics(t, out)
			*now = now.Add(time.Minute)
			if err := sealer.round(t.Context()); (err != nil) != c.failed {
				t.Errorf("the invocation: %v", err)
			}
			age := 0.0
			if c.failed {
				age = 60
			}
			want(t, metrics(t, out), map[string]float64{"Entries": 0, "Refused": 0, "Forks": c.forks, "SealAge": age, "OldestPending": 0})
		})
	}
}

// A process that has never finished a round does not know the seal's age, and says
// nothing: that the metric is missing is the alarm.
func TestNoAgeBeforeTheFirstRound(t *testing.T) {
	sealer, out, _ := newTest(&script{steps: []func(context.Context) (notary.Sealed, error){gives(notary.Sealed{}, errors.New("503"))}})
	if err := sealer.round(t.Context()); err == nil {
		t.Fatal("no error")
	}
	if _, ok := metrics(t, out)["SealAge"]; ok {
		t.Error("it says SealAge")
	}
}

func TestOldestPending(t *testing.T) {
	var sealer *sealer
	read := func(ctx context.Context) (notary.Sealed, error) {
		_, err := sealer.app.Store.Pending(ctx, 10)
		return notary.Sealed{}, err
	}
	var out *bytes.Buffer
	var now *time.Time
	sealer, out, now = newTest(&script{steps: []func(context.Context) (notary.Sealed, error){read, read}})
	a := notary.Accepted{Received: now.Add(-90 * time.Second).UnixNano(), Note: []byte("n")}
	if err := sealer.app.Store.Accept(t.Context(), []notary.Accepted{a}); err != nil {
		t.Fatal(err)
	}
	for _, oldest := range []float64{90, 0} {
		if err := sealer.round(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := metrics(t, out)["OldestPending"]; got != oldest {
			t.Errorf("%g seconds, want %g", got, oldest)
		}
		if err := sealer.app.Store.Clear(t.Context(), []notary.Ref{a.Ref}); err != nil {
			t.Fatal(err)
		}
	}
}

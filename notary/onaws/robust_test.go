package onaws

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/onaws/fakeaws"
)

// A table that throttles every item three times before it takes it, as a new one
// does under its first large batch, delays the batch and does not fail it.
func TestThrottlesInTheMiddleOfABatch(t *testing.T) {
	t.Parallel()
	f := newFakeAWS(t)
	var mu sync.Mutex
	tries := map[string]int{}
	f.Fail(func(c fakeaws.Call) fakeaws.Fault {
		mu.Lock()
		defer mu.Unlock()
		if tries[c.Name]++; c.Op == "PutItem" && tries[c.Name] <= 3 {
			return fakeaws.Throttled
		}
		return fakeaws.None
	})
	var batch []notary.Accepted
	for i := range 200 {
		batch = append(batch, accepted(i))
	}
	s := f.store()
	must(t, s.Accept(t.Context(), batch))
	p, err := s.Pending(t.Context(), 1000)
	must(t, err)
	if len(p) != len(batch) {
		t.Errorf("%d of %d statements", len(p), len(batch))
	}
}

// A machine whose clock is wrong by more than AWS bears goes by AWS's.
func TestTheClockIsWrong(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-20 * time.Minute, 20 * time.Minute} {
		f := newFakeAWS(t)
		f.Keys = fakeaws.NewKeys(t)
		f.Ahead = ahead
		s := f.store()
		must(t, s.Accept(t.Context(), []notary.Accepted{accepted(1)}))
		must(t, s.SwapHead(t.Context(), nil, []byte("1")))
		must(t, s.Put(t.Context(), "heads/1", []byte("head")))
		b, err := s.Get(t.Context(), "heads/1")
		must(t, err)
		if string(b) != "head" {
			t.Errorf("%q", b)
		}
		refused := 0
		for _, op := range f.Take() {
			if op == "PutItem" {
				refused++
			}
		}
		if refused -= 2; refused == 0 {
			t.Error("nothing was refused")
		}
		if _, err := Signers(t.Context(), f.clients().KMS, withKeys("ed", "ml")); err != nil {
			t.Error(err)
		}
	}
}

// A call whose context ends while it is under way says what became of it where
// that decides something: a swap that took effect is won, one that did not is in
// doubt, and neither is a conflict.
func TestCancelledInTheMiddleOfAWrite(t *testing.T) {
	t.Parallel()
	row := notary.Row{Partition: "p", Sort: "s", Value: []byte("new")}
	for _, w := range []struct {
		name, op string
		do       func(context.Context, notary.Store) error
		swap     bool
		read     func(notary.Store) ([]byte, error)
	}{
		{"SwapHead", "PutItem", func(ctx context.Context, s notary.Store) error { return s.SwapHead(ctx, nil, []byte("new")) }, true,
			func(s notary.Store) ([]byte, error) { return s.Head(t.Context()) }},
		{"SwapRow", "PutItem", func(ctx context.Context, s notary.Store) error { return s.SwapRow(ctx, nil, row) }, true,
			func(s notary.Store) ([]byte, error) {
				v, err := s.GetRows(t.Context(), []notary.Row{row})
				if err != nil {
					return nil, err
				}
				return v[0], nil
			}},
		{"SwapCheckpoint", "PutObject", func(ctx context.Context, s notary.Store) error { return s.SwapCheckpoint(ctx, nil, []byte("new")) }, true,
			func(s notary.Store) ([]byte, error) { return s.Checkpoint(t.Context()) }},
		{"Put", "PutObject", func(ctx context.Context, s notary.Store) error { return s.Put(ctx, "heads/1", []byte("new")) }, false,
			func(s notary.Store) ([]byte, error) { return s.Get(t.Context(), "heads/1") }},
		{"Accept", "PutItem", func(ctx context.Context, s notary.Store) error { return s.Accept(ctx, []notary.Accepted{accepted(1)}) }, false,
			func(s notary.Store) ([]byte, error) {
				p, err := s.Pending(t.Context(), 1)
				if err != nil || len(p) == 0 {
					return nil, err
				}
				return []byte("new"), nil
			}},
	} {
		for what, fault := range map[string]fakeaws.Fault{"after it took effect": fakeaws.Lost, "before": fakeaws.Dropped} {
			t.Run(w.name+"/"+what, func(t *testing.T) {
				f := newFakeAWS(t)
				ctx, cancel := context.WithCancel(t.Context())
				f.Fail(func(c fakeaws.Call) fakeaws.Fault {
					if c.Op != w.op {
						return fakeaws.None
					}
					cancel()
					return fault
				})
				s := f.store()
				err := w.do(ctx, s)
				f.Fail(nil)
				if errors.Is(err, notary.ErrConflict) || errors.Is(err, notary.ErrDiffers) || errors.Is(err, notary.ErrNotFound) {
					t.Errorf("somebody was first, it says: %v", err)
				}
				if fault == fakeaws.Dropped && err == nil {
					t.Error("it says that it was done")
				}
				// The same again ends well, and a swap that was won is not swapped again.
				got, readErr := w.read(s)
				if readErr != nil && !errors.Is(readErr, notary.ErrNotFound) {
					t.Fatal(readErr)
				}
				if err == nil && string(got) != "new" {
					t.Errorf("it says that it was done, and there is %q", got)
				}
				if w.swap && string(got) == "new" {
					return
				}
				must(t, w.do(t.Context(), s))
				if got, err = w.read(s); err != nil || string(got) != "new" {
					t.Errorf("at last there is %q, %v", got, err)
				}
			})
		}
	}
}

// An event that EventBridge answers with 200 and did not take is an error.
func TestAnEventThatIsNotTaken(t *testing.T) {
	f := newFakeAWS(t)
	a := NewAnnouncer(f.clients())
	must(t, a.Announce(t.Context(), "source", "type", map[string]int{"batch": 1}))
	if events := f.Events(); len(events) != 1 || events[0] != `type {"batch":1}` {
		t.Errorf("%q", events)
	}
	f.FullBus = true
	if err := a.Announce(t.Context(), "source", "type", 1); err == nil || !strings.Contains(err.Error(), "did not take it") {
		t.Error(err)
	}
}

// A function's clients need what Lambda tells them, say so, and work as others do.
func TestFunctionClients(t *testing.T) {
	_, err := NewFunctionClients(func(string) string { return "" }, nil)
	if err == nil || strings.Count(err.Error(), "is not set") != 3 {
		t.Error(err)
	}
	f := newFakeAWS(t)
	env := map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "SealRole", "AWS_SECRET_ACCESS_KEY": "b",
		"AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL": f.URL}
	var m Meter
	c, err := NewFunctionClients(func(name string) string { return env[name] }, &m)
	must(t, err)
	s := NewStore(c, testEnv)
	f.On("PutObject", 0, 1, fakeaws.Conflict)
	must(t, s.Put(t.Context(), "heads/1", []byte("head")))
	must(t, s.SwapHead(t.Context(), nil, []byte("1")))
	if h := f.Header("PutObject"); h.Get("X-Amz-Security-Token") != "token" || !strings.Contains(h.Get("Authorization"), "Credential=SealRole/") {
		t.Errorf("signed with %v", h)
	}
	if calls := m.Take().Calls; calls["S3 PutObject"] != 2 || calls["DynamoDB PutItem"] != 1 {
		t.Errorf("counted %v", calls)
	}
}

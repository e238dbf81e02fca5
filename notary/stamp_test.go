package notary_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/receipt"
	"trialnotary/notary/storetest"
	"trialnotary/notary/timestamp"
)

// office is a time-stamping authority that behaves as told. Its tokens name the
// imprint, so that tests see what was stamped.
type office struct {
	name  string
	mu    sync.Mutex
	mood  string // "", "down", "silent", "huge", "empty"
	asked int
}

func (o *office) Name() string { return o.name }

func (o *office) is(mood string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mood = mood
}

func (o *office) Stamp(ctx context.Context, imprint timestamp.Imprint) ([]byte, error) {
	o.mu.Lock()
	o.asked++
	mood := o.mood
	o.mu.Unlock()
	switch mood {
	case "down":
		return nil, errors.New("connection refused")
	case "silent":
		<-ctx.Done()
		return nil, ctx.Err()
	case "huge":
		return make([]byte, timestamp.MaxToken+1), nil
	case "empty":
		return nil, nil
	}
	return fmt.Appendf(nil, "%s %x", o.name, []byte(imprint)), nil
}

// stamped makes the world's log ask those authorities.
func (w *world) stamped(offices ...*office) {
	w.stampers = nil
	for _, o := range offices {
		w.stampers = append(w.stampers, o)
	}
	w.svc = w.process(w.store)
}

// tokens returns the time-stamps of a receipt, each over the receipt's own checkpoint.
func (w *world) tokens(ref notary.Ref) (names []string, e receipt.Evidence) {
	w.t.Helper()
	e, err := w.svc.Receipt(context.Background(), ref)
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := checkpoint.ParseProof(e.Proof)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, token := range e.Timestamps {
		name, imprint, _ := strings.Cut(string(token), " ")
		if imprint != fmt.Sprintf("%x", []byte(timestamp.OfCheckpoint(p.Checkpoint))) {
			w.t.Errorf("%s stamped something else", name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, e
}

func (w *world) sealed(tr *trial, by string) notary.Ref {
	w.t.Helper()
	n := w.data(tr, by, w.one)
	w.mustSubmit(n)
	w.mustDrain()
	return notary.Ref{Stream: n.Stream(), Statement: n.ID}
}

func (w *world) mustStamp() {
	w.t.Helper()
	if err := w.svc.Stamp(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// TestStamps: each final checkpoint gets a token of each authority, whatever one of
// them does; what lacks one gets it when the authority is back, also in another
// process; and all else of a receipt stays the same bytes.
func TestStamps(t *testing.T) {
	for _, mood := range []string{"down", "silent", "huge", "empty"} {
		t.Run(mood, func(t *testing.T) {
			w := newWorld(t, storetest.NewMemory())
			a, b := &office{name: "a"}, &office{name: "b"}
			w.stampPatience = 50 * time.Millisecond
			w.stamped(a, b)
			tr, one, _ := w.registered()
			w.one = one
			first := w.sealed(tr, "site-001")
			before, e := w.tokens(first)
			if before != nil || w.svc.Whole(e) {
				t.Fatalf("stamped before anyone was asked: %q", before)
			}
			w.mustStamp()
			got, after := w.tokens(first)
			if !slices.Equal(got, []string{"a", "b"}) || !w.svc.Whole(after) {
				t.Errorf("stamped by %q", got)
			}
			if string(e.Entry) != string(after.Entry) || string(e.Proof) != string(after.Proof) {
				t.Error("more changed than time-stamps")
			}
			b.is(mood)
			second := w.sealed(tr, "site-001")
			w.mustStamp()
			if got, e := w.tokens(second); !slices.Equal(got, []string{"a"}) || w.svc.Whole(e) {
				t.Errorf("stamped by %q", got)
			}
			third := w.sealed(tr, "site-001")
			asked := b.asked
			w.mustStamp() // b is left alone for a while
			if b.asked != asked {
				t.Error("an authority that failed just now is asked again at once")
			}
			if f := w.svc.StampFigures(); f.Failed != 1 || f.Lacking != 2 {
				t.Errorf("%+v", f)
			}
			b.is("")
			w.svc = w.process(w.store) // nothing is kept in memory only
			w.mustStamp()
			for _, ref := range []notary.Ref{second, third} {
				if got, _ := w.tokens(ref); !slices.Equal(got, []string{"a", "b"}) {
					t.Errorf("stamped by %q", got)
				}
			}
			count := a.asked + b.asked
			w.mustStamp()
			if a.asked+b.asked != count {
				t.Error("asked for what is there")
			}
			w.check(w.store)
		})
	}
}

// TestStampsWaitForFinal: what has no final checkpoint is not stamped; one that
// covers several batches is stamped once.
func TestStampsWaitForFinal(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	g := newGuest(t, "w1.example")
	o := &office{name: "a"}
	w.witnessed(1, g)
	w.stamped(o)
	tr, one, _ := w.registered()
	w.one = one
	w.mustStamp()
	asked := o.asked
	g.is("down")
	first := w.sealed(tr, "site-001")
	w.mustStamp()
	if o.asked != asked {
		t.Error("a checkpoint was stamped that is not final")
	}
	g.is("")
	second := w.sealed(tr, "site-001")
	w.mustStamp()
	if o.asked != asked+1 {
		t.Errorf("asked %d times for one checkpoint", o.asked-asked)
	}
	for _, ref := range []notary.Ref{first, second} {
		if got, _ := w.tokens(ref); len(got) != 1 {
			t.Errorf("stamped by %q", got)
		}
	}
}

// TestStampsAreBounded: an authority that comes back after long is asked for the
// newest first, some at a time, and for no more than some.
func TestStampsAreBounded(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	w.registered()
	o := &office{name: "a"}
	for range 140 {
		w.later(25 * time.Hour)
		w.mustDrain() // a heartbeat
	}
	w.stamped(o)
	w.mustStamp()
	if o.asked != 16 {
		t.Errorf("asked %d times at once", o.asked)
	}
	for range 12 {
		w.mustStamp()
	}
	if o.asked != 128 {
		t.Errorf("asked %d times in all", o.asked)
	}
	names, err := w.store.ListState(context.Background(), "stamps/")
	if newest := fmt.Sprintf("stamps/%020d", w.mustHeadSize()); err != nil || len(names) != 128 || names[127] != newest {
		t.Errorf("%d are kept, the newest %s: %v", len(names), names[len(names)-1], err)
	}
}

// TestAuthorityGoneForLong: the operator is told once, and again only after it was back.
func TestAuthorityGoneForLong(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	o := &office{name: "a"}
	w.stamped(o)
	w.registered()
	o.is("down")
	for range 25 {
		w.later(11 * time.Minute)
		w.mustStamp()
	}
	if len(w.alarms) != 1 || w.alarms[0] != "timestamp a: connection refused" || o.asked != 25 {
		t.Errorf("alarms %q after %d questions", w.alarms, o.asked)
	}
	// A clock that is set back does not make it wait for longer than a while.
	w.later(-1000 * time.Hour)
	o.is("")
	w.mustStamp()
	if f := w.svc.StampFigures(); f.Lacking != 0 || f.Kept == 0 {
		t.Errorf("%+v", f)
	}
}

// TestStoppedIsNoFault: an authority whose question was cut off by a shutdown did
// nothing wrong.
func TestStoppedIsNoFault(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	o := &office{name: "a", mood: "silent"}
	w.stamped(o)
	w.registered()
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer stop()
	if err := w.svc.Stamp(ctx); err != nil {
		t.Fatal(err)
	}
	if f := w.svc.StampFigures(); f.Failed != 0 {
		t.Errorf("%+v", f)
	}
}

// TestStampFaults: whichever call of the store fails, half fails, or is the last of a
// process, the next call of Stamp makes it good, and sealing notices nothing.
func TestStampFaults(t *testing.T) {
	for _, fault := range storetest.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			for n := 1; ; n++ {
				w := newWorld(t, storetest.NewMemory())
				w.stamped(&office{name: "a"}, &office{name: "b"})
				tr, one, _ := w.registered()
				w.one = one
				ref := w.sealed(tr, "site-001")
				faulty := storetest.NewFaulty(w.store, storetest.At(n, fault))
				good := w.svc
				w.process(faulty).Stamp(context.Background())
				past := len(faulty.Calls()) < n
				w.svc = good
				w.sealed(tr, "site-001")
				w.mustStamp()
				if got, _ := w.tokens(ref); !slices.Equal(got, []string{"a", "b"}) {
					t.Fatalf("call %d: stamped by %q", n, got)
				}
				w.check(w.store)
				if past {
					return
				}
			}
		})
	}
}

// TestBrokenStamps: a private object that somebody spoiled costs a receipt its
// time-stamps and nothing else, is told of, and is made anew.
func TestBrokenStamps(t *testing.T) {
	for name, b := range map[string]string{
		"empty": "", "another": "trialnotary/stamps@v2\n", "no base64": "trialnotary/stamps@v1\nstamp a !\n",
		"twice": "trialnotary/stamps@v1\nstamp a QQ==\nstamp a QQ==\n", "nothing in it": "trialnotary/stamps@v1\nstamp a \n",
		"huge": "trialnotary/stamps@v1\nstamp a " + strings.Repeat("A", 4*timestamp.MaxToken) + "\n",
		"many": "trialnotary/stamps@v1\nstamp a QQ==\nstamp b QQ==\nstamp c QQ==\nstamp d QQ==\nstamp e QQ==\nstamp f QQ==\nstamp g QQ==\nstamp h QQ==\nstamp i QQ==\n",
	} {
		w := newWorld(t, storetest.NewMemory())
		w.stamped(&office{name: "a"})
		tr, one, _ := w.registered()
		w.one = one
		ref := w.sealed(tr, "site-001")
		object := fmt.Sprintf("stamps/%020d", w.mustHeadSize())
		if err := w.store.PutState(context.Background(), object, []byte(b)); err != nil {
			t.Fatal(err)
		}
		if got, _ := w.tokens(ref); got != nil || !slices.Equal(w.alarms, []string{"unreadable " + object}) {
			t.Errorf("%s: %q, alarms %q", name, got, w.alarms)
		}
		w.mustStamp()
		if got, _ := w.tokens(ref); !slices.Equal(got, []string{"a"}) {
			t.Errorf("%s: stamped by %q", name, got)
		}
	}
}

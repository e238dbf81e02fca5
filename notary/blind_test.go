package notary_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

// blind is the blind submission of a statement, by a key.
func (w *world) blind(ref notary.Ref, k statement.PrivateKey) []byte {
	w.t.Helper()
	b, err := request.Blind{Log: origin, Stream: ref.Stream, Statement: ref.Statement}.Sign(k)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func refOf(n *statement.Note) notary.Ref { return notary.Ref{Stream: n.Stream(), Statement: n.ID} }

// submitBlind submits as submit does.
func (w *world) submitBlind(n *statement.Note, k statement.PrivateKey) error {
	refs, err := w.svc.Submit(context.Background(), [][]byte{w.blind(refOf(n), k)})
	if err == nil {
		if refs[0] != refOf(n) {
			w.t.Fatal("a blind submission is answered for another statement")
		}
		w.accepts[refs[0]] = nil
	}
	return err
}

// TestBlind seals a statement that the service never sees: it has an entry and a
// receipt like every other, and nothing of it is anywhere in the store.
func TestBlind(t *testing.T) {
	store := storetest.NewMemory()
	w := newWorld(t, store)
	tr, one, _ := w.registered()
	n := w.data(tr, "site-001", one)
	if err := w.submitBlind(n, one); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Receipt(context.Background(), refOf(n)); !errors.Is(err, notary.ErrPending) {
		t.Errorf("before sealing: %v", err)
	}
	w.mustDrain()
	log := w.check(w.store)
	if e := log.Entries[len(log.Entries)-1]; e.Statement != n.ID || e.Seq != 1 || e.Stream != n.Stream() {
		t.Fatalf("the last entry is %+v", e)
	}
	p, err := w.svc.Statements(context.Background(), w.ask(one), n.Stream(), 1)
	if err != nil || bytes.Contains(p.Body, []byte("statement-1")) {
		t.Errorf("statements: %q, %v", p.Body, err)
	}
	e, err := w.svc.Entries(context.Background(), w.ask(one), n.Stream(), 1)
	if err != nil || !bytes.Contains(e.Body, []byte(n.ID.String())) {
		t.Errorf("entries: %q, %v", e.Body, err)
	}
	v, err := w.store.GetRows(context.Background(), []notary.Row{{Partition: "ST#" + n.Stream().String() + "#" + n.ID.String(), Sort: "-"}})
	if err != nil || bytes.Contains(v[0], []byte("trialnotary/")) {
		t.Errorf("its row holds %q, %v", v[0], err)
	}
	names, err := w.store.ListState(context.Background(), "staging/")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := w.store.GetState(context.Background(), name, 0, -1)
		if err != nil || bytes.Contains(b, []byte(request.BlindVersion)) {
			t.Errorf("%s holds the submission (%v)", name, err)
		}
	}
}

// Blind or open, early or late, twice or not: the same statement is one entry.
func TestBlindAndOpenAreOneEntry(t *testing.T) {
	for name, steps := range map[string][]string{
		"blind twice":            {"blind", "blind"},
		"blind twice, sealed":    {"blind", "seal", "blind"},
		"blind, then open":       {"blind", "open"},
		"open, then blind":       {"open", "blind"},
		"blind, sealed and open": {"blind", "seal", "open"},
		"open, sealed and blind": {"open", "seal", "blind"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storetest.NewMemory())
			tr, one, _ := w.registered()
			n := w.data(tr, "site-001", one)
			for _, step := range steps {
				var err error
				switch step {
				case "blind":
					err = w.submitBlind(n, one)
				case "open":
					err = w.submit(w.svc, n)
				case "seal":
					w.mustDrain()
				}
				if err != nil {
					t.Fatalf("%s: %v", step, err)
				}
			}
			w.mustDrain()
			if log := w.check(w.store); len(log.Entries) != 2+2+1 {
				t.Errorf("%d entries", len(log.Entries))
			}
		})
	}
}

func TestBlindIsRefused(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, two := w.registered()
	n := w.data(tr, "site-001", one)
	registration := statement.StreamIDOf(origin, "NCT01234567", "registration", [32]byte{})
	foreign := request.Blind{Log: "other.example", Stream: n.Stream(), Statement: n.ID}
	elsewhere, err := foreign.Sign(one)
	if err != nil {
		t.Fatal(err)
	}
	// A stream's id is public. What the service knows of the stream is not: whoever has
	// no key of it gets the answer of a stream that does not exist.
	_, err = w.svc.Submit(context.Background(), [][]byte{w.blind(notary.Ref{Stream: random32(), Statement: n.ID}, w.stranger)})
	if err == nil {
		t.Fatal("a stream that does not exist takes statements")
	}
	unknown := err.Error()
	for name, c := range map[string]struct {
		note []byte
		says string
	}{
		"another log's":             {elsewhere, "other.example"},
		"by another site's key":     {w.blind(refOf(n), two), unknown},
		"by a stranger":             {w.blind(refOf(n), w.stranger), unknown},
		"by a namesake":             {w.blind(refOf(n), newKey(t, one.Public().Name)), unknown},
		"in no stream":              {w.blind(notary.Ref{Stream: random32(), Statement: n.ID}, one), unknown},
		"in the trial stream":       {w.blind(notary.Ref{Stream: tr.stream, Statement: n.ID}, w.sponsor), "blind"},
		"in the trial's, by a site": {w.blind(notary.Ref{Stream: tr.stream, Statement: n.ID}, one), unknown},
		"in a registration stream":  {w.blind(notary.Ref{Stream: registration, Statement: n.ID}, w.sponsor), unknown},
		"changed":                   {bytes.Replace(w.blind(refOf(n), one), []byte(n.ID.String()), []byte(w.data(tr, "site-001", one).ID.String()), 1), unknown},
		"cut":                       {w.blind(refOf(n), one)[:100], ""},
	} {
		_, err := w.svc.Submit(context.Background(), [][]byte{c.note})
		var no *notary.Rejection
		if !errors.As(err, &no) || !strings.Contains(no.Reason, c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Revoked in the same batch, before it: refused at sealing, with the reason.
	w.mustSubmit(w.revoke(tr, w.sponsor, "site-001", one.Public()))
	if err := w.submitBlind(n, one); err != nil {
		t.Fatal(err)
	}
	w.mustDrain()
	var refused *notary.Refusal
	if _, err := w.svc.Receipt(context.Background(), refOf(n)); !errors.As(err, &refused) || !strings.Contains(refused.Reason, "revoked") {
		t.Errorf("after a revocation: %v", err)
	}
	w.check(w.store)
}

// A sponsor who enrols a key for the registration stream of another's public id and
// fills it blind does not keep the registration out, nor adds to it afterwards.
func TestBlindKeepsNoRegistrationOut(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	tr, one, _ := w.registered()
	public := statement.StreamIDOf(origin, "NCT07654321", "registration", [32]byte{})
	w.mustSubmit(w.enrol(tr, w.sponsor, "squat", one.Public(), func(s *statement.Statement) { s.Keys[0].Stream = public }))
	w.mustDrain()
	squat := func() error {
		_, err := w.svc.Submit(context.Background(), [][]byte{w.blind(notary.Ref{Stream: public, Statement: random32()}, one)})
		return err
	}
	if err := squat(); err != nil {
		t.Fatal(err)
	}
	w.mustDrain()
	other := w.newTrial("NCT07654321")
	w.mustSubmit(other.reg)
	if err := squat(); err != nil { // accepted before the registration is sealed, refused with it
		t.Fatal(err)
	}
	w.mustDrain()
	if _, err := w.svc.Receipt(context.Background(), refOf(other.reg)); err != nil {
		t.Errorf("the registration: %v", err)
	}
	if err := squat(); err == nil {
		t.Error("a registration stream is added to blind")
	}
	log := w.check(w.store)
	in := 0
	for _, e := range log.Entries {
		if e.Stream == public {
			in++
		}
	}
	if in != 2 {
		t.Errorf("%d entries in the registration stream, want the one before it and the registration", in)
	}
}

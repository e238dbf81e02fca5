package client

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/access"
	"trialnotary/notary/entry"
	requests "trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/text"
)

var readStream = statement.StreamID{1}

func leafAt(seq uint64) []byte {
	return entry.Entry{Index: 10 * seq, Batch: seq, Time: time.Unix(1e9, 0), Stream: readStream, Seq: seq, Statement: statement.ID{byte(seq)}}.Append(nil)
}

func readKey(t *testing.T) statement.PrivateKey {
	t.Helper()
	k, err := statement.GenerateKey("site-001.jdoe")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// serving answers with a body and, if next is not 0, a link to the page from there.
func serving(body string, what string, next uint64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if next > 0 {
			w.Header().Set("Link", fmt.Sprintf("</streams/%s/%s?from=%d>; rel=\"next\"", readStream, what, next))
		}
		fmt.Fprint(w, body)
	}
}

// signedBy lets through what carries a good request note for its address.
func signedBy(t *testing.T, k statement.PrivateKey, then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ask, err := requests.ParseField(r.Header.Get(requests.Header))
		if err != nil || ask.Log != "log.example" || ask.Path != r.URL.RequestURI() || !ask.Timely(time.Now()) ||
			!ed25519.Verify(publicOf(k), ask.Text, ask.Signature[:]) {
			t.Errorf("%s is asked for with %+v (%v)", r.URL, ask, err)
		}
		then(w, r)
	}
}

func publicOf(k statement.PrivateKey) ed25519.PublicKey {
	p := k.Public().Key
	return p[:]
}

// TestReadsCarryTheClientsClock: a request is dated by the clock that the errors about
// a wrong clock speak of.
func TestReadsCarryTheClientsClock(t *testing.T) {
	k, then := readKey(t), time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	s, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if ask, err := requests.ParseField(r.Header.Get(requests.Header)); err != nil || !ask.Time.Equal(then) {
			t.Errorf("asked with %+v (%v)", ask, err)
		}
	})
	s.Now = func() time.Time { return then }
	if _, err := s.Entries(context.Background(), "log.example", k, readStream, 1); err != nil {
		t.Error(err)
	}
}

func TestEntriesPageByPage(t *testing.T) {
	k := readKey(t)
	s, n := answering(t,
		signedBy(t, k, serving(string(leafAt(3))+string(leafAt(4)), "entries", 5)),
		hangUp,
		signedBy(t, k, serving(string(leafAt(5)), "entries", 0)))
	leaves, err := s.Entries(context.Background(), "log.example", k, readStream, 3)
	if err != nil || len(leaves) != 3 || string(leaves[1]) != string(leafAt(4)) || n.Load() != 3 {
		t.Fatalf("%q, %v, asked %d times", leaves, err, n.Load())
	}
	s, _ = answering(t, serving("", "entries", 0))
	if leaves, err := s.Entries(context.Background(), "log.example", k, readStream, 1); err != nil || len(leaves) != 0 {
		t.Fatalf("an empty stream: %q, %v", leaves, err)
	}
}

// What a service could answer instead of a stream's entries.
func TestEntriesThatAreNot(t *testing.T) {
	k := readKey(t)
	other := entry.Entry{Index: 1, Batch: 1, Time: time.Unix(1e9, 0), Stream: statement.StreamID{2}, Seq: 1}.Append(nil)
	for name, answer := range map[string]http.HandlerFunc{
		"another page":     serving("<html>", "entries", 0),
		"another stream":   serving(string(other), "entries", 0),
		"a skipped seq":    serving(string(leafAt(1))+string(leafAt(3)), "entries", 0),
		"a repeated seq":   serving(string(leafAt(1))+string(leafAt(1)), "entries", 0),
		"a cut leaf":       serving(string(leafAt(1))[:60], "entries", 0),
		"the same page":    serving(string(leafAt(1)), "entries", 1),
		"a page elsewhere": serving(string(leafAt(1)), "statements", 2),
		"an endless page":  serving(strings.Repeat("x", maxRead+1), "entries", 0),
	} {
		s, n := answering(t, answer)
		var un *Unreachable
		if leaves, err := s.Entries(context.Background(), "log.example", k, readStream, 1); !errors.As(err, &un) || n.Load() > 5 {
			t.Errorf("%s: %q, %v", name, leaves, err)
		}
	}
	s, n := answering(t, problem(http.StatusForbidden, "no such stream"))
	var no *Refused
	if _, err := s.Entries(context.Background(), "log.example", k, readStream, 1); !errors.As(err, &no) || no.Status != 403 || n.Load() != 1 {
		t.Errorf("forbidden: %v", err)
	}
}

func TestStatements(t *testing.T) {
	k := readKey(t)
	var notes []*statement.Note
	for i := range 2 {
		n, err := statement.Sign(&statement.Statement{Log: "log.example", Trial: "NCT01234567", StreamName: "site-001", StreamSalt: [32]byte{1},
			Kind: statement.KindNote, Label: fmt.Sprint("note ", i), Time: time.Unix(1e9, 0).UTC(), Salt: [32]byte{2}}, k)
		if err != nil {
			t.Fatal(err)
		}
		notes = append(notes, n)
	}
	stream := notes[0].Stream()
	archive := func(parts ...text.Part) string {
		b, err := text.Archive{Version: "trialnotary/statements@v1", Parts: parts}.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	one, two := text.Part{Name: "statement-1", Data: notes[0].Raw}, text.Part{Name: "statement-4", Data: notes[1].Raw}
	s, _ := answering(t, signedBy(t, k, serving(archive(one, two), "statements", 0)))
	got, err := s.Statements(context.Background(), "log.example", k, stream, 1)
	if err != nil || len(got) != 2 || got[1].ID != notes[0].ID || got[4].ID != notes[1].ID {
		t.Fatalf("%v, %v", got, err)
	}
	for name, b := range map[string]string{
		"out of order":     archive(two, one),
		"before the first": archive(text.Part{Name: "statement-0", Data: notes[0].Raw}),
		"another part":     archive(text.Part{Name: "note-1", Data: notes[0].Raw}),
		"no statement":     archive(text.Part{Name: "statement-1", Data: []byte("x\n")}),
		"no archive":       "x",
	} {
		s, _ := answering(t, serving(b, "statements", 0))
		if got, err := s.Statements(context.Background(), "log.example", k, stream, 1); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	s, _ = answering(t, serving(archive(one), "statements", 0))
	if got, err := s.Statements(context.Background(), "log.example", k, readStream, 1); err == nil {
		t.Errorf("of another stream: %v", got)
	}
}

func TestStreamAt(t *testing.T) {
	k := readKey(t)
	proof := streammap.Proof{Stream: readStream}.Bytes()
	archive := func(parts ...text.Part) string {
		b, err := text.Archive{Version: "trialnotary/stream@v1", Parts: parts}.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	batch, tlog, mapProof := text.Part{Name: "batch", Data: []byte("b\n")}, text.Part{Name: "batch.tlog-proof", Data: []byte("p\n")}, text.Part{Name: "map-proof", Data: proof}
	s, _ := answering(t, signedBy(t, k, serving(archive(batch, tlog, mapProof), "history", 0)))
	at, err := s.StreamAt(context.Background(), "log.example", k, readStream, 7)
	if err != nil || string(at.Batch) != "b\n" || string(at.Proof) != "p\n" || string(at.MapProof) != string(proof) {
		t.Fatalf("%+v, %v", at, err)
	}
	for name, b := range map[string]string{
		"no proof":     archive(batch, tlog),
		"out of order": archive(tlog, batch, mapProof),
		"no map proof": archive(batch, tlog, text.Part{Name: "map-proof", Data: []byte("x\n")}),
	} {
		s, _ := answering(t, serving(b, "history", 0))
		if at, err := s.StreamAt(context.Background(), "log.example", k, readStream, 0); err == nil {
			t.Errorf("%s: %+v", name, at)
		}
	}
	s, _ = answering(t, serving(archive(batch, tlog, mapProof), "history", 0))
	if at, err := s.StreamAt(context.Background(), "log.example", k, statement.StreamID{9}, 0); err == nil {
		t.Errorf("of another stream: %+v", at)
	}
	s, _ = answering(t, problem(http.StatusNotFound, "not yet"))
	if _, err := s.StreamAt(context.Background(), "log.example", k, readStream, 99); !errors.Is(err, ErrNoBatch) {
		t.Errorf("a batch to come: %v", err)
	}
}

func TestAccess(t *testing.T) {
	k, service := readKey(t), testKey(t, "service")
	trial := readStream
	registration, err := statement.Sign(&statement.Statement{Log: "log.example", Trial: "SERVICE", StreamName: "registration", StreamSalt: [32]byte{1},
		Kind: statement.KindRegistration, Time: time.Unix(1e9, 0).UTC(), Keys: []statement.Key{
			{Role: statement.RoleSponsor, Name: "trial", Stream: statement.StreamID{7}, Key: service.Public()},
			{Role: statement.RoleRecovery, Name: "trial", Stream: statement.StreamID{7}, Key: testKey(t, "service.recovery").Public()}}}, service)
	if err != nil {
		t.Fatal(err)
	}
	parts := []text.Part{{Name: "registration", Data: registration.Raw}}
	var previous *statement.ID
	for i := range uint64(3) {
		f := access.File{Log: "log.example", Trial: trial, Number: i + 1, Records: []access.Record{{Time: time.Unix(1e9, 0), Key: k.Public().Fingerprint(),
			Role: statement.RoleSite, What: access.Entries, Stream: trial, From: 1, To: i}}}
		said := &statement.Statement{Log: "log.example", Trial: "SERVICE", StreamName: "trial", StreamSalt: [32]byte{2}, Time: time.Unix(1e9, 0).UTC()}
		access.Anchor(said, f, previous)
		n, err := statement.Sign(said, service)
		if err != nil {
			t.Fatal(err)
		}
		previous = &n.ID
		name := fmt.Sprintf("%d-open", 10*i+1)
		parts = append(parts, text.Part{Name: "statement-" + name, Data: n.Raw}, text.Part{Name: "records-" + name, Data: f.Bytes()})
	}
	archive := func(parts ...text.Part) string {
		b, err := text.Archive{Version: "trialnotary/trail@v1", Parts: parts}.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	// Two pages that overlap.
	s, _ := answering(t, signedBy(t, k, serving(archive(parts[:5]...), "access", 11)), signedBy(t, k, serving(archive(append(parts[:1:1], parts[3:]...)...), "access", 0)))
	a, err := s.Access(context.Background(), "log.example", k, trial)
	if err != nil || len(a.Open) != 3 || len(a.Closed) != 0 {
		t.Fatalf("%+v, %v", a, err)
	}
	if records, err := access.Verify("log.example", trial, false, a.Service, a.Open); err != nil || len(records) != 3 {
		t.Errorf("%v, %v", records, err)
	}
	s, _ = answering(t, serving(archive(append(parts[:5:5], parts[6])...), "access", 0)) // records that belong to nothing
	if a, err := s.Access(context.Background(), "log.example", k, trial); err == nil {
		t.Errorf("%+v", a)
	}
}

package web_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/receipt"
	"trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
	"trialnotary/notary/web"
)

const origin = "log.example/trials"

var logKeys = sync.OnceValue(func() []checkpoint.Signer {
	ed, err := checkpoint.GenerateEd25519(origin)
	if err != nil {
		panic(err)
	}
	ml, err := checkpoint.GenerateMLDSA44(origin)
	if err != nil {
		panic(err)
	}
	return []checkpoint.Signer{ed, ml}
})

// world is a service over HTTP with one trial and two sites.
type world struct {
	t       testing.TB
	store   notary.Store
	svc     *notary.Service
	policy  *checkpoint.Policy
	handler http.Handler
	log     *bytes.Buffer
	health  string

	sponsor, recovery, one, two statement.PrivateKey
	registration                *statement.Note
	trialSalt                   [32]byte
	salts                       map[string][32]byte
}

const trialID = "NCT01234567"

// newWorld opens a log with a trial; change may alter what the handler is told.
func newWorld(t testing.TB, change ...func(*web.Options)) *world {
	return newWorldOn(t, storetest.NewMemory(), change...)
}

func newWorldOn(t testing.TB, store notary.Store, change ...func(*web.Options)) *world {
	t.Helper()
	w := &world{t: t, store: store, log: new(bytes.Buffer), trialSalt: random32(),
		sponsor: newKey(t, "acme"), recovery: newKey(t, "acme.recovery"), one: newKey(t, "site-001.jdoe"), two: newKey(t, "site-002.roe"),
		salts: map[string][32]byte{"site-001": random32(), "site-002": random32()}}
	keys := logKeys()
	var err error
	if w.policy, err = checkpoint.NewLogPolicy(keys[0].VerifierKey(), keys[1].VerifierKey()); err != nil {
		t.Fatal(err)
	}
	w.svc, err = notary.New(store, notary.Config{Origin: origin, Signers: keys, Policy: w.policy,
		Sponsors: func() []statement.PublicKey { return []statement.PublicKey{w.sponsor.Public()} }})
	if err != nil {
		t.Fatal(err)
	}
	trust, err := (&receipt.Trust{Policy: w.policy, Sponsors: []statement.PublicKey{w.sponsor.Public()}, HasSponsors: true}).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	o := web.Options{Service: w.svc, Trust: func() []byte { return trust }, Metrics: true,
		Health: func() string { return w.health },
		Log:    slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range change {
		f(&o)
	}
	w.handler = web.New(o)

	w.registration = w.sign(w.statement("registration", statement.KindRegistration, func(s *statement.Statement) {
		s.StreamSalt = [32]byte{}
		s.Keys = []statement.Key{{Role: statement.RoleSponsor, Name: "trial", Stream: w.stream("trial"), Key: w.sponsor.Public()},
			{Role: statement.RoleRecovery, Name: "trial", Stream: w.stream("trial"), Key: w.recovery.Public()}}
	}), w.sponsor)
	w.must(w.registration)
	w.must(w.enrol("site-001", w.one), w.enrol("site-002", w.two))
	return w
}

// must submits to the service itself and seals.
func (w *world) must(notes ...*statement.Note) {
	w.t.Helper()
	var raw [][]byte
	for _, n := range notes {
		raw = append(raw, n.Raw)
	}
	if _, err := w.svc.Submit(context.Background(), raw); err != nil {
		w.t.Fatal(err)
	}
	w.seal()
}

func (w *world) seal() {
	w.t.Helper()
	for more := true; more; {
		s, err := w.svc.Seal(context.Background())
		if err != nil {
			w.t.Fatal(err)
		}
		more = s.More
	}
}

func newKey(t testing.TB, name string) statement.PrivateKey {
	t.Helper()
	k, err := statement.GenerateKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func random32() (b [32]byte) {
	rand.Read(b[:])
	return b
}

func (w *world) stream(name string) statement.StreamID {
	return statement.StreamIDOf(origin, trialID, name, w.salt(name))
}

func (w *world) salt(name string) [32]byte {
	if s, ok := w.salts[name]; ok {
		return s
	}
	return w.trialSalt
}

func (w *world) statement(stream string, kind statement.Kind, change func(*statement.Statement)) *statement.Statement {
	s := &statement.Statement{Log: origin, Trial: trialID, StreamName: stream, StreamSalt: w.salt(stream), Kind: kind,
		Time: time.Now().UTC().Truncate(time.Second), Salt: random32()}
	change(s)
	return s
}

func (w *world) sign(s *statement.Statement, k statement.PrivateKey) *statement.Note {
	w.t.Helper()
	n, err := statement.Sign(s, k)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) key(name string, kind statement.Kind, k statement.PrivateKey) *statement.Note {
	return w.sign(w.statement("trial", kind, func(s *statement.Statement) {
		s.Keys = []statement.Key{{Role: statement.RoleSite, Name: name, Stream: w.stream(name), Key: k.Public()}}
		if kind == statement.KindRevocation {
			s.Reason = "key lost"
		}
	}), w.sponsor)
}

func (w *world) enrol(name string, k statement.PrivateKey) *statement.Note {
	return w.key(name, statement.KindEnrolment, k)
}

// data is a new dataset statement of a site.
func (w *world) data(name string, k statement.PrivateKey, change ...func(*statement.Statement)) *statement.Note {
	return w.sign(w.statement(name, statement.KindDataset, func(s *statement.Statement) {
		s.Dataset = &statement.Dataset{Root: random32(), Files: 1, Bytes: 12}
		s.Label = "visit listings"
		for _, f := range change {
			f(s)
		}
	}), k)
}

// ask returns the header field of a request for a path, signed now.
func (w *world) ask(path string, k statement.PrivateKey, change ...func(*request.Read)) string {
	w.t.Helper()
	r := request.Read{Log: origin, Method: "GET", Path: path, Time: time.Now().UTC().Truncate(time.Second)}
	for _, f := range change {
		f(&r)
	}
	b, err := r.Sign(k)
	if err != nil {
		w.t.Fatal(err)
	}
	return request.Field(b)
}

// read asks for a path with a key.
func (w *world) read(path string, k statement.PrivateKey) *http.Response {
	w.t.Helper()
	return w.do("GET", path, nil, request.Header, w.ask(path, k))
}

// do sends a request; head holds field, value, field, value ….
func (w *world) do(method, path string, body io.Reader, head ...string) *http.Response {
	w.t.Helper()
	r := httptest.NewRequest(method, path, body)
	for i := 0; i+1 < len(head); i += 2 {
		r.Header.Add(head[i], head[i+1])
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec.Result()
}

func (w *world) get(path string) *http.Response { return w.do("GET", path, nil) }

func (w *world) post(note []byte) *http.Response {
	return w.do("POST", "/submissions", bytes.NewReader(note), "Content-Type", "text/plain")
}

func (w *world) postJSON(v any) *http.Response {
	w.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.do("POST", "/submissions", bytes.NewReader(b), "Content-Type", "application/json")
}

type accepted struct {
	Statements []struct{ Stream, Statement, Receipt string }
}

type problemDoc struct {
	Type, Title, Detail string
	Status              int
	Index               *int
}

func body(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wantProblem checks that r is a whole problem document of that status whose
// detail has each of these words in it.
func wantProblem(t testing.TB, r *http.Response, status int, words ...string) problemDoc {
	t.Helper()
	b := body(t, r)
	if r.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", r.StatusCode, status, b)
	}
	var p problemDoc
	d := json.NewDecoder(strings.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || r.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("not a problem document (%v, %s): %s", err, r.Header.Get("Content-Type"), b)
	}
	if p.Status != status || p.Type != "about:blank" || p.Title != http.StatusText(status) || !strings.HasSuffix(p.Detail, ".") {
		t.Errorf("problem %+v", p)
	}
	for _, w := range words {
		if !strings.Contains(p.Detail, w) {
			t.Errorf("detail %q does not say %q", p.Detail, w)
		}
	}
	if r.Header.Get("Cache-Control") != "no-store" {
		t.Error("a problem may be cached")
	}
	return p
}

package main

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/receipt"
)

// stale is a service that, when frozen, goes on to show as the newest batch the one
// that it showed last.
type stale struct {
	mu     sync.Mutex
	frozen bool
	shown  map[string]*httptest.ResponseRecorder
}

func (s *stale) ServeHTTP(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if !strings.HasSuffix(r.URL.Path, "/history") || r.URL.RawQuery != "" {
		next.ServeHTTP(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown == nil {
		s.shown = map[string]*httptest.ResponseRecorder{}
	}
	if !s.frozen || s.shown[r.URL.Path] == nil {
		s.shown[r.URL.Path] = httptest.NewRecorder()
		next.ServeHTTP(s.shown[r.URL.Path], r)
	}
	a := s.shown[r.URL.Path]
	maps.Copy(w.Header(), a.Header())
	w.WriteHeader(a.Code)
	w.Write(a.Body.Bytes())
}

// freeze on|off: from now on the service shows an old batch as the newest.
func freeze(ts *testscript.TestScript, _ bool, args []string) {
	s := &of(ts).stale
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frozen = args[0] == "on"
}

// cosign OUT TRUST: an auditor signs the public checkpoint, and the log's trust file
// with the auditor in it is written.
func cosign(ts *testscript.TestScript, _ bool, args []string) {
	v := of(ts)
	answer, err := http.Get(v.http.URL + "/checkpoint")
	ts.Check(err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	ts.Check(err)
	cp, err := checkpoint.Parse(raw)
	ts.Check(err)
	k, err := checkpoint.GenerateCosignature("auditor.example")
	ts.Check(err)
	sig, err := k.Sign(cp.Text())
	ts.Check(err)
	line := checkpoint.Line{Name: k.Name(), Hash: k.KeyHash(), Sig: sig}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(string(cp.Text())+"\n"+line.String()), 0o644))
	v.mu.Lock()
	defer v.mu.Unlock()
	trust, err := (&receipt.Trust{Policy: v.policy, Auditors: []string{k.VerifierKey()}}).Bytes()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), trust, 0o644))
}

package client

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// answering returns a client of a service that answers as told, one answer after
// the other and the last for ever, and how often it was asked.
func answering(t *testing.T, answers ...http.HandlerFunc) (*Service, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := int(n.Add(1)) - 1
		answers[min(i, len(answers)-1)](w, r)
	}))
	t.Cleanup(srv.Close)
	s, err := New(srv.URL, Options{Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return s, &n
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

func problem(code int, detail string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(code)
		json.NewEncoder(w).Encode(map[string]any{"title": "no", "detail": detail, "status": code})
	}
}

// hangUp ends the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		c.Close()
	}
}

// accepting accepts what it is sent and keeps the bytes.
func accepting(got *[]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.Header.Get("X-Amz-Content-Sha256") != fmt.Sprintf("%x", sha256.Sum256(b)) {
			w.WriteHeader(http.StatusForbidden) // as a CloudFront does
			return
		}
		*got = append(*got, string(b))
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusAccepted)
		type one struct{ Stream, Statement, Receipt string }
		notes := []string{string(b)}
		if r.Header.Get("Content-Type") == "application/json" {
			var in struct{ Statements []string }
			json.Unmarshal(b, &in)
			notes = in.Statements
		}
		var out struct {
			Statements []map[string]string `json:"statements"`
		}
		for _, n := range notes {
			out.Statements = append(out.Statements, map[string]string{"statement": statement.IDOf([]byte(n)).String()})
		}
		json.NewEncoder(w).Encode(out)
	}
}

// TestSubmitAgain: whatever goes wrong on the way, the same bytes are sent until
// they are accepted.
func TestSubmitAgain(t *testing.T) {
	note := sampleReceipt(t, "site1.receipt").Statement
	var got []string
	s, n := answering(t, hangUp, status(503), status(429, "Retry-After", "0"), status(502), accepting(&got))
	after, err := s.Submit(context.Background(), note)
	if err != nil {
		t.Fatal(err)
	}
	if n.Load() != 5 || len(got) != 1 || got[0] != string(note) || after != 7*time.Second {
		t.Errorf("%d requests, %d accepted, %v", n.Load(), len(got), after)
	}
	got = nil
	s, _ = answering(t, accepting(&got))
	if _, err := s.Submit(context.Background(), note, note); err != nil {
		t.Errorf("two statements: %v", err)
	}
}

func TestSubmitRefused(t *testing.T) {
	note := []byte("note\n")
	other := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(202)
		io.WriteString(w, `{"statements":[{"statement":"`+strings.Repeat("0", 64)+`"}]}`)
	}
	for _, c := range []struct {
		what     string
		answer   http.HandlerFunc
		want     string
		refused  bool
		requests int32
	}{
		{"forbidden", problem(403, "the key is not in force"), "the key is not in force", true, 1},
		{"with a hostile reason", problem(409, "a\u202eb\nc"), "a<U+202E>b<U+000A>c", true, 1},
		{"malformed", status(400), "400 Bad Request", true, 1},
		{"sent elsewhere", status(302, "Location", "https://elsewhere.example"), "elsewhere.example", true, 1},
		{"busy for ever", status(503), "503", true, 5},
		{"not a notary", status(202), "not that of a notary", false, 1},
		{"another statement", other, "another statement", false, 1},
		{"silent", hangUp, "could not be reached", false, 5},
		{"endless", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x", 2<<20)) }, "larger", false, 5},
	} {
		s, n := answering(t, c.answer)
		_, err := s.Submit(context.Background(), note)
		var refused *Refused
		var unreachable *Unreachable
		if c.refused && !errors.As(err, &refused) || !c.refused && !errors.As(err, &unreachable) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.what, err)
		}
		if n.Load() != c.requests {
			t.Errorf("%s: %d requests, want %d", c.what, n.Load(), c.requests)
		}
	}
}

func TestUnreachable(t *testing.T) {
	s, err := New("http://127.0.0.1:1", Options{Pause: time.Millisecond, Attempts: 2})
	if err != nil {
		t.Fatal(err)
	}
	var unreachable *Unreachable
	if _, err := s.Trust(context.Background()); !errors.As(err, &unreachable) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Submit(ctx, []byte("x")); !errors.As(err, &unreachable) {
		t.Error(err)
	}
}

// TestAwait: it asks when it was told to, and stops when time is up.
func TestAwait(t *testing.T) {
	r := sampleReceipt(t, "site1.receipt")
	evidence, err := receipt.Evidence{Entry: r.Entry, Proof: r.Proof, Timestamps: r.Timestamps}.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	ready := func(w http.ResponseWriter, _ *http.Request) { w.Write(evidence) }
	s, n := answering(t, status(202, "Retry-After", "0"), status(202), ready)
	e, err := s.Await(context.Background(), Ref{}, 0, nil)
	if err != nil || string(e.Entry) != string(r.Entry) || n.Load() != 3 {
		t.Errorf("%v after %d requests", err, n.Load())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	s, _ = answering(t, status(202, "Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)))
	var not *NotYet
	if _, err := s.Await(ctx, Ref{}, 0, nil); !errors.As(err, &not) || not.After > maxWait {
		t.Errorf("pending for an hour: %v", err)
	}
	s, _ = answering(t, problem(404, "unknown"))
	if _, err := s.Evidence(context.Background(), Ref{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
	// A web server that is no notary must not look like a lost statement.
	s, _ = answering(t, status(404))
	if _, err := s.Evidence(context.Background(), Ref{}); errors.Is(err, ErrUnknown) {
		t.Errorf("any 404 counts as unknown")
	}
	s, _ = answering(t, problem(409, "its key was revoked"))
	var refused *Refused
	if _, err := s.Evidence(context.Background(), Ref{}); !errors.As(err, &refused) || refused.Temporary() {
		t.Errorf("refused at sealing: %v", err)
	}
	s, _ = answering(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") })
	if _, err := s.Evidence(context.Background(), Ref{}); err == nil {
		t.Error("a web page counts as evidence")
	}
}

func TestParseURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://notary.example":         "https://notary.example",
		"https://notary.example/":        "https://notary.example",
		"http://127.0.0.1:8344/base//":   "http://127.0.0.1:8344/base",
		"":                               "",
		"notary.example":                 "",
		"ftp://notary.example":           "",
		"https://":                       "",
		"https://user:pw@notary.example": "",
		"https://notary.example?x=1":     "",
		"https://notary.example/#top":    "",
		"https://notary.example/a\nb":    "",
	} {
		got, err := ParseURL(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// POST goes to submit and all else to prove, each under the host name by which
// LocalStack knows it.
func TestFrontFindsTheFunctionURL(t *testing.T) {
	edge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Method+" "+r.Host+" "+r.URL.String())
	}))
	defer edge.Close()
	handler, err := front(edge.URL, outputs{SubmitUrl: "http://s.lambda-url.example:4566/", ProveUrl: "http://p.lambda-url.example:4566/"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, target, want string }{
		{"POST", "/submissions", "POST s.lambda-url.example:4566 /submissions"},
		{"GET", "/checkpoint", "GET p.lambda-url.example:4566 /checkpoint"},
		{"GET", "/streams/ab/entries?from=3", "GET p.lambda-url.example:4566 /streams/ab/entries?from=3"},
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(c.method, c.target, nil))
		if got := w.Body.String(); got != c.want {
			t.Errorf("%s %s reached %q, want %q", c.method, c.target, got, c.want)
		}
	}
}

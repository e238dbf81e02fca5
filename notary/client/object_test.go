package client

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A log that a plain web server serves: what it does not have has any sort of 404, and
// what breaks off is asked for again, and never taken for the object.
func TestPublished(t *testing.T) {
	asked := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		switch {
		case r.URL.Path == "/log/checkpoint":
			w.Write([]byte("log.example\n"))
		case r.URL.Path == "/log/breaks" || r.URL.Path == "/log/breaks-once" && asked[r.URL.Path] == 1:
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("half of it"))
		case r.URL.Path == "/log/breaks-once":
			w.Write([]byte("all of it"))
		case r.URL.Path == "/log/page":
			html(http.StatusOK, "Sign in")(w, r)
		case r.URL.Path == "/log/large":
			w.Write(make([]byte, maxObject+1))
		case r.URL.Path == "/log/closed":
			http.Error(w, "not for you", http.StatusUnauthorized)
		default:
			html(http.StatusNotFound, "Not found")(w, r)
		}
	}))
	defer srv.Close()
	s, err := New(srv.URL+"/log/", Options{Attempts: 3, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"checkpoint": "log.example\n", "breaks-once": "all of it"} {
		if b, err := s.Published(t.Context(), name); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if _, err := s.Published(t.Context(), "tile/0/000"); !errors.Is(err, ErrNoObject) {
		t.Errorf("what is not there: %v", err)
	}
	for name, words := range map[string]string{"breaks": "the connection broke before its answer was complete", "page": "web page", "large": "larger than"} {
		_, err := s.Published(t.Context(), name)
		if u, ok := errors.AsType[*Unreachable](err); !ok || !strings.Contains(u.Error(), words) {
			t.Errorf("%s: %v; want %q", name, err, words)
		}
	}
	if _, err := s.Published(t.Context(), "closed"); errors.Is(err, ErrNoObject) || err == nil {
		t.Errorf("what is closed: %v", err)
	}
	if asked["/log/breaks"] != 3 {
		t.Errorf("asked %d times", asked["/log/breaks"])
	}
}

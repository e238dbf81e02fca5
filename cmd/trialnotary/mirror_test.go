package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
)

// Whoever answers in place of a log, however: the copy stays as it was, and nothing
// that was answered is in it.
func TestAHostileServerLeavesTheCopyAlone(t *testing.T) {
	d := newDesk(t)
	d.settle()
	d.run("mirror", d.http.URL, d.path("copy"))
	before, err := os.ReadFile(d.path("copy/checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	var hostile *httptest.Server
	answers := map[string]struct {
		answer http.HandlerFunc
		code   int
		words  string
	}{
		"redirects without end": {func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			http.Redirect(w, r, hostile.URL+"/again"+r.URL.Path, http.StatusFound)
		}, exitService, "sends visitors on"},
		"a body without end": {func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			for range 1 << 10 {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, exitService, "larger than"},
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.Write([]byte("<html><title>Sign in</title>"))
		}, exitService, "web page"},
		"what is none": {func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.Header().Set("Content-Type", "text/plain")
			w.Write([]byte("x\n"))
		}, exitNotVerified, "no checkpoint"},
		"nothing": {func(http.ResponseWriter, *http.Request) { asked.Add(1); panic(http.ErrAbortHandler) }, exitService, "broke"},
	}
	for what, c := range answers {
		hostile = httptest.NewServer(c.answer)
		asked.Store(0)
		code, said := d.try("mirror", hostile.URL, d.path("copy"))
		hostile.Close()
		if code != c.code || !strings.Contains(said, c.words) || !strings.Contains(said, "The copy is as it was") {
			t.Errorf("%s: exit code %d\n%s", what, code, said)
		}
		if n := asked.Load(); n == 0 || n > 5 {
			t.Errorf("%s: asked %d times", what, n)
		}
		if now, err := os.ReadFile(d.path("copy/checkpoint")); err != nil || !bytes.Equal(now, before) {
			t.Fatalf("%s: the copy was changed", what)
		}
	}
	if _, err := os.Stat(d.path("copy/refused")); err == nil {
		t.Error("something was kept as evidence that is none")
	}
}

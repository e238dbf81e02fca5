package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/web"
)

// A mirror answers for the public log as the service does, header by header, and for
// nothing else.
func TestAMirrorAnswersAsTheLog(t *testing.T) {
	w := newWorld(t)
	service := w.handler
	mirror := web.NewMirror(web.MirrorOptions{Origin: origin, Trust: func() []byte { return []byte("trust\n") },
		Object: func(ctx context.Context, name string) ([]byte, error) { return w.svc.Object(ctx, name) }})
	ask := func(h http.Handler, method, path string) *http.Response {
		a := httptest.NewRecorder()
		h.ServeHTTP(a, httptest.NewRequestWithContext(t.Context(), method, path, nil))
		return a.Result()
	}
	body := func(r *http.Response) string {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, path := range []string{"/checkpoint", "/" + checkpoint.HeadName(1), "/" + checkpoint.SignedName(1), "/" + checkpoint.FinalName(2),
		"/tile/0/000.p/2", "/tile/entries/000.p/2", "/tile/0/999", "/tile/x", "/heads/1", "/heads/../db", "/nothing"} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "DELETE"} {
			want, got := ask(service, method, path), ask(mirror, method, path)
			if want.StatusCode != got.StatusCode || body(want) != body(got) {
				t.Errorf("%s %s: %d, not %d as the service", method, path, got.StatusCode, want.StatusCode)
			}
			for _, h := range []string{"Cache-Control", "Content-Type", "Content-Length", "Access-Control-Allow-Origin", "X-Content-Type-Options", "Content-Security-Policy", "Allow"} {
				if want.Header.Get(h) != got.Header.Get(h) {
					t.Errorf("%s %s: %s is %q, not %q", method, path, h, got.Header.Get(h), want.Header.Get(h))
				}
			}
		}
	}
	if a := ask(mirror, "GET", "/tile/0/000.p/2"); a.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
		t.Error(a.Header)
	}
	if a := ask(mirror, "GET", "/checkpoint"); a.Header.Get("Cache-Control") != "no-cache" {
		t.Error(a.Header)
	}
	if page := body(ask(mirror, "GET", "/")); !strings.Contains(page, "Served by a mirror of the log") || strings.Contains(page, "openapi") {
		t.Error("the page does not say that a mirror serves it")
	}
	if a := ask(mirror, "GET", "/trust"); body(a) != "trust\n" {
		t.Error("no trust file")
	}
	for _, path := range []string{"/submissions", "/receipts/a/b", "/streams/a/entries", "/openapi.yaml", "/metrics", "/healthz", "/refused/x", "/.tmp/1"} {
		if a := ask(mirror, "GET", path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
}

package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const webhookSecret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

func newTestWebhook(t *testing.T, address string) *Webhook {
	t.Helper()
	w, err := NewWebhook(address, webhookSecret)
	if err != nil {
		t.Fatal(err)
	}
	w.Pause = time.Millisecond
	return w
}

// What a receiver checks: with the project's own library, and by hand.
func TestWebhookIsSignedByTheStandard(t *testing.T) {
	body := []byte(`{"type":"trialnotary.entries"}`)
	var got atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		check, err := standardwebhooks.NewWebhook(webhookSecret)
		if err == nil {
			err = check.Verify(b, r.Header)
		}
		if err != nil || string(b) != string(body) || r.Header.Get("webhook-id") != "msg_1" {
			t.Errorf("%s: %v", b, err)
		}
		mac := hmac.New(sha256.New, []byte("01234567890123456789012345678901"))
		mac.Write([]byte("msg_1." + r.Header.Get("webhook-timestamp") + "." + string(body)))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.Header.Get("webhook-signature") != want {
			t.Errorf("%q, want %q", r.Header.Get("webhook-signature"), want)
		}
		b[0] ^= 1
		if check.Verify(b, r.Header) == nil {
			t.Error("a changed body verifies")
		}
		got.Add(1)
	}))
	defer srv.Close()
	if err := newTestWebhook(t, srv.URL).Send(t.Context(), "msg_1", body); err != nil || got.Load() != 1 {
		t.Errorf("%d, %v", got.Load(), err)
	}
}

func TestWebhookIsTriedAgainWhereThatHelps(t *testing.T) {
	for _, c := range []struct {
		answers []int
		want    int64
		ok      bool
	}{
		{[]int{200}, 1, true}, {[]int{204}, 1, true}, {[]int{503, 429, 500, 200}, 4, true},
		{[]int{500, 500, 500, 500, 200}, 4, false}, {[]int{400, 200}, 1, false}, {[]int{410, 200}, 1, false}, {[]int{302, 200}, 1, false},
	} {
		var n atomic.Int64
		var elsewhere atomic.Int64
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other.URL)
			w.WriteHeader(c.answers[n.Add(1)-1])
			w.Write([]byte(strings.Repeat("x", 1<<16))) // more than is read
		}))
		err := newTestWebhook(t, srv.URL+"/secret-path").Send(t.Context(), "msg_1", []byte("{}"))
		if (err == nil) != c.ok || n.Load() != c.want || elsewhere.Load() != 0 {
			t.Errorf("%v: asked %d times, %d elsewhere: %v", c.answers, n.Load(), elsewhere.Load(), err)
		}
		if err != nil && strings.Contains(err.Error(), "secret-path") {
			t.Errorf("the error shows the address: %v", err)
		}
		srv.Close()
		other.Close()
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	if err := newTestWebhook(t, gone.URL+"/secret-path").Send(t.Context(), "m", []byte("{}")); err == nil || strings.Contains(err.Error(), "secret-path") {
		t.Errorf("nobody is there: %v", err)
	}
	if err := newTestWebhook(t, gone.URL).Send(t.Context(), "m", make([]byte, maxWebhook+1)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("too large: %v", err)
	}
}

func TestWebhookAddressesAndSecrets(t *testing.T) {
	for _, ok := range []string{"https://example.org/hook?x=1", "http://localhost:1/x", "http://127.0.0.1/x", "http://[::1]:8/x"} {
		if _, err := NewWebhook(ok, webhookSecret); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	for _, bad := range []string{"", "example.org", "http://example.org/", "http://localhost.example.org/", "ftp://example.org/", "https://u:p@example.org/", "https:///x", "https://example.org/\n"} {
		if _, err := NewWebhook(bad, webhookSecret); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	for _, bad := range []string{"", "whsec_", "whsec_c2hvcnQ=", webhookSecret[6:], webhookSecret + "=", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 65))} {
		if _, err := NewWebhook("https://example.org/", bad); err == nil || len(bad) > 8 && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/statement"
)

// certified returns a TLS server whose certificate, of that name, is signed by an
// authority that nobody trusts, and a client that does not know it either.
func certified(t *testing.T, host string, from, until time.Time) *httptest.Server {
	t.Helper()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Proxy CA \u202e7", Organization: []string{"St. Elsewhere Hospital"}},
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(1e6 * time.Hour), IsCA: true, BasicConstraintsValid: true}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "x"}, NotBefore: from, NotAfter: until}
	if ip := net.ParseIP(host); ip != nil {
		leaf.IPAddresses = []net.IP{ip}
	} else {
		leaf.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &leafKey.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = nil
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: leafKey}}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

// html answers with a page for people.
func html(status int, title string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<!DOCTYPE html><html><head><TITLE lang=en>%s</TITLE></head><body>sign in</body>", title)
	}
}

// silent never answers.
func silent(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// half sends an answer that ends before its end.
func half(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	io.WriteString(w, "half")
	panic(http.ErrAbortHandler)
}

// TestWhyUnreachable: each way in which a network fails has its own sentence, and
// what would fail the same is not tried again.
func TestWhyUnreachable(t *testing.T) {
	now := time.Now()
	day := 24 * time.Hour
	good := func() (time.Time, time.Time) { return now.Add(-day), now.Add(day) }
	from, until := good()
	inspected := certified(t, "127.0.0.1", from, until)
	named := certified(t, "portal.example", from, until)
	future := certified(t, "127.0.0.1", now.Add(70*time.Minute+5*time.Second), now.Add(day))
	past := certified(t, "127.0.0.1", now.Add(-9*day), now.Add(-3*day-time.Minute))
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	serving := func(h http.HandlerFunc) string {
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		return srv.URL
	}
	failing := func(err error) *http.Client {
		tr := transport()
		tr.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, err }
		return &http.Client{Transport: tr}
	}
	slow := &http.Client{Transport: transport(), Timeout: 30 * time.Millisecond}
	for _, c := range []struct {
		what, url string
		http      *http.Client
		want, do  string
		attempts  int
	}{
		{"TLS inspection", inspected.URL, nil, "this machine does not trust its certificate, which was signed by “Proxy CA <U+202E>7, St. Elsewhere Hospital”", "SSL_CERT_FILE", 1},
		{"and sealing without a connection", inspected.URL, nil, "does not trust", "seal … --offline", 1},
		{"another name", named.URL, trusting(named), "of another name: portal.example", "sign-in page", 1},
		{"a clock behind", future.URL, nil, "the clock is at least 1 h 10 min behind", "Set the clock", 1},
		{"a clock ahead, or an old certificate", past.URL, nil, "its certificate was valid until ", "If the clock of this computer is 3 days ahead", 1},
		{"no TLS", "https" + strings.TrimPrefix(plain.URL, "http"), nil, "it does not speak TLS there", "http://", 1},
		{"nobody listens", "http://127.0.0.1:1", nil, "the connection was refused", "port", 2},
		{"no such host", "http://absent.invalid", failing(&net.DNSError{Err: "no such host", Name: "absent.invalid", IsNotFound: true}), "there is no host named absent.invalid", "VPN", 2},
		{"no name server", "http://absent.invalid", failing(&net.DNSError{Err: "server misbehaving", Name: "absent.invalid", IsTemporary: true}), "the name server does not answer", "connected", 2},
		{"no network", "http://192.0.2.1", failing(&net.OpError{Op: "dial", Net: "tcp", Err: errNoRoute}), "no way to it from this machine's network", "connected", 2},
		{"silence", serving(silent), slow, "it did not answer in time", "firewall", 2},
		{"half an answer", serving(half), nil, "the connection broke before its answer was complete", "", 2},
		{"no answer", serving(hangUp), nil, "the connection broke before its answer was complete", "", 2},
		{"a sign-in page", serving(html(200, "Guest \u202eWi-Fi\n login")), nil, "a web page (“Guest <U+202E>Wi-Fi login”) answered in its place", "sign in", 1},
		{"a sign-in page that says so", serving(html(511, "")), nil, "a web page answered in its place", "sign in", 1},
		{"a filter", serving(html(403, "Blocked")), nil, "(“Blocked”) answered in its place: 403 Forbidden", "filter", 1},
	} {
		var told []Attempt
		s, err := New(c.url, Options{HTTP: c.http, Pause: time.Millisecond, Attempts: 2, Tell: func(a Attempt) { told = append(told, a) }})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Submit(context.Background(), []byte("note\n"))
		var u *Unreachable
		if !errors.As(err, &u) || !strings.Contains(err.Error(), c.want) || !strings.Contains(u.Do, c.do) || c.do == "" && u.Do != "" {
			t.Errorf("%s: %v; advice %q", c.what, err, u.Do)
		}
		if len(told) != c.attempts-1 {
			t.Errorf("%s: told of %d failed attempts, want %d", c.what, len(told), c.attempts-1)
		}
		for _, a := range told {
			if a.Next != 2 || a.Of != 2 || a.Wait <= 0 || !errors.As(a.Err, &u) {
				t.Errorf("%s: told %+v", c.what, a)
			}
		}
	}
}

// trusting returns a client that trusts the server's certificate itself.
func trusting(srv *httptest.Server) *http.Client {
	tr := transport()
	tr.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	tr.TLSClientConfig.RootCAs.AddCert(srv.Certificate())
	return &http.Client{Transport: tr}
}

// TestProxy: what a proxy refuses is told apart from what the service does.
func TestProxy(t *testing.T) {
	for _, c := range []struct {
		what, url string
		proxy     http.HandlerFunc
		want, do  string
	}{
		{"password for a tunnel", "https://notary.example", status(407, "Proxy-Authenticate", "Basic"), "wants a user name and a password (407)", "HTTPS_PROXY=http://USER:PASSWORD@127.0.0.1"},
		{"password", "http://notary.example", status(407, "Proxy-Authenticate", "Basic"), "wants a user name and a password (407)", "HTTP_PROXY=http://USER:PASSWORD@"},
		{"forbidden tunnel", "https://notary.example", status(403), "will not connect to it (403 Forbidden)", "NO_PROXY"},
	} {
		srv := httptest.NewServer(c.proxy)
		t.Cleanup(srv.Close)
		at, err := url.Parse(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		tr := transport()
		tr.Proxy = http.ProxyURL(at)
		n := 0
		s, err := New(c.url, Options{HTTP: &http.Client{Transport: tr}, Pause: time.Millisecond, Tell: func(Attempt) { n++ }})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Trust(context.Background())
		var u *Unreachable
		if !errors.As(err, &u) || !errors.Is(err, ErrProxy) || !strings.Contains(err.Error(), c.want) || !strings.Contains(u.Do, c.do) || n != 0 {
			t.Errorf("%s: %v, tried again %d times", c.what, err, n)
		}
	}
	tr := transport()
	tr.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "127.0.0.1:1"})
	s, err := New("https://notary.example", Options{HTTP: &http.Client{Transport: tr}, Pause: time.Millisecond, Attempts: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Trust(context.Background()); !strings.Contains(err.Error(), "the proxy that HTTPS_PROXY or HTTP_PROXY names does not answer (the connection was refused)") {
		t.Errorf("a proxy that is not there: %v", err)
	}
}

// TestAnswerLost: a statement that took effect although its answer was lost, whole
// or by half, is sent again byte for byte, so that it stays one entry.
func TestAnswerLost(t *testing.T) {
	note := sampleReceipt(t, "site1.receipt").Statement
	var got []string
	accept := accepting(&got)
	lost := func(answer http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			accept(httptest.NewRecorder(), r) // it counts
			answer(w, r)
		}
	}
	s, n := answering(t, lost(hangUp), lost(half), lost(status(502)), accept)
	if _, err := s.Submit(context.Background(), note); err != nil {
		t.Fatal(err)
	}
	if n.Load() != 4 || len(got) != 4 {
		t.Fatalf("%d requests, %d accepted", n.Load(), len(got))
	}
	for _, g := range got {
		if statement.IDOf([]byte(g)) != statement.IDOf(note) {
			t.Errorf("another statement was sent")
		}
	}
}

// TestClockError: this computer's clock is compared with the service's, whatever a
// cache did to the answer.
func TestClockError(t *testing.T) {
	here := time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		what   string
		header []string
		status int
		want   time.Duration
	}{
		{"right", []string{"Date", at(here)}, 200, 0},
		{"right to a second", []string{"Date", at(here.Add(-time.Second))}, 200, 0},
		{"two hours behind", []string{"Date", at(here.Add(2 * time.Hour))}, 200, -2 * time.Hour},
		{"a year ahead", []string{"Date", at(here.Add(-365 * 24 * time.Hour))}, 404, 365*24*time.Hour - time.Second},
		{"from a cache", []string{"Date", at(here.Add(-time.Hour)), "Age", "3600"}, 200, 0},
		{"a page of another", []string{"Date", at(here.Add(time.Hour)), "Content-Type", "text/html"}, 200, 0},
		{"not a date", []string{"Date", "yesterday"}, 200, 0},
	} {
		s, _ := answering(t, status(c.status, c.header...))
		s.Now = func() time.Time { return here }
		if got := s.ClockError(context.Background()); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	s, n := answering(t, hangUp)
	if got := s.ClockError(context.Background()); got != 0 || n.Load() != 1 {
		t.Errorf("no answer: %v after %d requests", got, n.Load())
	}
	for d, want := range map[time.Duration]string{-125 * time.Minute: "2 h 5 min", 49 * time.Hour: "2 days", 400 * time.Second: "6 min", 7 * time.Second: "7 s"} {
		if got := Span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func at(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

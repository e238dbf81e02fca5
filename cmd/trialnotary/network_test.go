package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"trialnotary/notary/client"
)

// TestNetworkScripts runs stories in which a network lies between, and fails.
func TestNetworkScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/network",
		Setup: func(e *testscript.Env) error {
			v, err := newVillage()
			if err != nil {
				return err
			}
			e.Defer(v.close)
			e.Values[villageKey{}] = v
			n := newNetwork(v.http.Config.Handler)
			e.Defer(n.http.Close)
			e.Values[networkKey{}] = n
			e.Setenv("TRIALNOTARY_CONFIG", filepath.Join(e.WorkDir, "config"))
			e.Setenv("TRIALNOTARY_SERVICE", n.http.URL)
			e.Setenv("NETWORK", strings.TrimPrefix(n.http.URL, "http://"))
			e.Setenv("TZ", "UTC")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "admit": admit, "network": networkSwitch, "untrusted": untrusted,
		},
	})
}

type networkKey struct{}

// network is what lies between a client and a service.
type network struct {
	http *httptest.Server

	mu    sync.Mutex
	way   string
	times int           // how often, before it works again; 0: for ever
	clock time.Duration // by how much the service's clock is ahead
}

func newNetwork(service http.Handler) *network {
	n := &network{}
	n.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.mu.Lock()
		way := n.way
		// The question for the clock is none that people wait for.
		if n.times > 0 && r.URL.Path != "/checkpoint" {
			if n.times--; n.times == 0 {
				n.way = ""
			}
		}
		w.Header().Set("Date", time.Now().Add(n.clock).UTC().Format(http.TimeFormat))
		n.mu.Unlock()
		switch way {
		case "": // works
			service.ServeHTTP(hasty{w}, r)
		case "lost": // the answer is, after it took effect
			service.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case "half":
			rec := httptest.NewRecorder()
			service.ServeHTTP(rec, r)
			w.Header().Set("Content-Length", "9999")
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
			panic(http.ErrAbortHandler)
		case "portal":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html><title>Ward 7 guest Wi-Fi</title>"))
		case "password":
			w.Header().Set("Proxy-Authenticate", "Basic realm=hospital")
			w.WriteHeader(http.StatusProxyAuthRequired)
		}
	}))
	return n
}

// network WAY [TIMES] | network clock DURATION: how it fails from here on; "works".
func networkSwitch(ts *testscript.TestScript, _ bool, args []string) {
	n := ts.Value(networkKey{}).(*network)
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case args[0] == "clock":
		d, err := time.ParseDuration(args[1])
		ts.Check(err)
		n.clock = d
	case args[0] == "works":
		n.way, n.times = "", 0
	default:
		n.way, n.times = args[0], 0
		if len(args) > 1 {
			times, err := strconv.Atoi(args[1])
			ts.Check(err)
			n.times = times
		}
	}
}

// untrusted NAME: sets a variable to the address of a service whose certificate
// nobody trusts.
func untrusted(ts *testscript.TestScript, _ bool, args []string) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.StartTLS()
	ts.Defer(srv.Close)
	ts.Setenv(args[0], srv.URL)
}

// TestAttemptsAreSeen: who watches is told of each attempt; a program is not.
func TestAttemptsAreSeen(t *testing.T) {
	var said strings.Builder
	a := &app{err: &said, watched: true, now: time.Now}
	tell := a.options().Tell
	tell(client.Attempt{Next: 2, Of: 5, Wait: 3 * time.Second, Err: &client.Unreachable{URL: "https://notary.example", Err: errors.New("it did not answer in time")}})
	want := "\r\x1b[Kthe service https://notary.example could not be reached: it did not answer in time.\n  Nothing is lost: attempt 2 of 5 in 3 s.\n"
	if said.String() != want {
		t.Errorf("%q", said.String())
	}
	said.Reset()
	tell(client.Attempt{Next: 3, Of: 5, Wait: time.Millisecond, Err: &client.Unreachable{URL: "https://notary.example", Err: errors.New("it did not answer in time")}})
	if said.String() != "\r\x1b[K  Nothing is lost: attempt 3 of 5 in 1 s.\n" {
		t.Errorf("the same again: %q", said.String())
	}
	a.json = true
	if a.options().Tell != nil {
		t.Error("a program is told, too")
	}
}

// TestManyPendingAndNoNetwork: a service that cannot be reached is tried for the first
// of many pending files, not for each of them again.
func TestManyPendingAndNoNetwork(t *testing.T) {
	s := newWard(t)
	if err := os.Mkdir(s.path("data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path("data", "a.csv"), []byte("a"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two", "three"} {
		s.run(t, "seal", "data", "--offline", "--out", name)
	}
	var tries atomic.Int32
	dead := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		tries.Add(1)
		panic(http.ErrAbortHandler)
	}))
	defer dead.Close()
	for _, verb := range [][]string{{"receipt"}, {"submit", "one.pending", "two.pending", "three.pending"}} {
		before := tries.Load()
		cmd := exec.CommandContext(t.Context(), "trialnotary", append(verb, "--service", dead.URL)...)
		cmd.Dir = s.dir
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != exitService {
			t.Errorf("%s: exit code %d (%v), want %d", verb[0], code, err, exitService)
		}
		if n := strings.Count(string(out), "could not be reached"); n != 3 {
			t.Errorf("%s: of 3 files %d are said not to have been sent:\n%s", verb[0], n, out)
		}
		if n := tries.Load() - before; n < 2 || n > 10 {
			t.Errorf("%s: the service was asked %d times", verb[0], n)
		}
	}
}

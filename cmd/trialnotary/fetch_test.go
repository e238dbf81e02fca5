package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

// desk is a sponsor's folder and commands, in this process.
type desk struct {
	testing.TB
	dir string
	now func() time.Time // of its commands
	*village
}

func newDesk(t testing.TB) *desk {
	v, err := newVillage()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.close)
	d := &desk{t, t.TempDir(), time.Now, v}
	t.Setenv("TRIALNOTARY_CONFIG", d.path("config"))
	d.run("keygen", "--name", "acme", "--no-passphrase", "--out", d.path("acme.key"))
	d.run("keygen", "--name", "acme.recovery", "--no-passphrase", "--out", d.path("rec.key"))
	k, err := verifierKey(d.path("acme.key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	v.sponsors = append(v.sponsors, k)
	d.run("register", "NCT01234567", "--recovery", d.path("rec.key.pub"), "--key", d.path("acme.key"), "--service", v.http.URL, "--out", d.path("T.trial"))
	return d
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

// run runs a command that must do what it is told, and returns what it prints.
func (d *desk) run(args ...string) string {
	d.Helper()
	var out strings.Builder
	a := &app{in: os.Stdin, out: &out, err: io.Discard, prompt: io.Discard, now: d.now}
	root := a.root()
	root.SetArgs(args)
	if c, err := root.ExecuteC(); err != nil {
		a.err = &out
		d.Fatalf("%s: exit code %d\n%s", strings.Join(args, " "), a.finish(c, err), out.String())
	}
	return out.String()
}

// fill seals n datasets in the stream of an invite, by its own key.
func (d *desk) fill(s *notary.Service, invite, key string, n int) {
	d.Helper()
	i, err := readInvite(invite)
	if err != nil {
		d.Fatal(err)
	}
	b, err := client.ReadFile(key, 1<<16)
	if err != nil {
		d.Fatal(err)
	}
	f, err := client.ParseKey(b)
	if err != nil {
		d.Fatal(err)
	}
	k, err := f.Open("")
	if err != nil {
		d.Fatal(err)
	}
	var notes [][]byte
	for j := range n {
		note, err := statement.Sign(&statement.Statement{Log: i.Log, Trial: i.Trial, StreamName: i.Stream, StreamSalt: i.Salt, Kind: statement.KindNote,
			Label: fmt.Sprintf("note %d", j), Time: time.Now().UTC().Truncate(time.Second), Salt: random()}, k)
		if err != nil {
			d.Fatal(err)
		}
		if notes = append(notes, note.Raw); len(notes) == notary.MaxSubmission || j == n-1 {
			if _, err := s.Submit(context.Background(), notes); err != nil {
				d.Fatal(err)
			}
			notes = nil
		}
	}
}

// A thousand receipts cost as many requests as there are tiles, batches and pages:
// none for a receipt by itself. A service that fails in the middle leaves whole
// receipts, and the next run brings the others only.
func TestFetchAsksForTilesNotReceipts(t *testing.T) {
	d := newDesk(t)
	d.run("keygen", "--name", "jane", "--no-passphrase", "--out", d.path("jane.key"))
	d.run("enrol", d.path("T.trial"), "site-1", d.path("jane.key.pub"), "--out", d.path("jane.invite"))
	d.fill(d.notary, d.path("jane.invite"), d.path("jane.key"), 1000)
	d.settle()

	var mu sync.Mutex
	asked := map[string]int{}
	stop := 20
	d.watch(func(r *http.Request) int {
		mu.Lock()
		defer mu.Unlock()
		kind, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		asked[kind]++
		asked["all"]++
		if stop > 0 && asked["all"] > stop && strings.HasPrefix(kind, "heads") {
			return http.StatusForbidden
		}
		return 0
	})
	a := &app{in: os.Stdin, out: io.Discard, err: io.Discard, prompt: io.Discard, now: time.Now}
	stop = 5
	root := a.root()
	root.SetArgs([]string{"fetch", d.path("T.trial"), "--out", d.path("all")})
	if err := root.Execute(); codeOf(err) != exitService {
		t.Fatalf("a service that refuses in the middle: %v", err)
	}
	before, _ := filepath.Glob(d.path("all/*/*"))
	for _, name := range before {
		if !strings.HasSuffix(name, ".receipt") {
			t.Errorf("%s was left behind", name)
		}
	}
	mu.Lock()
	stop = 0
	clear(asked)
	mu.Unlock()
	out := d.run("fetch", d.path("T.trial"), "--out", d.path("all"))
	if !strings.Contains(out, fmt.Sprintf("receipts   %s written in", number(uint64(1002-len(before))))) {
		t.Errorf("%d were there:\n%s", len(before), out)
	}
	mu.Lock()
	defer mu.Unlock()
	t.Logf("asked for: %v", asked)
	if asked["receipts"] != 0 || asked["all"] > 60 {
		t.Errorf("asked for %v", asked)
	}
}

// BenchmarkFetch brings back ten thousand receipts.
func BenchmarkFetch(b *testing.B) {
	const n = 10_000
	d := newDesk(b)
	d.run("keygen", "--name", "jane", "--no-passphrase", "--out", d.path("jane.key"))
	d.run("enrol", d.path("T.trial"), "site-1", d.path("jane.key.pub"), "--out", d.path("jane.invite"))
	d.fill(d.notary, d.path("jane.invite"), d.path("jane.key"), n)
	d.settle()
	for i := 0; b.Loop(); i++ {
		d.run("fetch", d.path("T.trial"), "--out", d.path(fmt.Sprintf("all-%d", i)))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(n+2), "ns/receipt")
}

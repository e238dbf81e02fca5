package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/ondisk"
	"trialnotary/notary/storetest"
)

// load submits without end, one statement or a few at a time, until the service
// is gone or stop says so.
func (c *cohort) load(url string, clients int, stop <-chan struct{}) *sync.WaitGroup {
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				note := c.data(i)
				var err error
				var status int
				switch {
				case n%5 == 4:
					status, err = c.submit(url, note, c.data(i), c.data(i))
				default:
					status, err = c.submit(url, note)
				}
				if err != nil && status == 0 {
					return // killed
				}
				if err != nil && status != http.StatusServiceUnavailable {
					c.t.Error(err)
				}
				if n%7 == 6 {
					c.submit(url, note) // again: the same entry
				}
			}
		})
	}
	return &wg
}

// verifyLog re-verifies the whole log from its bytes, and that everything that
// was answered 202 stands in it exactly once. No process has it open.
func (c *cohort) verifyLog() storetest.Log {
	c.t.Helper()
	store, err := ondisk.Open(c.dir)
	if err != nil {
		c.t.Fatal(err)
	}
	defer store.Close()
	ctx := context.Background()
	log, err := storetest.VerifyLog(func(name string) ([]byte, error) {
		if name != "checkpoint" {
			return store.Get(ctx, name)
		}
		b, err := store.Checkpoint(ctx)
		if err == nil && b == nil {
			err = notary.ErrNotFound
		}
		return b, err
	}, c.policy())
	if err != nil {
		c.t.Fatalf("the log does not verify: %v", err)
	}
	times := map[notary.Ref]int{}
	for _, e := range log.Entries {
		times[notary.Ref{Stream: e.Stream, Statement: e.Statement}]++
	}
	for ref := range c.accepted {
		if times[ref] != 1 {
			c.t.Fatalf("a statement that was answered 202 stands in the log %d times", times[ref])
		}
	}
	if p, err := store.Pending(ctx, 1); err != nil || len(p) > 0 {
		c.t.Fatalf("something is left in the inbox (%v)", err)
	}
	return log
}

// A crash at any moment loses nothing that was answered: the process is killed
// under load again and again, and every 202 ends in one entry and a receipt.
func TestServeKilled(t *testing.T) {
	kills := 6
	if n, err := strconv.Atoi(os.Getenv("TRIALNOTARY_TEST_KILLS")); err == nil {
		kills = n
	}
	c := newCohort(t, 4)
	p := c.start("--every", "20ms")
	c.enrol(p.url)
	for range kills {
		stop := make(chan struct{})
		wg := c.load(p.url, 8, stop)
		time.Sleep(50*time.Millisecond + rand.N(300*time.Millisecond))
		p.kill()
		close(stop)
		wg.Wait()
		p = c.start("--every", "20ms")
	}
	for ref := range c.accepted {
		c.await(p.url, ref)
	}
	p.terminate()
	log := c.verifyLog()
	t.Logf("%d kills: %d statements answered 202, log of %d leaves in %d batches", kills, len(c.accepted), log.Size, log.Batches)
}

// Stopping under load: every request that was begun is answered, the last batch
// is sealed, the exit code is 0.
func TestServeStopsCleanly(t *testing.T) {
	c := newCohort(t, 2)
	p := c.start("--every", "20ms")
	c.enrol(p.url)
	p.terminate()
	p = c.start("--every", "1h")       // from here on only the last seal seals
	time.Sleep(100 * time.Millisecond) // its first tick is over
	stop := make(chan struct{})
	wg := c.load(p.url, 8, stop)
	time.Sleep(300 * time.Millisecond)
	p.terminate()
	close(stop)
	wg.Wait()
	log := c.verifyLog()
	if len(log.Entries) < len(c.accepted) {
		t.Fatal("the last seal did not happen")
	}
	if out := p.stderr.String(); !strings.Contains(out, "stopped; nothing was lost") {
		t.Error(out)
	}
}

// The first start makes keys nobody else can read and a trust file, says what to
// do next, and the origin stays for ever.
func TestServeFirstStart(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "new", "log")
	start := func(c serverConfig) (*server, error) {
		c.dir, c.listen, c.every = dir, "127.0.0.1:0", time.Hour
		return startServer(ctx, c)
	}
	s, err := start(serverConfig{origin: "log.example/trials"})
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	s.introduce(&said)
	for _, words := range []string{"A new log was made", "log.example/trials", s.URL, s.Fingerprint(), "no passphrase", "nobody can register", "sponsors.txt"} {
		if !strings.Contains(said.String(), words) {
			t.Errorf("it does not say %q:\n%s", words, &said)
		}
	}
	said.Reset()
	var told struct {
		Log, URL string
		Print    string `json:"trust_fingerprint"`
		Created  bool
	}
	if err := s.introduceJSON(&said); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(said.Bytes(), &told); err != nil || told.URL != s.URL || told.Log != "log.example/trials" || told.Print != s.Fingerprint() || !told.Created {
		t.Errorf("for machines it says %s: %v", &said, err)
	}
	for _, name := range []string{ed25519Key, mldsaKey} {
		info, err := os.Stat(filepath.Join(dir, keysDir, name))
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if _, err := start(serverConfig{}); err == nil || !strings.Contains(err.Error(), "another process is using this directory") {
		t.Errorf("two at once: %v", err)
	}
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := start(serverConfig{origin: "other.example/log"}); err == nil || !strings.Contains(err.Error(), `is "log.example/trials" and stays so for ever`) {
		t.Errorf("another origin: %v", err)
	}
	again, err := start(serverConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if again.Fingerprint() != s.Fingerprint() || again.log.created {
		t.Error("it is another log")
	}
	// One batch, and the key can no longer be made anew.
	if _, err := again.service.Seal(ctx); err != nil {
		t.Fatal(err)
	}
	if err := again.Close(ctx); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, keysDir, mldsaKey)
	saved, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(key)
	if _, err := start(serverConfig{}); err == nil || !strings.Contains(err.Error(), "put it back from your copy") {
		t.Errorf("a lost key: %v", err)
	}
	if err := os.WriteFile(key, saved, 0o600); err != nil {
		t.Fatal(err)
	}
	if last, err := start(serverConfig{}); err != nil {
		t.Error(err)
	} else {
		last.Close(ctx)
	}
}

func TestServeRefusesToStart(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.txt")
	if err := os.WriteFile(bad, []byte("# ours\n\nacme+123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := serverConfig{dir: filepath.Join(dir, "log"), listen: "127.0.0.1:0", every: time.Second}
	for says, change := range map[string]func(*serverConfig){
		"--every":           func(c *serverConfig) { c.every = 0 },
		"cannot name a log": func(c *serverConfig) { c.origin = "two words" },
		"--sponsor":         func(c *serverConfig) { c.sponsors = []string{"acme"} },
		"bad.txt: line 3":   func(c *serverConfig) { c.sponsorsFile = bad },
		"missing.txt":       func(c *serverConfig) { c.sponsorsFile = filepath.Join(dir, "missing.txt") },
		"--listen":          func(c *serverConfig) { c.listen = "127.0.0.1:99999" },
		"not a directory":   func(c *serverConfig) { c.dir = bad + "/log" },
	} {
		c := good
		change(&c)
		if s, err := startServer(context.Background(), c); err == nil {
			s.Close(context.Background())
			t.Errorf("%s: it started", says)
		} else if !strings.Contains(err.Error(), says) {
			t.Errorf("%q does not say %q", err, says)
		}
	}
}

// A sponsor added to the file may register from the next tick on; a mistake in
// the file leaves those of before.
func TestServeSponsorsFile(t *testing.T) {
	ctx := context.Background()
	c := newCohort(t, 1)
	var log lockedBuffer
	s, err := startServer(ctx, serverConfig{dir: c.dir, listen: "127.0.0.1:0", origin: c.origin, every: 10 * time.Millisecond, log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(ctx)
	before := s.Fingerprint()
	await := func(what string) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); !strings.Contains(log.String(), what); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the log does not say %q:\n%s", what, log.String())
			}
		}
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(c.dir, sponsors), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# our sponsors\r\n\r\n" + c.sponsor.Public().String() + " # since November\r\n")
	await("the sponsors file was read again")
	c.enrol(s.URL)
	trust, err := os.ReadFile(s.trustFile())
	if err != nil || !strings.Contains(string(trust), c.sponsor.Public().String()) || s.Fingerprint() == before {
		t.Errorf("the trust file is the old one (%v)", err)
	}
	write("nonsense\n")
	await("has a mistake")
	if len(s.sponsors.keys()) != 1 {
		t.Error("the sponsors of before are gone")
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// The database is restored from an older copy: nothing is signed, reads go on,
// the operator is told what to do, and repair does it.
func TestServeRestoredAndRepair(t *testing.T) {
	ctx := context.Background()
	c := newCohort(t, 1)
	var log lockedBuffer
	start := func() *server {
		t.Helper()
		s, err := startServer(ctx, serverConfig{dir: c.dir, listen: "127.0.0.1:0", origin: c.origin, every: 10 * time.Millisecond,
			sponsors: []string{c.sponsor.Public().String()}, log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	stop := func(s *server) {
		t.Helper()
		if err := s.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	s := start()
	c.enrol(s.URL)
	stop(s)
	database := filepath.Join(c.dir, "db", "notary.db")
	old, err := os.ReadFile(database)
	if err != nil {
		t.Fatal(err)
	}
	s = start()
	ref := c.must(s.URL, c.data(0))
	c.await(s.URL, ref)
	stop(s)
	if err := os.WriteFile(database, old, 0o600); err != nil {
		t.Fatal(err)
	}

	s = start()
	for end := time.Now().Add(10 * time.Second); !s.sealer.stopped.Load(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it goes on sealing")
		}
	}
	if !strings.Contains(log.String(), "trialnotary repair --dir "+c.dir) {
		t.Error(log.String())
	}
	for path, want := range map[string]int{"/healthz": 503, "/checkpoint": 200, "/trust": 200} {
		if r, err := http.Get(s.URL + path); err != nil || r.StatusCode != want {
			t.Errorf("%s: %v %v", path, r, err)
		}
	}
	if status, err := c.submit(s.URL, c.data(0)); status != 503 {
		t.Errorf("it accepts: %d %v", status, err)
	}
	stop(s)

	for i, want := range []string{"Repaired: 1 batch was rebuilt", "Nothing to repair", `{"batches_rebuilt":0}`} {
		var out bytes.Buffer
		r, _, err := newApp().root().Find([]string{"repair"})
		if err != nil {
			t.Fatal(err)
		}
		r.Parent().RemoveCommand(r) // by itself, as it has its own arguments
		if r.SetArgs([]string{"--dir", c.dir}); want[0] == '{' {
			r.SetArgs([]string{"--dir", c.dir, "--json"})
		}
		r.SetOut(&out)
		r.SetErr(&out)
		if err := r.ExecuteContext(ctx); err != nil || !strings.Contains(out.String(), want) {
			t.Fatalf("repair %d: %v\n%s", i, err, &out)
		}
	}
	s = start()
	c.await(s.URL, ref)
	c.await(s.URL, c.must(s.URL, c.data(0)))
	stop(s)
	c.verifyLog()

	all := repairCommand()
	all.SetArgs([]string{"--dir", c.dir, "--all"})
	all.SetOut(new(bytes.Buffer))
	all.SetErr(new(bytes.Buffer))
	if err := all.ExecuteContext(ctx); err != nil {
		t.Fatal(err)
	}
	c.verifyLog()

	empty := repairCommand()
	empty.SilenceErrors, empty.SilenceUsage = true, true
	empty.SetArgs([]string{"--dir", t.TempDir()})
	if err := empty.ExecuteContext(ctx); err == nil || !strings.Contains(err.Error(), "there is no log in") {
		t.Errorf("repair of nothing: %v", err)
	}
}

// Sealing that fails is tried again, and the service says that it is unwell only
// after a while.
func TestSealerBacksOffAndRecovers(t *testing.T) {
	store := storetest.NewMemory()
	var mu sync.Mutex
	broken := true
	faulty := storetest.NewFaulty(store, func(op string, _ int) storetest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if broken && op == "Head" {
			return storetest.Refuse
		}
		return storetest.None
	})
	ed, err := checkpoint.GenerateEd25519("log.example")
	if err != nil {
		t.Fatal(err)
	}
	ml, err := checkpoint.GenerateMLDSA44("log.example")
	if err != nil {
		t.Fatal(err)
	}
	policy, err := checkpoint.NewLogPolicy(ed.VerifierKey(), ml.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	svc, err := notary.New(faulty, notary.Config{Origin: "log.example", Signers: []checkpoint.Signer{ed, ml}, Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	s := newSealer(svc, time.Millisecond, slog.New(slog.DiscardHandler), func() {}, func(error) {}, "DIR")
	for range unwellAfter {
		if s.health() != "" {
			t.Error("unwell too soon")
		}
		if err := s.seal(func() bool { return false }); !errors.Is(err, storetest.ErrInjected) {
			t.Fatal(err)
		}
	}
	if s.health() == "" {
		t.Error("not unwell")
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	go s.run()
	for end := time.Now().Add(10 * time.Second); s.batches.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not recover")
		}
	}
	if err := s.stop(context.Background()); err != nil || s.health() != "" {
		t.Errorf("%v, %q", err, s.health())
	}
}

// A header without end is turned away, and many idle connections leave room.
func TestServeBounds(t *testing.T) {
	s, err := startServer(context.Background(), serverConfig{dir: filepath.Join(t.TempDir(), "log"), listen: "127.0.0.1:0", every: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	r, err := http.NewRequest("GET", s.URL+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Long", strings.Repeat("x", 64<<10))
	if a, err := http.DefaultClient.Do(r); err != nil || a.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%v, %v", a, err)
	}
	for name, d := range map[string]time.Duration{"header": s.http.ReadHeaderTimeout, "body": s.http.ReadTimeout, "answer": s.http.WriteTimeout, "idle": s.http.IdleTimeout} {
		if d <= 0 || d > 5*time.Minute {
			t.Errorf("%s: %s", name, d)
		}
	}
	for range 300 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	if a, err := http.Get(s.URL + "/healthz"); err != nil || a.StatusCode != http.StatusOK {
		t.Errorf("%v, %v", a, err)
	}
}

// brokenStore is a store whose disk failed at a commit.
type brokenStore struct{ notary.Store }

func (brokenStore) Head(context.Context) ([]byte, error) {
	return nil, fmt.Errorf("input/output error: %w", ondisk.ErrReopen)
}

func TestServiceEndsWhenOnlyANewProcessCanGoOn(t *testing.T) {
	ed, err := checkpoint.GenerateEd25519("log.example")
	if err != nil {
		t.Fatal(err)
	}
	ml, err := checkpoint.GenerateMLDSA44("log.example")
	if err != nil {
		t.Fatal(err)
	}
	policy, err := checkpoint.NewLogPolicy(ed.VerifierKey(), ml.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	svc, err := notary.New(brokenStore{storetest.NewMemory()}, notary.Config{Origin: "log.example", Signers: []checkpoint.Signer{ed, ml}, Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	var told error
	s := newSealer(svc, time.Millisecond, slog.New(slog.DiscardHandler), func() {}, func(err error) { told = err }, "DIR")
	if err := s.seal(func() bool { return false }); err == nil || !errors.Is(told, ondisk.ErrReopen) || !strings.Contains(told.Error(), "start the service again") {
		t.Fatalf("sealing says %v, the service is told %v", err, told)
	}
}

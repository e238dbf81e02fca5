package main

import (
	"bytes"
	"context"
	"errors"
	"maps"
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

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
	"trialnotary/notary/web"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"trialnotary": main})
}

// TestScripts runs the stories of testdata/script, each against a service of its
// own, in this process, that keeps everything in memory.
func TestScripts(t *testing.T) {
	sample, err := filepath.Abs("testdata/sample")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			if err := os.CopyFS(filepath.Join(e.WorkDir, "sample"), os.DirFS(sample)); err != nil {
				return err
			}
			if filepath.Base(e.WorkDir) == "script-explain" {
				if err := os.CopyFS(filepath.Join(e.WorkDir, "content"), os.DirFS("../../notary/content/testdata")); err != nil {
					return err
				}
			}
			var anchor time.Duration
			if filepath.Base(e.WorkDir) == "script-reads" {
				anchor = time.Millisecond // reads are sealed at once, as after ten minutes
			}
			v, err := newAnchoringVillage(anchor)
			if err != nil {
				return err
			}
			e.Defer(v.close)
			e.Values[villageKey{}] = v
			e.Setenv("TRIALNOTARY_CONFIG", filepath.Join(e.WorkDir, "config"))
			e.Setenv("SERVICE", v.http.URL)
			e.Setenv("FINGERPRINT", v.fingerprint())
			e.Setenv("TZ", "UTC")
			e.Setenv("BIDI", "Week \u202e12")
			return nil
		},
		Cmds: scriptCommands(map[string]scriptCommand{"admit": admit, "sealing": sealingSwitch, "service": serviceSwitch, "freeze": freeze, "cosign": cosign, "forge": forge, "trusting": trusting}),
	})
}

type scriptCommand = func(*testscript.TestScript, bool, []string)

// scriptCommands returns what the scripts call, whatever the service is, and those
// that work on one.
func scriptCommands(onService map[string]scriptCommand) map[string]scriptCommand {
	all := map[string]scriptCommand{
		"exits": exits, "replace": replaceIn, "await": awaitFile, "setvar": setvar, "asmail": asMail, "private": private, "pause": pause,
		"holds": zipHolds, "holdsno": zipHoldsNo, "secrets": zipSecrets, "unzip": unzip, "zip": zipUp, "certify": certify, "retouch": retouch,
		"people": makePeople, "onebatch": oneBatch, "setreceipt": setReceipt, "append": appendTo, "found": foundFile,
	}
	maps.Copy(all, onService)
	return all
}

type villageKey struct{}

// village is a log with its service: who is admitted, whether it seals and whether
// it answers can be changed while it runs.
type village struct {
	stale stale
	http  *httptest.Server
	stop  context.CancelFunc
	done  chan struct{}

	mu       sync.Mutex
	sponsors []statement.PublicKey
	sealing  bool
	status   int                     // answered instead, if not 0
	look     func(*http.Request) int // sees every request; what it returns, if not 0, is answered
	notary   *notary.Service
	// alter changes an answer, or says that there is none; set before any request.
	alter  func(path string, body []byte) (changed []byte, gone bool)
	policy *checkpoint.Policy
	ahead  atomic.Int64 // nanoseconds that its clock is ahead

	signers []checkpoint.Signer
	forged  map[string][]byte // shown in place of what is there, by path
}

func newVillage() (*village, error) { return newAnchoringVillage(0) }

// newAnchoringVillage is newVillage with reads sealed after so long.
func newAnchoringVillage(anchor time.Duration) (*village, error) {
	v := &village{sealing: true, done: make(chan struct{})}
	const origin = "log.example/village"
	ed, err := checkpoint.GenerateEd25519(origin)
	if err != nil {
		return nil, err
	}
	ml, err := checkpoint.GenerateMLDSA44(origin)
	if err != nil {
		return nil, err
	}
	if v.policy, err = checkpoint.NewLogPolicy(ed.VerifierKey(), ml.VerifierKey()); err != nil {
		return nil, err
	}
	v.signers = []checkpoint.Signer{ed, ml}
	s, err := notary.New(storetest.NewMemory(), notary.Config{Origin: origin, Signers: v.signers, Policy: v.policy, Anchor: anchor,
		Now:      func() time.Time { return time.Now().Add(time.Duration(v.ahead.Load())) },
		Sponsors: func() []statement.PublicKey { v.mu.Lock(); defer v.mu.Unlock(); return v.sponsors }})
	if err != nil {
		return nil, err
	}
	v.notary = s
	handler := web.New(web.Options{Service: s, Trust: v.trust})
	v.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		status, look, forged := v.status, v.look, v.forged[r.URL.Path]
		v.mu.Unlock()
		if forged != nil && status == 0 {
			w.Write(forged)
			return
		}
		if look != nil && status == 0 {
			status = look(r)
		}
		if status != 0 {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "not now", status)
			return
		}
		if v.alter == nil {
			v.stale.ServeHTTP(hasty{w}, r, handler)
			return
		}
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		body, gone := v.alter(r.URL.Path, rec.Body.Bytes())
		if gone {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusNotFound)
			return
		}
		maps.Copy(w.Header(), rec.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(rec.Code)
		w.Write(body)
	}))
	var ctx context.Context
	ctx, v.stop = context.WithCancel(context.Background())
	go func() {
		defer close(v.done)
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			v.mu.Lock()
			on := v.sealing
			v.mu.Unlock()
			if on {
				s.Seal(ctx)
			}
		}
	}()
	return v, nil
}

// hasty asks clients to come back at once: this log seals fifty times a second.
type hasty struct{ http.ResponseWriter }

func (h hasty) WriteHeader(status int) {
	if h.Header().Get("Retry-After") != "" {
		h.Header().Set("Retry-After", "0")
	}
	h.ResponseWriter.WriteHeader(status)
}

func (v *village) trust() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	b, err := (&receipt.Trust{Policy: v.policy}).Bytes()
	if err != nil {
		panic(err)
	}
	return b
}

func (v *village) fingerprint() string {
	t, err := receipt.ParseTrust(v.trust())
	if err != nil {
		panic(err)
	}
	return t.Fingerprint
}

// watch has look see every request from now on.
func (v *village) watch(look func(*http.Request) int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.look = look
}

// settle waits until all that was accepted is sealed.
func (v *village) settle() {
	for {
		if r, err := v.notary.Seal(context.Background()); err == nil && r.Batch == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (v *village) close() {
	v.stop()
	<-v.done
	v.http.Close()
}

func of(ts *testscript.TestScript) *village { return ts.Value(villageKey{}).(*village) }

// exits CODE COMMAND…: runs the command and wants exactly that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var e *exec.ExitError
		if !errors.As(err, &e) {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if got != want || neg {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// admit FILE.pub: lets that key register trials.
func admit(ts *testscript.TestScript, _ bool, args []string) {
	k, err := statement.ParsePublicKey(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	v := of(ts)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sponsors = append(v.sponsors, k)
}

// sealing on|off
func sealingSwitch(ts *testscript.TestScript, _ bool, args []string) {
	v := of(ts)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sealing = args[0] == "on"
}

// service STATUS: answers everything with that status; 0: works again.
func serviceSwitch(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	v := of(ts)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.status = n
}

// replace FILE OLD NEW: changes the first occurrence.
func replaceIn(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	if !bytes.Contains(b, []byte(args[1])) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Replace(b, []byte(args[1]), []byte(args[2]), 1), 0o644))
}

// await FILE TEXT: waits until the file is there and holds the text.
func awaitFile(ts *testscript.TestScript, _ bool, args []string) {
	for range 400 {
		if b, _ := os.ReadFile(ts.MkAbs(args[0])); bytes.Contains(b, []byte(args[1])) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	ts.Fatalf("%s never held %q", args[0], args[1])
}

// setvar NAME KEY: sets a variable to a string of the JSON just printed.
func setvar(ts *testscript.TestScript, _ bool, args []string) {
	_, rest, ok := strings.Cut(ts.ReadFile("stdout"), `"`+args[1]+`": "`)
	if !ok {
		ts.Fatalf("stdout has no %q", args[1])
	}
	value, _, _ := strings.Cut(rest, `"`)
	ts.Setenv(args[0], value)
}

// asmail FILE: does to a file what mail does, a byte order mark and CR LF.
func asMail(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	b = append([]byte("\ufeff"), bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))...)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// private FILE…: only their owner may read them.
func private(ts *testscript.TestScript, _ bool, args []string) {
	for _, f := range args {
		info, err := os.Stat(ts.MkAbs(f))
		ts.Check(err)
		if os.PathSeparator == '/' && info.Mode().Perm() != 0o600 {
			ts.Fatalf("%s has mode %v", f, info.Mode())
		}
	}
}

// pause DURATION: lets a command in the background get as far as it can.
func pause(ts *testscript.TestScript, _ bool, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	time.Sleep(d)
}

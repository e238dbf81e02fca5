package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/receipt"
)

// The time-stamping authority that nobody here wrote. It is built from its module,
// outside ours, so that none of its dependencies becomes one of ours.
const timestampServer = "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server@v2.1.2"

func installTimestampServer(t *testing.T) string {
	t.Helper()
	binary := os.Getenv("TRIALNOTARY_TEST_TIMESTAMPSERVER")
	if binary == "" && os.Getenv("CI") == "" || testing.Short() {
		t.Skip("needs a time-stamping authority that nobody here wrote: run with CI=true, which builds it from its module, or name it in TRIALNOTARY_TEST_TIMESTAMPSERVER")
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl is missing, which is to verify the same tokens")
	}
	if binary != "" {
		return binary
	}
	dir := t.TempDir()
	cmd := exec.Command("go", "install", timestampServer)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the time-stamping authority cannot be built here: %v\n%s", err, out)
	}
	return filepath.Join(dir, "timestamp-server")
}

// tsa is a running authority.
type tsa struct {
	url  string
	root []byte // PEM
	stop func()
}

func startTSA(t *testing.T) *tsa {
	t.Helper()
	binary := installTimestampServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	l.Close()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "serve", "--host", host, "--port", port, "--timestamp-signer", "memory",
		"--include-chain-in-response", "--disable-ntp-monitoring")
	said := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &tsa{url: "http://" + net.JoinHostPort(host, port) + "/api/v1/timestamp", stop: func() { cmd.Process.Kill(); cmd.Wait() }}
	t.Cleanup(s.stop)
	for range 200 {
		resp, err := http.Get(s.url + "/certchain")
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		chain, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
			s.root = pem.EncodeToMemory(block) // the last one
		}
		return s
	}
	t.Fatalf("the authority does not start: %s", said)
	return nil
}

// askStamps makes the log in dir ask those authorities.
func askStamps(t *testing.T, dir, list string, roots []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, tsaList), []byte(list), 0o600),
		os.WriteFile(filepath.Join(dir, tsaRoots), roots, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// TestRealAuthority: `serve` asks it, receipts get its tokens, OpenSSL verifies them,
// and so does `verify` when everybody is gone.
func TestRealAuthority(t *testing.T) {
	a := startTSA(t)
	dir := t.TempDir()
	s := &served{t: t, dir: filepath.Join(dir, "log"), sponsors: filepath.Join(dir, "sponsors.txt")}
	if err := os.WriteFile(s.sponsors, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	askStamps(t, s.dir, "# ours\nsigstore "+a.url+"\n", append([]byte("subject=for people\n"), a.root...))
	s.start("127.0.0.1:0")
	old, ended := filepath.Join(dir, "old.trust"), filepath.Join(dir, "ended.trust")
	testscript.Run(t, testscript.Params{
		Files: []string{"testdata/stamp/stamped.txtar"},
		Setup: func(e *testscript.Env) error {
			e.Values[servedKey{}] = s
			e.Setenv("TRIALNOTARY_CONFIG", filepath.Join(e.WorkDir, "config"))
			e.Setenv("SERVICE", s.process.url)
			e.Setenv("TSA", a.url)
			e.Setenv("TRUST", filepath.Join(s.dir, trustName))
			e.Setenv("OLDTRUST", old)
			e.Setenv("ENDEDTRUST", ended)
			e.Setenv("TZ", "UTC")
			return nil
		},
		Cmds: scriptCommands(map[string]scriptCommand{
			"admit": func(ts *testscript.TestScript, neg bool, args []string) {
				admitServed(ts, neg, args)
				b, err := os.ReadFile(filepath.Join(s.dir, trustName))
				ts.Check(err)
				trust, err := receipt.ParseTrust(b)
				ts.Check(err)
				if !bytes.Equal(trust.TSA, a.root) {
					ts.Fatalf("the trust file trusts\n%s", trust.TSA)
				}
				trust.Algorithms = map[string]time.Time{"sha-512": time.Unix(0, 0)}
				b, err = trust.Bytes()
				ts.Check(err)
				ts.Check(os.WriteFile(ended, b, 0o644))
				trust.TSA, trust.Algorithms = nil, nil
				b, err = trust.Bytes()
				ts.Check(err)
				ts.Check(os.WriteFile(old, b, 0o644))
			},
			"service": serviceServed,
			"stamped": func(ts *testscript.TestScript, _ bool, args []string) {
				for range 100 {
					ts.Check(ts.Exec("trialnotary", "receipt", args[0]))
					if strings.Contains(ts.ReadFile(args[0]), "-- timestamp-1.tsr --") {
						return
					}
					time.Sleep(100 * time.Millisecond)
				}
				ts.Fatalf("%s was never stamped", args[0])
			},
			"same":    sameButTokens,
			"unstamp": unstamp,
			"openssl": openSSLVerifies(a.root),
			"tsa":     func(*testscript.TestScript, bool, []string) { a.stop() },
		}),
	})
}

// same A B: two receipts differ in their tokens alone.
func sameButTokens(ts *testscript.TestScript, _ bool, args []string) {
	var bare [2][]byte
	for i, name := range args {
		r, err := receipt.Parse([]byte(ts.ReadFile(name)))
		ts.Check(err)
		r.Timestamps, r.Renewals = nil, nil
		bare[i], err = r.Bytes()
		ts.Check(err)
	}
	if !bytes.Equal(bare[0], bare[1]) {
		ts.Fatalf("%s and %s differ in more than their time-stamps", args[0], args[1])
	}
}

// unstamp A B: writes the receipt A without tokens, as it was sealed.
func unstamp(ts *testscript.TestScript, _ bool, args []string) {
	r, err := receipt.Parse([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	r.Timestamps = nil
	b, err := r.Bytes()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o644))
}

// openSSLVerifies returns the command openssl RECEIPT: OpenSSL verifies its first
// token, over its checkpoint and over nothing else.
func openSSLVerifies(root []byte) scriptCommand {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		r, err := receipt.Parse([]byte(ts.ReadFile(args[0])))
		ts.Check(err)
		p, err := checkpoint.ParseProof(r.Proof)
		ts.Check(err)
		token, ca := ts.MkAbs("token.tsr"), ts.MkAbs("ca.pem")
		ts.Check(os.WriteFile(token, r.Timestamps[0], 0o600))
		ts.Check(os.WriteFile(ca, root, 0o600))
		for _, ok := range []bool{true, false} {
			if !ok {
				p.Checkpoint = p.Checkpoint[1:]
			}
			sum := sha256.Sum256(p.Checkpoint)
			out, err := exec.Command("openssl", "ts", "-verify", "-digest", hex.EncodeToString(sum[:]), "-in", token, "-token_in", "-CAfile", ca).CombinedOutput()
			if ok != (err == nil && bytes.Contains(out, []byte("Verification: OK"))) {
				ts.Fatalf("openssl, of the right checkpoint %v: %v\n%s", ok, err, out)
			}
		}
	}
}

// TestServeWithBadAuthorities: whatever time-stamping authorities do, sealing and
// receipts go on as if there were none, and nothing that they say is kept.
func TestServeWithBadAuthorities(t *testing.T) {
	ended := make(chan struct{})
	asked := make(chan string, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		switch r.URL.Path {
		case "/silent":
			<-ended
		case "/garbage":
			w.Write([]byte{0x30, 0x82, 0xff, 0xff})
		case "/endless":
			for range 1 << 10 {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/elsewhere":
			http.Redirect(w, r, "/garbage", http.StatusTemporaryRedirect)
		}
	}))
	defer server.Close()
	defer close(ended)
	down, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down.Close()
	// Any certificate will do: nobody here has its key.
	root := httptest.NewTLSServer(nil)
	pemRoot := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate().Raw})
	root.Close()

	for _, bad := range [][]string{{"silent", "garbage", "endless", "elsewhere"}, {"down"}} {
		c := newCohort(t, 1)
		list := ""
		for _, name := range bad {
			list += fmt.Sprintf("%s %s/%s\n", name, map[bool]string{true: "http://" + down.Addr().String(), false: server.URL}[name == "down"], name)
		}
		askStamps(t, c.dir, list, pemRoot)
		p := c.start("--every", "50ms")
		c.enrol(p.url)
		for range 3 {
			c.await(p.url, c.must(p.url, c.data(0)))
		}
		seen := map[string]bool{}
		for len(seen) < len(bad) && bad[0] != "down" {
			select {
			case path := <-asked:
				seen[strings.Trim(path, "/")] = true
			case <-time.After(30 * time.Second):
				t.Fatalf("asked were only %v", seen)
			}
		}
		resp, err := http.Get(p.url + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !bytes.Contains(b, []byte("timestamps_total 0")) || !bytes.Contains(b, []byte("timestamp_failures_total")) {
			t.Errorf("%v\n%s", err, b)
		}
		p.terminate() // also with a question open
		if names, err := filepath.Glob(filepath.Join(c.dir, "state", "stamps", "*")); err != nil || len(names) > 0 {
			t.Errorf("kept: %q, %v", names, err)
		}
	}
	// Mistakes in the files are told before anything is served.
	for file, want := range map[string]string{
		"office\n":                       "tsa.txt: line 1 is not a name and an address",
		"office https://tsa.example/\n!": "tsa.txt: line 2",
	} {
		c := newCohort(t, 1)
		askStamps(t, c.dir, file, pemRoot)
		if _, err := openLog(t.Context(), c.dir, "", true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", file, err)
		}
	}
	c := newCohort(t, 1)
	askStamps(t, c.dir, "office https://tsa.example/\n", nil)
	if _, err := openLog(t.Context(), c.dir, "", true); err == nil || !strings.Contains(err.Error(), "tsa.pem: there is no certificate to trust office under") {
		t.Errorf("without certificates: %v", err)
	}
}

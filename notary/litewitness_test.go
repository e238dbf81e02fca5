package notary_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/storetest"
	"trialnotary/notary/witness"
)

// The witness that nobody here wrote. It is built from its module, outside ours,
// so that none of its dependencies becomes one of ours.
const litewitness = "filippo.io/torchwood/cmd/litewitness@v0.9.1-0.20260706112420-c22a68158d96"

// peer is one running litewitness.
type peer struct {
	t    *testing.T
	name string
	dir  string
	key  ed25519.PrivateKey
	cmd  *exec.Cmd
	addr string
}

func installLitewitness(t *testing.T) string {
	t.Helper()
	binary := os.Getenv("TRIALNOTARY_TEST_LITEWITNESS")
	if binary == "" && os.Getenv("CI") == "" || testing.Short() {
		t.Skip("needs a witness that nobody here wrote: run with CI=true, which builds it from its module, or name it in TRIALNOTARY_TEST_LITEWITNESS")
	}
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Fatal("sqlite3 is missing, with which an operator adds a log to a witness")
	}
	if binary != "" {
		return binary
	}
	dir := t.TempDir()
	cmd := exec.Command("go", "install", litewitness)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("litewitness cannot be built here: %v\n%s", err, out)
	}
	return filepath.Join(dir, "litewitness")
}

// startPeer makes a witness that knows the world's log.
func (w *world) startPeer(binary, name string) *peer {
	t := w.t.(*testing.T)
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "lw") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &peer{t: t, name: name, dir: dir, key: key}
	keyring := agent.NewKeyring()
	if err := keyring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", filepath.Join(dir, "agent"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	go func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(keyring, conn)
		}
	}()
	p.start(binary)
	p.sql(fmt.Sprintf("INSERT INTO log VALUES ('%s', 0, '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='); INSERT INTO key VALUES ('%[1]s', '%s');",
		origin, w.signers[0].VerifierKey()))
	return p
}

func (p *peer) start(binary string) {
	p.t.Helper()
	if p.addr == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			p.t.Fatal(err)
		}
		p.addr = l.Addr().String()
		l.Close()
	}
	public, err := ssh.NewPublicKey(p.key.Public())
	if err != nil {
		p.t.Fatal(err)
	}
	p.cmd = exec.Command(binary, "-db", filepath.Join(p.dir, "db"), "-name", p.name, "-listen", p.addr,
		"-ssh-agent", filepath.Join(p.dir, "agent"), "-key", ssh.FingerprintSHA256(public))
	said := new(strings.Builder)
	p.cmd.Stderr = said
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	cmd := p.cmd
	p.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 200 {
		if resp, err := http.Get("http://" + p.addr + "/"); err == nil {
			resp.Body.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.stop()
	p.t.Fatalf("litewitness does not start: %s", said)
}

func (p *peer) stop() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// signal sends a signal that not every system has.
func (p *peer) signal(name string) {
	p.t.Helper()
	if out, err := exec.Command("kill", "-"+name, strconv.Itoa(p.cmd.Process.Pid)).CombinedOutput(); err != nil {
		p.t.Fatalf("kill: %v\n%s", err, out)
	}
}

func (p *peer) sql(commands string) {
	p.t.Helper()
	if out, err := exec.Command("sqlite3", "-cmd", ".timeout 5000", filepath.Join(p.dir, "db"), commands).CombinedOutput(); err != nil {
		p.t.Fatalf("sqlite3: %v\n%s", err, out)
	}
}

func (p *peer) vkey() string {
	return checkpoint.VerifierKey(p.name, checkpoint.Cosignature, p.key.Public().(ed25519.PublicKey))
}

// TestRealWitnesses: three litewitness processes, two of which are asked for, seen
// through good days and bad ones; and the evidence meets the policy of every day.
func TestRealWitnesses(t *testing.T) {
	binary := installLitewitness(t)
	w := newWorld(t, storetest.NewMemory())
	peers := []*peer{w.startPeer(binary, "w1.example/a"), w.startPeer(binary, "w2.example/b"), w.startPeer(binary, "w3.example/c")}
	file := ""
	for i, p := range peers {
		file += fmt.Sprintf("witness w%d %s http://%s/\n", i+1, p.vkey(), p.addr)
	}
	var asked []checkpoint.Witness
	var err error
	w.policy, asked, err = checkpoint.ParseWitnesses(w.signers[0].VerifierKey(), w.signers[1].VerifierKey(), []byte(file+"group ws 2 w1 w2 w3\nquorum ws\n"))
	if err != nil {
		t.Fatal(err)
	}
	process := func() {
		w.witnesses = nil
		for _, a := range asked {
			one, err := witness.New(a, nil)
			if err != nil {
				t.Fatal(err)
			}
			w.witnesses = append(w.witnesses, one)
		}
		w.patience = 2 * time.Second
		w.svc = w.process(w.store)
	}
	process()
	tr, one, _ := w.registered()
	seal := func() notary.Ref {
		n := w.data(tr, "site-001", one)
		w.mustSubmit(n)
		w.mustDrain()
		return notary.Ref{Stream: n.Stream(), Statement: n.ID}
	}
	cosigned := func(day string, ref notary.Ref, want int) {
		t.Helper()
		m, err := w.met(ref)
		switch {
		case want == 0 && !errors.Is(err, notary.ErrPending):
			t.Errorf("%s: a receipt without a quorum, %v", day, err)
		case want > 0 && (err != nil || m.Witnesses != want || !m.Witnessed):
			t.Errorf("%s: %d witnesses, %v; want %d", day, m.Witnesses, err, want)
		}
	}
	cosigned("all are well", seal(), 3)

	peers[0].stop()
	cosigned("one is down", seal(), 2)
	cosigned("one is down", seal(), 2)
	peers[0].start(binary)
	process() // and does not know how far any of them is
	cosigned("one is behind", seal(), 3)

	peers[1].signal("STOP")
	cosigned("one does not answer", seal(), 2)
	peers[1].signal("CONT")

	peers[2].sql("UPDATE log SET tree_size = tree_size + 1000000;")
	cosigned("one is ahead", seal(), 2)
	peers[2].sql("UPDATE log SET tree_size = tree_size - 1000000;")

	// One that saw another history of this log does not sign, and says so.
	peers[2].sql("UPDATE log SET tree_hash = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';")
	cosigned("one has seen another tree", seal(), 2)
	if len(w.alarms) != 1 || !strings.Contains(w.alarms[0], "another tree") {
		t.Errorf("alarms %q", w.alarms)
	}

	// With two gone nothing stops, and nothing is final until one is back.
	peers[1].stop()
	waits := seal()
	cosigned("two are gone", waits, 0)
	peers[1].start(binary)
	cosigned("one is back", seal(), 2)
	cosigned("one is back", waits, 2)
	w.check(w.store)
}

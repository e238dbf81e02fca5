package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/tile"
)

// TestServeProcess is no test: it is the `serve` that the tests start and kill.
func TestServeProcess(t *testing.T) {
	arguments := os.Getenv("TRIALNOTARY_TEST_SERVE")
	if arguments == "" {
		t.Skip("the process that other tests start")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := serveCommand()
	c.SetArgs(strings.Split(arguments, "\n"))
	c.SilenceErrors, c.SilenceUsage = true, true
	if err := c.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// process is a `serve` of its own.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	url    string
	said   *bytes.Buffer // stdout, up to the address
	stderr *bytes.Buffer
	ended  chan struct{}
}

// startProcess starts `serve` on a free port and waits until it is up.
func startProcess(t testing.TB, arguments ...string) *process {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be asked to stop here")
	}
	p := &process{t: t, said: new(bytes.Buffer), stderr: new(bytes.Buffer), ended: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0], "-test.run=^TestServeProcess$")
	p.cmd.Env = append(os.Environ(), "TRIALNOTARY_TEST_SERVE="+strings.Join(append([]string{"--listen", "127.0.0.1:0"}, arguments...), "\n"))
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for p.url == "" && lines.Scan() {
		fmt.Fprintln(p.said, lines.Text())
		if rest, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "address"); ok {
			p.url = strings.TrimSpace(rest)
		}
	}
	go func() {
		io.Copy(io.Discard, out)
		p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.ended
	})
	if p.url == "" {
		<-p.ended
		t.Fatalf("serve did not start: %s", p.stderr)
	}
	return p
}

// kill ends the process as a crash does.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.ended
}

// terminate asks the process to stop and waits until it has.
func (p *process) terminate() {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(40 * time.Second):
		p.t.Fatal("serve does not stop")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Fatalf("exit code %d: %s", code, p.stderr)
	}
}

// cohort is a trial with sites, and what was answered 202.
type cohort struct {
	t        testing.TB
	dir      string
	origin   string
	sponsor  statement.PrivateKey
	recovery statement.PrivateKey
	trial    string
	sites    []site
	salt     [32]byte
	client   *http.Client

	mu       sync.Mutex
	accepted map[notary.Ref]bool
}

type site struct {
	name string
	salt [32]byte
	key  statement.PrivateKey
}

func newCohort(t testing.TB, sites int) *cohort {
	t.Helper()
	c := &cohort{t: t, dir: filepath.Join(t.TempDir(), "log"), origin: "log.example/trials", trial: "NCT01234567",
		salt: random32(), accepted: map[notary.Ref]bool{},
		client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	c.sponsor, c.recovery = newTestKey(t, "acme"), newTestKey(t, "acme.recovery")
	for i := range sites {
		name := fmt.Sprintf("site-%03d", i+1)
		c.sites = append(c.sites, site{name, random32(), newTestKey(t, name+".jdoe")})
	}
	return c
}

func newTestKey(t testing.TB, name string) statement.PrivateKey {
	t.Helper()
	k, err := statement.GenerateKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func random32() (b [32]byte) {
	rand.Read(b[:])
	return b
}

// start starts a serve of the cohort's log.
func (c *cohort) start(arguments ...string) *process {
	c.t.Helper()
	return startProcess(c.t, append([]string{"--dir", c.dir, "--origin", c.origin, "--sponsor", c.sponsor.Public().String()}, arguments...)...)
}

func (c *cohort) sign(s *statement.Statement, k statement.PrivateKey) *statement.Note {
	s.Log, s.Trial, s.Time, s.Salt = c.origin, c.trial, time.Now().UTC().Truncate(time.Second), random32()
	n, err := statement.Sign(s, k)
	if err != nil {
		c.t.Error(err)
		return nil
	}
	return n
}

// enrol registers the trial and enrols its sites.
func (c *cohort) enrol(url string) {
	c.t.Helper()
	stream := statement.StreamIDOf(c.origin, c.trial, "trial", c.salt)
	reg := c.sign(&statement.Statement{StreamName: "registration", Kind: statement.KindRegistration, Keys: []statement.Key{
		{Role: statement.RoleSponsor, Name: "trial", Stream: stream, Key: c.sponsor.Public()},
		{Role: statement.RoleRecovery, Name: "trial", Stream: stream, Key: c.recovery.Public()}}}, c.sponsor)
	c.await(url, c.must(url, reg))
	var notes []*statement.Note
	for _, s := range c.sites {
		notes = append(notes, c.sign(&statement.Statement{StreamName: "trial", StreamSalt: c.salt, Kind: statement.KindEnrolment,
			Keys: []statement.Key{{Role: statement.RoleSite, Name: s.name, Key: s.key.Public(),
				Stream: statement.StreamIDOf(c.origin, c.trial, s.name, s.salt)}}}, c.sponsor))
	}
	c.await(url, c.must(url, notes...))
}

// data is a new dataset statement of site i.
func (c *cohort) data(i int) *statement.Note {
	s := c.sites[i%len(c.sites)]
	return c.sign(&statement.Statement{StreamName: s.name, StreamSalt: s.salt, Kind: statement.KindDataset,
		Dataset: &statement.Dataset{Root: random32(), Files: 3, Bytes: 12345}, Label: "visit listings",
		Meaning: "authorship", Signer: "Jane Doe"}, s.key)
}

// submit submits notes in one request and remembers them if they were accepted.
// An error means that no answer came.
func (c *cohort) submit(url string, notes ...*statement.Note) (int, error) {
	var texts []string
	for _, n := range notes {
		texts = append(texts, string(n.Raw))
	}
	kind, b := "text/plain", notes[0].Raw
	if len(notes) > 1 {
		kind = "application/json"
		b, _ = json.Marshal(map[string]any{"statements": texts})
	}
	r, err := c.client.Post(url+"/submissions", kind, bytes.NewReader(b))
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, err
	}
	if r.StatusCode != http.StatusAccepted {
		return r.StatusCode, fmt.Errorf("%d: %s", r.StatusCode, text)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range notes {
		c.accepted[notary.Ref{Stream: n.Stream(), Statement: n.ID}] = true
	}
	return r.StatusCode, nil
}

func (c *cohort) must(url string, notes ...*statement.Note) notary.Ref {
	c.t.Helper()
	if _, err := c.submit(url, notes...); err != nil {
		c.t.Fatal(err)
	}
	n := notes[len(notes)-1]
	return notary.Ref{Stream: n.Stream(), Statement: n.ID}
}

// await asks for a receipt until it is there, and verifies it.
func (c *cohort) await(url string, ref notary.Ref) time.Duration {
	c.t.Helper()
	start := time.Now()
	for time.Since(start) < 30*time.Second {
		r, err := c.client.Get(url + "/receipts/" + ref.Stream.String() + "/" + ref.Statement.String())
		if err != nil {
			c.t.Fatal(err)
		}
		b, err := io.ReadAll(r.Body)
		r.Body.Close()
		switch {
		case err != nil:
			c.t.Fatal(err)
		case r.StatusCode == http.StatusOK:
			took := time.Since(start)
			c.verify(ref, b)
			return took
		case r.StatusCode != http.StatusAccepted:
			c.t.Fatalf("%d: %s", r.StatusCode, b)
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.t.Fatal("no receipt in half a minute")
	return 0
}

// policy is the log's, from the trust file that serve wrote.
func (c *cohort) policy() *checkpoint.Policy {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, trustName))
	if err != nil {
		c.t.Fatal(err)
	}
	trust, err := receipt.ParseTrust(b)
	if err != nil {
		c.t.Fatal(err)
	}
	return trust.Policy
}

func (c *cohort) verify(ref notary.Ref, evidence []byte) {
	c.t.Helper()
	ev, err := receipt.ParseEvidence(evidence)
	if err != nil {
		c.t.Fatal(err)
	}
	e, err := entry.Parse(ev.Entry)
	if err != nil {
		c.t.Fatal(err)
	}
	p, err := checkpoint.ParseProof(ev.Proof)
	if err != nil {
		c.t.Fatal(err)
	}
	cp, err := checkpoint.Parse(p.Checkpoint)
	if err == nil {
		_, err = c.policy().Verify(cp, nil)
	}
	if err == nil {
		err = tile.VerifyInclusion(tile.LeafHash(ev.Entry), e.Index, cp.Size, p.Hashes, cp.Root)
	}
	if err != nil || e.Stream != ref.Stream || e.Statement != ref.Statement || e.Index != p.Index {
		c.t.Fatalf("the receipt of %s does not verify: %v", ref.Statement, err)
	}
}

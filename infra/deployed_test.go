package main

import (
	"bytes"
	"crypto/rand"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/client"
	"trialnotary/notary/onaws"
	"trialnotary/notary/onaws/fakeaws"
	"trialnotary/notary/statement"
)

// imitation is the dev stage as its template says, on AWS's wire fake: the four
// functions' programs, each under its role's name, behind an imitation of the
// distribution, and the client's program in front.
type imitation struct {
	t         *testing.T
	tpl       *template
	aws       *fakeaws.Server
	programs  string
	home      string // of the people
	env       onaws.Env
	functions map[string]*process
	stops     map[string]func()
	cdn       *httptest.Server
	front     *imitator
	service   *client.Service
	sponsor   statement.PrivateKey
	salt      [32]byte // of the trial stream of what is submitted beside the client
}

const imitationTrial = "NCT07654321"

func newImitation(t *testing.T) *imitation {
	t.Helper()
	d := &imitation{t: t, tpl: stack(t, "dev"), aws: fakeaws.New(t), programs: buildPrograms(t), home: t.TempDir(),
		functions: map[string]*process{}, stops: map[string]func(){}}
	rand.Read(d.salt[:]) // never fails
	d.aws.Buckets.Locked, d.aws.Buckets.Days = "LogBucket", 1
	keys := fakeaws.NewKeys(t).Keys
	d.aws.Keys.Keys = map[string]fakeaws.Key{"KeyEd25519": keys["ed"], "KeyMLDSA44": keys["ml"]}

	d.cli("keygen", "--name", "acme", "--out", "acme.key", "--no-passphrase")
	var err error
	if d.sponsor, err = readKey(filepath.Join(d.home, "acme.key")); err != nil {
		t.Fatal(err)
	}
	d.env = onaws.Env{Origin: "log.example/dev", Table: "Table", LogBucket: "LogBucket", StateBucket: "StateBucket", SiteBucket: "SiteBucket",
		SigningKeys: []string{"KeyEd25519", "KeyMLDSA44"}, Sponsors: []statement.PublicKey{d.sponsor.Public()}, Retention: onaws.Retention{Days: 1}}
	for _, name := range functionNames {
		d.start(name)
	}
	d.front = &imitator{t: t, routes: readRoutes(d.tpl), buckets: d.aws.URL, functions: d.functions}
	d.cdn = httptest.NewTLSServer(d.front)
	t.Cleanup(d.cdn.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.cdn.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(d.home, "ca.pem"), authority, 0o600); err != nil {
		t.Fatal(err)
	}
	if d.service, err = client.New(d.cdn.URL, client.Options{HTTP: d.cdn.Client()}); err != nil {
		t.Fatal(err)
	}
	return d
}

// start starts a function anew: a process that knows nothing.
func (d *imitation) start(name string) {
	if stop := d.stops[name]; stop != nil {
		stop()
	}
	e := d.env
	env := append(quiet(), "AWS_REGION=eu-central-1", "AWS_ENDPOINT_URL="+d.aws.URL, "AWS_ACCESS_KEY_ID="+title(name)+"Role", "AWS_SECRET_ACCESS_KEY=secret",
		onaws.EnvOrigin+"="+e.Origin, onaws.EnvTable+"="+e.Table, onaws.EnvLogBucket+"="+e.LogBucket, onaws.EnvStateBucket+"="+e.StateBucket,
		onaws.EnvSiteBucket+"="+e.SiteBucket, onaws.EnvSigningKeys+"="+strings.Join(e.SigningKeys, ","),
		onaws.EnvSponsors+"="+e.Sponsors[0].String(), onaws.EnvRetention+"="+e.Retention.String())
	d.functions[name], d.stops[name] = startFunction(d.t, d.programs, name, env)
}

// tick is the rule that seals.
func (d *imitation) tick() error {
	_, err := d.functions["seal"].invoke(scheduled(d.tpl, "SealEveryMinute"))
	return err
}

func (d *imitation) mustTick() {
	d.t.Helper()
	if err := d.tick(); err != nil {
		d.t.Fatal(err)
	}
}

func (d *imitation) audit(rule string) error {
	_, err := d.functions["audit"].invoke(scheduled(d.tpl, rule))
	return err
}

// run runs the client's program, as a person at the service's address.
func (d *imitation) run(args ...string) (string, error) {
	c := exec.Command(filepath.Join(d.programs, "trialnotary"), args...)
	c.Dir = d.home
	c.Env = append(quiet(), "HOME="+d.home, "XDG_CONFIG_HOME="+filepath.Join(d.home, "config"), "NO_COLOR=1",
		"SSL_CERT_FILE="+filepath.Join(d.home, "ca.pem"))
	if d.cdn != nil {
		c.Env = append(c.Env, "TRIALNOTARY_SERVICE="+d.cdn.URL)
	}
	out, err := c.CombinedOutput()
	return string(out), err
}

// cli runs it and returns what it said.
func (d *imitation) cli(args ...string) string {
	d.t.Helper()
	out, err := d.run(args...)
	if err != nil {
		d.t.Fatalf("trialnotary %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// whileTicking does something while the rule ticks.
func (d *imitation) whileTicking(do func() error) error {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(200 * time.Millisecond):
				if err := d.tick(); err != nil {
					d.t.Errorf("a tick: %v", err)
				}
			}
		}
	}()
	err := do()
	close(done)
	<-ended
	return err
}

// waiting runs the client's program while the rule ticks.
func (d *imitation) waiting(args ...string) {
	d.t.Helper()
	var out string
	if err := d.whileTicking(func() (err error) { out, err = d.run(args...); return err }); err != nil {
		d.t.Fatalf("trialnotary %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// sign makes a statement of the sponsor's.
func (d *imitation) sign(s statement.Statement) []byte {
	d.t.Helper()
	s.Log, s.Trial, s.Time = d.env.Origin, imitationTrial, time.Now().UTC().Truncate(time.Second)
	rand.Read(s.Salt[:]) // never fails
	n, err := statement.Sign(&s, d.sponsor)
	if err != nil {
		d.t.Fatal(err)
	}
	return n.Raw
}

func (d *imitation) stream(name string) statement.StreamID {
	return statement.StreamIDOf(d.env.Origin, imitationTrial, name, d.salt)
}

// note is a statement of one of the trial's streams.
func (d *imitation) note(stream, label string) []byte {
	return d.sign(statement.Statement{StreamName: stream, StreamSalt: d.salt, Kind: statement.KindNote, Label: label})
}

func (d *imitation) submit(notes ...[]byte) {
	d.t.Helper()
	if _, err := d.service.Submit(d.t.Context(), notes...); err != nil {
		d.t.Fatal(err)
	}
}

// register opens a trial in which the sponsor's key also stands for n sites.
func (d *imitation) register(sites []string) {
	d.t.Helper()
	recovery, err := statement.GenerateKey("acme.recovery")
	if err != nil {
		d.t.Fatal(err)
	}
	d.submit(d.sign(statement.Statement{StreamName: statement.RegistrationStream, Kind: statement.KindRegistration, Keys: []statement.Key{
		{Role: statement.RoleSponsor, Name: statement.TrialStream, Stream: d.stream("trial"), Key: d.sponsor.Public()},
		{Role: statement.RoleRecovery, Name: statement.TrialStream, Stream: d.stream("trial"), Key: recovery.Public()}}}))
	d.mustTick()
	var grants [][]byte
	for _, site := range sites {
		grants = append(grants, d.sign(statement.Statement{StreamName: statement.TrialStream, StreamSalt: d.salt, Kind: statement.KindEnrolment,
			Keys: []statement.Key{{Role: statement.RoleSite, Name: site, Stream: d.stream(site), Key: d.sponsor.Public()}}}))
	}
	d.submit(grants...)
	d.mustTick()
}

// as makes this process speak to AWS by that name.
func (d *imitation) as(who string) {
	for k, v := range map[string]string{"AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": d.aws.URL, "AWS_ACCESS_KEY_ID": who, "AWS_SECRET_ACCESS_KEY": "secret"} {
		d.t.Setenv(k, v)
	}
}

// repair is what an operator asks the sealer for.
func (d *imitation) repair() {
	d.t.Helper()
	if _, err := d.functions["seal"].invoke(object{"repair": true}); err != nil {
		d.t.Fatal(err)
	}
}

// url calls a function at its own URL, as in the local stage, which has no
// distribution, and returns its answer.
func (d *imitation) url(name, path string) []byte {
	d.t.Helper()
	b, err := d.functions[name].invoke(object{"version": "2.0", "rawPath": path, "headers": object{"host": name + ".lambda-url.eu-central-1.on.aws"},
		"requestContext": object{"http": object{"method": "GET", "path": path}}})
	if err != nil {
		d.t.Fatal(err)
	}
	return bytes.Clone(b)
}

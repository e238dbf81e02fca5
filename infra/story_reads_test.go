package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/client"
	"trialnotary/notary/onaws"
	"trialnotary/notary/onaws/fakeaws"
	"trialnotary/notary/statement"
)

// streamsAreRead is who may read what through the distribution, by request notes
// alone: the sponsor everything of the trial, a stranger nothing.
func (d *imitation) streamsAreRead() {
	t, ctx, log := d.t, d.t.Context(), d.env.Origin
	t.Helper()
	d.start("prove") // it remembers no map
	notes := 0
	d.front.seen = func(function string, headers map[string]string) {
		if function == "prove" && headers["trialnotary-request"] != "" && headers["authorization"] == signature {
			notes++
		}
	}
	registration := statement.StreamIDOf(log, imitationTrial, statement.RegistrationStream, [32]byte{})
	for name, stream := range map[string]statement.StreamID{"registration": registration, "trial": d.stream("trial"), "site-007": d.stream("site-007")} {
		leaves, err := d.service.Entries(ctx, log, d.sponsor, stream, 1)
		if err != nil || len(leaves) == 0 {
			t.Fatalf("entries of %s: %d, %v", name, len(leaves), err)
		}
		held, err := d.service.Statements(ctx, log, d.sponsor, stream, 1)
		if err != nil || len(held) != len(leaves) {
			t.Fatalf("statements of %s: %d of %d, %v", name, len(held), len(leaves), err)
		}
		for _, batch := range []uint64{0, 1} {
			if _, err := d.service.StreamAt(ctx, log, d.sponsor, stream, batch); err != nil {
				t.Fatalf("%s at batch %d: %v", name, batch, err)
			}
		}
	}
	if notes != 12 {
		t.Errorf("%d of 12 request notes arrived", notes)
	}
	d.front.seen = nil
	if _, err := d.service.StreamAt(ctx, log, d.sponsor, d.stream("trial"), 1<<40); !errors.Is(err, client.ErrNoBatch) {
		t.Errorf("a batch that is not there: %v", err)
	}
	stranger, err := statement.GenerateKey("stranger")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key    statement.PrivateKey
		stream statement.StreamID
	}{{stranger, d.stream("trial")}, {d.sponsor, d.stream("nowhere")}} {
		_, err := d.service.Entries(ctx, log, c.key, c.stream, 1)
		if no := (*client.Refused)(nil); !errors.As(err, &no) || no.Status != http.StatusForbidden {
			t.Errorf("%s: %v", c.key.Public().Name, err)
		}
	}
	if status, _ := d.send("GET", "/streams/"+registration.String()+"/entries", "", ""); status != http.StatusUnauthorized {
		t.Errorf("without a request note: %d", status)
	}
	// A read that cannot be written down is not answered; the client asks again.
	tries := 0
	d.aws.Fail(func(c fakeaws.Call) fakeaws.Fault {
		if c.Op == "PutItem" && strings.HasPrefix(c.Name, "AQ#-") {
			if tries++; tries == 1 {
				return fakeaws.Forbidden
			}
		}
		return fakeaws.None
	})
	if _, err := d.service.Entries(ctx, log, d.sponsor, registration, 1); err != nil || tries != 2 {
		t.Errorf("a read that was written down at the second try of %d: %v", tries, err)
	}
	d.aws.Fail(nil)
	d.cli("history", "T.trial", "--out", "T.history")
	if out := d.cli("verify", "T.history", "--trust", "T.trial"); !strings.Contains(out, "VERIFIED") {
		t.Errorf("the history:\n%s", out)
	}
}

// aSiteSealsBlind what the service never sees.
func (d *imitation) aSiteSealsBlind() {
	t := d.t
	t.Helper()
	d.waiting("seal", "export", "--blind", "--label", "never told", "--out", "week14")
	if out := d.cli("verify", "week14.receipt", "export", "--trust", "T.trial"); !strings.Contains(out, "VERIFIED") {
		t.Errorf("sealed blind:\n%s", out)
	}
}

// theTrailIsAnchored ten minutes later: the same sealer, with a clock that is ahead.
func (d *imitation) theTrailIsAnchored() {
	t, ctx := d.t, d.t.Context()
	t.Helper()
	getenv := func(name string) string {
		return map[string]string{"AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": d.aws.URL, "AWS_ACCESS_KEY_ID": "SealRole", "AWS_SECRET_ACCESS_KEY": "secret"}[name]
	}
	c, err := onaws.NewFunctionClients(getenv, nil)
	if err != nil {
		t.Fatal(err)
	}
	signers, err := onaws.Signers(ctx, c.KMS, d.env)
	if err != nil {
		t.Fatal(err)
	}
	policy, _, err := onaws.Policy(signers, "")
	if err != nil {
		t.Fatal(err)
	}
	later, err := notary.New(onaws.NewStore(c, d.env), notary.Config{Origin: d.env.Origin, Signers: signers, Policy: policy, Anchor: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // clocks of the trail have whole seconds
	if _, err := later.Seal(ctx); err != nil {
		t.Fatal(err)
	}
	d.mustTick()
	if len(d.aws.Buckets.Names("StateBucket/access/")) == 0 {
		t.Fatal("nothing that was read is in a file")
	}
	for _, file := range []string{"there", "deleted"} {
		a, err := d.service.Access(ctx, d.env.Origin, d.sponsor, d.stream("trial"))
		if err != nil || len(a.Open) == 0 || (file == "there") != (len(a.Open[0].Records) > 0) {
			t.Fatalf("the trail with its file %s: %+v, %v", file, a, err)
		}
		for _, name := range d.aws.Buckets.Names("StateBucket/access/") {
			d.aws.Buckets.Delete(name)
		}
	}
}

// aStatementIsErased by the operator, on a sealed erasure alone.
func (d *imitation) aStatementIsErased() {
	t := d.t
	t.Helper()
	const secret = "no longer wanted"
	raw := d.note("site-008", secret)
	d.submit(raw)
	d.mustTick()
	n, err := statement.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	order := object{"erase": object{"stream": n.Stream().String(), "statement": n.ID.String()}}
	if b, err := d.functions["seal"].invoke(order); err == nil {
		t.Fatalf("erased without an erasure: %s", b)
	}
	d.submit(d.sign(statement.Statement{StreamName: "site-008", StreamSalt: d.salt, Kind: statement.KindErasure, Reason: "asked for", About: []statement.ID{n.ID}}))
	d.mustTick()
	for _, before := range []bool{false, true} {
		b, err := d.functions["seal"].invoke(order)
		if err != nil || !strings.Contains(string(b), fmt.Sprintf(`"erased":true,"before":%v`, before)) {
			t.Fatalf("erased before: %v; %s, %v", before, b, err)
		}
	}
	held, err := d.service.Statements(t.Context(), d.env.Origin, d.sponsor, n.Stream(), 1)
	if err != nil || len(held) != 2 {
		t.Errorf("%d statements are held, %v", len(held), err)
	}
	for _, n := range held {
		if n.Label == secret {
			t.Error("the erased statement is handed out")
		}
	}
}

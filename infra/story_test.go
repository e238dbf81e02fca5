package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/onaws/fakeaws"
	"trialnotary/notary/statement"
)

// The whole story at once: everything that the four functions, as programs under
// their roles' names, and the distribution ever ask of AWS. What
// they asked is evaluated against the policies of every stage that has them.
func TestEverythingAskedIsAllowedAndNothingAllowedIsUnasked(t *testing.T) {
	d := newImitation(t)
	d.anEmptyLog()
	d.aSiteSeals()
	d.whatTheFrontRefuses()
	d.manyStreams()
	d.streamsAreRead()
	d.aSiteSealsBlind()
	d.theTrailIsAnchored()
	d.aStatementIsErased()
	d.smokes()
	d.aSealerThatCrashes()
	d.aTableRestored()
	d.anAuditThatFinds()
	asked := d.aws.Asks()
	for _, name := range public {
		tpl := stack(t, name)
		for _, a := range asked {
			if c := callOf(a); !tpl.allowed(c) {
				t.Errorf("%s: denied: %v", name, a)
			}
		}
		for _, unused := range tpl.unused(asked) {
			t.Errorf("%s: allowed, and nobody ever asked for it: %s", name, unused)
		}
	}
}

// Before anything is sealed nothing is there to read, and everyone is told so.
func (d *imitation) anEmptyLog() {
	d.t.Helper()
	for _, path := range []string{"/checkpoint", "/heads/" + strings.Repeat("0", 19) + "1"} {
		answer, err := d.cdn.Client().Get(d.cdn.URL + path)
		if err != nil || answer.StatusCode != 404 {
			d.t.Fatalf("%s of an empty log: %v, %v", path, answer, err)
		}
		answer.Body.Close()
		if b := d.url("prove", path); !strings.Contains(string(b), `"statusCode":404`) {
			d.t.Fatalf("%s of an empty log: %s", path, b)
		}
	}
	if err := d.audit("AuditEveryHour"); err != nil {
		d.t.Fatal(err)
	}
	d.mustTick() // a heartbeat: an empty batch
	if n := len(d.aws.Buckets.Names("LogBucket/heads/")); n != 1 {
		d.t.Fatalf("%d batches after the first tick", n)
	}
}

// aSiteSeals is the client's whole way through the distribution.
func (d *imitation) aSiteSeals() {
	t := d.t
	t.Helper()
	auth := 0
	d.front.seen = func(function string, headers map[string]string) {
		if headers["authorization"] != signature {
			t.Errorf("%s sees another Authorization than the distribution's", function)
		}
		auth++
	}
	for name, data := range map[string]string{"a.csv": "USUBJID,AGE\n1,34\n", "b.csv": "USUBJID,ARM\n1,A\n"} {
		if err := os.MkdirAll(filepath.Join(d.home, "export"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d.home, "export", name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.cli("keygen", "--name", "acme.recovery", "--out", "recovery.key", "--no-passphrase")
	d.cli("keygen", "--name", "site-042.jdoe", "--out", "jdoe.key", "--no-passphrase")
	d.waiting("register", "NCT01234567", "--recovery", "recovery.key.pub", "--key", "acme.key", "--out", "T.trial")
	d.waiting("enrol", "T.trial", "site-042", "jdoe.key.pub", "--person", "Jane Doe")
	out := d.cli("join", "site-042.invite", "--key", "jdoe.key")
	d.cli("seal", "export", "--no-wait", "--out", "week12")
	if b, err := d.run("receipt", "week12.pending"); err == nil {
		t.Errorf("a receipt before the seal:\n%s", b)
	}
	d.waiting("receipt", "week12.pending", "--wait")
	d.waiting("seal", "export", "--label", "again", "--meaning", "authorship", "--out", "week13")
	for _, receipt := range []string{"week12.receipt", "week13.receipt"} {
		if out = d.cli("verify", receipt, "export", "--trust", "T.trial"); !strings.Contains(out, "VERIFIED") || !strings.Contains(out, "2 of 2 files match") {
			t.Errorf("%s:\n%s", receipt, out)
		}
	}
	if auth == 0 {
		t.Error("nothing went to a function")
	}
	d.front.seen = nil
}

// whatTheFrontRefuses: bodies without their hash, and what no path allows.
func (d *imitation) whatTheFrontRefuses() {
	t := d.t
	t.Helper()
	note := string(d.note("trial", "never"))
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(note)))
	for _, c := range []struct{ reason, method, path, hash string }{
		{"no hash: the signature does not cover the body", "POST", "/submissions", ""},
		{"another body's hash", "POST", "/submissions", strings.Repeat("0", 64)},
		{"a log takes no writes", "PUT", "/tile/0/000", sum},
		{"nor does prove", "POST", "/receipts/1/2", sum},
		{"nor do streams", "DELETE", "/streams/1", sum},
	} {
		if status, _ := d.send(c.method, c.path, note, c.hash); status != 403 {
			t.Errorf("%s: %s %s is answered %d", c.reason, c.method, c.path, status)
		}
	}
	// The right hash is enough to be heard: the service itself then says no.
	if status, body := d.send("POST", "/submissions", note, sum); status != 403 || !strings.Contains(body, "problem+json") && !strings.Contains(body, "detail") {
		t.Errorf("the right hash: %d %s", status, body)
	}
	if status, _ := d.send("GET", "/trust", "", ""); status != 200 {
		t.Errorf("the trust file: %d", status)
	}
}

// manyStreams seals batches whose map nodes are an object, statements after a
// checkpoint, and what a process does that remembers nothing.
func (d *imitation) manyStreams() {
	d.t.Helper()
	var sites []string
	for i := range 150 {
		sites = append(sites, fmt.Sprintf("site-%03d", i))
	}
	d.register(sites)
	var notes [][]byte
	for _, site := range sites {
		notes = append(notes, d.note(site, "first"))
	}
	d.submit(notes...)
	d.mustTick()
	if len(d.aws.Buckets.Names("StateBucket/map/")) == 0 {
		d.t.Fatal("150 streams have no object of map nodes")
	}
	for _, name := range functionNames {
		d.start(name)
	}
	newest, err := d.service.Checkpoint(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	cp, err := checkpoint.Parse(newest)
	if err != nil {
		d.t.Fatal(err)
	}
	after := func(size uint64) []byte {
		return d.sign(statement.Statement{StreamName: sites[7], StreamSalt: d.salt, Kind: statement.KindNote,
			After: &statement.After{Size: size, Hash: sha256.Sum256(newest)}})
	}
	d.submit(after(cp.Size))
	if _, err := d.service.Submit(d.t.Context(), after(1<<40)); err == nil {
		d.t.Error("a statement after a checkpoint that is not there was accepted")
	}
	d.mustTick()
	if err := d.audit("AuditEveryHour"); err != nil {
		d.t.Fatal(err)
	}
	if err := d.audit("AuditEveryWeek"); err != nil {
		d.t.Fatal(err)
	}
}

// forbidHeads makes the sealer stop right after its commit.
func (d *imitation) forbidHeads() {
	d.aws.Fail(func(c fakeaws.Call) fakeaws.Fault {
		if c.Op == "PutObject" && strings.HasPrefix(c.Name, "LogBucket/heads/") {
			return fakeaws.Forbidden
		}
		return fakeaws.None
	})
}

// aSealerThatCrashes leaves a batch committed: the next tick publishes it, or where
// its staging object is gone, repair does.
func (d *imitation) aSealerThatCrashes() {
	d.t.Helper()
	for _, staging := range []string{"there", "gone"} {
		d.submit(d.note("trial", "before the crash; staging is "+staging))
		d.forbidHeads()
		if err := d.tick(); err == nil {
			d.t.Fatal("a tick went on without a head")
		}
		d.aws.Fail(nil)
		d.start("seal")
		if staging == "gone" {
			staged := d.aws.Buckets.Names("StateBucket/staging/")
			d.aws.Buckets.Delete(staged[len(staged)-1])
			if err := d.tick(); err == nil || !strings.Contains(err.Error(), "staging object") {
				d.t.Fatalf("without its staging object: %v", err)
			}
			d.repair()
		}
		d.mustTick()
	}
	d.sealed("alarm", "unreadable")
}

// aTableRestored from an older copy signs nothing; repair brings it forward, and
// authors bring back the notes that only the table had, also those whose keys were
// revoked meanwhile.
func (d *imitation) aTableRestored() {
	d.t.Helper()
	old := d.aws.Table.Snapshot()
	lost := [][]byte{d.note("trial", strings.Repeat("lost with the table, ", 9)+"alas"), d.note("site-149", "lost as well")}
	d.submit(lost...)
	d.mustTick()
	d.aws.Table.Restore(old)
	for _, staged := range d.aws.Buckets.Names("StateBucket/staging/") {
		d.aws.Buckets.Delete(staged)
	}
	d.start("seal")
	d.start("submit")
	signed := len(d.aws.Buckets.Names("LogBucket/signed/"))
	d.submit(d.note("trial", "accepted all the same"))
	if err := d.tick(); err == nil {
		d.t.Fatal("a restored table seals")
	}
	if n := len(d.aws.Buckets.Names("LogBucket/signed/")); n != signed {
		d.t.Fatal("a restored table signs")
	}
	d.repair()
	d.submit(lost[0], d.sign(statement.Statement{StreamName: statement.TrialStream, StreamSalt: d.salt, Kind: statement.KindRevocation, Reason: "left",
		Keys: []statement.Key{{Role: statement.RoleSite, Name: "site-149", Stream: d.stream("site-149"), Key: d.sponsor.Public()}}}))
	d.mustTick()
	d.start("submit") // it still knows the key
	d.submit(lost[1])
	if n := len(d.aws.Buckets.Names("LogBucket/signed/")); n != signed+1 {
		d.t.Fatalf("%d batches signed after repair, want %d", n, signed+1)
	}
	if err := d.audit("AuditEveryHour"); err != nil {
		d.t.Fatal(err)
	}
	d.sealed("alarm", "restored")
}

// anAuditThatFinds what somebody did around the policies.
func (d *imitation) anAuditThatFinds() {
	d.t.Helper()
	d.submit(d.note("trial", "the last"))
	d.mustTick()
	signed := d.aws.Buckets.Names("LogBucket/signed/")
	d.aws.Buckets.Hide(signed[len(signed)-1])
	d.start("audit")
	if err := d.audit("AuditEveryHour"); err == nil {
		d.t.Fatal("a hidden object was not found")
	}
	d.sealed("alarm", "delete marker")
	d.aws.Buckets.Delete(signed[len(signed)-1])
	if err := d.audit("AuditEveryHour"); err == nil || !strings.Contains(err.Error(), "missing") {
		d.t.Fatalf("a deleted object was not found: %v", err)
	}
	d.sealed("alarm", "audit")
}

// sealed checks that a word was announced.
func (d *imitation) sealed(kind, word string) {
	d.t.Helper()
	pattern := regexp.MustCompile("(?i)^[^ ]*" + kind + ".*" + word)
	for _, e := range d.aws.Events() {
		if pattern.MatchString(e) {
			return
		}
	}
	d.t.Errorf("no %s about %s was announced: %q", kind, word, d.aws.Events())
}

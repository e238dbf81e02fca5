package client

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

var update = flag.Bool("update", false, "write the golden vectors anew")

// sampleNow is when the sample's keys are in force.
var sampleNow = time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC)

func sampleFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "sample", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sampleTrust(t testing.TB) *receipt.Trust {
	t.Helper()
	trust, err := receipt.ParseTrust(sampleFile(t, "acme.trust"))
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

func sampleReceipt(t testing.TB, name string) *receipt.Receipt {
	t.Helper()
	r, err := receipt.Parse(sampleFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func parsed(t testing.TB, l receipt.Logged) Logged {
	t.Helper()
	n, err := statement.Parse(l.Statement)
	if err != nil {
		t.Fatal(err)
	}
	return Logged{n, l}
}

// sampleInvite is the invite that site-001 of the sample would have been given.
func sampleInvite(t testing.TB) *Invite {
	r := sampleReceipt(t, "site1.receipt")
	n := parsed(t, r.Logged).Note
	i := &Invite{Service: "https://notary.example", Log: n.Log, Trial: n.Trial, Stream: n.StreamName, Salt: n.StreamSalt,
		Trust: sampleTrust(t), Registration: parsed(t, *r.Registration)}
	for _, g := range r.Grants {
		i.Grants = append(i.Grants, parsed(t, g))
	}
	return i
}

func samplePending(t testing.TB, name string) (*Pending, receipt.Evidence) {
	r := sampleReceipt(t, name)
	p := sampleInvite(t).Pending(parsed(t, r.Logged).Note, r.After, "https://notary.example")
	return p, receipt.Evidence{Entry: r.Entry, Proof: r.Proof, Timestamps: r.Timestamps}
}

// sampleTrial is the trial file of the sample's sponsor, with an enrolment that is
// sealed and one that is not.
func sampleTrial(t testing.TB) *Trial {
	i := sampleInvite(t)
	g := i.Grants[len(i.Grants)-1]
	tr := &Trial{Service: i.Service, Log: i.Log, Trial: i.Trial, Trust: i.Trust, Registration: i.Registration, Grants: i.Grants,
		Streams: []Stream{{"trial", g.Note.StreamSalt}, {i.Stream, i.Salt}}}
	k := testKey(t, "site-001.new")
	s := &statement.Statement{Log: i.Log, Trial: i.Trial, StreamName: "trial", StreamSalt: g.Note.StreamSalt, Kind: statement.KindEnrolment,
		Keys: []statement.Key{{Role: statement.RoleSite, Name: i.Stream, Stream: i.StreamID(), Key: k.Public()}},
		Time: sampleNow, Salt: [32]byte{1}}
	n, err := statement.Sign(s, testKey(t, "someone"))
	if err != nil {
		t.Fatal(err)
	}
	tr.Grants = append(tr.Grants, Logged{n, receipt.Logged{Statement: n.Raw}})
	return tr
}

// testKey is a key that is the same in every run.
func testKey(t testing.TB, name string) statement.PrivateKey {
	t.Helper()
	seed := bytes.Repeat([]byte{byte(len(name))}, ed25519.SeedSize)
	pub := statement.PublicKey{Name: name, Key: [32]byte(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))}
	k, err := statement.ParsePrivateKey(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, pub.Hash(), text.Base64(append([]byte{1}, seed...))))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

type format interface{ Bytes() ([]byte, error) }

// formats parse each of the files here.
var formats = map[string]func([]byte) (format, error){
	"invite":  func(b []byte) (format, error) { return ParseInvite(b) },
	"trial":   func(b []byte) (format, error) { return ParseTrial(b) },
	"pending": func(b []byte) (format, error) { return ParsePending(b) },
	"key":     func(b []byte) (format, error) { return ParseKey(b) },
}

// kind is the format of a vector: its name up to the first dash.
func kind(file string) string {
	k, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".txt"), "-")
	return k
}

// TestGoodVectors: each file parses, and formatting it gives the same bytes. With
// -update they are made from the sample.
func TestGoodVectors(t *testing.T) {
	if *update {
		p, _ := samplePending(t, "site1.receipt")
		after, _ := samplePending(t, "site1b.receipt")
		open, _ := NewKey(testKey(t, "someone"), "")
		made := map[string]format{"invite": sampleInvite(t), "trial": sampleTrial(t), "pending": p, "pending-after": after, "key-plain": open}
		for name, f := range made {
			b, err := f.Bytes()
			if err != nil {
				t.Fatal(name, err)
			}
			if err := os.WriteFile("testdata/vectors/good/"+name+".txt", b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, f := range vectors(t, "good") {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		v, err := formats[kind(f)](b)
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		if c, err := v.Bytes(); err != nil || !bytes.Equal(b, c) {
			t.Errorf("%s: formatting it gives other bytes: %v", f, err)
		}
	}
}

func vectors(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob("testdata/vectors/" + dir + "/*.txt")
	if err != nil || len(all) == 0 {
		t.Fatal("no vectors", err)
	}
	return all
}

// changes of good vectors, each wrong for the reason named.
var changes = []struct{ good, name, reason, old, new string }{
	{"invite", "version", "the version is not known", "invite@v1", "invite@v2"},
	{"invite", "service-slash", "the address is not in its one form", "https://notary.example\n", "https://notary.example/\n"},
	{"invite", "service-user", "the address holds a user", "https://notary", "https://me@notary"},
	{"invite", "service-query", "the address holds a query", "notary.example\n", "notary.example?x\n"},
	{"invite", "service-scheme", "the address is not of http or https", "https:", "ftp:"},
	{"invite", "order", "the profile's lines are out of order", "trial NCT01234567\nstream", "stream"},
	{"invite", "stream", "the stream's name is not one", "stream site-001", "stream Site-001"},
	{"invite", "salt", "the salt is not canonical base64 of 32 bytes", "Im30=\n-- trust", "Im31=\n-- trust"},
	{"invite", "no-grant", "there is no grant", "-- grant-1 --", "-- grant-2 --"},
	{"invite", "no-entry", "the grant's entry is missing", "-- grant-1.entry --", "-- grant-1.other --"},
	{"invite", "no-policy", "the trust file has no policy", "-- trust.policy --", "-- trust.other --"},
	{"invite", "extra", "there is a part that has no place", "-- registration --", "-- remark --\nx\n-- registration --"},
	{"invite", "crlf", "a line ends with CR LF", "@v1\n", "@v1\r\n"},
	{"invite", "comment", "there is a line before the first part", "invite@v1\n", "invite@v1\nx\n"},
	{"pending", "no-after", "a checkpoint is there that the statement does not name", "-- grant-1 --", "-- after.checkpoint --\nx\n-- grant-1 --"},
	{"pending", "statement", "the statement is not canonical", "kind dataset", "kind  dataset"},
	{"pending", "blank", "a part's name has a blank", "-- statement --", "-- statement  x --"},
	{"pending-after", "after-gone", "the checkpoint that the statement names is missing", "-- after.checkpoint --\n", ""},
	{"trial", "first-stream", "the first stream is not the trial stream", "stream trial ", "stream trail "},
	{"trial", "trial-salt", "the trial stream's salt is not the registration's", "stream trial 7", "stream trial 8"},
	{"trial", "stream-salt", "a grant's stream does not have that salt", "stream site-001 l", "stream site-001 m"},
	{"trial", "other-trial", "the registration is of another trial", "trial NCT01234567\nstream trial", "trial NCT01234568\nstream trial"},
	{"trial", "gap", "the grants are not numbered without a gap", "-- grant-2 --", "-- grant-3 --"},
	{"key-plain", "public", "the public key's hash is wrong", "public someone+", "public someonf+"},
	{"key-plain", "no-secret", "the secret is missing", "-- secret --", "-- secrets --"},
}

// TestBadVectors: each file is refused. With -update they are made from the good
// ones.
func TestBadVectors(t *testing.T) {
	reasons := map[string]string{}
	for _, c := range changes {
		name := c.good + "-" + c.name + ".txt"
		reasons[name] = c.reason
		if !*update {
			continue
		}
		good, err := os.ReadFile("testdata/vectors/good/" + c.good + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(good, []byte(c.old)) {
			t.Fatalf("%s: %q is not in the good vector", name, c.old)
		}
		if err := os.WriteFile("testdata/vectors/bad/"+name, bytes.Replace(good, []byte(c.old), []byte(c.new), 1), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		b, _ := json.MarshalIndent(reasons, "", "  ")
		if err := os.WriteFile("testdata/vectors/bad.json", append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile("testdata/vectors/bad.json")
	if err != nil {
		t.Fatal(err)
	}
	var listed map[string]string
	if err := json.Unmarshal(b, &listed); err != nil {
		t.Fatal(err)
	}
	all := vectors(t, "bad")
	if len(all) != len(listed) {
		t.Errorf("%d bad vectors, %d reasons", len(all), len(listed))
	}
	for _, f := range all {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := formats[kind(f)](b); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %s, yet: %v", f, listed[filepath.Base(f)], err)
		}
	}
}

// TestInviteCheck: the sample's own enrolment verifies; each change of what it says
// is refused.
func TestInviteCheck(t *testing.T) {
	i := sampleInvite(t)
	key := i.Grant().Key
	v, err := i.Check(key, "", sampleNow)
	if err != nil {
		t.Fatal(err)
	}
	if v.Enroller != "acme" || i.Person() != "Jane Doe" {
		t.Errorf("enrolled by %q for %q", v.Enroller, i.Person())
	}
	if _, err := i.Check(key, statement.TrialFingerprint(i.Registration.Note.ID), sampleNow); err != nil {
		t.Error("with its own fingerprint:", err)
	}
	var wrong *WrongKey
	if _, err := i.Check(testKey(t, "someone").Public(), "", sampleNow); !errors.As(err, &wrong) {
		t.Error("another key:", err)
	}
	for what, change := range map[string]func(i *Invite){
		"another stream name": func(i *Invite) { i.Stream = "site-002" },
		"another salt":        func(i *Invite) { i.Salt[0]++ },
		"another trial":       func(i *Invite) { i.Trial = "NCT01234568" },
		"another log":         func(i *Invite) { i.Log = "log.example/other" },
		"a dataset for a grant": func(i *Invite) {
			i.Grants = append([]Logged{parsed(t, sampleReceipt(t, "site1.receipt").Logged)}, i.Grants...)
		},
		"the registration alone":   func(i *Invite) { i.Grants = []Logged{i.Registration} },
		"a proof of another entry": func(i *Invite) { i.Grants[0].Proof = i.Registration.Proof },
	} {
		i := sampleInvite(t)
		change(i)
		if _, err := i.Check(key, "", sampleNow); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	if _, err := sampleInvite(t).Check(key, "0000-0000-0000-0000-0000-0000-0000-0000-0000-0000", sampleNow); err == nil {
		t.Error("another trial's fingerprint: accepted")
	}
}

// TestComplete: from a pending file and the service's evidence comes the very
// receipt that the other implementation made.
func TestComplete(t *testing.T) {
	for _, name := range []string{"site1.receipt", "site1b.receipt"} {
		p, e := samplePending(t, name)
		r, v, err := p.Complete(e, sampleNow)
		if err != nil {
			t.Fatal(name, err)
		}
		b, err := r.Bytes()
		if err != nil || !bytes.Equal(b, sampleFile(t, name)) {
			t.Errorf("%s: other bytes (%v)", name, err)
		}
		if v.Note.Kind != statement.KindDataset {
			t.Errorf("%s: kind %s", name, v.Note.Kind)
		}
	}
	// What a service makes up is not written down as a receipt.
	p, _ := samplePending(t, "site1.receipt")
	_, other := samplePending(t, "site1b.receipt")
	if _, _, err := p.Complete(other, sampleNow); err == nil {
		t.Error("the evidence of another statement: accepted")
	}
	if _, _, err := p.Complete(receipt.Evidence{Entry: []byte("x\n"), Proof: []byte("y\n")}, sampleNow); err == nil {
		t.Error("no evidence at all: accepted")
	}
}

// TestTrialOrder: what is sealed stands in order of index, what waits comes last.
func TestTrialOrder(t *testing.T) {
	tr := sampleTrial(t)
	waiting := tr.Grants[len(tr.Grants)-1].Note.ID
	if _, err := tr.Authority(); err != nil {
		t.Fatal(err)
	}
	g := tr.Grants[0]
	if _, chain, err := tr.InForce("site-001", g.Note.Keys[0].Key, sampleNow); err != nil || len(chain) != 1 {
		t.Errorf("%d grants in the chain, %v", len(chain), err)
	}
	if _, _, err := tr.InForce("site-001", testKey(t, "site-001.new").Public(), sampleNow); err == nil {
		t.Error("a grant that is not sealed is in force")
	}
	if _, err := tr.Invite(waiting, tr.Service); err == nil {
		t.Error("an invite of a grant that is not sealed")
	}
	in, err := tr.Invite(g.Note.ID, tr.Service)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := in.Bytes()
	want, _ := sampleInvite(t).Bytes()
	if !bytes.Equal(b, want) {
		t.Error("the invite is not the sample's")
	}
	tr.Drop(g.Note.ID)
	tr.Drop(waiting)
	if len(tr.Grants) != 1 {
		t.Error("only what waits can be dropped")
	}
}

func FuzzProfiles(f *testing.F) {
	for _, dir := range []string{"good", "bad"} {
		all, _ := filepath.Glob("testdata/vectors/" + dir + "/*.txt")
		for _, name := range all {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, parse := range formats {
			v, err := parse(b)
			if err != nil {
				continue
			}
			if c, err := v.Bytes(); err != nil || !bytes.Equal(b, c) {
				t.Fatalf("%s: parse and format give other bytes: %v", name, err)
			}
		}
	})
}

// TestLostStreams: a trial whose recovery found no salt of a stream keeps its keys
// and its id, and makes no invite for it.
func TestLostStreams(t *testing.T) {
	tr := sampleTrial(t)
	i := slices.IndexFunc(tr.Streams, func(s Stream) bool { return s.Name == "site-001" })
	id, _ := tr.StreamID("site-001")
	tr.Streams = slices.Delete(tr.Streams, i, i+1)
	tr.Lost = []LostStream{{"site-001", id}}
	b, err := tr.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseTrial(b)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := again.StreamID("site-001"); !ok || got != id || !slices.Contains(again.Names(), "site-001") {
		t.Errorf("the stream has the id %s", got)
	}
	g := again.Grants[0]
	if _, _, err := again.InForce("site-001", g.Note.Keys[0].Key, sampleNow); err != nil {
		t.Error(err)
	}
	if _, err := again.Invite(g.Note.ID, again.Service); err == nil || !strings.Contains(err.Error(), "salt") {
		t.Errorf("an invite without a salt: %v", err)
	}
	line := "lost site-001 " + id.String() + "\n"
	for what, to := range map[string]string{
		"twice":                  line + line,
		"another id":             "lost site-001 " + strings.Repeat("0", 64) + "\n",
		"an upper-case id":       "lost site-001 " + strings.ToUpper(id.String()) + "\n",
		"no id":                  "lost site-001\n",
		"no name":                "lost Site " + id.String() + "\n",
		"the trial stream's":     line + "lost trial " + id.String() + "\n",
		"none at all":            "",
		"something after it":     "lost site-001 " + id.String() + " x\n",
		"another stream instead": "lost site-009 " + id.String() + "\n",
	} {
		if _, err := ParseTrial(bytes.Replace(b, []byte(line), []byte(to), 1)); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

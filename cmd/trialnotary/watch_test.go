package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"trialnotary/events"
	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

// receiver is what takes the messages of a watch, and checks them as its documentation
// says.
type receiver struct {
	t      *testing.T
	mu     sync.Mutex
	secret string
	status int
	ids    []string
	got    []events.Watch
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, _ := io.ReadAll(q.Body)
	hook, err := standardwebhooks.NewWebhook(r.secret)
	if err == nil {
		err = hook.Verify(body, q.Header)
	}
	var m events.Watch
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	if err != nil {
		r.t.Errorf("%s: %v", body, err)
	}
	for _, private := range []string{"NCT01234567", "site-042", "jane", "john", "Doe", "week12"} {
		if strings.Contains(string(body), private) {
			r.t.Errorf("a message names %q: %s", private, body)
		}
	}
	r.ids, r.got = append(r.ids, q.Header.Get("webhook-id")), append(r.got, m)
	w.WriteHeader(r.status)
}

// A message that was not taken comes again, the same, until it is; an alarm comes too.
func TestWatchSendsSignedMessages(t *testing.T) {
	v, err := newVillage()
	if err != nil {
		t.Fatal(err)
	}
	defer v.close()
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("TRIALNOTARY_CONFIG", filepath.Join(dir, "config"))
	t.Setenv("TRIALNOTARY_SERVICE", v.http.URL)
	run := func(want int, arguments ...string) string {
		t.Helper()
		a, out := newApp(), new(bytes.Buffer)
		a.out, a.err, a.prompt, a.terminal = out, out, out, false
		cmd := a.root()
		cmd.SetArgs(arguments)
		c, err := cmd.ExecuteContextC(t.Context())
		if code := a.finish(c, err); code != want {
			t.Fatalf("%v: exit code %d\n%s", arguments, code, out)
		}
		return out.String()
	}
	for _, k := range []string{"acme", "rec", "jane", "john"} {
		run(0, "keygen", "--name", k, "--out", k+".key", "--no-passphrase")
	}
	b, err := os.ReadFile("acme.key.pub")
	if err != nil {
		t.Fatal(err)
	}
	acme, err := statement.ParsePublicKey(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	v.mu.Lock()
	v.sponsors = append(v.sponsors, acme)
	v.mu.Unlock()
	run(0, "register", "NCT01234567", "--recovery", "rec.key.pub", "--key", "acme.key", "--out", "T.trial")
	run(0, "enrol", "T.trial", "site-042", "jane.key.pub", "--out", "jane.invite")
	run(0, "enrol", "T.trial", "site-042", "john.key.pub", "--out", "john.invite")
	if err := os.WriteFile("data.csv", []byte("subject\n001\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("jane", 0o700); err != nil {
		t.Fatal(err)
	}
	run(0, "seal", "data.csv", "--invite", "john.invite", "--key", "john.key", "--out", "week12")

	r := &receiver{t: t, status: http.StatusInternalServerError}
	hook := httptest.NewServer(r)
	defer hook.Close()
	secret := "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	r.secret = secret
	if err := os.WriteFile("hook.secret", []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	watch := []string{"watch", "jane.invite", "--key", "jane.key", "--once", "--have", "jane", "--webhook", hook.URL, "--secret", "hook.secret"}
	if said := run(exitService, watch...); !strings.Contains(said, "it is told and sent again at the next look") {
		t.Errorf("said %s", said)
	}
	if _, err := os.Stat("jane.invite.watched"); err == nil {
		t.Error("what was not sent is taken for told")
	}
	r.status = http.StatusNoContent
	run(0, watch...)
	n := len(r.got)
	last := r.got[n-1]
	if n < 2 || r.ids[0] != r.ids[n-1] || last.Type != events.TypeWatchEntries || len(last.Data.Entries) != 1 || last.Data.Entries[0].Signer != events.SignerOther {
		t.Errorf("%d messages, ids %q: %+v", n, r.ids, last)
	}
	run(0, watch...)
	if len(r.got) != n {
		t.Error("it is told twice")
	}
	// A service that does not show the stream has not shown that nothing is new in it, and
	// what was seen of it is not forgotten.
	b, err = os.ReadFile("jane.invite")
	if err != nil {
		t.Fatal(err)
	}
	invite, err := client.ParseInvite(b)
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(v.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasPrefix(q.URL.Path, "/streams/"+invite.StreamID().String()) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		proxy.ServeHTTP(w, q)
	}))
	defer silent.Close()
	if said := run(exitService, append(watch, "--service", silent.URL)...); !strings.Contains(said, "does not let the key jane read the stream site-042") {
		t.Errorf("said %s", said)
	}
	sponsor := []string{"watch", "T.trial", "--key", "acme.key", "--once"}
	run(0, sponsor...)
	if said := run(0, append(sponsor, "--service", silent.URL)...); !strings.Contains(said, "NOT SHOWN  1 stream ") {
		t.Errorf("said %s", said)
	}
	if b, err = os.ReadFile("T.trial.watched"); err != nil || !strings.Contains(string(b), "stream "+invite.StreamID().String()+" 1 ") {
		t.Errorf("a stream that was not shown is forgotten: %s, %v", b, err)
	}
	state, err := os.ReadFile("jane.invite.watched")
	if err != nil {
		t.Fatal(err)
	}
	w, err := client.ParseWatched(state)
	if err != nil {
		t.Fatal(err)
	}
	// The log's past is another than what was seen.
	w.Checkpoint.Raw = bytes.Replace(w.Checkpoint.Raw, []byte("\n"+strings.Split(string(w.Checkpoint.Raw), "\n")[2]+"\n"),
		[]byte("\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), 1)
	changed, err := w.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("jane.invite.watched", changed, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("jane.invite.watched.alarm", []byte("of an alarm before"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := run(exitNotVerified, watch...)
	if b, err := os.ReadFile("jane.invite.watched.alarm-2"); err != nil || !bytes.HasPrefix(b, []byte("log.")) || !strings.Contains(said, "jane.invite.watched.alarm-2") {
		t.Errorf("the checkpoint of a second alarm is not kept: %q, %v, said %s", b, err, said)
	}
	alarm := r.got[len(r.got)-1]
	if !strings.Contains(said, "the past of the log was rewritten") || alarm.Type != events.TypeWatchAlarm || alarm.Data.Alarm != rewritten {
		t.Errorf("%s\n%+v", said, alarm)
	}
}

func TestAMessageIsCutIntoPartsThatCanBeSent(t *testing.T) {
	m := newMessage(events.TypeWatchEntries, strings.Repeat("l", 255), 1<<60, 1<<60, time.Now())
	for i := range 3*maxTold - 1 {
		id := strings.Repeat("f", 64)
		m.Data.Entries = append(m.Data.Entries, events.WatchedEntry{Stream: id, Seq: uint64(i + 1), Index: 1 << 62, Batch: 1 << 60, Time: time.Now().UTC().Truncate(time.Second), Statement: id, Signer: events.SignerInvalid})
	}
	n, ids := 0, map[string]bool{}
	for _, p := range m.parts() {
		id, body, err := p.bytes()
		if err != nil || len(body) > 20<<10 {
			t.Errorf("%d bytes, %v", len(body), err)
		}
		for _, e := range p.Data.Entries {
			if n++; e.Seq != uint64(n) {
				t.Fatalf("entry %d stands at %d", e.Seq, n)
			}
		}
		ids[id] = true
	}
	if n != 3*maxTold-1 || len(ids) != 3 {
		t.Errorf("%d entries in %d messages", n, len(ids))
	}
}

package wire

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"trialnotary/events"
	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/onaws"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

const origin = "log.example/trials"

var time20261122 = time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)

// appOn returns a function's process over a store, with keys that no KMS holds.
func appOn(t *testing.T, store notary.Store, sponsor statement.PublicKey) (*App, *bytes.Buffer) {
	t.Helper()
	out := new(bytes.Buffer)
	ed, err := checkpoint.GenerateEd25519(origin)
	if err != nil {
		t.Fatal(err)
	}
	ml, err := checkpoint.GenerateMLDSA44(origin)
	if err != nil {
		t.Fatal(err)
	}
	signers := []checkpoint.Signer{ed, ml}
	policy, _, err := onaws.Policy(signers, "")
	if err != nil {
		t.Fatal(err)
	}
	app := &App{Env: onaws.Env{Origin: origin}, Store: store, Log: newLog(out, "test"), Out: out}
	service, err := notary.New(store, notary.Config{Origin: origin, Signers: signers, Policy: policy, Alarm: app.alarm,
		Sponsors: func() []statement.PublicKey { return []statement.PublicKey{sponsor} }})
	if err != nil {
		t.Fatal(err)
	}
	app.open = &Open{Service: service, Policy: policy, Trust: []byte("trust\n")}
	return app, out
}

func registration(t *testing.T) (*statement.Note, statement.PrivateKey) {
	t.Helper()
	sponsor, err := statement.GenerateKey("acme")
	if err != nil {
		t.Fatal(err)
	}
	recovery, err := statement.GenerateKey("acme.recovery")
	if err != nil {
		t.Fatal(err)
	}
	var salt, other [32]byte
	rand.Read(salt[:])
	rand.Read(other[:])
	stream := statement.StreamIDOf(origin, "NCT01234567", "trial", salt)
	n, err := statement.Sign(&statement.Statement{Log: origin, Trial: "NCT01234567", StreamName: "registration", Kind: statement.KindRegistration,
		Keys: []statement.Key{{Role: statement.RoleSponsor, Name: "trial", Stream: stream, Key: sponsor.Public()},
			{Role: statement.RoleRecovery, Name: "trial", Stream: stream, Key: recovery.Public()}},
		Time: time20261122, Salt: other}, sponsor)
	if err != nil {
		t.Fatal(err)
	}
	return n, sponsor
}

// A submission through the function's handler: what it answers is the message
// `accepted`, and nothing that is logged names the trial or a whole id.
func TestSubmissionThroughTheFunction(t *testing.T) {
	n, sponsor := registration(t)
	store := storetest.NewMemory()
	app, out := appOn(t, store, sponsor.Public())
	h := app.Handler()
	post := func() *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/submissions", bytes.NewReader(n.Raw))
		r.Header.Set("Content-Type", "text/plain")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	w := post()
	d := json.NewDecoder(w.Body)
	d.DisallowUnknownFields()
	var a events.Accepted
	if err := d.Decode(&a); err != nil || w.Code != 202 || len(a.Statements) != 1 || a.Statements[0].Statement != n.ID.String() ||
		a.Statements[0].Receipt != w.Header().Get("Location") || w.Header().Get("Retry-After") != "20" {
		t.Fatalf("%d %+v %v %v", w.Code, a, w.Header(), err)
	}
	broken := storetest.NewFaulty(store, func(string, int) storetest.Fault { return storetest.Refuse })
	app, out2 := appOn(t, broken, sponsor.Public())
	h = app.Handler()
	if w := post(); w.Code != 503 {
		t.Errorf("a store that is away: %d", w.Code)
	}
	app.Log.Error("seal", "error", errors.New("row ST#"+n.Stream().String()+"#"+n.ID.String()+" is odd"))
	all := out.String() + out2.String()
	for _, private := range []string{"NCT01234567", "acme", n.ID.String(), n.Stream().String()} {
		if strings.Contains(all, private) {
			t.Errorf("the log holds %q:\n%s", private, all)
		}
	}
	if !strings.Contains(all, n.ID.String()[:8]+"…") || !strings.Contains(all, `"function":"test"`) {
		t.Errorf("the log:\n%s", all)
	}
}

// While AWS does not tell the keys, requests are answered with 503, and the next
// one asks again.
func TestHandlerBeforeTheKeysAreKnown(t *testing.T) {
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
	}))
	defer away.Close()
	t.Setenv("AWS_ENDPOINT_URL", away.URL)
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	clients, err := onaws.NewClients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	app := &App{Env: onaws.Env{Origin: origin, SigningKeys: []string{"k"}}, Clients: clients, Store: storetest.NewMemory(), Log: newLog(&out, "prove"), Out: &out}
	h := app.Handler()
	get := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/trust", nil))
		return w
	}
	if w := get(); w.Code != 503 || w.Header().Get("Retry-After") == "" || !json.Valid(w.Body.Bytes()) {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	ready, _ := appOn(t, app.Store, statement.PublicKey{})
	app.open = ready.open
	if w := get(); w.Code != 200 || w.Body.String() != "trust\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// What is announced is what the schemas say.
func TestAnnouncements(t *testing.T) {
	var mu sync.Mutex
	var entries []struct{ Source, DetailType, Detail string }
	bus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var put struct {
			Entries []struct{ Source, DetailType, Detail string }
		}
		json.NewDecoder(r.Body).Decode(&put)
		mu.Lock()
		defer mu.Unlock()
		entries = append(entries, put.Entries...)
		w.Write([]byte(`{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`))
	}))
	defer bus.Close()
	t.Setenv("AWS_ENDPOINT_URL", bus.URL)
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	clients, err := onaws.NewClients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	app := &App{Env: onaws.Env{Origin: origin}, Clients: clients, Log: slog.New(slog.DiscardHandler)}
	app.AnnounceOnBus()
	app.Announce(notary.Sealed{Batch: 3, Size: 10, Root: [32]byte{1}, Time: time20261122, Entries: 2})
	app.alarm("forked", "heads/00000000000000000004\n"+strings.Repeat("x", 2000))
	if len(entries) != 2 || entries[0].Source != events.Source || entries[0].DetailType != events.TypeBatchSealed || entries[1].DetailType != events.TypeAlarm {
		t.Fatalf("%+v", entries)
	}
	if want := `{"origin":"log.example/trials","batch":3,"size":10,"root":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","time":"2026-11-22T16:00:00Z","entries":2,"refused":0}`; entries[0].Detail != want {
		t.Errorf("%s\nwant %s", entries[0].Detail, want)
	}
	var a events.Alarm
	if err := json.Unmarshal([]byte(entries[1].Detail), &a); err != nil || a.Kind != "forked" || len(a.Object) != 500 || strings.Contains(a.Object, "\n") {
		t.Errorf("%+v %v", a, err)
	}
	bus.Close()
	app.Announce(notary.Sealed{Batch: 4}) // nobody hears it, and nothing is held up
}

// The embedded metric format, in the one line that CloudWatch reads.
func TestMetrics(t *testing.T) {
	var out bytes.Buffer
	app := &App{Out: &out}
	if err := app.Measure(Metric{SealAge, "Seconds", 1.5}, Metric{Forks, "Count", 0}); err != nil {
		t.Fatal(err)
	}
	var line struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
		SealAge float64
		Forks   *float64
	}
	d := json.NewDecoder(&out)
	d.DisallowUnknownFields()
	if err := d.Decode(&line); err != nil {
		t.Fatal(err)
	}
	m := line.AWS.CloudWatchMetrics
	if len(m) != 1 || m[0].Namespace != "trialnotary" || len(m[0].Dimensions) != 1 || len(m[0].Dimensions[0]) != 0 || len(m[0].Metrics) != 2 ||
		m[0].Metrics[0].Name != "SealAge" || m[0].Metrics[0].Unit != "Seconds" || line.SealAge != 1.5 || line.Forks == nil || line.AWS.Timestamp == 0 {
		t.Errorf("%+v", line)
	}
}

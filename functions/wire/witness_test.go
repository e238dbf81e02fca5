package wire

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/onaws"
	"trialnotary/notary/onaws/fakeaws"
	"trialnotary/notary/storetest"
)

// A witness of the environment cosigns what the function seals, and stands in the
// trust file without its address.
func TestWitnessesAreAsked(t *testing.T) {
	k, err := checkpoint.GenerateCosignature("w.example")
	if err != nil {
		t.Fatal(err)
	}
	away := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, note, _ := strings.Cut(string(body), "\n\n")
		c, err := checkpoint.Parse([]byte(note))
		if err != nil || away {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		sig, err := k.Sign(c.Text())
		if err != nil {
			t.Error(err)
		}
		io.WriteString(w, checkpoint.Line{Name: k.Name(), Hash: k.KeyHash(), Sig: sig}.String())
	}))
	defer server.Close()
	aws := fakeaws.New(t)
	aws.Keys = fakeaws.NewKeys(t)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": aws.URL, "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"} {
		t.Setenv(name, value)
	}
	clients, err := onaws.NewClients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	line := "witness w1 " + k.VerifierKey() + " " + server.URL
	app := &App{Env: onaws.Env{Origin: origin, SigningKeys: []string{"ed", "ml"}, Witnesses: line + "\nquorum w1"}, Clients: clients,
		Store: storetest.NewMemory(), Log: slog.New(slog.DiscardHandler), Out: io.Discard}
	o, err := app.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(o.Trust, []byte(k.VerifierKey())) || bytes.Contains(o.Trust, []byte(server.URL)) {
		t.Errorf("the trust file is\n%s", o.Trust)
	}
	if _, err := o.Service.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := app.Store.Checkpoint(t.Context())
	if err != nil || b == nil {
		t.Fatal(b, err)
	}
	cp, err := checkpoint.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := o.Policy.Verify(cp, nil); err != nil || m.Witnesses != 1 || m.NoLaterThan.IsZero() {
		t.Errorf("%+v, %v", m, err)
	}

	// One that does not answer stops nothing, and nothing becomes final without it.
	away = true
	app.Store, app.open = storetest.NewMemory(), nil
	if o, err = app.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, err := o.Service.Seal(t.Context()); err != nil || s.Batch != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if b, err := app.Store.Checkpoint(t.Context()); err != nil || b != nil {
		t.Errorf("without its witness a checkpoint became final: %s, %v", b, err)
	}

	app.open, app.Env.Witnesses = nil, line
	if _, err := app.Open(t.Context()); err == nil || !strings.Contains(err.Error(), onaws.EnvWitnesses) {
		t.Errorf("witnesses without a quorum: %v", err)
	}
}

package wire

import (
	"bytes"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"trialnotary/notary/onaws"
	"trialnotary/notary/onaws/fakeaws"
	"trialnotary/notary/storetest"
)

// Authorities of the environment are asked about what is sealed, what they answer is
// not kept unless it verifies, and their roots stand in the trust file without their
// addresses.
func TestAuthoritiesAreAsked(t *testing.T) {
	asked := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	server.Close()
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		io.WriteString(w, "no token")
	}))
	defer liar.Close()
	aws := fakeaws.New(t)
	aws.Keys = fakeaws.NewKeys(t)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": aws.URL, "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"} {
		t.Setenv(name, value)
	}
	clients, err := onaws.NewClients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	app := &App{Env: onaws.Env{Origin: origin, SigningKeys: []string{"ed", "ml"}, TSAs: "office " + liar.URL + "\n" + string(root)}, Clients: clients,
		Store: storetest.NewMemory(), Log: slog.New(slog.DiscardHandler), Out: io.Discard}
	o, err := app.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(o.Trust, root) || bytes.Contains(o.Trust, []byte(liar.URL)) {
		t.Errorf("the trust file is\n%s", o.Trust)
	}
	if o.Service.StampPatience != StampPatience {
		t.Errorf("an authority is waited for %s", o.Service.StampPatience)
	}
	if _, err := o.Service.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := o.Service.Stamp(t.Context()); err != nil || asked != 1 {
		t.Errorf("asked %d times, %v", asked, err)
	}
	if f := o.Service.StampFigures(); f.Kept != 0 || f.Failed != 1 || f.Lacking != 1 {
		t.Errorf("%+v", f)
	}
	if names, err := app.Store.ListState(t.Context(), "stamps/"); err != nil || len(names) > 0 {
		t.Errorf("kept %q, %v", names, err)
	}

	app.open, app.Env.TSAs = nil, "office "+liar.URL
	if _, err := app.Open(t.Context()); err == nil || !strings.Contains(err.Error(), onaws.EnvTSAs) {
		t.Errorf("authorities without certificates: %v", err)
	}
}

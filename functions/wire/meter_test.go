package wire

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"trialnotary/notary/onaws"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

// What an event makes the function ask of AWS is one line of its log, if the
// environment asks for it, and no line else.
func TestMetered(t *testing.T) {
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"__type":"NotFoundException"}`, http.StatusBadRequest)
	}))
	defer aws.Close()
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": aws.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"} {
		t.Setenv(name, value)
	}
	for _, meter := range []*onaws.Meter{new(onaws.Meter), nil} {
		app, out := appOn(t, storetest.NewMemory(), statement.PublicKey{})
		app.meter = meter
		var err error
		if app.Clients, err = onaws.NewClients(t.Context(), app.meter.Option()); err != nil {
			t.Fatal(err)
		}
		h := app.metered(lambda.NewHandler(func(ctx context.Context) error {
			_, err := onaws.Signers(ctx, app.Clients.KMS, onaws.Env{Origin: origin, SigningKeys: []string{"1"}})
			if err == nil {
				t.Error("a key was found")
			}
			return nil
		}))
		for range 2 {
			out.Reset()
			if _, err := h.Invoke(t.Context(), []byte("{}")); err != nil {
				t.Fatal(err)
			}
			if meter == nil {
				if out.Len() > 0 {
					t.Errorf("nobody asked for %s", out)
				}
				continue
			}
			var line struct {
				Msg   string
				Calls map[string]int
			}
			if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Msg != "metered" || line.Calls["KMS GetPublicKey"] != 1 {
				t.Errorf("%v: %s", err, out)
			}
		}
	}
}

package wire

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/onaws"
	"trialnotary/notary/onaws/fakeaws"
	"trialnotary/notary/receipt"
	"trialnotary/notary/storetest"
)

// The stack has new keys: nothing is sealed until an operator hands the log over, and
// then every process shows and believes both, without a restart.
func TestTheLogIsHandedOverToNewKeys(t *testing.T) {
	for name, stolen := range map[string]bool{"in good order": false, "stolen": true} {
		t.Run(name, func(t *testing.T) {
			aws := fakeaws.New(t)
			aws.Keys = fakeaws.NewKeys(t)
			for n, more := range []fakeaws.Keys{fakeaws.NewKeys(t), fakeaws.NewKeys(t)} {
				for _, id := range []string{"ed", "ml"} {
					aws.Keys.Keys[id+string(rune('2'+n))] = more.Keys[id]
				}
			}
			for name, value := range map[string]string{"AWS_ENDPOINT_URL": aws.URL, "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"} {
				t.Setenv(name, value)
			}
			clients, err := onaws.NewClients(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			app := &App{Env: onaws.Env{Origin: origin, SigningKeys: []string{"ed", "ml"}}, Clients: clients,
				Store: storetest.NewMemory(), Log: slog.New(slog.DiscardHandler), Out: io.Discard}
			o, err := app.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := o.Service.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := app.HandOver(t.Context(), stolen); err == nil {
				t.Error("handed over to nobody")
			}
			keys := []string{"ed", "ml"}
			for n, next := range [][]string{{"ed2", "ml2"}, {"ed3", "ml3"}} {
				app.Env.SigningKeys, app.Env.OldKeys, app.open = next, keys, nil
				keys = next
				// Other processes are open already, and are not to stay as they are.
				if o, err = app.Open(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, err := o.Service.Seal(t.Context()); !errors.Is(err, notary.ErrKeys) {
					t.Errorf("sealed before the handover: %v", err)
				}
				if n == 1 {
					// Nothing was sealed since the last change.
					if _, err := app.HandOver(t.Context(), stolen); err == nil {
						t.Error("handed over twice at one size")
					}
					break
				}
				k, err := app.HandOver(t.Context(), stolen)
				if err != nil {
					t.Fatal(err)
				}
				if crossed, err := k.Handover.Verify(k); err != nil || crossed == stolen {
					t.Errorf("crossed %v, %v", crossed, err)
				}
				again, err := app.HandOver(t.Context(), stolen)
				if err != nil || !bytes.Equal(again.Handover.Bytes(), k.Handover.Bytes()) {
					t.Errorf("the same event again: %v", err)
				}
				if o, err = app.Open(t.Context()); err != nil {
					t.Fatal(err)
				}
				trust, err := receipt.ParseTrust(o.Trust)
				if err != nil || len(trust.Policy.Retired()) != 1 {
					t.Errorf("the trust file is\n%s%v", o.Trust, err)
				}
				if _, err := o.Service.Seal(t.Context()); err != nil {
					t.Errorf("after the handover: %v", err)
				}
				get := func(name string) ([]byte, error) {
					if name == "checkpoint" {
						return app.Store.Checkpoint(t.Context())
					}
					return app.Store.Get(t.Context(), name)
				}
				if _, err := storetest.VerifyLog(get, trust.Policy); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

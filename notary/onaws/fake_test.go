package onaws

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"trialnotary/notary/onaws/fakeaws"
)

// fakeAWS is the wire fake with clients that speak to it.
type fakeAWS struct {
	*fakeaws.Server
	t testing.TB
}

func newFakeAWS(t testing.TB) *fakeAWS { return &fakeAWS{fakeaws.New(t), t} }

func (f *fakeAWS) clients() *Clients { return clientsAt(f.t, f.URL) }

func clientsAt(t testing.TB, url string) *Clients {
	t.Helper()
	c, err := NewClients(t.Context(), config.WithBaseEndpoint(url), config.WithRegion("eu-central-1"),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var testEnv = Env{Origin: "log.example/trials", Table: "table", LogBucket: "log", StateBucket: "state", SiteBucket: "site"}

func (f *fakeAWS) store() *Store { return NewStore(f.clients(), testEnv) }

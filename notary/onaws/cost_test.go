package onaws

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"trialnotary/notary"
	"trialnotary/notary/onaws/fakeaws"
	"trialnotary/notary/statement"
)

// What a statement costs: submitted at 256 a call and sealed with many others.
// Units are DynamoDB's own words where TRIALNOTARY_TEST_LOCALSTACK is set, else
// those that the fake computes by AWS's rules.
func TestWhatAStatementCosts(t *testing.T) {
	t.Parallel()
	const n = 5 * notary.MaxSubmission
	f := newFakeAWS(t)
	f.Keys = fakeaws.NewKeys(t)
	var meter Meter
	c := meteredAt(t, f.URL, &meter)
	e := withKeys("ed", "ml")
	if url := os.Getenv(localStack); url != "" {
		real := meteredAt(t, url, &meter)
		real.KMS, c = c.KMS, real
		e.Table, e.LogBucket, e.StateBucket, e.SiteBucket = "cost", "cost-log", "cost-state", "cost-site"
		suffix := strings.ToLower(fmt.Sprintf("%x", newToken()))
		e.Table += suffix
		e.LogBucket, e.StateBucket, e.SiteBucket = e.LogBucket+suffix, e.StateBucket+suffix, e.SiteBucket+suffix
		createTable(t, c, e)
		createBuckets(t, c, e)
	}
	w := newTrial(t, c, e)
	w.register()

	// Statements of 850 to 900 bytes.
	var notes [][]byte
	for i := range n {
		raw := w.sign(statement.Statement{StreamName: "trial", StreamSalt: w.salt, Kind: statement.KindNote, Label: fmt.Sprintf("note %d", i),
			Reason: strings.Repeat("why?", 70)[:180+i%20], About: []statement.ID{{1}, {2}, {3}, {4}, {5}}})
		if len(raw) < 800 || len(raw) > 900 {
			t.Fatalf("a statement of %d bytes", len(raw))
		}
		notes = append(notes, raw)
	}
	meter.Take()
	for i := 0; i < n; i += notary.MaxSubmission {
		_, err := w.service.Submit(t.Context(), notes[i:i+notary.MaxSubmission])
		must(t, err)
	}
	submit := meter.Take()
	sealed, err := w.service.Seal(t.Context())
	must(t, err)
	seal := meter.Take()
	if sealed.Entries != n {
		t.Fatalf("%+v", sealed)
	}
	million := (submit.Dollars() + seal.Dollars()) * 1e6 / n
	t.Logf("%d statements at %d a submission\nsubmit, $%.2f a million:\n%vseal, $%.2f a million:\n%vtogether $%.2f a million",
		n, notary.MaxSubmission, submit.Dollars()*1e6/n, submit, seal.Dollars()*1e6/n, seal, million)
	if million > 3.50 {
		t.Errorf("a million statements cost $%.2f, at most 3.50", million)
	}
	// Five objects a batch (staging, head, signed, final, checkpoint), the partial
	// ones of the right edge, and a bundle and a tile for every 256 entries.
	if puts, most := seal.Calls["S3 PutObject"], n/127+8; puts > most {
		t.Errorf("sealing %d statements writes %d objects, at most %d", n, puts, most)
	}
	if units := (submit.Units["DynamoDB PutItem"] + seal.Units["DynamoDB PutItem"] + seal.Units["DynamoDB BatchWriteItem"]) / n; units > 4.1 {
		t.Errorf("%.2f write units a statement, want 4", units)
	}

	// A minute in which nothing happens: 43,200 of them are a month.
	_, err = w.service.Seal(t.Context())
	must(t, err)
	rest := meter.Take()
	t.Logf("a tick with nothing to do, $%.2f a month:\n%v", rest.Dollars()*43_200, rest)
	if month := rest.Dollars() * 43_200; month > 0.50 {
		t.Errorf("ticking costs $%.2f a month", month)
	}
}

func meteredAt(t *testing.T, url string, m *Meter) *Clients {
	t.Helper()
	c, err := NewClients(t.Context(), config.WithBaseEndpoint(url), config.WithRegion("eu-central-1"), m.Option(),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	must(t, err)
	return c
}

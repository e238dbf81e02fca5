package web_test

import (
	"context"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/receipt"
	"trialnotary/notary/timestamp"
	"trialnotary/notary/web"
)

// office gives a token of any kind, once it is asked.
type office struct{}

func (office) Name() string { return "office" }
func (office) Stamp(context.Context, timestamp.Imprint) ([]byte, error) {
	return []byte("a token"), nil
}

// A receipt is cached for ever only once its time-stamps are all there.
func TestReceiptsAreNotCachedForEverBeforeTheirTimestamps(t *testing.T) {
	w := newWorld(t)
	svc, err := notary.New(w.store, notary.Config{Origin: origin, Signers: logKeys(), Policy: w.policy, Timestampers: []notary.Timestamper{office{}}})
	if err != nil {
		t.Fatal(err)
	}
	w.svc, w.handler = svc, web.New(web.Options{Service: svc})
	n := w.data("site-001", w.one)
	w.must(n)
	path := "/receipts/" + n.Stream().String() + "/" + n.ID.String()
	for i, want := range []string{"public, max-age=60", "public, max-age=31536000, immutable"} {
		r := w.get(path)
		e, err := receipt.ParseEvidence([]byte(body(t, r)))
		if err != nil || len(e.Timestamps) != i || r.Header.Get("Cache-Control") != want {
			t.Errorf("%d time-stamps, %q, %v", len(e.Timestamps), r.Header.Get("Cache-Control"), err)
		}
		if err := svc.Stamp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

package main

import (
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/onaws"
)

// maxWrites is how many objects consecutive batches of n statements may write: a bundle
// and a tile for every 256 leaves, eight that each batch has whatever its size, and
// the bundle and tile that were begun before the first of them.
func maxWrites(n, batches int) int { return n/127 + 8*batches + 2 }

// TestLoad sends 10,000 statements through the function URL, 256 a call and four
// calls at a time, while the rule and more seal them. None is lost, the batches write
// no more objects than they may, and all of it costs no more than is promised.
// TRIALNOTARY_TEST_STATEMENTS sets another number, to develop with.
func TestLoad(t *testing.T) {
	d := up(t)
	n := 10_000
	if v := os.Getenv("TRIALNOTARY_TEST_STATEMENTS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil || n < 1 {
			t.Fatalf("TRIALNOTARY_TEST_STATEMENTS=%s", v)
		}
	}
	s := d.newStudy(t)
	notes := s.datasets(t, n)
	began := time.Now()
	d.configure(t, map[string]string{onaws.EnvMeter: "1"}, "Submit", "Seal")

	posts := make(chan [][]byte)
	var clients, sealer sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for p := range posts {
				s.submit(t, p...)
			}
		})
	}
	done := make(chan struct{})
	sealer.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(10 * time.Second):
				_ = d.seal(t.Context(), t) // or the rule is at it
			}
		}
	})
	for from := 0; from < n; from += notary.MaxSubmission {
		posts <- notes[from:min(from+notary.MaxSubmission, n)]
	}
	close(posts)
	clients.Wait()
	accepted := time.Since(began)
	close(done)
	sealer.Wait()
	s.sealAll(t)
	t.Logf("%d statements accepted in %s, %.0f a second; all sealed after %s", n, accepted.Round(time.Second),
		float64(n)/accepted.Seconds(), time.Since(began).Round(time.Second))
	s.sealedOnce(t)

	var all onaws.Count
	entries, batches := 0, 0
	for _, l := range d.log(t, "Seal", began) {
		switch l.Msg {
		case "sealed":
			t.Logf("batch %d: %d statements in %s", l.Batch, l.Entries, l.Took)
			entries, batches = entries+l.Entries, batches+1
		case "metered":
			all.Add(onaws.Count{Calls: l.Calls, Units: l.Units})
		}
	}
	if wrote, most := all.Calls["S3 PutObject"], maxWrites(entries, batches); wrote > most {
		t.Errorf("%d batches wrote %d objects, at most %d", batches, wrote, most)
	}
	if entries != n {
		t.Errorf("the sealer says it sealed %d of %d", entries, n)
	}
	for _, l := range d.log(t, "Submit", began) {
		all.Add(onaws.Count{Calls: l.Calls, Units: l.Units})
	}
	million := all.Dollars() * 1e6 / float64(n)
	t.Logf("$%.2f a million statements, without Lambda's time:\n%v", million, all)
	if million > 3.50 {
		t.Errorf("a million statements cost $%.2f, at most 3.50", million)
	}
}

package main

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestUnreliableAWS puts the fault proxy between the deployed functions and AWS and
// kills their processes, while statements come in through the function URL and
// sealers are started without pause, until every kind of fault has happened to every
// operation. What was accepted is then in the log, once, and the log is whole.
// TRIALNOTARY_TEST_SEED repeats the faults of an earlier run, as far as the order of
// calls is the same.
func TestUnreliableAWS(t *testing.T) {
	d := up(t)
	d.needsHost(t)
	began := time.Now()
	s := d.newStudy(t)
	seed := rand.Uint64()
	if v := os.Getenv("TRIALNOTARY_TEST_SEED"); v != "" {
		var err error
		if seed, err = strconv.ParseUint(v, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("TRIALNOTARY_TEST_SEED=%d", seed)
	p := newFaultProxy(t, seed, d.endpoint())
	d.configure(t, map[string]string{"AWS_ENDPOINT_URL": p.URL}, "Submit", "Seal")

	ctx, stop := context.WithTimeout(t.Context(), 4*time.Minute)
	defer stop()
	var wg sync.WaitGroup
	var posts, tries, rounds, failed, kills atomic.Int64
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				notes := s.datasets(t, 1+rand.IntN(6))
				posts.Add(1)
				tries.Add(int64(s.submit(t, notes...)))
				if rand.IntN(4) == 0 {
					s.submit(t, notes...) // again, as a client whose answer was lost
				}
				time.Sleep(500 * time.Millisecond)
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			rounds.Add(1)
			if d.seal(ctx, t) != nil {
				failed.Add(1)
			}
		}
	})
	wg.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			time.Sleep(time.Duration(1000+rand.IntN(3000)) * time.Millisecond)
			kills.Add(int64(d.killFunction(t, []string{"Seal", "Submit"}[n%2])))
		}
	})
	for ctx.Err() == nil && !t.Failed() && (len(p.missing()) > 0 || kills.Load() < 15) {
		time.Sleep(200 * time.Millisecond)
	}
	stop()
	wg.Wait()
	p.rest()
	t.Logf("%d statements in %d posts, sent %d times; %d rounds of sealing, %d failed; %d processes killed; %s\n%s",
		len(s.accepted), posts.Load(), tries.Load(), rounds.Load(), failed.Load(), kills.Load(), time.Since(began).Round(time.Second), p)
	if lack := p.missing(); len(lack) > 0 {
		t.Errorf("never injected:\n%s", strings.Join(lack, "\n"))
	}
	if kills.Load() < 15 || tries.Load() == posts.Load() {
		t.Errorf("%d processes were killed, and %d posts were sent %d times: nothing was shown", kills.Load(), posts.Load(), tries.Load())
	}
	s.sealAll(t)
	s.sealedOnce(t)
	for _, l := range d.log(t, "Seal", began) {
		if l.Msg == "ALARM" {
			t.Errorf("alarm: %+v", l)
		}
	}
}

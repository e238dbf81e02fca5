package notary_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/ondisk"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

// fill puts n accepted statements of many sites into the inbox.
func (w *world) fill(tr *trial, keys []statement.PrivateKey, n int) {
	w.t.Helper()
	received := w.clock().UnixNano()
	batch := make([]notary.Accepted, 0, 1024)
	for i := range n {
		k := i % len(keys)
		note := w.data(tr, fmt.Sprintf("site-%03d", k+1), keys[k])
		pub := keys[k].Public()
		batch = append(batch, notary.Accepted{Ref: notary.Ref{Stream: note.Stream(), Statement: note.ID},
			Received: received + int64(i), Lane: binary.BigEndian.Uint64(pub.Key[:8]), Note: note.Raw})
		if len(batch) == cap(batch) || i == n-1 {
			if err := w.store.Accept(context.Background(), batch); err != nil {
				w.t.Fatal(err)
			}
			batch = batch[:0]
		}
	}
}

func (w *world) sites(tr *trial, n int) []statement.PrivateKey {
	keys := make([]statement.PrivateKey, n)
	for i := range keys {
		name := fmt.Sprintf("site-%03d", i+1)
		keys[i] = newKey(w.t, name+".p")
		w.mustSubmit(w.enrol(tr, w.sponsor, name, keys[i].Public()))
	}
	w.mustDrain()
	return keys
}

func memoryPeak() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys
}

// BenchmarkSeal seals batches of 10,000 statements of 80 sites: the whole way from
// the inbox to receipts, on disk with every write synced, and in memory.
// TRIALNOTARY_BACKLOG sets how many wait before the clock starts.
func BenchmarkSeal(b *testing.B) {
	backlog, err := strconv.Atoi(os.Getenv("TRIALNOTARY_BACKLOG"))
	if err != nil {
		backlog = 20_000
	}
	for _, name := range []string{"memory", "disk"} {
		b.Run(fmt.Sprintf("%s/%d", name, backlog), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				var store notary.Store = storetest.NewMemory()
				if name == "disk" {
					d, err := ondisk.Open(b.TempDir())
					if err != nil {
						b.Fatal(err)
					}
					defer d.Close()
					store = d
				}
				w := newWorld(b, store)
				tr := w.newTrial("NCT01234567")
				w.mustSubmit(tr.reg)
				w.mustDrain()
				keys := w.sites(tr, 80)
				w.fill(tr, keys, backlog)
				b.StartTimer()
				var first, last time.Duration
				for {
					start := time.Now()
					s, err := w.svc.Seal(context.Background())
					if err != nil {
						b.Fatal(err)
					}
					if last = time.Since(start); first == 0 {
						first = last
					}
					if !s.More {
						break
					}
					b.ReportMetric(last.Seconds()/first.Seconds(), "last-batch/first")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(backlog*b.N), "µs/statement")
			b.ReportMetric(float64(memoryPeak())/(1<<20), "MiB-from-OS")
		})
	}
}

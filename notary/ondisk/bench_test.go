package ondisk

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trialnotary/notary"
)

// random returns an accepted statement with a note of 900 bytes.
func random(rng *rand.Rand, lanes uint64) notary.Accepted {
	a := notary.Accepted{Received: time.Now().UnixNano(), Lane: rng.Uint64N(lanes), Note: make([]byte, 900)}
	for i := 0; i < 32; i += 8 {
		binary.LittleEndian.PutUint64(a.Statement[i:], rng.Uint64())
		binary.LittleEndian.PutUint64(a.Stream[i:], rng.Uint64())
	}
	return a
}

// fill puts n statements into the inbox.
func fill(b *testing.B, s *Store, n int, lanes uint64) []notary.Ref {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	var refs []notary.Ref
	var wg sync.WaitGroup
	for len(refs) < n {
		for range 12 {
			batch := make([]notary.Accepted, min(notary.MaxCall, n-len(refs)))
			for i := range batch {
				batch[i] = random(rng, lanes)
				refs = append(refs, batch[i].Ref)
			}
			wg.Go(func() {
				if err := s.Accept(b.Context(), batch); err != nil {
					panic(err)
				}
			})
		}
		wg.Wait()
	}
	return refs
}

// BenchmarkAccept has 64 callers submit single statements.
func BenchmarkAccept(b *testing.B) {
	for _, waiting := range []int{0, 100_000} {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			s := mustOpen(b, b.TempDir())
			// The file has had its batches: pages are used again, as on any later day.
			for range 2 {
				must(b, s.Clear(b.Context(), fill(b, s, 30_000, 50)))
			}
			fill(b, s, waiting, 50)
			const callers = 64
			var next atomic.Int64
			var wg sync.WaitGroup
			before := cpuTime()
			b.ResetTimer()
			for i := range callers {
				rng := rand.New(rand.NewPCG(2, uint64(i)))
				wg.Go(func() {
					for next.Add(1) <= int64(b.N) {
						if err := s.Accept(b.Context(), []notary.Accepted{random(rng, 50)}); err != nil {
							panic(err)
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepts/s")
			if cpu := cpuTime() - before; cpu > 0 {
				b.ReportMetric(float64(cpu.Microseconds())/float64(b.N), "cpu-µs/op")
			}
		})
	}
}

// BenchmarkPending reads 10,000 of many waiting statements, and clears them.
func BenchmarkPending(b *testing.B) {
	waiting := 100_000
	if os.Getenv("TRIALNOTARY_BENCH") == "full" {
		waiting = 1_000_000
	}
	for _, lanes := range []uint64{1, 50, 1 << 60} {
		s := mustOpen(b, b.TempDir())
		fill(b, s, waiting, lanes)
		var pending []notary.Accepted
		b.Run(fmt.Sprintf("waiting=%d/lanes=%d", waiting, min(lanes, uint64(waiting))), func(b *testing.B) {
			for b.Loop() {
				var err error
				if pending, err = s.Pending(b.Context(), 10_000); err != nil || len(pending) != 10_000 {
					b.Fatal(len(pending), err)
				}
			}
		})
		b.Run(fmt.Sprintf("clear/lanes=%d", min(lanes, uint64(waiting))), func(b *testing.B) {
			refs := make([]notary.Ref, len(pending))
			for i := range pending {
				refs[i] = pending[i].Ref
			}
			for b.Loop() {
				must(b, s.Clear(b.Context(), refs))
				b.StopTimer()
				for chunk := 0; chunk < len(pending); chunk += notary.MaxCall {
					must(b, s.Accept(b.Context(), pending[chunk:min(chunk+notary.MaxCall, len(pending))]))
				}
				b.StartTimer()
			}
		})
		s.Close()
	}
}

// BenchmarkAddRows adds what a batch of 10,000 statements needs: a row with the
// note and a small one for each, under random keys, to a table that has many.
func BenchmarkAddRows(b *testing.B) {
	s := mustOpen(b, b.TempDir())
	rng := rand.New(rand.NewPCG(4, 4))
	rows := func() []notary.Row {
		var rows []notary.Row
		for i := range 10_000 {
			stream := fmt.Sprintf("%016x%016x%016x%016x", rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64())
			rows = append(rows,
				notary.Row{Partition: "ST#" + stream, Sort: stream, Value: make([]byte, 900)},
				notary.Row{Partition: "SM#" + stream, Sort: fmt.Sprintf("%020d", i), Value: make([]byte, 40)})
		}
		return rows
	}
	for range 10 {
		must(b, s.AddRows(b.Context(), rows()))
	}
	for b.Loop() {
		b.StopTimer()
		batch := rows()
		b.StartTimer()
		must(b, s.AddRows(b.Context(), batch))
	}
}

// BenchmarkPut writes objects of a full entry bundle's size, several at once.
func BenchmarkPut(b *testing.B) {
	s := mustOpen(b, b.TempDir())
	data := make([]byte, 256*120)
	var next atomic.Int64
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := next.Add(1)
			if err := s.Put(b.Context(), fmt.Sprintf("tile/entries/x%03d/%03d", n/1000, n%1000), data); err != nil {
				panic(err)
			}
		}
	})
}

package streammap

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"trialnotary/notary/statement"
)

const benchStreams = 1_000_000

// million is a map of 10⁶ streams, and its ids.
func million(b testing.TB) (*packs, Root, []statement.StreamID) {
	b.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	ids := make([]statement.StreamID, benchStreams)
	changes := make([]Change, benchStreams)
	for i := range ids {
		ids[i] = random(r)
		changes[i] = Change{ids[i], Value{1, random(r)}}
	}
	p := newPacks()
	root, pack, err := Update(p, Root{}, 1, changes)
	if err != nil {
		b.Fatal(err)
	}
	p.packs[1] = pack
	return p, root, ids
}

// BenchmarkUpdate changes k of 10⁶ streams, half of them new: nodes read, calls
// where a level is read at once, and bytes of pack, for each change.
func BenchmarkUpdate(b *testing.B) {
	p, root, ids := million(b)
	for _, k := range []int{1, 10, 100, 1000, 10_000} {
		b.Run(fmt.Sprint("k=", k), func(b *testing.B) {
			r := rand.New(rand.NewPCG(5, 6))
			changes := make([]Change, k)
			var bytes int
			p.reads, p.calls = 0, 0
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				for i := range changes {
					changes[i] = Change{ids[(i*37+r.IntN(37))%len(ids)], Value{2, random(r)}}
					if i%2 == 1 {
						changes[i].Stream = random(r)
					}
				}
				b.StartTimer()
				_, pack, err := Update(together{p}, root, 2, changes)
				if err != nil {
					b.Fatal(err)
				}
				bytes += len(pack)
			}
			per := float64(b.N * k)
			b.ReportMetric(float64(p.reads)/per, "reads/change")
			b.ReportMetric(float64(p.calls)/float64(b.N), "calls/op")
			b.ReportMetric(float64(bytes)/per, "bytes/change")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/per, "ns/change")
		})
	}
	b.Logf("10⁶ streams at once: %d bytes each", len(p.packs[1])/benchStreams)
}

// BenchmarkProve proves a stream among 10⁶, and verifies the proof.
func BenchmarkProve(b *testing.B) {
	p, root, ids := million(b)
	r := rand.New(rand.NewPCG(7, 8))
	b.Run("prove", func(b *testing.B) {
		p.reads = 0
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Prove(p, root, ids[r.IntN(len(ids))]); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(p.reads)/float64(b.N), "reads/op")
	})
	proof, err := Prove(p, root, ids[0])
	if err != nil {
		b.Fatal(err)
	}
	b.Run("verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := proof.Verify(root.Hash); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package mirror

import (
	"fmt"
	"testing"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/receipt"
	"trialnotary/notary/tile"
)

// A log of 200,000 entries in 20 batches is copied from memory to the disk: what a
// mirror costs beside the network.
func BenchmarkUpdate(b *testing.B) {
	keys := logKeys(b)
	policy, err := checkpoint.NewLogPolicy(keys[0].VerifierKey(), keys[1].VerifierKey())
	if err != nil {
		b.Fatal(err)
	}
	log, edge := shelf{}, &tile.Edge{}
	for batch := uint64(1); batch <= 20; batch++ {
		for edge.Size() < batch*10_000 {
			edge.Append(fmt.Appendf(nil, "trialnotary/entry@v1\nindex %d\nbatch %d 2026-11-22T16:00:00Z\nstream %064d\nseq %d\nstatement %064d\n", edge.Size(), batch, batch, edge.Size(), edge.Size()))
		}
		for _, o := range edge.Objects() {
			log[o.Name] = o.Data
		}
		log[checkpoint.HeadName(batch)] = checkpoint.Head{Batch: batch, Size: edge.Size(), Root: edge.Root()}.Bytes()
		raw, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: origin, Size: edge.Size(), Root: edge.Root()}, keys)
		if err != nil {
			b.Fatal(err)
		}
		log[checkpoint.SignedName(batch)], log[checkpoint.FinalName(edge.Size())], log[CheckpointName] = raw, raw, raw
	}
	for b.Loop() {
		if _, err := Update(b.Context(), Options{Source: log, Dir: b.TempDir(), Trust: &receipt.Trust{Policy: policy}}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*200_000/b.Elapsed().Seconds(), "entries/s")
}

package streammap

import (
	"math/bits"
	"math/rand/v2"
	"testing"
)

// TestAMillionStreams counts what a batch that touches k of 10⁶ streams costs: one
// pack, and about log₄ 10⁶ nodes read for each stream, in as many calls as the map has
// levels; and how long proofs are.
func TestAMillionStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a map of 10⁶ streams")
	}
	p, root, ids := million(t)
	r := rand.New(rand.NewPCG(9, 10))
	levels := (bits.Len(benchStreams) + span - 1) / span
	for _, k := range []int{1, 10, 100, 1000} {
		changes := make([]Change, k)
		for i := range changes {
			changes[i] = Change{ids[r.IntN(len(ids)/k)*k+i], Value{2, random(r)}}
			if i%2 == 1 {
				changes[i].Stream = random(r)
			}
		}
		p.reads, p.calls = 0, 0
		_, pack, err := Update(together{p}, root, 2, changes)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("k = %d: %d nodes in %d calls, a pack of %d bytes", k, p.reads, p.calls, len(pack))
		if most := k * (levels + 4); p.reads > most || p.reads < k {
			t.Errorf("k = %d: %d nodes are read, at most %d", k, p.reads, most)
		}
		if p.calls > 2*levels {
			t.Errorf("k = %d: %d calls, at most %d", k, p.calls, 2*levels)
		}
		if most := k * 2048; len(pack) > most {
			t.Errorf("k = %d: a pack of %d bytes, at most %d", k, len(pack), most)
		}
	}
	longest := 0
	for i := range 2000 {
		id := ids[r.IntN(len(ids))]
		if i%2 == 1 {
			id = random(r)
		}
		proof, err := Prove(p, root, id)
		if err != nil {
			t.Fatal(err)
		}
		if err := proof.Verify(root.Hash); err != nil || (i%2 == 1) != (proof.Count == 0) {
			t.Fatalf("%+v: %v", proof, err)
		}
		longest = max(longest, len(proof.Bytes()))
	}
	t.Logf("the longest of 2000 proofs has %d bytes", longest)
	if longest > 2048 {
		t.Errorf("a proof of %d bytes", longest)
	}
}

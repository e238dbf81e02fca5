package tile

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
)

const benchLeaves = 1 << 20

// floor computes as many leaf and node hashes as n more leaves of 32 bytes make,
// and nothing else.
func floor() func(n int) {
	var leaf [1 + 32]byte
	var node [1 + 64]byte
	node[0] = nodePrefix
	return func(n int) {
		for range n {
			h := sha256.Sum256(leaf[:])
			leaf[1] = h[0]
			h = sha256.Sum256(node[:])
			node[1] = h[0]
		}
	}
}

// ours appends to an edge, which at the end gives its objects.
func ours() func(n int) {
	var e Edge
	var entry [32]byte
	return func(n int) {
		for range n {
			binary.BigEndian.PutUint64(entry[:], e.Size())
			e.Append(entry[:])
		}
		if e.Size() >= benchLeaves {
			e.Objects()
		}
	}
}

// xmod appends to the stored hashes of x/mod's tlog, without making tiles.
func xmod() func(n int) {
	p := &peer{hashes: make([]tlog.Hash, 0, 2*benchLeaves)}
	var entry [32]byte
	size := int64(0)
	return func(n int) {
		for range n {
			binary.BigEndian.PutUint64(entry[:], uint64(size))
			hs, err := tlog.StoredHashes(size, entry[:], p)
			if err != nil {
				panic(err)
			}
			p.hashes = append(p.hashes, hs...)
			size++
		}
	}
}

// merkle appends to the compact range of transparency-dev, without tiles.
func merkle() func(n int) {
	r := newPeer().rng
	var entry [32]byte
	return func(n int) {
		for range n {
			binary.BigEndian.PutUint64(entry[:], r.End())
			if err := r.Append(rfc6962.DefaultHasher.HashLeaf(entry[:]), nil); err != nil {
				panic(err)
			}
		}
	}
}

// turns runs what is compared in short turns and compares each turn with that of
// the first in the same round, so that a noisy machine is noisy for all.
type turns struct {
	ratios [][]float64
	ns     []float64 // the shortest turn of each
}

func (t *turns) round(run ...func()) {
	if t.ratios == nil {
		t.ratios, t.ns = make([][]float64, len(run)), make([]float64, len(run))
	}
	var first float64
	for i, f := range run {
		start := time.Now()
		f()
		d := float64(time.Since(start))
		if i == 0 {
			first = d
		}
		t.ratios[i] = append(t.ratios[i], d/first)
		if t.ns[i] == 0 || d < t.ns[i] {
			t.ns[i] = d
		}
	}
}

// report gives the median ratios, and the shortest times, each over per.
func (t *turns) report(b *testing.B, per float64) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(t.ns[0]/per, "floor-ns")
	b.ReportMetric(t.ns[1]/per, "ours-ns")
	for i, unit := range []string{"x-floor", "xmod-x-floor", "merkle-x-floor"} {
		r := t.ratios[i+1]
		slices.Sort(r)
		b.ReportMetric(r[len(r)/2], unit)
	}
}

// BenchmarkAppend grows a tree to 2²⁰ leaves of 32 bytes, in turns with the bare
// hashes and with the peers. x-floor is ours as a multiple of the bare hashes.
func BenchmarkAppend(b *testing.B) {
	const turn = 1 << 14
	var t turns
	for b.Loop() {
		f, o, x, m := floor(), ours(), xmod(), merkle()
		for range benchLeaves / turn {
			t.round(func() { f(turn) }, func() { o(turn) }, func() { x(turn) }, func() { m(turn) })
		}
	}
	t.report(b, turn)
}

// BenchmarkAppendAlone is ours by itself, for its allocations and a profile.
func BenchmarkAppendAlone(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ours()(benchLeaves)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchLeaves), "ns/leaf")
}

// BenchmarkVerifyInclusion verifies a proof of 30 hashes at 10⁹ leaves, in turns
// with the peers and with 30 bare node hashes.
func BenchmarkVerifyInclusion(b *testing.B) {
	const size, index = 1_000_000_000, 123_456_789
	leaf := LeafHash([]byte("leaf"))
	inner := bits.Len64(index ^ (size - 1))
	n := inner + bits.OnesCount64(uint64(index)>>inner)
	hashes := make([]Hash, n)
	mod := make(tlog.RecordProof, n)
	peer := make([][]byte, n)
	root := leaf
	for i := range hashes {
		hashes[i] = LeafHash([]byte{byte(i)})
		mod[i], peer[i] = tlog.Hash(hashes[i]), hashes[i][:]
		if i >= inner || index>>i&1 == 1 {
			root = NodeHash(hashes[i], root)
		} else {
			root = NodeHash(root, hashes[i])
		}
	}
	const each = 100
	repeat := func(f func() error) func() {
		return func() {
			for range each {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	bare := func() error {
		var node [65]byte
		for range n {
			h := sha256.Sum256(node[:])
			node[1] = h[0]
		}
		return nil
	}
	verify := func() error { return VerifyInclusion(leaf, index, size, hashes, root) }
	check := func() error { return tlog.CheckRecord(mod, size, tlog.Hash(root), index, tlog.Hash(leaf)) }
	other := func() error {
		return proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, leaf[:], peer, root[:])
	}
	var t turns
	for b.Loop() {
		t.round(repeat(bare), repeat(verify), repeat(check), repeat(other))
	}
	t.report(b, each)
}

// Verifying allocates nothing.
func TestVerifyInclusionAllocates(t *testing.T) {
	leaves := make([]Hash, 1000)
	for i := range leaves {
		leaves[i] = LeafHash([]byte{byte(i), byte(i >> 8)})
	}
	root, p := Root(leaves), Prove(leaves, 333)
	if n := testing.AllocsPerRun(100, func() {
		if VerifyInclusion(leaves[333], 333, 1000, p, root) != nil {
			t.Fatal("refused")
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// Appending allocates per tile, not per leaf.
func TestAppendAllocates(t *testing.T) {
	var e Edge
	entry := make([]byte, 350)
	if n := testing.AllocsPerRun(100, func() {
		for range Width {
			e.Append(entry)
		}
	}); n > 12 {
		t.Fatalf("%v allocations for %d leaves", n, Width)
	}
}

// BenchmarkProof makes an inclusion and a consistency proof from tiles in memory.
func BenchmarkProof(b *testing.B) {
	var e Edge
	s := store{}
	for i := range 70_000 {
		e.Append(entryOf(i))
	}
	s.put(b, e.Objects())
	b.Run("inclusion", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Inclusion(12_345, 70_000, s.get); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("consistency", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Consistency(69_000, 70_000, s.get); err != nil {
				b.Fatal(err)
			}
		}
	})
}

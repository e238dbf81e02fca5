package tile

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
)

// Every inclusion and consistency proof of every size up to 40, and some of every
// size up to 300 and of some larger ones, is the one x/mod makes, and is accepted
// here and by both peers; any change to it is refused.
func TestProofsAgainstPeers(t *testing.T) {
	const n = 70_000
	sizes := []int{511, 512, 513, 600, 1024, 4097, 65535, 65536, 65537, 65792, 70_000}
	for i := 1; i <= 300; i++ {
		sizes = append(sizes, i)
	}
	final := map[int]bool{}
	for _, size := range sizes {
		final[size] = true
	}
	var e Edge
	s, p, roots := store{}, newPeer(), map[int]Hash{0: Root(nil)}
	for i := range n {
		e.Append(entryOf(i))
		p.append(t, entryOf(i))
		if final[i+1] {
			s.put(t, e.Objects())
			roots[i+1] = e.Root()
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range sizes {
		var picks []int
		for i := range size {
			if size <= 40 || i == 0 || i == size-1 || rnd.IntN(size) < 2 {
				picks = append(picks, i)
			}
		}
		for _, i := range picks {
			got, err := Inclusion(uint64(i), uint64(size), s.get)
			if err != nil {
				t.Fatal(err)
			}
			want, err := tlog.ProveRecord(int64(size), int64(i), p)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, want)
			if err := VerifyInclusion(p.leaves[i], uint64(i), uint64(size), got, roots[size]); err != nil {
				t.Fatal(err)
			}
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(i), uint64(size), p.leaves[i][:], raw(got), slice(roots[size])); err != nil {
				t.Fatal(err)
			}
			if size <= 600 {
				same(t, Prove(p.leaves[:size], i), want)
			}
			refused(t, uint64(i), uint64(size), p.leaves[i], got, roots[size])
		}
		for old := range roots {
			if old > size || size > 40 && old%31 != size%31 {
				continue
			}
			got, err := Consistency(uint64(old), uint64(size), s.get)
			if err != nil {
				t.Fatal(err)
			}
			if err := VerifyConsistency(uint64(old), uint64(size), got, roots[old], roots[size]); err != nil {
				t.Fatal(err)
			}
			if old > 0 {
				want, err := tlog.ProveTree(int64(size), int64(old), p)
				if err != nil {
					t.Fatal(err)
				}
				same(t, got, want)
				if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(old), uint64(size), raw(got), slice(roots[old]), slice(roots[size])); err != nil {
					t.Fatal(err)
				}
			}
			inconsistent(t, uint64(old), uint64(size), got, roots[old], roots[size])
		}
	}
}

func same(t *testing.T, got []Hash, want []tlog.Hash) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d hashes, x/mod has %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != Hash(want[i]) {
			t.Fatalf("hash %d differs from x/mod", i)
		}
	}
}

func slice(h Hash) []byte { return h[:] }

func raw(hs []Hash) [][]byte {
	out := make([][]byte, len(hs))
	for i := range hs {
		out[i] = hs[i][:]
	}
	return out
}

// refused checks that a valid inclusion proof stops being one by any change.
func refused(t *testing.T, index, size uint64, leaf Hash, p []Hash, root Hash) {
	t.Helper()
	check := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, ErrProof) {
			t.Fatalf("leaf %d of %d, %s: accepted (%v)", index, size, what, err)
		}
	}
	bad := append([]Hash(nil), p...)
	for i := range bad {
		bad[i][i%HashSize] ^= 1
		check("a changed hash", VerifyInclusion(leaf, index, size, bad, root))
		bad[i][i%HashSize] ^= 1
	}
	check("an additional hash", VerifyInclusion(leaf, index, size, append(bad, root), root))
	if len(p) > 0 {
		check("a missing hash", VerifyInclusion(leaf, index, size, p[1:], root))
		check("another index", VerifyInclusion(leaf, index^1, size, p, root))
	}
	check("another leaf", VerifyInclusion(NodeHash(leaf, leaf), index, size, p, root))
	check("another root", VerifyInclusion(leaf, index, size, p, NodeHash(root, root)))
	check("an index outside", VerifyInclusion(leaf, size, size, p, root))
}

// inconsistent checks the same for consistency proofs.
func inconsistent(t *testing.T, old, size uint64, p []Hash, oldRoot, root Hash) {
	t.Helper()
	check := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, ErrProof) {
			t.Fatalf("sizes %d and %d, %s: accepted (%v)", old, size, what, err)
		}
	}
	bad := append([]Hash(nil), p...)
	for i := range bad {
		bad[i][i%HashSize] ^= 0x80
		check("a changed hash", VerifyConsistency(old, size, bad, oldRoot, root))
		bad[i][i%HashSize] ^= 0x80
	}
	check("an additional hash", VerifyConsistency(old, size, append(bad, root), oldRoot, root))
	if len(p) > 0 {
		check("a missing hash", VerifyConsistency(old, size, p[1:], oldRoot, root))
	}
	check("another old root", VerifyConsistency(old, size, p, NodeHash(root, root), root))
	if old > 0 {
		check("another root", VerifyConsistency(old, size, p, oldRoot, NodeHash(root, root)))
	}
	check("the sizes exchanged", VerifyConsistency(size+1, size, p, oldRoot, root))
}

func TestProofsOutOfRange(t *testing.T) {
	if _, err := Inclusion(5, 5, nil); err == nil {
		t.Error("a proof for a leaf that is not there")
	}
	if _, err := Consistency(6, 5, nil); err == nil {
		t.Error("a proof from a larger to a smaller tree")
	}
	broken := func(name string) ([]byte, error) { return make([]byte, 31), nil }
	if _, err := Inclusion(1, 5, broken); !errors.Is(err, ErrFormat) {
		t.Errorf("a proof from a broken tile: %v", err)
	}
	if _, err := Consistency(3, 5, broken); !errors.Is(err, ErrFormat) {
		t.Errorf("a proof from a broken tile: %v", err)
	}
}

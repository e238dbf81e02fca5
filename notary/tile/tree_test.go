package tile

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
)

// A tree's proofs, for its own size and every smaller one, are those that the tiles
// of that size give; and each tile is read once.
func TestTreeAgainstInclusion(t *testing.T) {
	const n = 66_000
	var e Edge
	s, roots, leaves := store{}, map[uint64]Hash{}, make([]Hash, n)
	sizes := []uint64{1, 2, 255, 256, 257, 300, 65_535, 65_536, 65_537, n}
	for i := range uint64(n) {
		leaves[i] = LeafHash(entryOf(int(i)))
		e.Append(entryOf(int(i)))
		for _, size := range sizes {
			if size == i+1 {
				s.put(t, e.Objects())
				roots[size] = e.Root()
			}
		}
	}
	reads := map[string]int{}
	var mu sync.Mutex
	tree := NewTree(n, func(name string) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		reads[name]++
		return s.get(name)
	})
	rnd := rand.New(rand.NewPCG(3, 4))
	var work sync.WaitGroup
	for _, size := range sizes {
		for range 50 {
			index := rnd.Uint64N(size)
			work.Go(func() {
				got, err := tree.Inclusion(index, size)
				if err != nil {
					t.Error(err)
					return
				}
				want, err := Inclusion(index, size, s.get)
				if err != nil || len(got) != len(want) {
					t.Errorf("leaf %d at %d: %d hashes, want %d, %v", index, size, len(got), len(want), err)
				}
				if err := VerifyInclusion(leaves[index], index, size, got, roots[size]); err != nil {
					t.Error(err)
				}
			})
		}
	}
	work.Wait()
	for name, times := range reads {
		if times > 1 {
			t.Errorf("%s was read %d times", name, times)
		}
	}
	if _, err := tree.Inclusion(3, 3); err == nil {
		t.Error("there is no leaf 3 in a tree of 3")
	}
	if _, err := tree.Inclusion(3, n+1); err == nil {
		t.Error("a size above the tree's was accepted")
	}
}

// A tile that cannot be read is asked for again by the next proof; one of the wrong
// length is none.
func TestTreeRefusesDamage(t *testing.T) {
	var e Edge
	for i := range 300 {
		e.Append(entryOf(i))
	}
	s := store{}
	s.put(t, e.Objects())
	away := errors.New("away")
	fail := away
	tree := NewTree(300, func(name string) ([]byte, error) {
		b, err := s.get(name)
		if fail != nil {
			return nil, fail
		}
		return b, err
	})
	if _, err := tree.Inclusion(7, 300); !errors.Is(err, away) {
		t.Errorf("%v", err)
	}
	fail = nil
	if p, err := tree.Inclusion(7, 300); err != nil || VerifyInclusion(LeafHash(entryOf(7)), 7, 300, p, e.Root()) != nil {
		t.Errorf("%v", err)
	}
	short := NewTree(300, func(name string) ([]byte, error) {
		b, err := s.get(name)
		return b[:max(len(b)-HashSize, 0)], err
	})
	if _, err := short.Inclusion(7, 300); !errors.Is(err, ErrFormat) {
		t.Errorf("%v", err)
	}
}

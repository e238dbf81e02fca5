package streammap

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"trialnotary/notary/statement"
)

// packs is a store of packs that counts what is read.
type packs struct {
	packs  map[uint64][]byte
	reads  int
	calls  int
	damage func([]byte) []byte
}

func newPacks() *packs { return &packs{packs: map[uint64][]byte{}} }

func (p *packs) Node(batch uint64, offset, length int64) ([]byte, error) {
	p.reads++
	p.calls++
	b, ok := p.packs[batch]
	if !ok || offset+length > int64(len(b)) {
		return nil, errors.New("no such node")
	}
	b = b[offset : offset+length]
	if p.damage != nil {
		b = p.damage(append([]byte(nil), b...))
	}
	return b, nil
}

// together is the same store, read level by level.
type together struct{ *packs }

func (p together) NodeBatch(refs []Ref) ([][]byte, error) {
	out := make([][]byte, len(refs))
	for i, r := range refs {
		b, err := p.Node(r.Batch, int64(r.Offset), int64(r.Length))
		if err != nil {
			return nil, err
		}
		out[i] = b
	}
	p.calls -= len(refs) - 1
	return out, nil
}

func random(r *rand.Rand) (h [32]byte) {
	for i := range h {
		h[i] = byte(r.Uint32())
	}
	return h
}

// near returns an id that shares exactly n bits with id.
func near(id statement.StreamID, n int, r *rand.Rand) statement.StreamID {
	out := statement.StreamID(random(r))
	for i := range n + 1 {
		mask := byte(0x80) >> (i % 8)
		out[i/8] = out[i/8]&^mask | id[i/8]&mask
		if i == n {
			out[i/8] ^= mask
		}
	}
	return out
}

// epoch is the map after one batch, and what it should hold.
type epoch struct {
	root Root
	all  map[statement.StreamID]Value
}

// grow makes batches of random changes, many of them to streams that are there
// or that share a long prefix with one that is.
func grow(t testing.TB, r *rand.Rand, p *packs, batches, perBatch int) []epoch {
	t.Helper()
	e := epoch{all: map[statement.StreamID]Value{}}
	history := []epoch{e}
	var ids []statement.StreamID
	for batch := range batches {
		var n Nodes = p
		if batch%2 == 1 {
			n = together{p}
		}
		changed := map[statement.StreamID]bool{}
		var changes []Change
		for range r.IntN(perBatch + 1) {
			id := statement.StreamID(random(r))
			switch k := r.IntN(4); {
			case len(ids) == 0 || k == 0:
			case k == 1:
				id = near(ids[r.IntN(len(ids))], r.IntN(256), r)
			default:
				id = ids[r.IntN(len(ids))]
			}
			if changed[id] {
				continue
			}
			changed[id] = true
			v := e.all[id]
			if v.Count == 0 {
				ids = append(ids, id)
			}
			changes = append(changes, Change{id, Value{v.Count + 1, Fold(v.Head, random(r))}})
		}
		root, pack, err := Update(n, e.root, uint64(batch)+1, changes)
		if err != nil {
			t.Fatal(err)
		}
		if (len(pack) == 0) != (len(changes) == 0) {
			t.Fatalf("a pack of %d bytes for %d changes", len(pack), len(changes))
		}
		p.packs[uint64(batch)+1] = pack
		e = epoch{root, maps.Clone(e.all)}
		for _, c := range changes {
			e.all[c.Stream] = c.Value
		}
		history = append(history, e)
	}
	return history
}

// The map says at every root, old ones included, what a plain map says: the root
// hash, every value, a proof of it, and proofs of absence all around.
func TestMapAgainstModel(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := newPacks()
		history := grow(t, r, p, 12, int(seed)+1)
		last := history[len(history)-1].all
		for batch, e := range history {
			if want := RootOf(e.all); e.root.Hash != want {
				t.Fatalf("seed %d: root after batch %d is %x, want %x", seed, batch, e.root.Hash, want)
			}
			if e.root.Streams != uint64(len(e.all)) {
				t.Fatalf("seed %d: %d streams after batch %d, want %d", seed, e.root.Streams, batch, len(e.all))
			}
			var ids []statement.StreamID
			for id := range last { // some of them not yet there at this root
				ids = append(ids, id, near(id, r.IntN(256), r), random(r))
			}
			ids = append(ids, random(r))
			values, err := LookupAll(p, e.root, ids)
			if err != nil {
				t.Fatal(err)
			}
			for i, id := range ids {
				want, there := e.all[id]
				if got, ok, err := Lookup(p, e.root, id); got != want || ok != there || err != nil || values[i] != want {
					t.Fatalf("seed %d: lookup after batch %d: %v, %v, %v", seed, batch, got, ok, err)
				}
				proof, err := Prove(p, e.root, id)
				if err != nil {
					t.Fatal(err)
				}
				if proof.Stream != id || proof.Value != want {
					t.Fatalf("seed %d: the proof after batch %d is of %v", seed, batch, proof.Value)
				}
				back, err := ParseProof(proof.Bytes())
				if err != nil {
					t.Fatalf("seed %d: %v in\n%s", seed, err, proof.Bytes())
				}
				if string(back.Bytes()) != string(proof.Bytes()) {
					t.Fatal("the proof formats differently")
				}
				if err := back.Verify(e.root.Hash); err != nil {
					t.Fatalf("seed %d: %v in\n%s", seed, err, proof.Bytes())
				}
			}
		}
	}
}

// Two streams that differ in their last bit alone are 256 levels down.
func TestLongestPrefix(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	a := statement.StreamID(random(r))
	b := near(a, 255, r)
	p := newPacks()
	v := Value{1, random(r)}
	root, pack, err := Update(p, Root{}, 1, []Change{{a, v}, {b, v}})
	if err != nil {
		t.Fatal(err)
	}
	p.packs[1] = pack
	all := map[statement.StreamID]Value{a: v, b: v}
	if root.Hash != RootOf(all) {
		t.Fatal("another root")
	}
	proof, err := Prove(p, root, a)
	if err != nil || len(proof.Siblings) != 256 || proof.Verify(root.Hash) != nil {
		t.Fatalf("%d siblings, %v", len(proof.Siblings), err)
	}
	back, err := ParseProof(proof.Bytes())
	if err != nil || back.Verify(root.Hash) != nil {
		t.Fatal(err)
	}
	for n := range 255 {
		proof, err := Prove(p, root, near(a, n, r))
		if err != nil || proof.Count != 0 || proof.Other != nil || len(proof.Siblings) != n+1 {
			t.Fatalf("absence after %d bits: %d siblings, %v", n, len(proof.Siblings), err)
		}
		if err := proof.Verify(root.Hash); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintln(t.Output(), len(pack), "bytes,", p.reads, "reads")
}

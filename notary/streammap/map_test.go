package streammap

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"trialnotary/notary/statement"
	"trialnotary/notary/text"
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
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := newPacks()
		history := grow(t, r, p, 10, 2*int(seed)+1)
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
}

// What cannot be a batch of changes is refused; the order of the changes does not
// matter, and neither does how nodes are read.
func TestUpdateArguments(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	p := newPacks()
	var changes []Change
	for range 50 {
		changes = append(changes, Change{random(r), Value{1, random(r)}})
	}
	root, pack, err := Update(p, Root{}, 5, changes)
	if err != nil {
		t.Fatal(err)
	}
	p.packs[5] = pack
	for why, try := range map[string]struct {
		batch   uint64
		changes []Change
	}{
		"the root's own batch":       {5, changes[:1]},
		"an older batch":             {4, changes[:1]},
		"a stream without entries":   {6, []Change{{changes[0].Stream, Value{}}}},
		"a stream that occurs twice": {6, []Change{changes[3], changes[0], changes[3]}},
	} {
		if _, _, err := Update(p, root, try.batch, try.changes); err == nil {
			t.Errorf("%s: accepted", why)
		}
	}
	if same, pack, err := Update(p, root, 6, nil); same != root || len(pack) != 0 || err != nil {
		t.Errorf("no changes make another root: %v, %d bytes, %v", same, len(pack), err)
	}
	want, wantPack, err := Update(p, root, 7, changes[10:30])
	if err != nil {
		t.Fatal(err)
	}
	shuffled := slices.Clone(changes[10:30])
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	before := slices.Clone(shuffled)
	got, gotPack, err := Update(together{p}, root, 7, shuffled)
	if err != nil || got != want || !bytes.Equal(gotPack, wantPack) {
		t.Errorf("another order of changes makes another pack: %v", err)
	}
	if !slices.Equal(shuffled, before) {
		t.Error("the caller's changes were reordered")
	}
}

// A store that lost or changed anything on the way is found out, whatever is
// asked, before anything is built upon it.
func TestDamagedStore(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	p := newPacks()
	history := grow(t, r, p, 4, 20)
	e := history[len(history)-1]
	var id statement.StreamID
	for id = range e.all {
		break
	}
	ask := func() []error {
		_, _, err1 := Lookup(p, e.root, id)
		_, err2 := Prove(p, e.root, id)
		_, _, err3 := Update(p, e.root, 100, []Change{{id, Value{1, [32]byte{}}}})
		_, _, err4 := Lookup(Remember(together{p}), e.root, id)
		return []error{err1, err2, err3, err4}
	}
	for bit := range 8 * 200 {
		p.damage = func(b []byte) []byte {
			b[bit/8%len(b)] ^= 1 << (bit % 8)
			return b
		}
		for i, err := range ask() {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("bit %d changed, question %d: %v", bit, i, err)
			}
		}
	}
	for n := range 40 {
		p.damage = func(b []byte) []byte { return b[:len(b)*n/40] }
		for i, err := range ask() {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("cut to %d of 40, question %d: %v", n, i, err)
			}
		}
	}
	p.damage = nil
	p.packs = nil
	for i, err := range ask() {
		if err == nil || errors.Is(err, ErrCorrupt) {
			t.Fatalf("nothing stored, question %d: %v", i, err)
		}
	}
}

func TestRootText(t *testing.T) {
	for _, want := range []Root{{}, {Hash: [32]byte{1}, Ref: Ref{6, 120, 85}, Streams: 5}} {
		b, err := want.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got Root
		if err := got.UnmarshalText(b); err != nil || got != want {
			t.Errorf("%s: %v, %v", b, got, err)
		}
	}
	const hash, zero = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	for why, s := range map[string]string{
		"empty":                    "",
		"a field is missing":       "5 " + hash + " 6 120",
		"a field too many":         "5 " + hash + " 6 120 85 1",
		"a line feed":              "5 " + hash + " 6 120 85\n",
		"two blanks":               "5  " + hash + " 6 120 85",
		"a leading zero":           "05 " + hash + " 6 120 85",
		"the hash in another form": "5 " + hash[:43] + " 6 120 85",
		"an offset of 4 GiB":       "5 " + hash + " 6 4294967296 85",
		"streams without a node":   "5 " + hash + " 6 120 0",
		"streams without a hash":   "5 " + zero + " 6 120 85",
		"no streams but a hash":    "0 " + hash + " 0 0 0",
		"no streams but a node":    "0 " + zero + " 6 120 85",
		"no streams but a batch":   "0 " + zero + " 6 0 0",
	} {
		if _, err := ParseRoot([]byte(s)); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// The sealing of a batch looks its streams up and then updates them: a Memory
// reads each node once for both.
func TestMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 13))
	p := newPacks()
	history := grow(t, r, p, 6, 40)
	e := history[len(history)-1]
	var ids []statement.StreamID
	var changes []Change
	for id, v := range e.all {
		ids = append(ids, id)
		changes = append(changes, Change{id, Value{v.Count + 1, random(r)}})
	}
	want, wantPack, err := Update(p, e.root, 50, changes)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []Nodes{p, together{p}} {
		m := Remember(n)
		p.reads = 0
		values, err := LookupAll(m, e.root, ids)
		if err != nil {
			t.Fatal(err)
		}
		reads := p.reads
		for i, id := range ids {
			if values[i] != e.all[id] {
				t.Fatal("another value")
			}
			if proof, err := Prove(m, e.root, id); err != nil || proof.Verify(e.root.Hash) != nil {
				t.Fatal("no proof", err)
			}
		}
		got, pack, err := Update(m, e.root, 50, changes)
		if err != nil || got != want || !bytes.Equal(pack, wantPack) {
			t.Fatalf("another map: %v", err)
		}
		if p.reads != reads {
			t.Errorf("%d nodes were read twice", p.reads-reads)
		}
	}
}

package tile

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
)

// store holds the objects of a growing log by name; a name is written once.
type store map[string][]byte

func (s store) get(name string) ([]byte, error) {
	b, ok := s[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, os.ErrNotExist)
	}
	return b, nil
}

func (s store) put(t testing.TB, objects []Object) {
	t.Helper()
	for _, o := range objects {
		if old, ok := s[o.Name]; ok && string(old) != string(o.Data) {
			t.Fatalf("%s was written twice with different bytes", o.Name)
		}
		s[o.Name] = append([]byte(nil), o.Data...)
	}
}

func entryOf(i int) []byte { return fmt.Appendf(nil, "entry %d %s", i, strings.Repeat("x", i%40)) }

// peer is the same log in x/mod and in transparency-dev/merkle.
type peer struct {
	hashes []tlog.Hash
	leaves []Hash
	rng    *compact.Range
}

func newPeer() *peer {
	return &peer{rng: (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)}
}

func (p *peer) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = p.hashes[x]
	}
	return out, nil
}

func (p *peer) append(t testing.TB, entry []byte) {
	hs, err := tlog.StoredHashes(int64(len(p.leaves)), entry, p)
	if err != nil {
		t.Fatal(err)
	}
	p.hashes = append(p.hashes, hs...)
	leaf := rfc6962.DefaultHasher.HashLeaf(entry)
	p.leaves = append(p.leaves, Hash(leaf))
	if err := p.rng.Append(leaf, nil); err != nil {
		t.Fatal(err)
	}
}

func (p *peer) root(t testing.TB, n int64) Hash {
	h, err := tlog.TreeHash(n, p)
	if err != nil {
		t.Fatal(err)
	}
	return Hash(h)
}

// A log that is sealed after every entry has, at every size, exactly the tiles
// that x/mod names and computes, and the roots of both peers; an edge read back
// from the objects, or from its own bytes, is the same edge.
func TestEdgeAgainstPeersAtEverySize(t *testing.T) {
	const n = 600
	var e Edge
	s, p := store{}, newPeer()
	for i := range n {
		e.Append(entryOf(i))
		p.append(t, entryOf(i))
		size := int64(i + 1)
		s.put(t, e.Objects())
		if got, want := e.Root(), p.root(t, size); got != want {
			t.Fatalf("root at size %d: %x, x/mod says %x", size, got, want)
		}
		if want, err := p.rng.GetRootHash(nil); err != nil || e.Root() != Hash(want) {
			t.Fatalf("root at size %d: merkle says %x, %v", size, want, err)
		}
		if Root(p.leaves) != e.Root() {
			t.Fatalf("Root of the leaves differs at size %d", size)
		}
		for _, tl := range tlog.NewTiles(8, 0, size) {
			want, err := tlog.ReadTileData(tl, p)
			if err != nil {
				t.Fatal(err)
			}
			name := "tile/" + strings.TrimPrefix(tl.Path(), "tile/8/")
			if string(s[name]) != string(want) {
				t.Fatalf("%s at size %d differs from x/mod", name, size)
			}
			if HashPath(tl.L, uint64(tl.N), tl.W) != name {
				t.Fatalf("HashPath(%d, %d, %d) is not %s", tl.L, tl.N, tl.W, name)
			}
		}
		back, err := NewEdge(e.Size(), s.get)
		if err != nil {
			t.Fatal(err)
		}
		again, err := UnmarshalEdge(e.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if string(back.Marshal()) != string(e.Marshal()) || string(again.Marshal()) != string(e.Marshal()) {
			t.Fatalf("edge at size %d does not come back", size)
		}
	}
	// Everything written is a canonical name, and nothing more than was due.
	for name, data := range s {
		level, index, width, err := ParsePath(name)
		if err != nil {
			t.Fatal(err)
		}
		if level < 0 {
			entries, err := ParseBundle(data)
			if err != nil || len(entries) != width || BundlePath(index, width) != name {
				t.Fatalf("%s: %d entries, %v", name, len(entries), err)
			}
			for i, entry := range entries {
				if want := entryOf(int(index)*Width + i); string(entry) != string(want) {
					t.Fatalf("%s: entry %d is %q", name, i, entry)
				}
			}
		} else if len(data) != width*HashSize {
			t.Fatalf("%s: %d bytes", name, len(data))
		}
	}
	if want := n + n + n/Width + (n/Width - 1) - (n/Width - 1); len(s) != want {
		t.Fatalf("%d objects were written, want %d", len(s), want)
	}
}

// The sample log was written by an independent implementation of the formats:
// its bundles make its tiles and roots, object for object.
func TestSampleLog(t *testing.T) {
	s := store{}
	err := filepath.WalkDir("testdata/sample", func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "roots.txt" {
			return err
		}
		name, err := filepath.Rel("testdata/sample", file)
		if err != nil {
			return err
		}
		s["tile/"+filepath.ToSlash(name)], err = os.ReadFile(file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile("testdata/sample/roots.txt")
	if err != nil {
		t.Fatal(err)
	}
	last, err := ParseBundle(s["tile/entries/000.p/18"])
	if err != nil {
		t.Fatal(err)
	}
	var e Edge
	written, roots := store{}, map[uint64]Hash{}
	for line := range strings.Lines(string(lines)) {
		var size uint64
		var b64 string
		if _, err := fmt.Sscan(line, &size, &b64); err != nil {
			t.Fatal(err)
		}
		for e.Size() < size {
			e.Append(last[e.Size()])
		}
		written.put(t, e.Objects())
		root := e.Root()
		if got := base64.StdEncoding.EncodeToString(root[:]); got != b64 {
			t.Fatalf("root at size %d is %s, the sample has %s", size, got, b64)
		}
		roots[size] = root
		for i := range size {
			p, err := Inclusion(i, size, s.get)
			if err != nil {
				t.Fatal(err)
			}
			if err := VerifyInclusion(LeafHash(last[i]), i, size, p, root); err != nil {
				t.Fatal(err)
			}
		}
		for old := range roots {
			p, err := Consistency(old, size, s.get)
			if err != nil {
				t.Fatal(err)
			}
			if err := VerifyConsistency(old, size, p, roots[old], root); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(written) != len(s) {
		t.Fatalf("%d objects, the sample has %d", len(written), len(s))
	}
	for name, data := range s {
		if string(written[name]) != string(data) {
			t.Fatalf("%s differs from the sample", name)
		}
	}
}

// A clone and its original go separate ways, and objects handed out stay as they
// were.
func TestCloneIsIndependent(t *testing.T) {
	var e Edge
	for i := range 300 {
		e.Append(entryOf(i))
	}
	c := e.Clone()
	if got, want := fmt.Sprint(c.Clone().Objects()), fmt.Sprint(e.Clone().Objects()); got != want {
		t.Fatal("a clone has other objects")
	}
	partial := e.Objects()
	before := fmt.Sprint(partial)
	for i := 300; i < 600; i++ {
		e.Append(entryOf(i))
		c.Append([]byte("something else"))
	}
	if fmt.Sprint(partial) != before {
		t.Fatal("objects handed out have changed")
	}
	if e.Root() == c.Root() {
		t.Fatal("different trees with one root")
	}
	var want Edge
	for i := range 600 {
		want.Append(entryOf(i))
	}
	if e.Root() != want.Root() {
		t.Fatal("appending to a clone changed the original")
	}
}

// Every object is returned once: what has not grown since is not written again,
// also not by an edge that was read back.
func TestObjectsAreReturnedOnce(t *testing.T) {
	var e Edge
	seen := map[string]bool{}
	for i := range 1000 {
		e.Append(entryOf(i))
		if i%7 > 0 {
			continue
		}
		back, err := UnmarshalEdge(e.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if o := back.Objects(); len(o) > 0 {
			t.Fatalf("an edge read at size %d has new objects: %v", i+1, o[0].Name)
		}
		for _, o := range e.Objects() {
			if seen[o.Name] {
				t.Fatalf("%s is returned twice", o.Name)
			}
			seen[o.Name] = true
		}
	}
	if !seen["tile/1/000.p/1"] || !seen["tile/0/003.p/227"] || !seen["tile/entries/003.p/227"] {
		t.Errorf("partial tiles are missing: %v", slices.Sorted(maps.Keys(seen)))
	}
}

func TestEmptyTree(t *testing.T) {
	e, err := NewEdge(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Root() != sha256.Sum256(nil) || e.Root() != Root(nil) || len(e.Objects()) != 0 {
		t.Fatal("the empty tree has objects or another root")
	}
}

// Damaged objects are found, each for its reason.
func TestEdgeRefusesDamage(t *testing.T) {
	var e Edge
	for i := range 300 {
		e.Append(entryOf(i))
	}
	good := e.Marshal()
	s := store{}
	s.put(t, e.Objects())
	for name, change := range map[string]func(store){
		"a tile is missing":    func(s store) { delete(s, "tile/1/000.p/1") },
		"a tile is too short":  func(s store) { s["tile/0/001.p/44"] = s["tile/0/001.p/44"][:43*HashSize] },
		"a tile is too long":   func(s store) { s["tile/1/000.p/1"] = make([]byte, 2*HashSize) },
		"the bundle is absent": func(s store) { delete(s, "tile/entries/001.p/44") },
		"the bundle is short":  func(s store) { s["tile/entries/001.p/44"] = s["tile/entries/001.p/44"][:100] },
		"an entry was changed": func(s store) { s["tile/entries/001.p/44"][2] ^= 1 },
		"a hash was changed":   func(s store) { s["tile/0/001.p/44"][0] ^= 1 },
	} {
		bad := store{}
		for n, b := range s {
			bad[n] = append([]byte(nil), b...)
		}
		change(bad)
		if _, err := NewEdge(300, bad.get); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, b := range map[string][]byte{
		"empty":                  nil,
		"another version":        append([]byte("trialnotary/edge@v2"), good[len(edgeVersion):]...),
		"a size in another form": []byte(strings.Replace(string(good), "size 300", "size 0300", 1)),
		"another size":           []byte(strings.Replace(string(good), "size 300", "size 301", 1)),
		"cut inside a level":     good[:60],
		"cut inside the bundle":  good[:len(good)-1],
		"bytes after the end":    append(append([]byte(nil), good...), 0),
		"bytes in an empty tree": []byte("trialnotary/edge@v1\nsize 0\nx"),
	} {
		if _, err := UnmarshalEdge(b); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Leaves hashed elsewhere, one by one and by whole tiles, make the same log; full
// objects may be taken on the way.
func TestAppendHashedAndTiles(t *testing.T) {
	const n = 66_000
	var plain, other Edge
	want, got := store{}, store{}
	for i := range n {
		plain.Append(entryOf(i))
	}
	want.put(t, plain.Objects())
	for i := 0; i < n; {
		if i%Width != 0 || i+Width > n || i%3 == 0 {
			other.AppendHashed(entryOf(i), LeafHash(entryOf(i)))
			i++
			continue
		}
		var bundle, hashes []byte
		for range Width {
			h := LeafHash(entryOf(i))
			bundle, hashes = AppendBundle(bundle, entryOf(i)), append(hashes, h[:]...)
			i++
		}
		other.AppendTile(bundle, hashes, TileRoot(hashes))
		got.put(t, other.Full())
	}
	got.put(t, other.Objects())
	if other.Root() != plain.Root() || other.Size() != n {
		t.Errorf("another root at size %d", other.Size())
	}
	if !maps.EqualFunc(got, want, func(a, b []byte) bool { return string(a) == string(b) }) {
		t.Errorf("other objects: %d, want %d", len(got), len(want))
	}
	if objects := other.Full(); len(objects) > 0 {
		t.Errorf("%d objects are returned twice", len(objects))
	}
}

// The root at an older size is that which the tree had.
func TestRootAt(t *testing.T) {
	var e Edge
	roots := map[uint64]Hash{}
	for i := range 700 {
		e.Append(entryOf(i))
		roots[e.Size()] = e.Root()
	}
	s := store{}
	s.put(t, e.Objects())
	for old, want := range roots {
		if h, err := RootAt(old, 700, s.get); err != nil || h != want {
			t.Errorf("size %d: %v", old, err)
		}
	}
	for _, old := range []uint64{0, 701} {
		if _, err := RootAt(old, 700, s.get); err == nil {
			t.Errorf("a root at size %d", old)
		}
	}
}

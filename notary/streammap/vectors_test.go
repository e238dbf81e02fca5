package streammap

import (
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
	"trialnotary/notary/tile"
)

var update = flag.Bool("update", false, "write the vectors made here, beside those of the sample")

// Vectors are proofs as text, for any language: good ones, and bad ones, each
// with its reason in bad.json. roots.json has the root hash for each: the one a
// good proof leads to, and the one a lenient reader could accept a bad one under.
const vectors = "testdata/vectors"

func readJSON(t *testing.T, name string, v any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectors, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(vectors, name), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func writeJSON(t *testing.T, name string, v any) {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	write(t, name, append(b, '\n'))
}

// Every good vector, those of the sample's histories among them, proves what it
// says; every bad one is refused, in its form or by the root.
func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	var roots, reasons map[string]string
	readJSON(t, "roots.json", &roots)
	readJSON(t, "bad.json", &reasons)
	files, err := filepath.Glob(vectors + "/*/*.txt")
	if err != nil || len(files) != len(roots) {
		t.Fatalf("%d vectors and %d roots, %v", len(files), len(roots), err)
	}
	for name, root := range roots {
		b, err := os.ReadFile(filepath.Join(vectors, name))
		if err != nil {
			t.Fatal(err)
		}
		h, err := text.ParseHash(root)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParseProof(b)
		if err == nil {
			err = p.Verify(h)
		}
		if file, isBad := strings.CutPrefix(name, "bad/"); isBad {
			if reason := reasons[file]; err == nil || reason == "" {
				t.Errorf("%s: accepted, though %s", name, reason)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if string(p.Bytes()) != string(b) {
			t.Errorf("%s formats differently", name)
		}
		refuseEveryBit(t, name, b, h)
	}
}

// refuseEveryBit changes each bit of a proof, of a long one some. None of the results may prove
// anything, but for this: where the proof is of absence, it may be equally true
// of another stream, and who asked for a stream compares it.
func refuseEveryBit(t *testing.T, name string, b []byte, root [32]byte) {
	t.Helper()
	good, err := ParseProof(b)
	if err != nil {
		t.Fatal(err)
	}
	c := append([]byte(nil), b...)
	step := 1
	if len(c) > 4<<10 {
		step = 101
	}
	for i := 0; i < 8*len(c); i += step {
		c[i/8] ^= 1 << (i % 8)
		if p, err := ParseProof(c); err == nil && p.Verify(root) == nil && (good.Count > 0 || p.Stream == good.Stream) {
			t.Fatalf("%s: accepted with bit %d changed:\n%s", name, i, c)
		}
		c[i/8] ^= 1 << (i % 8)
	}
}

// The sample's map, made again from its entries alone, has at every batch the
// root that its batch leaf says: in whole and as packs.
func TestSampleLog(t *testing.T) {
	b, err := os.ReadFile("testdata/sample/entries")
	if err != nil {
		t.Fatal(err)
	}
	leaves, err := tile.ParseBundle(b)
	if err != nil {
		t.Fatal(err)
	}
	all, changed := map[statement.StreamID]Value{}, map[statement.StreamID]bool{}
	p, root := newPacks(), Root{}
	for _, l := range leaves {
		if !entry.IsBatch(l) {
			e, err := entry.Parse(l)
			if err != nil {
				t.Fatal(err)
			}
			v := all[e.Stream]
			all[e.Stream] = Value{v.Count + 1, Fold(v.Head, tile.LeafHash(l))}
			changed[e.Stream] = true
			continue
		}
		batch, err := entry.ParseBatch(l)
		if err != nil {
			t.Fatal(err)
		}
		var changes []Change
		for id := range changed {
			changes = append(changes, Change{id, all[id]})
		}
		clear(changed)
		var pack []byte
		if root, pack, err = Update(p, root, batch.Number, changes); err != nil {
			t.Fatal(err)
		}
		p.packs[batch.Number] = pack
		if root.Hash != batch.MapRoot || root.Streams != batch.Streams || RootOf(all) != batch.MapRoot {
			t.Fatalf("batch %d: another root than the sample's", batch.Number)
		}
	}
}

// writeVectors makes the vectors that the sample does not have.
func writeVectors(t *testing.T) {
	var roots map[string]string
	readJSON(t, "roots.json", &roots)
	reasons := map[string]string{}
	good := func(name string, p Proof, root [32]byte) []byte {
		roots["good/"+name] = text.Base64(root[:])
		write(t, "good/"+name, p.Bytes())
		return p.Bytes()
	}
	wrong := func(name, reason string, b []byte, root [32]byte) {
		roots["bad/"+name], reasons[name] = text.Base64(root[:]), reason
		write(t, "bad/"+name, b)
	}
	edit := func(b []byte, old, new string) []byte {
		if !strings.Contains(string(b), old) {
			t.Fatalf("no %q in\n%s", old, b)
		}
		return []byte(strings.Replace(string(b), old, new, 1))
	}

	r := rand.New(rand.NewPCG(11, 12))
	a := statement.StreamID(random(r))
	va, vb := Value{3, random(r)}, Value{math.MaxUint64, random(r)}
	p := newPacks()
	build := func(batch uint64, changes ...Change) Root {
		root, pack, err := Update(p, Root{}, batch, changes)
		if err != nil {
			t.Fatal(err)
		}
		p.packs[batch] = pack
		return root
	}
	prove := func(root Root, id statement.StreamID) Proof {
		proof, err := Prove(p, root, id)
		if err != nil {
			t.Fatal(err)
		}
		return proof
	}
	zero := text.Base64(new([32]byte)[:])

	good("empty-map.txt", prove(Root{}, a), [32]byte{})
	single := build(1, Change{a, va})
	good("only-stream.txt", prove(single, a), single.Hash)
	good("absent-beside-only-stream.txt", prove(single, near(a, 77, r)), single.Hash)
	b := near(a, 255, r)
	deep := build(2, Change{a, va}, Change{b, vb})
	deepest := good("last-bit-decides.txt", prove(deep, b), deep.Hash)
	good("absent-after-100-bits.txt", prove(deep, near(a, 100, r)), deep.Hash)
	// Three streams: a; x, which differs from a in bit 4; y, in bit 0.
	x, y := near(a, 4, r), near(a, 0, r)
	three := build(3, Change{a, va}, Change{x, vb}, Change{y, va})
	present := good("present.txt", prove(three, x), three.Hash)
	other := near(x, 9, r)
	absent := good("absent-other.txt", prove(three, other), three.Hash)
	empty := good("absent-empty.txt", prove(three, near(a, 2, r)), three.Hash)

	count, head := "count 18446744073709551615\n", "head "+text.Base64(vb.Head[:])+"\n"
	wrong("empty-file.txt", "the file is empty", nil, three.Hash)
	wrong("other-version.txt", "the version line names version 2", edit(present, "@v1", "@v2"), three.Hash)
	wrong("no-final-line-feed.txt", "the last line does not end", present[:len(present)-1], three.Hash)
	wrong("crlf.txt", "lines end with CR LF", []byte(strings.ReplaceAll(string(present), "\n", "\r\n")), three.Hash)
	wrong("blank-at-end-of-line.txt", "a line ends with a blank", edit(present, count, strings.TrimSpace(count)+" \n"), three.Hash)
	wrong("stream-upper-case.txt", "the stream id is in upper case", edit(present, x.String(), strings.ToUpper(x.String())), three.Hash)
	wrong("stream-too-long.txt", "the stream id has 70 digits", edit(present, x.String(), x.String()+"000000"), three.Hash)
	wrong("other-too-long.txt", "the other stream's id has 70 digits", edit(absent, "other "+x.String(), "other "+x.String()+"000000"), three.Hash)
	wrong("stream-of-another.txt", "the proof is of another stream", edit(present, x.String(), a.String()), three.Hash)
	wrong("count-leading-zero.txt", "the count has a leading zero", edit(present, "count ", "count 0"), three.Hash)
	wrong("count-too-large.txt", "the count has more than 64 bits", edit(present, count, "count 18446744073709551616\n"), three.Hash)
	wrong("count-one-less.txt", "an entry is kept back", edit(present, count, "count 18446744073709551614\n"), three.Hash)
	wrong("head-of-another.txt", "the head is another stream's", edit(present, head, "head "+text.Base64(va.Head[:])+"\n"), three.Hash)
	wrong("head-unpadded.txt", "the head is base64 without padding", edit(present, head, strings.ReplaceAll(head, "=", "")), three.Hash)
	wrong("head-missing.txt", "there is no head", edit(present, head, ""), three.Hash)
	wrong("lines-exchanged.txt", "head stands before count", edit(present, count+head, head+count), three.Hash)
	wrong("sibling-missing.txt", "the sibling next to the root is missing", present[:strings.LastIndex(string(present), "sibling")], three.Hash)
	wrong("sibling-twice.txt", "the sibling next to the root stands twice", append(append([]byte(nil), present...), present[strings.LastIndex(string(present), "sibling"):]...), three.Hash)
	wrong("unknown-line.txt", "there is a line of another kind", append(append([]byte(nil), present...), "note hello\n"...), three.Hash)
	wrong("present-with-other.txt", "another stream's leaf beside a count", edit(present, head, head+"other "+a.String()+" 3 "+text.Base64(va.Head[:])+"\n"), three.Hash)
	wrong("older-root.txt", "it is the proof of another map", present, deep.Hash)
	wrong("said-absent.txt", "a stream that is there is said to be absent", edit(edit(present, count, "count 0\n"), head, "head "+zero+"\n"), three.Hash)
	wrong("absent-with-head.txt", "an absent stream has a head", edit(empty, zero, text.Base64(va.Head[:])), three.Hash)
	wrong("other-is-itself.txt", "the other stream is the stream itself", edit(absent, other.String(), x.String()), three.Hash)
	wrong("other-elsewhere.txt", "the other stream is not on the way to the stream", edit(absent, other.String(), near(x, 4, r).String()), three.Hash)
	wrong("other-without-entries.txt", "the other stream has no entries", edit(absent, " 18446744073709551615 ", " 0 "), three.Hash)
	wrong("other-missing.txt", "the way does not end where nothing is", edit(absent, "other "+x.String()+" 18446744073709551615 "+text.Base64(vb.Head[:])+"\n", ""), three.Hash)

	// Forgeries that lead to the root they are given with, and break a rule only.
	low := func(id statement.StreamID, v Value, n int) (Proof, [32]byte) { // a leaf n levels too deep
		h := leafHash(&id, &v)
		for i := n - 1; i >= 0; i-- {
			var z [32]byte
			if bit(&id, i) == 0 {
				h = innerHash(&h, &z)
			} else {
				h = innerHash(&z, &h)
			}
		}
		return Proof{Stream: id, Value: v, Siblings: append([][32]byte(nil), (&[256][32]byte{})[:n]...)}, h
	}
	pr, h := low(a, va, 3)
	wrong("leaf-too-low.txt", "a leaf that is alone stands below an empty sibling", pr.Bytes(), h)
	pr, h = low(a, va, 3)
	pr.Stream, pr.Value, pr.Other = near(a, 50, r), Value{}, &Other{a, va}
	wrong("other-too-low.txt", "the other leaf is alone and stands below an empty sibling", pr.Bytes(), h)
	z := [32]byte{}
	wrong("nothing-too-low.txt", "nothing beside nothing is not a subtree", Proof{Stream: a, Siblings: [][32]byte{{}}}.Bytes(), innerHash(&z, &z))
	pr, h = low(a, va, 0)
	pr.Stream, pr.Value, pr.Other = near(a, 0, r), Value{}, &Other{a, va}
	pr.Siblings = [][32]byte{random(r)}
	if la := h; bit(&pr.Stream, 0) == 0 {
		h = innerHash(&la, &pr.Siblings[0])
	} else {
		h = innerHash(&pr.Siblings[0], &la)
	}
	wrong("other-on-the-other-side.txt", "the other stream is moved to where the stream would be", pr.Bytes(), h)
	wrong("257-siblings.txt", "there are more siblings than bits", append(append([]byte(nil), deepest...), "sibling "+zero+"\n"...), deep.Hash)

	writeJSON(t, "roots.json", roots)
	writeJSON(t, "bad.json", reasons)
}

func FuzzParseProof(f *testing.F) {
	for _, dir := range []string{"good", "bad"} {
		files, err := filepath.Glob(filepath.Join(vectors, dir, "*.txt"))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseProof(b)
		if err != nil {
			return
		}
		if string(p.Bytes()) != string(b) {
			t.Fatal("the proof formats differently")
		}
		p.Verify([32]byte{})
	})
}

func FuzzParseRoot(f *testing.F) {
	f.Add([]byte("0 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= 0 0 0"))
	f.Add([]byte("5 J2Li+3nkFzJLzioWB4IIATgQivIZmS37MhgGc4g8t4s= 6 120 85"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRoot(b)
		if err != nil {
			return
		}
		if back, err := r.MarshalText(); err != nil || string(back) != string(b) {
			t.Fatalf("the root formats as %q, %v", back, err)
		}
	})
}

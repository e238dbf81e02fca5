package audit

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/text"
	"trialnotary/notary/tile"
)

// A log whose past is another than this auditor saw: found, and where the log signed
// both, proved.
func TestRewrittenHistory(t *testing.T) {
	for _, c := range []struct {
		what    string
		rewrite func(honest *world) *world
		words   string
		proved  bool
	}{
		{"the same size and another root", func(h *world) *world { return refork(h, 20) }, "the log's past was rewritten", true},
		{"it went on from another past", func(h *world) *world { return refork(h, 50) }, "the log's past was rewritten", true},
		{"it went back", func(h *world) *world {
			f := newWorld(h.t)
			f.signers, f.own = h.signers, h.own
			f.seal(3, lie{})
			return f
		}, "gone back to size 4", false},
		{"it is gone", func(h *world) *world {
			f := newWorld(h.t)
			f.signers, f.own = h.signers, h.own
			return f
		}, "it is gone", false},
	} {
		t.Run(c.what, func(t *testing.T) {
			w := village(t)
			k := newKeeper(t)
			w.clean(k, 729)
			before := bytes.Clone(k.state)
			f := c.rewrite(w)
			r, err := f.audit(k, f.auditor())
			var all Findings
			if !errors.As(err, &all) || !strings.Contains(all.Error(), c.words) {
				t.Fatalf("%v; want %s", err, c.words)
			}
			if !bytes.Equal(k.state, before) {
				t.Error("the state was written over")
			}
			if (r.Proof != nil) != c.proved {
				t.Fatalf("proof: %v", r.Proof)
			}
			if !c.proved {
				return
			}
			b, err := r.Proof.Bytes()
			w.check(err)
			e, err := ParseEquivocation(b)
			w.check(err)
			w.check(e.Verify(w.auditor().Own))
			stranger := newWorld(t)
			if err := e.Verify(stranger.auditor().Own); err == nil {
				t.Error("it proves something of a stranger")
			}
		})
	}
}

// refork returns another village by the honest one's operator: its last batch is of n
// entries.
func refork(honest *world, n int) *world {
	f := newWorld(honest.t)
	f.signers, f.own = honest.signers, honest.own
	f.now = f.now.Add(1e9)
	f.seal(3, lie{})
	f.seal(0, lie{})
	f.seal(1, lie{noneOf: "final"})
	f.seal(700, lie{})
	f.seal(n, lie{})
	return f
}

// Two checkpoints for one size, within one log.
func TestTwoSignedWithinOneLog(t *testing.T) {
	for what, l := range map[string]lie{
		"signed of another root": {signed: func(c *checkpoint.Checkpoint) { c.Root[1] ^= 1 }},
		"final of another root":  {final: func(c *checkpoint.Checkpoint) { c.Root[1] ^= 1 }},
	} {
		w := village(t)
		k := newKeeper(t)
		w.clean(k, 729)
		w.seal(4, l)
		if strings.HasPrefix(what, "signed") {
			w.seal(4, lie{})
		}
		r, err := w.audit(k, w.auditor())
		if err == nil || r.Proof == nil {
			t.Errorf("%s: %v, %v", what, r, err)
			continue
		}
		w.check(r.Proof.Verify(w.auditor().Own))
	}
}

// What is no proof of anything.
func TestHostileEquivocations(t *testing.T) {
	w := village(t)
	cp := func(size uint64, root byte) []byte {
		return w.sign(checkpoint.Checkpoint{Origin: origin, Size: size, Root: [32]byte{root}})
	}
	newest, err := checkpoint.Parse(w.log.all["checkpoint"])
	w.check(err)
	older, err := checkpoint.Parse(w.log.all[checkpoint.FinalName(4)])
	w.check(err)
	forged, err := checkpoint.Parse(cp(300, 7))
	w.check(err)
	good, err := Prove(t.Context(), w.log, &forged, &newest)
	w.check(err)
	goodBytes, err := good.Bytes()
	w.check(err)
	w.check(good.Verify(w.auditor().Own))
	if _, err := Prove(t.Context(), w.log, &newest, &older); !errors.Is(err, ErrConsistent) {
		t.Errorf("of an honest log: %v", err)
	}
	packet := func(e Equivocation) []byte {
		b, err := e.Bytes()
		w.check(err)
		return b
	}
	node := tile.Hash{9}
	changed := *good
	changed.Root = tile.Hash{1}
	fewer := *good
	fewer.Nodes = good.Nodes[1:]
	exchanged := *good
	exchanged.First, exchanged.Second = good.Second, good.First
	other, err := checkpoint.Parse(cp(300, 7))
	w.check(err)
	consistent := Equivocation{First: w.sign(checkpoint.Checkpoint{Origin: origin, Size: 300, Root: good.Root}), Second: good.Second, Root: good.Root, Nodes: good.Nodes}
	for what, c := range map[string]struct {
		b    []byte
		want error
	}{
		"the same twice":                 {packet(Equivocation{First: newest.Raw, Second: newest.Raw}), ErrConsistent},
		"one text, two signatures":       {packet(Equivocation{First: forged.Raw, Second: other.Raw}), ErrConsistent},
		"two sizes without a proof":      {packet(Equivocation{First: forged.Raw, Second: newest.Raw}), tile.ErrProof},
		"a proof that ends elsewhere":    {packet(changed), tile.ErrProof},
		"a proof with a hash less":       {packet(fewer), tile.ErrProof},
		"the larger one first":           {packet(exchanged), text.ErrFormat},
		"a proof that they are the same": {packet(consistent), ErrConsistent},
		"a proof where none is needed":   {packet(Equivocation{First: cp(5, 1), Second: cp(5, 2), Root: node, Nodes: []tile.Hash{node}}), text.ErrFormat},
		"a log without leaves":           {packet(Equivocation{First: cp(0, 1), Second: cp(5, 2)}), text.ErrFormat},
		"two logs":                       {bytes.Replace(packet(Equivocation{First: cp(5, 1), Second: cp(5, 2)}), []byte(origin+"\n5"), []byte("log.example/other\n5"), 1), ErrConsistent},
		"another version":                {bytes.Replace(goodBytes, []byte("@v1"), []byte("@v2"), 1), text.ErrFormat},
		"CR LF":                          {bytes.ReplaceAll(goodBytes, []byte("\n"), []byte("\r\n")), text.ErrFormat},
		"a part more":                    {append(bytes.Clone(goodBytes), "-- more --\nx\n"...), text.ErrFormat},
		"cut":                            {goodBytes[:len(goodBytes)-9], text.ErrFormat},
		"empty":                          {nil, text.ErrFormat},
		"too many nodes":                 {append(bytes.Clone(goodBytes), bytes.Repeat([]byte("node "+text.Base64(node[:])+"\n"), 70)...), text.ErrFormat},
		"very large":                     {append(bytes.Clone(goodBytes), bytes.Repeat([]byte("x\n"), MaxEquivocation)...), text.ErrFormat},
		"a node in another base64":       {bytes.Replace(goodBytes, []byte("=\n"), []byte("\n"), 1), text.ErrFormat},
	} {
		if _, err := ParseEquivocation(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v; want %v", what, err, c.want)
		}
	}
	// Signed by one of the log's keys alone, or by someone else's.
	half, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: origin, Size: 5, Root: [32]byte{1}}, w.signers[:1])
	w.check(err)
	for what, b := range map[string][]byte{"one algorithm": half, "a stranger": newWorld(t).sign(checkpoint.Checkpoint{Origin: origin, Size: 5, Root: [32]byte{1}})} {
		e, err := ParseEquivocation(packet(Equivocation{First: b, Second: cp(5, 2)}))
		if err != nil || e.Verify(w.auditor().Own) == nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzParseEquivocation(f *testing.F) {
	w := village(f)
	newest, _ := checkpoint.Parse(w.log.all["checkpoint"])
	forged, _ := checkpoint.Parse(w.sign(checkpoint.Checkpoint{Origin: origin, Size: 300, Root: tile.Hash{7}}))
	e, err := Prove(f.Context(), w.log, &forged, &newest)
	w.check(err)
	b, err := e.Bytes()
	w.check(err)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEquivocation(b)
		if err != nil {
			return
		}
		if back, err := e.Bytes(); err != nil || !bytes.Equal(back, b) {
			t.Fatalf("%q read as %q", b, back)
		}
	})
}

// An auditor's signature is one that histories take, on the log's own checkpoint.
func TestCosign(t *testing.T) {
	w := village(t)
	r := w.clean(newKeeper(t), 729)
	ed, err := checkpoint.GenerateEd25519("auditor.example")
	w.check(err)
	timed, err := checkpoint.GenerateCosignature("auditor.example")
	w.check(err)
	ml, err := checkpoint.GenerateMLDSA44("auditor.example")
	w.check(err)
	for _, k := range []checkpoint.Key{ed, timed, ml} {
		c, err := Cosign(r.Final, k)
		w.check(err)
		if _, signed, err := c.SignedBy(k.VerifierKey()); err != nil || !signed || c.Checkpoint != r.Final.Checkpoint {
			t.Errorf("%v, %v", signed, err)
		}
		w.check(w.auditor().Final(*c))
		if _, err := Cosign(c, k); err == nil {
			t.Error("it is signed twice")
		}
	}
}

// What was signed and not final when this auditor saw it must be of the log, too.
func TestWhatWasSignedAhead(t *testing.T) {
	w := village(t)
	other := w.fork()
	w.seal(5, lie{noneOf: "final"})
	k := newKeeper(t)
	w.clean(k, 735)
	other.now = other.now.Add(1e9)
	other.seal(6, lie{})
	other.seal(1, lie{})
	r, err := other.audit(k, other.auditor())
	wantFinding(t, err, "checkpoint", "at size 735 it has another root")
	if r.Proof == nil || r.Proof.Verify(w.auditor().Own) != nil {
		t.Error("it is not proved")
	}
	// Final checkpoints of what was ahead are verified when they are there.
	w.log.all[checkpoint.FinalName(735)] = []byte("x\n")
	w.seal(2, lie{})
	_, err = w.audit(k, w.auditor())
	wantFinding(t, err, checkpoint.FinalName(735), "")
}

package receipt

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/checkpoint"
)

// Every change of one bit of a sample receipt is refused (a part of them is tried), but for those that
// make a witness's line that of a key the visitor does not know: such lines
// count for nothing, so the verdict stays, with one witness less.
func TestEveryChangedBitIsRefused(t *testing.T) {
	o := sampleOptions(t)
	policy := rememberedPolicy(t, o)
	for _, name := range sampleNames {
		b := sampleFile(t, name+".receipt")
		want, err := sampleReceipt(t, name).Verify(o)
		if err != nil {
			t.Fatal(err)
		}
		masks := changes(b, name == "registration")
		identity := witnessIdentities(b)
		survived := 0
		for i := range b {
			for _, mask := range masks(i) {
				changed := bytes.Clone(b)
				changed[i] ^= mask
				r, err := Parse(changed)
				if err != nil {
					continue
				}
				run := newVerification(r, o)
				run.policy = policy
				got, err := run.run()
				if err != nil {
					continue
				}
				survived++
				if !identity[i] {
					t.Fatalf("%s: byte %d changed by %02x: still verifies, outside the name and key id of a witness", name, i, mask)
				}
				if summary(got) != summary(want) || got.Met.Witnesses > want.Met.Witnesses {
					t.Fatalf("%s: byte %d changed by %02x: another verdict:\n%s\n%s", name, i, mask, summary(got), summary(want))
				}
			}
		}
		if survived == 0 {
			t.Errorf("%s: no change of a witness's name survived: unknown keys are not ignored", name)
		}
	}
}

// rememberedPolicy is the policy's answer per checkpoint bytes, on which alone it
// depends: the receipts share checkpoints, and so do their changed copies.
func rememberedPolicy(t *testing.T, o Options) func(checkpoint.Signed, time.Time) (checkpoint.Met, error) {
	mets := map[[32]byte]checkpoint.Met{}
	errs := map[[32]byte]error{}
	return func(s checkpoint.Signed, _ time.Time) (checkpoint.Met, error) {
		k := sha256.Sum256(s.Raw)
		if _, ok := mets[k]; !ok {
			mets[k], errs[k] = o.Trust.Meets(s, o.Now)
		}
		return mets[k], errs[k]
	}
}

// changes returns the bits to change of a byte: all of them where all is set, else
// one, that differs, of every fourth byte; and of the long line of an ML-DSA-44
// signature one bit of every sixteenth byte.
func changes(b []byte, all bool) func(i int) []byte {
	long := make([]bool, len(b))
	for i := 0; i < len(b); {
		end := i + bytes.IndexByte(b[i:], '\n') + 1
		for j := i + 60; j < end && end-i > 1000; j++ {
			long[j] = true
		}
		i = end
	}
	return func(i int) []byte {
		switch {
		case long[i] && i%16 > 0:
			return nil
		case all && !long[i]:
			return []byte{1, 2, 4, 8, 16, 32, 64, 128}
		}
		if !all && i%4 > 0 {
			return nil
		}
		return []byte{1 << (i / 4 % 5)}
	}
}

// witnessIdentities returns the bytes of the names and key ids of signature
// lines that are not the log's: six base64 digits for the key id, of which the
// last holds four bits of the time too.
func witnessIdentities(b []byte) map[int]bool {
	at := map[int]bool{}
	for i := 0; i < len(b); {
		end := i + bytes.IndexByte(b[i:], '\n') + 1
		if line := string(b[i:end]); strings.HasPrefix(line, "— witness") {
			id := strings.LastIndexByte(line, ' ') + 1
			for j := len("— "); j < id+6; j++ {
				at[i+j] = true
			}
		}
		i = end
	}
	return at
}

// Taking out, doubling or swapping any line is refused too, but for lines of
// witnesses: they may be fewer, as long as the quorum stands, and in any order.
func TestEveryChangedLineIsRefused(t *testing.T) {
	for _, name := range sampleNames {
		b := sampleFile(t, name+".receipt")
		o := sampleOptions(t)
		lines := bytes.SplitAfter(b, []byte("\n"))
		signature := func(i int) bool {
			return bytes.HasPrefix(lines[i], []byte("— ")) && bytes.Contains(lines[i], []byte("example"))
		}
		refuse := func(what string, i int, changed ...[]byte) {
			t.Helper()
			if r, err := Parse(slices.Concat(changed...)); err == nil {
				if _, err := r.Verify(o); err == nil {
					t.Errorf("%s: line %d %s: still verifies", name, i+1, what)
				}
			}
		}
		for i := range len(lines) - 1 {
			before, after := bytes.Join(lines[:i], nil), bytes.Join(lines[i+1:], nil)
			if !bytes.HasPrefix(lines[i], []byte("— witness")) {
				refuse("taken out", i, before, after)
			}
			refuse("doubled", i, before, lines[i], lines[i], after)
			if i > 0 && !bytes.Equal(lines[i-1], lines[i]) && !(signature(i-1) && signature(i)) {
				refuse("moved up", i, bytes.Join(lines[:i-1], nil), lines[i], lines[i-1], after)
			}
		}
	}
}

// Only what the trust file knows is believed, and no checkpoint with one
// algorithm alone.
func TestEachSignatureOfTheLogIsNeeded(t *testing.T) {
	keys := sampleTrust(t).Policy.LogKeys()
	for _, vkey := range keys {
		v, alg, err := checkpoint.VerifierFor(vkey)
		if err != nil {
			t.Fatal(err)
		}
		r := sampleReceipt(t, "site1")
		p, err := checkpoint.ParseProof(r.Proof)
		if err != nil {
			t.Fatal(err)
		}
		s, err := checkpoint.Parse(p.Checkpoint)
		if err != nil {
			t.Fatal(err)
		}
		kept := slices.DeleteFunc(slices.Clone(s.Lines), func(l checkpoint.Line) bool { return l.Name == v.Name() && l.Hash == v.KeyHash() })
		if len(kept) != len(s.Lines)-1 {
			t.Fatal("not signed by", alg)
		}
		s.Lines = nil
		less, err := s.With(kept...)
		if err != nil {
			t.Fatal(err)
		}
		p.Checkpoint = less.Raw
		r.Proof = p.Bytes()
		refused(t, r, sampleOptions(t), StepCheckpoints)
	}
}

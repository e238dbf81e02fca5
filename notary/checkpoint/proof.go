package checkpoint

import (
	"bytes"
	"fmt"

	"github.com/transparency-dev/formats/proof"

	"trialnotary/notary/text"
)

// Proof is a C2SP tlog-proof without extra data: that an entry is at Index of
// the tree a checkpoint signs.
//
//	c2sp.org/tlog-proof@v1
//	index 1
//	0ViOlHGozObkhzULKYEBy6cmjFuNT9Q5eVBriuGzY0Q=
//	uGDFuyDGTL6LsXjOjDvkpqe9bOg49VQNssWLDy4GUqo=
//
//	log.example/trials
//	3
//	…
type Proof struct {
	Index      uint64
	Hashes     [][32]byte // from the leaf's sibling up, at most 64
	Checkpoint []byte     // signed, unverified
}

// Bytes returns the proof.
func (p Proof) Bytes() []byte {
	return proof.TLogProof{Index: p.Index, Hashes: p.Hashes, Checkpoint: p.Checkpoint}.Marshal()
}

// ParseProof parses a proof whose checkpoint [Parse] accepts and whose index is
// below the checkpoint's size. It verifies nothing.
func ParseProof(b []byte) (Proof, error) {
	if len(b) > MaxSize+8<<10 {
		return Proof{}, fmt.Errorf("proof: %d bytes: %w", len(b), text.ErrFormat)
	}
	r := text.NewReader(b)
	r.Exact("c2sp.org/tlog-proof@v1")
	if r.Has("extra") {
		r.Line()
		r.Fail("is extra data, which nothing authenticates")
	}
	p := Proof{Index: r.Uint("index")}
	for l := r.Line(); l != "" && r.Err() == nil; l = r.Line() {
		if p.Hashes = append(p.Hashes, r.ParseHash(l)); len(p.Hashes) > 64 {
			r.Fail("is hash number 65, at most 64 are possible")
		}
	}
	if err := r.Err(); err != nil {
		return Proof{}, fmt.Errorf("proof: %w", err)
	}
	_, p.Checkpoint, _ = bytes.Cut(b, []byte("\n\n"))
	if !bytes.Equal(p.Bytes(), b) {
		return Proof{}, fmt.Errorf("proof: %w", text.ErrFormat)
	}
	s, err := Parse(p.Checkpoint)
	if err != nil {
		return Proof{}, fmt.Errorf("proof: %w", err)
	}
	if p.Index >= s.Size {
		return Proof{}, fmt.Errorf("proof: index %d is not below the size %d: %w", p.Index, s.Size, text.ErrFormat)
	}
	return p, nil
}

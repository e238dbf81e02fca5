package streammap

import (
	"fmt"
	"strconv"

	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// Version is the first line of a proof.
const Version = "trialnotary/map-proof@v1"

// Proof shows a stream's value under the root hash of a map, or with the zero
// Value that the stream is not in it. Whoever asked for a stream compares
// Stream with what was asked for.
type Proof struct {
	Stream   statement.StreamID
	Value               // Count 0 and a zero head: absent
	Other    *Other     // absent, and the way to Stream ends in another's leaf
	Siblings [][32]byte // from the leaf up, at most 256
}

// Other is the one stream of a subtree in which Stream would be.
type Other struct {
	Stream statement.StreamID
	Value
}

// Bytes returns the proof as text, which [ParseProof] reads back if the proof is
// well formed.
func (p Proof) Bytes() []byte {
	b := make([]byte, 0, 300+53*len(p.Siblings))
	b = append(b, Version+"\nstream "...)
	b = append(b, p.Stream.String()...)
	b = append(b, "\ncount "...)
	b = strconv.AppendUint(b, p.Count, 10)
	b = append(b, "\nhead "...)
	b = append(b, text.Base64(p.Head[:])...)
	b = append(b, '\n')
	if o := p.Other; o != nil {
		b = fmt.Appendf(b, "other %v %d %s\n", o.Stream, o.Count, text.Base64(o.Head[:]))
	}
	for i := range p.Siblings {
		b = append(b, "sibling "...)
		b = append(b, text.Base64(p.Siblings[i][:])...)
		b = append(b, '\n')
	}
	return b
}

// ParseProof parses a proof and checks that it is well formed; whether it proves
// anything, [Proof.Verify] says. Errors wrap [text.ErrFormat].
func ParseProof(b []byte) (Proof, error) {
	if len(b) > 16<<10 { // 256 siblings are 13.5 KiB
		return Proof{}, fmt.Errorf("map proof: %d bytes are too many: %w", len(b), text.ErrFormat)
	}
	r := text.NewReader(b)
	r.Exact(Version)
	var p Proof
	p.Stream = readID(r, r.Value("stream"))
	p.Count = r.Uint("count")
	p.Head = r.Hash("head")
	if r.Has("other") {
		f := r.Fields("other", 3, 3)
		if r.Err() == nil {
			p.Other = &Other{readID(r, f[0]), Value{r.ParseUint(f[1]), r.ParseHash(f[2])}}
		}
	}
	for r.More() && len(p.Siblings) < 256 {
		p.Siblings = append(p.Siblings, r.Hash("sibling"))
	}
	if err := r.Done(); err != nil {
		return Proof{}, fmt.Errorf("map proof: %w", err)
	}
	if err := p.check(); err != nil {
		return Proof{}, fmt.Errorf("map proof: %w: %w", err, text.ErrFormat)
	}
	return p, nil
}

// readID parses a stream id in the line read last. The length comes first: what
// is longer is no id, and need not be decoded.
func readID(r *text.Reader, s string) statement.StreamID {
	if len(s) != 64 {
		r.Fail("has a stream id of %d characters, want 64 hex digits", len(s))
		return statement.StreamID{}
	}
	return r.ParseHex(s)
}

// check returns an error unless a map could have this proof.
func (p *Proof) check() error {
	switch n := len(p.Siblings); {
	case n > 256:
		return fmt.Errorf("%d siblings, at most 256 are possible", n)
	case p.Count == 0 && p.Head != [32]byte{}:
		return fmt.Errorf("an absent stream has no head")
	case p.Count > 0 && p.Other != nil:
		return fmt.Errorf("another stream's leaf proves only absence")
	case p.Other != nil && p.Other.Count == 0:
		return fmt.Errorf("the other stream has no entries")
	case p.Other != nil && p.Other.Stream == p.Stream:
		return fmt.Errorf("the other stream is the stream itself")
	case p.Other != nil && !share(&p.Stream, &p.Other.Stream, n):
		return fmt.Errorf("the other stream is not on the way to the stream")
	case n > 0 && p.Siblings[0] == [32]byte{}:
		// A leaf stands at the top of what it has to itself, and of two empty
		// halves neither is a subtree of its own.
		return fmt.Errorf("the first sibling is empty, so the way ended above it")
	}
	return nil
}

// share reports whether two ids begin with the same n bits.
func share(a, b *statement.StreamID, n int) bool {
	for i := range n {
		if bit(a, i) != bit(b, i) {
			return false
		}
	}
	return true
}

// Verify returns nil iff p proves, under the root hash of a map, that Stream has
// that Value or, where Count is 0, that it has no entries.
func (p Proof) Verify(root [32]byte) error {
	if err := p.check(); err != nil {
		return fmt.Errorf("map proof of stream %v: %w", p.Stream, err)
	}
	var h [32]byte
	switch {
	case p.Count > 0:
		h = leafHash(&p.Stream, &p.Value)
	case p.Other != nil:
		h = leafHash(&p.Other.Stream, &p.Other.Value)
	}
	for i := range p.Siblings {
		if bit(&p.Stream, len(p.Siblings)-1-i) == 0 {
			h = innerHash(&h, &p.Siblings[i])
		} else {
			h = innerHash(&p.Siblings[i], &h)
		}
	}
	if h != root {
		return fmt.Errorf("map proof of stream %v leads to another root", p.Stream)
	}
	return nil
}

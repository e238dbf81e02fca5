package audit

import (
	"context"
	"encoding/binary"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/tile"
)

// piece is the part of a batch that is in one entry bundle, read and hashed by
// itself: several are worked on at once.
type piece struct {
	head  checkpoint.Head // of the batch
	from  uint64          // leaves below it are of an earlier batch
	first uint64          // of the bundle
	width int             // of the bundle
	done  chan struct{}
	err   error // once done; the rest is of use without one

	raw     []byte
	leaves  [][]byte // from from on; they alias raw
	hashes  []byte   // of leaves
	root    tile.Hash
	whole   bool // the bundle is full and all of this batch; root is over hashes
	placed  []Placed
	time    time.Time    // of placed, zero if there are none
	batch   *entry.Batch // the batch leaf, in the last piece of a batch
	leafErr error        // why the last leaf is no batch leaf
}

func (p *piece) name() string { return tile.BundlePath(p.first/tile.Width, p.width) }

// last reports whether the batch ends in this piece.
func (p *piece) last() bool { return p.first+uint64(p.width) == p.head.Size }

func (p *piece) read(ctx context.Context, a *Auditor) {
	defer close(p.done)
	p.err = a.read(ctx, p.name(), p.parse)
}

// parse reads a bundle whose name stands for what it must hold, and hashes the leaves.
func (p *piece) parse(b []byte) error {
	p.raw, p.placed, p.leaves, p.hashes, p.batch, p.time = b, nil, nil, nil, nil, time.Time{}
	wrong := func(format string, a ...any) error { return found(p.name(), format, a...) }
	ours := int(p.first + uint64(p.width) - p.from)
	p.leaves, p.placed, p.hashes = make([][]byte, 0, ours), make([]Placed, 0, ours), make([]byte, 0, ours*tile.HashSize)
	var place entry.Place
	for i := range p.width {
		if len(b) < 2 {
			return wrong("it ends after %d of %d entries", i, p.width)
		}
		n := int(binary.BigEndian.Uint16(b))
		if len(b) < 2+n {
			return wrong("it ends inside entry %d of %d", i+1, p.width)
		}
		leaf := b[2 : 2+n : 2+n]
		b = b[2+n:]
		index := p.first + uint64(i)
		if index < p.from {
			continue
		}
		h := tile.LeafHash(leaf)
		p.leaves, p.hashes = append(p.leaves, leaf), append(p.hashes, h[:]...)
		if i == p.width-1 && p.last() {
			l, err := entry.ParseBatch(leaf)
			if err != nil {
				return wrong("entry %d ends batch %d and is no batch leaf: %v", index, p.head.Batch, err)
			}
			p.batch = &l
			break
		}
		if len(p.placed) == 0 {
			var err error
			if place, err = entry.PlaceOf(leaf); err != nil {
				return wrong("entry %d: %v", index, err)
			}
			if place.Batch != p.head.Batch {
				return wrong("entry %d says batch %d and stands in batch %d", index, place.Batch, p.head.Batch)
			}
			p.time = place.Time
		}
		p.placed = append(p.placed, Placed{Leaf: h})
		if !place.Parse(leaf, index, &p.placed[len(p.placed)-1].Entry) {
			return p.misplaced(leaf, index, &place)
		}
	}
	if len(b) > 0 {
		return wrong("%d bytes stand after its %d entries", len(b), p.width)
	}
	if p.whole = p.width == tile.Width && p.from <= p.first; p.whole {
		p.root = tile.TileRoot(p.hashes)
	}
	return nil
}

// misplaced says what is wrong with a leaf that is no entry of its index and place.
func (p *piece) misplaced(leaf []byte, index uint64, place *entry.Place) error {
	e, err := entry.Parse(leaf)
	switch {
	case entry.IsBatch(leaf):
		return found(p.name(), "entry %d is a batch leaf inside batch %d, which ends at size %d", index, p.head.Batch, p.head.Size)
	case err != nil:
		return found(p.name(), "entry %d: %v", index, err)
	case e.Index != index:
		return found(p.name(), "entry %d says that it has index %d", index, e.Index)
	}
	there := entry.NewPlace(e.Batch, e.Time)
	return found(p.name(), "entry %d says %v and stands in %v", index, &there, place)
}

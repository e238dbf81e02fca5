package audit

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"os"
	"slices"

	"trialnotary/notary/entry"
	"trialnotary/notary/tile"
)

// Seen finds statements that were sealed twice in one stream, in whatever batches. It
// keeps, in a file, 8 bytes for each leaf of the log: a keyed hash of stream and
// statement, so that nobody can make others collide; 0 for a batch leaf. Two that are
// equal are looked up in the log itself. In memory it has the newest 2²¹ alone.
type Seen struct {
	file     *os.File
	key      [keyWords]uint64
	n        uint64 // leaves in the file
	sum      uint32 // CRC-32C of them
	fresh    []uint64
	suspects [][2]uint64 // indexes of leaves that may be the same, the older first
}

const (
	keyWords = 8 // of 8 bytes: a stream id and a statement id
	maxFresh = 1 << 21
	// maxSuspects bounds those that are looked up: among 10⁷ leaves chance makes none.
	maxSuspects = 256
)

// NewSeen returns a Seen that has seen nothing, over an empty file.
func NewSeen(f *os.File) *Seen {
	s := &Seen{file: f}
	var b [8 * keyWords]byte
	rand.Read(b[:]) // never fails
	s.setKey(b[:])
	return s
}

func (s *Seen) setKey(b []byte) {
	for i := range s.key {
		s.key[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
}

// hash is NH of RFC 4418 over words of 64 bits, folded to one.
func (s *Seen) hash(e *entry.Entry) uint64 {
	var hi, lo, carry uint64
	for i := 0; i < keyWords/2; i += 2 {
		for _, id := range [2]struct {
			b   *[32]byte
			key []uint64
		}{{(*[32]byte)(&e.Stream), s.key[:keyWords/2]}, {(*[32]byte)(&e.Statement), s.key[keyWords/2:]}} {
			h, l := bits.Mul64(binary.LittleEndian.Uint64(id.b[8*i:])+id.key[i], binary.LittleEndian.Uint64(id.b[8*i+8:])+id.key[i+1])
			lo, carry = bits.Add64(lo, l, 0)
			hi, _ = bits.Add64(hi, h, carry)
		}
	}
	return max(hi^lo, 1)
}

// add adds an entry after those that were added.
func (s *Seen) add(e *entry.Entry) {
	for s.n+uint64(len(s.fresh)) < e.Index {
		s.fresh = append(s.fresh, 0)
	}
	s.fresh = append(s.fresh, s.hash(e))
}

// filled tells that every leaf below size was added, or is a batch leaf.
func (s *Seen) filled(size uint64) error {
	for s.n+uint64(len(s.fresh)) < size {
		s.fresh = append(s.fresh, 0)
	}
	if len(s.fresh) < maxFresh {
		return nil
	}
	return s.flush()
}

// flush compares what is fresh with itself and with what is in the file, and appends it.
func (s *Seen) flush() error {
	if len(s.fresh) == 0 {
		return nil
	}
	sorted := slices.DeleteFunc(slices.Clone(s.fresh), func(h uint64) bool { return h == 0 })
	slices.Sort(sorted)
	var same []uint64
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			same = append(same, sorted[i])
		}
	}
	// A filter of one bit for every 16 keeps most of the old ones from being searched.
	mask := uint64(1)<<max(6, bits.Len(uint(16*len(sorted)))) - 1
	filter := make([]uint64, (mask+1)/64)
	for _, h := range sorted {
		filter[h&mask/64] |= 1 << (h & mask % 64)
	}
	err := s.each(func(_, h uint64) {
		if filter[h&mask/64]>>(h&mask%64)&1 == 1 {
			if _, twice := slices.BinarySearch(sorted, h); twice {
				same = append(same, h)
			}
		}
	})
	if err == nil && len(same) > 0 {
		err = s.suspect(same)
	}
	if err != nil {
		return err
	}
	b := make([]byte, 0, 8*len(s.fresh))
	for _, h := range s.fresh {
		b = binary.LittleEndian.AppendUint64(b, h)
	}
	if _, err := s.file.WriteAt(b, int64(8*s.n)); err != nil {
		return fmt.Errorf("keep what was seen: %w", err)
	}
	s.sum = crc32.Update(s.sum, crc32.MakeTable(crc32.Castagnoli), b)
	s.n += uint64(len(s.fresh))
	s.fresh = s.fresh[:0]
	return nil
}

// each calls f with the index and hash of every leaf in the file.
func (s *Seen) each(f func(index, h uint64)) error {
	buffer := make([]byte, 1<<20)
	sum := uint32(0)
	table := crc32.MakeTable(crc32.Castagnoli)
	for at := uint64(0); at < 8*s.n; {
		part := buffer[:min(uint64(len(buffer)), 8*s.n-at)]
		if _, err := s.file.ReadAt(part, int64(at)); err != nil && err != io.EOF {
			return fmt.Errorf("read what was seen: %w", err)
		}
		sum = crc32.Update(sum, table, part)
		for i := 0; i < len(part); i += 8 {
			f((at+uint64(i))/8, binary.LittleEndian.Uint64(part[i:]))
		}
		at += uint64(len(part))
	}
	if sum != s.sum {
		return fmt.Errorf("%w: the file of what was seen was changed", ErrState)
	}
	return nil
}

// suspect finds where the leaves with these hashes stand.
func (s *Seen) suspect(same []uint64) error {
	slices.Sort(same)
	same = slices.Compact(same)
	places := map[uint64]uint64{} // the first
	look := func(index, h uint64) {
		if _, ok := slices.BinarySearch(same, h); !ok || len(s.suspects) >= maxSuspects {
			return
		}
		if first, again := places[h]; again {
			s.suspects = append(s.suspects, [2]uint64{first, index})
		} else {
			places[h] = index
		}
	}
	if err := s.each(look); err != nil {
		return err
	}
	for i, h := range s.fresh {
		if h != 0 {
			look(s.n+uint64(i), h)
		}
	}
	return nil
}

// twiceSealed finds the statements that stand twice in the log of that size, which
// has been walked through.
func (a *Auditor) twiceSealed(ctx context.Context, size uint64) error {
	if a.Seen == nil {
		return nil
	}
	if err := a.Seen.flush(); err != nil {
		return err
	}
	var all Findings
	for _, s := range a.Seen.suspects {
		first, err := a.entryAt(ctx, s[0], size)
		if err != nil {
			return err
		}
		again, err := a.entryAt(ctx, s[1], size)
		if err != nil {
			return err
		}
		if first.Stream == again.Stream && first.Statement == again.Statement {
			all = append(all, found(bundleOf(s[1], size), "entry %d is a statement that its stream has already, as entry %d", s[1], s[0]))
		}
	}
	a.Seen.suspects = nil
	if len(all) > 0 {
		return all
	}
	return nil
}

// bundleOf returns the name of the bundle that an entry is in.
func bundleOf(index, size uint64) string {
	first := index - index%tile.Width
	return tile.BundlePath(first/tile.Width, int(min(size-first, tile.Width)))
}

func (a *Auditor) entryAt(ctx context.Context, index, size uint64) (e entry.Entry, err error) {
	name := bundleOf(index, size)
	err = a.read(ctx, name, func(b []byte) error {
		leaves, err := tile.ParseBundle(b)
		if err != nil || uint64(len(leaves)) <= index%tile.Width {
			return found(name, "entry %d is gone", index)
		}
		if e, err = entry.Parse(leaves[index%tile.Width]); err != nil {
			return found(name, "entry %d: %v", index, err)
		}
		return nil
	})
	return e, err
}

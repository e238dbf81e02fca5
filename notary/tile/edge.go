package tile

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"

	"trialnotary/notary/text"
)

// levels is how many levels a tree of fewer than 2^64 leaves can have.
const levels = 8

// Edge is the right edge of a tree: all that is needed to append to it. Level L
// has a partial tile of (size >> 8L) mod 256 hashes, possibly none. Full tiles
// and bundles leave the edge as soon as they are complete and wait for
// [Edge.Objects].
//
// The zero Edge is that of the empty tree. An Edge is not safe for concurrent
// use.
type Edge struct {
	size    uint64
	tiles   [levels][]byte // hashes of the partial tile
	grown   [levels]bool   // the partial tile has hashes that Objects did not return yet
	bundle  []byte         // the entries below the partial tile of level 0
	full    [levels][]Object
	bundles []Object
	leaf    []byte // 0x00 ‖ the entry being hashed
	scratch reducer
}

// NewEdge returns the edge of a tree of that size, reading its partial objects,
// at most nine, through get. It checks their widths, and that the bundle's
// entries hash to the tile of level 0; that the tree is the right one is for the
// caller to check by [Edge.Root].
func NewEdge(size uint64, get func(name string) ([]byte, error)) (*Edge, error) {
	e := &Edge{size: size}
	for l := range levels {
		w := e.width(l)
		if w == 0 {
			continue
		}
		name := HashPath(l, e.index(l), w)
		b, err := get(name)
		if err != nil {
			return nil, fmt.Errorf("edge at size %d: %w", size, err)
		}
		if len(b) != w*HashSize {
			return nil, fmt.Errorf("edge at size %d: %s has %d bytes, want %d: %w", size, name, len(b), w*HashSize, ErrFormat)
		}
		e.setTile(l, b)
	}
	if w := e.width(0); w > 0 {
		name := BundlePath(e.index(0), w)
		b, err := get(name)
		if err != nil {
			return nil, fmt.Errorf("edge at size %d: %w", size, err)
		}
		if err := e.setBundle(b); err != nil {
			return nil, fmt.Errorf("edge at size %d: %s: %w", size, name, err)
		}
	}
	return e, nil
}

// width is that of the level's partial tile, 0 to 255.
func (e *Edge) width(level int) int { return int(e.size >> (8 * level) % Width) }

// index is that of the level's partial tile.
func (e *Edge) index(level int) uint64 { return e.size >> (8 * level) / Width }

func (e *Edge) setTile(level int, b []byte) {
	e.tiles[level] = append(make([]byte, 0, Width*HashSize), b...)
}

func (e *Edge) setBundle(b []byte) error {
	entries, err := parseBundleOf(b, e.width(0))
	if err != nil {
		return err
	}
	for i, entry := range entries {
		if LeafHash(entry) != Hash(e.tiles[0][i*HashSize:]) {
			return fmt.Errorf("entry %d does not hash to its place in the tile: %w", i, ErrFormat)
		}
	}
	e.bundle = bytes.Clone(b)
	return nil
}

// Size returns the number of leaves.
func (e *Edge) Size() uint64 { return e.size }

// Clone returns a copy that changes independently, uncollected objects included.
func (e *Edge) Clone() *Edge {
	c := *e
	for l, t := range e.tiles {
		if t != nil {
			c.setTile(l, t)
		}
		c.full[l] = slices.Clone(e.full[l])
	}
	c.bundle = bytes.Clone(e.bundle)
	c.bundles = slices.Clone(e.bundles)
	c.leaf = nil
	return &c
}

// Append adds a leaf for entry, of at most [MaxEntry] bytes; entry is copied. It
// allocates once per full tile and bundle, not per leaf.
func (e *Edge) Append(entry []byte) {
	e.leaf = append(append(e.leaf[:0], leafPrefix), entry...)
	e.AppendHashed(entry, sha256.Sum256(e.leaf))
}

// AppendHashed is Append for an entry whose leaf hash is known.
func (e *Edge) AppendHashed(entry []byte, leaf Hash) {
	e.bundle = AppendBundle(e.bundle, entry)
	index := e.size
	e.size++
	e.grow(0, index, leaf)
}

// AppendTile adds the leaves of a full bundle, where the tree's size is a multiple
// of [Width]: their hashes, 32 bytes each, and the [TileRoot] over these. Both slices
// are kept and must not be changed.
func (e *Edge) AppendTile(bundle, hashes []byte, root Hash) {
	if e.width(0) != 0 || len(hashes) != Width*HashSize {
		panic(fmt.Sprintf("tile: %d hashes appended as a tile at size %d", len(hashes)/HashSize, e.size))
	}
	index := e.size / Width
	e.bundles = append(e.bundles, Object{BundlePath(index, Width), bundle})
	e.full[0] = append(e.full[0], Object{HashPath(0, index, Width), hashes})
	e.size += Width
	e.grow(1, index, root)
}

// grow appends a hash to the tiles from a level upward; index is its own among those
// of the level.
func (e *Edge) grow(level int, index uint64, h Hash) {
	for l := level; l < levels; l++ {
		if e.tiles[l] == nil {
			e.tiles[l] = make([]byte, 0, Width*HashSize)
		}
		t := append(e.tiles[l], h[:]...)
		e.tiles[l], e.grown[l] = t, true
		if len(t) < Width*HashSize {
			return
		}
		// The tile is complete: it leaves, and its hash joins the level above.
		index /= Width
		e.full[l] = append(e.full[l], Object{HashPath(l, index, Width), t})
		e.tiles[l], e.grown[l] = nil, false
		if l == 0 {
			e.bundles = append(e.bundles, Object{BundlePath(index, Width), e.bundle})
			e.bundle = make([]byte, 0, len(e.bundle)+len(e.bundle)/16)
		}
		h = e.scratch.root(t)
	}
}

// Root returns the tree head.
func (e *Edge) Root() Hash {
	if e.size == 0 {
		return sha256.Sum256(nil)
	}
	var root Hash
	empty := true
	// From the smallest complete subtree, which is the rightmost, to the left.
	for l := range levels {
		end := e.width(l)
		for w := 1; end > 0; w *= 2 {
			if end&w == 0 {
				continue
			}
			end -= w
			h := e.scratch.root(e.tiles[l][end*HashSize:][:w*HashSize])
			if empty {
				root, empty = h, false
			} else {
				root = NodeHash(h, root)
			}
		}
	}
	return root
}

// Objects returns what is new since the last call, or since the edge was read,
// and must be written for the tree at its present size, in this order: full
// bundles and the partial one, then for each level from 0 upward the full tiles
// and the partial one. So whatever a tile stands for is there before it. A partial
// tile that has not grown has the name that it had, and is not returned again. The
// data are shared with the edge and must not be changed.
func (e *Edge) Objects() []Object {
	objects := e.bundles
	e.bundles = nil
	if w := e.width(0); e.grown[0] {
		objects = append(objects, Object{BundlePath(e.index(0), w), slices.Clip(e.bundle)})
	}
	for l := range levels {
		objects = append(objects, e.full[l]...)
		e.full[l] = nil
		if w := e.width(l); e.grown[l] {
			objects = append(objects, Object{HashPath(l, e.index(l), w), slices.Clip(e.tiles[l])})
			e.grown[l] = false
		}
	}
	return objects
}

// Full returns the full ones of [Edge.Objects], which are then not returned again:
// they are the same whatever size the tree grows to.
func (e *Edge) Full() []Object {
	objects := e.bundles
	e.bundles = nil
	for l := range levels {
		objects = append(objects, e.full[l]...)
		e.full[l] = nil
	}
	return objects
}

// edgeVersion is the first line of a stored edge.
const edgeVersion = "trialnotary/edge@v1"

// Marshal returns the edge as one object, without the objects not yet collected:
//
//	trialnotary/edge@v1
//	size 258
//	<hashes of the partial tiles, level 0 upward, then the partial bundle: binary>
func (e *Edge) Marshal() []byte {
	b := fmt.Appendf(nil, "%s\nsize %d\n", edgeVersion, e.size)
	for l := range levels {
		b = append(b, e.tiles[l]...)
	}
	return append(b, e.bundle...)
}

// UnmarshalEdge parses what [Edge.Marshal] returned and checks it as [NewEdge]
// does. Errors wrap [ErrFormat].
func UnmarshalEdge(b []byte) (*Edge, error) {
	rest, ok := bytes.CutPrefix(b, []byte(edgeVersion+"\nsize "))
	digits, rest, found := bytes.Cut(rest, []byte("\n"))
	if !ok || !found {
		return nil, fmt.Errorf("edge does not begin with %q and a size: %w", edgeVersion, ErrFormat)
	}
	size, err := text.ParseUint(string(digits))
	if err != nil {
		return nil, fmt.Errorf("edge, line 2: size %s: %w", strconv.Quote(string(digits)), ErrFormat)
	}
	e := &Edge{size: size}
	for l := range levels {
		n := e.width(l) * HashSize
		if len(rest) < n {
			return nil, fmt.Errorf("edge at size %d ends inside level %d: %w", size, l, ErrFormat)
		}
		if n > 0 {
			e.setTile(l, rest[:n])
		}
		rest = rest[n:]
	}
	if e.width(0) == 0 {
		if len(rest) > 0 {
			return nil, fmt.Errorf("edge at size %d has %d bytes after its end: %w", size, len(rest), ErrFormat)
		}
		return e, nil
	}
	if err := e.setBundle(rest); err != nil {
		return nil, fmt.Errorf("edge at size %d: %w", size, err)
	}
	return e, nil
}

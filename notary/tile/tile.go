// Package tile holds RFC 6962 Merkle trees as C2SP tlog-tiles
// (https://c2sp.org/tlog-tiles): the hashes, the object names, the right edge
// that a log grows at, and inclusion and consistency proofs read from tiles. It
// does no I/O: objects come from a function and leave as values.
//
// A tile of level L holds up to 256 hashes, each of the complete subtree over
// 256^L leaves, 32 bytes one after the other. An entry bundle holds the entries
// below one level-0 tile, each after its length as a big-endian uint16. Only the
// rightmost tile of a level may be partial, and its width, (size >> 8L) mod 256,
// stands in its name. A tree of 70,000 leaves is these objects:
//
//	tile/entries/000 … tile/entries/272   full bundles
//	tile/entries/273.p/112                partial bundle
//	tile/0/000 … tile/0/272               full tiles, 8,192 bytes
//	tile/0/273.p/112                      partial tile, 3,584 bytes
//	tile/1/000                            full: each hash is that of a tile of level 0
//	tile/1/001.p/17
//	tile/2/000.p/1
//
// The bundle of the single entry "hi" is 00 02 68 69; its leaf hash is
// SHA-256(00 68 69); a node is SHA-256(01 ‖ left ‖ right).
//
// Invariants: a partial tile is never empty and never hashed into the level
// above; an object's bytes follow from its name and the tree alone, so that
// writing it twice writes the same bytes.
package tile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Width is the number of hashes in a full tile, and of entries in a full bundle.
const Width = 256

// MaxEntry is the size in bytes of the longest entry a bundle can hold.
const MaxEntry = 1<<16 - 1

// maxLevel is the highest level tlog-tiles allows in a name.
const maxLevel = 63

// ErrFormat is wrapped by the errors about bytes and names that are not what
// tlog-tiles defines.
var ErrFormat = errors.New("not a tlog-tiles object")

// Object is one file of a log: its name below the log's prefix and its bytes.
type Object struct {
	Name string
	Data []byte
}

// HashPath returns the name of tile index of a level, 0 ≤ level ≤ 63, with
// 1 ≤ width ≤ 256 hashes: "tile/0/x001/234.p/5", or "tile/0/x001/234" for a
// width of 256 (tlog-tiles, "Merkle Tree").
func HashPath(level int, index uint64, width int) string {
	if level < 0 || level > maxLevel {
		panic("tile: level " + strconv.Itoa(level) + " is not within 0 and 63")
	}
	return path("tile/"+strconv.Itoa(level)+"/", index, width)
}

// BundlePath returns the name of entry bundle index with 1 ≤ width ≤ 256
// entries: "tile/entries/x001/234.p/5" (tlog-tiles, "Log entries").
func BundlePath(index uint64, width int) string { return path("tile/entries/", index, width) }

// path appends the index in groups of three digits, all but the last after an
// "x", and the width of a partial object.
func path(prefix string, index uint64, width int) string {
	if width < 1 || width > Width {
		panic("tile: width " + strconv.Itoa(width) + " is not within 1 and 256")
	}
	digits := strconv.FormatUint(index, 10)
	digits = "00"[:(3-len(digits)%3)%3] + digits
	b := make([]byte, 0, 64)
	b = append(b, prefix...)
	for len(digits) > 3 {
		b = append(b, 'x')
		b = append(b, digits[:3]...)
		b = append(b, '/')
		digits = digits[3:]
	}
	b = append(b, digits...)
	if width < Width {
		b = append(b, ".p/"...)
		b = strconv.AppendInt(b, int64(width), 10)
	}
	return string(b)
}

// ParsePath parses the name of a tile or, with level -1, of an entry bundle. A
// name that [HashPath] or [BundlePath] would not return is an error that wraps
// [ErrFormat].
func ParsePath(name string) (level int, index uint64, width int, err error) {
	fail := func(why string) (int, uint64, int, error) {
		if len(name) > 80 {
			name = name[:80]
		}
		return 0, 0, 0, fmt.Errorf("name %q %s: %w", name, why, ErrFormat)
	}
	rest, ok := strings.CutPrefix(name, "tile/")
	if !ok {
		return fail(`does not begin with "tile/"`)
	}
	kind, rest, _ := strings.Cut(rest, "/")
	if level = -1; kind != "entries" {
		if level, err = strconv.Atoi(kind); err != nil || level < 0 || level > maxLevel {
			return fail("has no level within 0 and 63")
		}
	}
	width = Width
	if i := strings.Index(rest, ".p/"); i >= 0 {
		if width, err = strconv.Atoi(rest[i+3:]); err != nil || width < 1 || width >= Width {
			return fail("has no width within 1 and 255")
		}
		rest = rest[:i]
	}
	digits := strings.ReplaceAll(strings.ReplaceAll(rest, "x", ""), "/", "")
	if index, err = strconv.ParseUint(digits, 10, 64); err != nil {
		return fail("has no index")
	}
	want := BundlePath(index, width)
	if level >= 0 {
		want = HashPath(level, index, width)
	}
	if name != want {
		return fail("is not written canonically")
	}
	return level, index, width, nil
}

// widthOf returns how many hashes tile index of a level has in a tree of that
// size: 256, the width of the partial one, or 0 where there is none.
func widthOf(level int, index, size uint64) int {
	have := size >> (8 * level)
	switch full := have / Width; {
	case index < full:
		return Width
	case index == full:
		return int(have % Width)
	}
	return 0
}

package tile

import (
	"encoding/binary"
	"fmt"
)

// AppendBundle appends entry, of at most [MaxEntry] bytes, to a bundle: its
// length as a big-endian uint16, then its bytes (tlog-tiles, "Log entries").
func AppendBundle(dst, entry []byte) []byte {
	if len(entry) > MaxEntry {
		panic(fmt.Sprintf("tile: entry of %d bytes, at most %d fit", len(entry), MaxEntry))
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(entry)))
	return append(dst, entry...)
}

// ParseBundle returns the 1 to 256 entries of a bundle. They alias b. Errors
// wrap [ErrFormat].
func ParseBundle(b []byte) ([][]byte, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("bundle is empty: %w", ErrFormat)
	}
	var entries [][]byte
	for len(b) > 0 {
		if len(entries) == Width {
			return nil, fmt.Errorf("bundle has more than %d entries: %w", Width, ErrFormat)
		}
		if len(b) < 2 {
			return nil, fmt.Errorf("bundle ends inside the length of entry %d: %w", len(entries), ErrFormat)
		}
		n := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; len(b) < n {
			return nil, fmt.Errorf("bundle ends inside entry %d, %d of %d bytes: %w", len(entries), len(b), n, ErrFormat)
		}
		entries = append(entries, b[:n:n])
		b = b[n:]
	}
	return entries, nil
}

// parseBundleOf parses a bundle that must have exactly width entries.
func parseBundleOf(b []byte, width int) ([][]byte, error) {
	entries, err := ParseBundle(b)
	if err == nil && len(entries) != width {
		err = fmt.Errorf("bundle has %d entries, want %d: %w", len(entries), width, ErrFormat)
	}
	return entries, err
}

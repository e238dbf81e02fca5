package streammap

import (
	"fmt"
	"strings"

	"trialnotary/notary/text"
)

// Ref says where a node is stored: in which batch's pack, and there which bytes.
// The zero Ref is that of the empty map.
type Ref struct {
	Batch          uint64
	Offset, Length uint32
}

// String names the node in errors.
func (r Ref) String() string {
	return fmt.Sprintf("map node %d+%d of batch %d", r.Offset, r.Length, r.Batch)
}

// Root is the map after some batch. The zero Root is the empty map.
type Root struct {
	Hash    [32]byte // what the batch leaf commits to
	Ref              // the root node
	Streams uint64   // number of streams that have entries
}

// String returns the root as one line without a line feed:
//
//	<streams> <hash, base64> <batch> <offset> <length>
func (r Root) String() string {
	return fmt.Sprintf("%d %s %d %d %d", r.Streams, text.Base64(r.Hash[:]), r.Batch, r.Offset, r.Length)
}

// MarshalText returns the line that [Root.String] returns.
func (r Root) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText parses as [ParseRoot] does.
func (r *Root) UnmarshalText(b []byte) (err error) {
	*r, err = ParseRoot(b)
	return err
}

// ParseRoot parses the line that [Root.MarshalText] returns. Errors wrap
// [text.ErrFormat].
func ParseRoot(b []byte) (Root, error) {
	fail := func(why string) (Root, error) {
		return Root{}, fmt.Errorf("stream map root: %s: %w", why, text.ErrFormat)
	}
	f := strings.Split(string(b), " ")
	if len(f) != 5 {
		return fail(fmt.Sprintf("%d fields, want 5", len(f)))
	}
	hash, err := text.ParseHash(f[1])
	if err != nil {
		return Root{}, fmt.Errorf("stream map root: %w", err)
	}
	var n [4]uint64
	for i, s := range []string{f[0], f[2], f[3], f[4]} {
		if n[i], err = text.ParseUint(s); err != nil {
			return Root{}, fmt.Errorf("stream map root: %w", err)
		}
	}
	r := Root{hash, Ref{n[1], uint32(n[2]), uint32(n[3])}, n[0]}
	switch {
	case uint64(r.Offset) != n[2] || uint64(r.Length) != n[3]:
		return fail("a pack has less than 4 GiB")
	case (r.Streams == 0) != (r == Root{}), (r.Streams == 0) != (r.Length == 0), (r.Streams == 0) != (r.Hash == [32]byte{}):
		return fail("only the empty map has no streams, no hash and no node")
	}
	return r, nil
}

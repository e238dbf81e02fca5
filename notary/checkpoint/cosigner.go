package checkpoint

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// SignedBy reports whether the key vkey, of any type that [VerifierFor] accepts,
// signed s, and when by its own clock, zero for a type without a time. A line of
// that key which does not verify is an error that wraps [ErrSignature]. As in
// [Policy.Verify], a time of 0 or after the year 9999 counts as no signature.
func (s Signed) SignedBy(vkey string) (at time.Time, signed bool, err error) {
	k, err := parseKey(vkey)
	if err != nil {
		return at, false, err
	}
	n, err := note.Open(s.Raw, note.VerifierList(k.Verifier))
	var invalid *note.InvalidSignatureError
	var unverified *note.UnverifiedNoteError
	switch {
	case errors.As(err, &invalid):
		return at, false, fmt.Errorf("%w: that of %s+%08x", ErrSignature, invalid.Name, invalid.Hash)
	case errors.As(err, &unverified):
		return at, false, nil
	case err != nil:
		return at, false, fmt.Errorf("open checkpoint: %w", err)
	case n.Text != string(s.Text()):
		return at, false, errors.New("open checkpoint: its values are not those of its bytes")
	case !k.Type.timed():
		return at, signedBy(n, k), nil
	}
	second, ok := cosigned(n, k)
	if ok {
		at = time.Unix(second, 0).UTC()
	}
	return at, ok, nil
}

package statement

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"trialnotary/notary/text"
)

// ID is a statement id: SHA-256 of the whole signed note. It is public and opens
// nothing, because the note holds a salt.
type ID [32]byte

// IDOf returns the statement id of a signed note.
func IDOf(note []byte) ID { return sha256.Sum256(note) }

// String returns 64 lowercase hex digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ParseID parses 64 lowercase hex digits.
func ParseID(s string) (ID, error) {
	h, err := parseID(s)
	return ID(h), err
}

// StreamID is the public name of a stream; it reveals neither trial nor name.
type StreamID [32]byte

// StreamIDOf computes the id of a trial's stream in the log of that origin.
func StreamIDOf(origin, trial, name string, salt [32]byte) StreamID {
	return sha256.Sum256([]byte("trialnotary/stream@v1\n" + origin + "\n" + trial + "\n" + name + "\n" + text.Base64(salt[:]) + "\n"))
}

// String returns 64 lowercase hex digits.
func (id StreamID) String() string { return hex.EncodeToString(id[:]) }

// ParseStreamID parses 64 lowercase hex digits.
func ParseStreamID(s string) (StreamID, error) {
	h, err := parseID(s)
	return StreamID(h), err
}

func parseID(s string) ([32]byte, error) {
	// Ids come from URLs and strangers' files: the length is settled before a
	// digit is decoded.
	if len(s) != 64 {
		return [32]byte{}, fmt.Errorf("an id of %d characters, want 64 lowercase hex digits: %w", len(s), text.ErrFormat)
	}
	return text.ParseHex(s)
}

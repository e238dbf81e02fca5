package statement

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"trialnotary/notary/text"
)

// Signed is a note of ours taken apart: a C2SP signed note with exactly one
// signature line, by an Ed25519 key. Nothing about it has been verified.
type Signed struct {
	Text      []byte // the signed text, ending in a line feed
	KeyName   string
	KeyHash   uint32
	Signature [64]byte
}

const signaturePrefix = "— " // U+2014 and a blank

// ParseSigned takes a note apart. It fails, wrapping [text.ErrFormat], unless
// rebuilding the note gives the same bytes: one signature line, canonical
// base64, a valid key name, no character that the formats forbid. Text aliases b.
func ParseSigned(b []byte) (Signed, error) {
	if i := text.IndexForbidden(string(b), true); i >= 0 {
		return Signed{}, noteError(b[:i], "has a character that no format allows")
	}
	return parseSigned(b)
}

// parseSigned is ParseSigned for bytes without forbidden characters.
func parseSigned(b []byte) (Signed, error) {
	split := bytes.LastIndex(b, []byte("\n\n"))
	if split < 1 {
		return Signed{}, fmt.Errorf("it is not a signed note, a text, an empty line and a signature: %w", text.ErrFormat)
	}
	s := Signed{Text: b[: split+1 : split+1]}
	before, line := b[:split+2], b[split+2:]
	if len(line) == 0 || line[len(line)-1] != '\n' {
		return Signed{}, noteError(before, "does not end with a line feed")
	}
	line = line[:len(line)-1]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		return Signed{}, noteError(b[:split+2+i+1], "follows the signature; a note of ours has exactly one signature line")
	}
	rest, ok := bytes.CutPrefix(line, []byte(signaturePrefix))
	if !ok {
		return Signed{}, noteError(before, "is not a signature line")
	}
	name, sig, ok := bytes.Cut(rest, []byte(" "))
	if !ok || !ValidName(string(name)) {
		return Signed{}, noteError(before, "does not name a key [a-z0-9][a-z0-9._-]{0,63}")
	}
	var raw [69]byte // one byte more than a signature, so that a longer one fails
	if len(sig) != base64.StdEncoding.EncodedLen(68) {
		return Signed{}, noteError(before, "does not hold an Ed25519 signature of 64 bytes")
	}
	n, err := base64.StdEncoding.Decode(raw[:], sig)
	if err != nil || n != 68 {
		return Signed{}, noteError(before, "is not canonical base64")
	}
	s.KeyName = string(name)
	s.KeyHash = binary.BigEndian.Uint32(raw[:4])
	copy(s.Signature[:], raw[4:68])
	// The one test for every variant of base64: rebuild the line.
	var buf [4 + 64 + 1 + 92 + 1]byte
	if !bytes.Equal(s.appendLine(buf[:0]), b[split+2:]) {
		return Signed{}, noteError(before, "is not canonical base64")
	}
	return s, nil
}

// noteError says what is wrong with the line that begins after before.
func noteError(before []byte, what string) error {
	return fmt.Errorf("line %d %s: %w", bytes.Count(before, []byte("\n"))+1, what, text.ErrFormat)
}

// appendLine appends the signature line with its line feed.
func (s Signed) appendLine(dst []byte) []byte {
	dst = append(append(append(dst, signaturePrefix...), s.KeyName...), ' ')
	var raw [68]byte
	binary.BigEndian.PutUint32(raw[:4], s.KeyHash)
	copy(raw[4:], s.Signature[:])
	return append(appendBase64(dst, raw[:]), '\n')
}

// SignText returns the note of text signed by k. text must end in a line feed.
func SignText(text []byte, k PrivateKey) []byte {
	s := Signed{KeyName: k.name, KeyHash: k.Public().Hash(), Signature: [64]byte(ed25519.Sign(k.key, text))}
	note := append(make([]byte, 0, len(text)+len("\n")+len(signaturePrefix)+len(k.name)+94), text...)
	return s.appendLine(append(note, '\n'))
}

// VerifiedBy reports whether the note names the key k and carries its signature.
func (s Signed) VerifiedBy(k PublicKey) bool {
	return s.KeyName == k.Name && s.KeyHash == k.Hash() && k.Verify(s.Text, s.Signature[:])
}

func appendBase64(dst, b []byte) []byte { return base64.StdEncoding.AppendEncode(dst, b) }

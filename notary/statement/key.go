package statement

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"trialnotary/notary/text"
)

// algEd25519 is the C2SP signed-note type byte of the keys of participants.
const algEd25519 = 0x01

// PublicKey is a participant's C2SP note key: an Ed25519 key (type 0x01) with a
// name. Two keys are the same key iff the structs are equal: never compare by
// the four-byte hash, which collides at will.
type PublicKey struct {
	Name string // a valid name, see [ValidName]
	Key  [32]byte
}

// ParsePublicKey parses a verifier key "name+hash+base64" in its one form.
func ParsePublicKey(vkey string) (PublicKey, error) {
	name, key, err := parseKey(vkey)
	if err != nil {
		return PublicKey{}, fmt.Errorf("verifier key %q: %w", clip(text.Visible(vkey)), err)
	}
	k := PublicKey{name, key}
	if k.String() != vkey {
		return PublicKey{}, fmt.Errorf("verifier key %q: its hash is not that of its name and key: %w", clip(text.Visible(vkey)), text.ErrFormat)
	}
	return k, nil
}

// clip keeps short what is quoted in an error; a verifier key of ours has at most
// 119 bytes.
func clip(vkey string) string {
	if len(vkey) > 120 {
		return strings.ToValidUTF8(vkey[:120], "") + "…"
	}
	return vkey
}

// parseKey parses "name+hash+base64 of 0x01 and 32 bytes", except that the hash
// is left to the caller.
func parseKey(s string) (name string, key [32]byte, err error) {
	name, rest, _ := strings.Cut(s, "+")
	hash, b64, _ := strings.Cut(rest, "+")
	if !ValidName(name) {
		return "", key, fmt.Errorf("its name is not [a-z0-9][a-z0-9._-]{0,63}: %w", text.ErrFormat)
	}
	if len(hash) != 8 {
		return "", key, fmt.Errorf("it is not name+hash+key: %w", text.ErrFormat)
	}
	b, err := text.ParseBase64(b64)
	if err != nil || len(b) != 33 || b[0] != algEd25519 {
		return "", key, fmt.Errorf("it does not hold an Ed25519 key: %w", text.ErrFormat)
	}
	return name, [32]byte(b[1:]), nil
}

// String returns the verifier key, "name+hash+base64".
func (k PublicKey) String() string { return string(k.append(nil)) }

func (k PublicKey) append(dst []byte) []byte {
	dst = append(dst, k.Name...)
	dst = appendHash(append(dst, '+'), k.Hash())
	return appendBase64(append(dst, '+'), append([]byte{algEd25519}, k.Key[:]...))
}

func appendHash(dst []byte, h uint32) []byte {
	for shift := 28; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[h>>shift&0xf])
	}
	return dst
}

// Hash returns the key id that signature lines carry: the first four bytes,
// big-endian, of SHA-256(name ‖ LF ‖ 0x01 ‖ key) (c2sp.org/signed-note).
func (k PublicKey) Hash() uint32 {
	var buf [64 + 2 + 32]byte
	b := append(append(append(buf[:0], k.Name...), '\n', algEd25519), k.Key[:]...)
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint32(sum[:4])
}

// Fingerprint returns the fingerprint of the verifier key's text, as read aloud
// over a telephone.
func (k PublicKey) Fingerprint() string {
	return text.Fingerprint(sha256.Sum256([]byte(k.String())))
}

// Verify reports whether sig is the key's Ed25519 signature of text.
func (k PublicKey) Verify(text, sig []byte) bool {
	return len(sig) == ed25519.SignatureSize && ed25519.Verify(k.Key[:], text, sig)
}

// PrivateKey is a participant's signing key. Its zero value signs nothing.
type PrivateKey struct {
	name string
	key  ed25519.PrivateKey
}

// GenerateKey draws a new key. The name must be a valid name.
func GenerateKey(name string) (PrivateKey, error) {
	if !ValidName(name) {
		return PrivateKey{}, fmt.Errorf("generate key: the name %q is not [a-z0-9][a-z0-9._-]{0,63}", text.Visible(name))
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("generate key %q: %w", name, err)
	}
	return PrivateKey{name, key}, nil
}

const privatePrefix = "PRIVATE+KEY+"

// ParsePrivateKey parses "PRIVATE+KEY+name+hash+base64" in its one form. Its
// errors never hold the input.
func ParsePrivateKey(skey string) (PrivateKey, error) {
	rest, ok := strings.CutPrefix(skey, privatePrefix)
	if !ok {
		return PrivateKey{}, fmt.Errorf("private key: it does not begin with %s: %w", privatePrefix, text.ErrFormat)
	}
	name, seed, err := parseKey(rest)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("private key: %w", err)
	}
	k := PrivateKey{name, ed25519.NewKeyFromSeed(seed[:])}
	if k.String() != skey {
		return PrivateKey{}, fmt.Errorf("private key %s: its hash is not that of its name and key: %w", strconv.Quote(name), text.ErrFormat)
	}
	return k, nil
}

// String returns the whole secret, "PRIVATE+KEY+name+hash+base64", as it stands
// in a key file: never print it.
func (k PrivateKey) String() string {
	if k.key == nil {
		return ""
	}
	b := append([]byte(privatePrefix), k.name...)
	b = appendHash(append(b, '+'), k.Public().Hash())
	return string(appendBase64(append(b, '+'), append([]byte{algEd25519}, k.key.Seed()...)))
}

// Public returns the verifier's half.
func (k PrivateKey) Public() PublicKey {
	if k.key == nil {
		return PublicKey{}
	}
	return PublicKey{k.name, [32]byte(k.key[32:])}
}

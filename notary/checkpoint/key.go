package checkpoint

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"strings"

	"filippo.io/mldsa"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"trialnotary/notary/text"
)

// Type is a C2SP signature type.
type Type byte

// The signature types of checkpoints.
const (
	Ed25519     Type = 0x01 // plain, over the text
	P256        Type = 0x02 // ECDSA P-256, ASN.1, over the text's SHA-256
	Cosignature Type = 0x04 // Ed25519, cosignature/v1
	MLDSA44     Type = 0x06 // ML-DSA-44, subtree/v1
)

// Algorithm returns the name the trust file knows, "" for an unknown type.
func (t Type) Algorithm() string {
	switch t {
	case Ed25519, Cosignature:
		return "ed25519"
	case P256:
		return "ecdsa-p256"
	case MLDSA44:
		return "ml-dsa-44"
	}
	return ""
}

// timed reports whether signatures start with a timestamp of 8 bytes.
func (t Type) timed() bool { return t == Cosignature || t == MLDSA44 }

// key is a parsed verifier key.
type key struct {
	note.Verifier
	Type   Type
	vkey   string
	public string // raw public key, to find duplicates under other names
}

// VerifierKey returns the text of a verifier key. public is the raw key, or for
// P-256 its DER SubjectPublicKeyInfo.
func VerifierKey(name string, t Type, public []byte) string {
	b := append([]byte{byte(t)}, public...)
	return fmt.Sprintf("%s+%08x+%s", name, keyID(name, t, public), text.Base64(b))
}

// keyID returns the key id of signed-note; for P-256 the hash of the DER alone.
func keyID(name string, t Type, public []byte) uint32 {
	h := sha256.New()
	if t != P256 {
		h.Write([]byte(name + "\n"))
		h.Write([]byte{byte(t)})
	}
	h.Write(public)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// VerifierFor returns the verifier of a verifier key of type 0x01, 0x02 (P-256
// only), 0x04 or 0x06, and its algorithm as the trust file names it. The text
// must be canonical and its key id right.
func VerifierFor(vkey string) (note.Verifier, string, error) {
	k, err := parseKey(vkey)
	if err != nil {
		return nil, "", err
	}
	return k.Verifier, k.Type.Algorithm(), nil
}

// TypeOf returns the type of a verifier key that [VerifierFor] accepts.
func TypeOf(vkey string) (Type, error) {
	k, err := parseKey(vkey)
	return k.Type, err
}

func parseKey(vkey string) (key, error) {
	f := strings.SplitN(vkey, "+", 3)
	if len(f) != 3 {
		return key{}, fmt.Errorf("verifier key: not of the form name+id+base64: %w", text.ErrFormat)
	}
	if err := ValidOrigin(f[0]); err != nil {
		return key{}, fmt.Errorf("verifier key: name: %w: %w", err, text.ErrFormat)
	}
	b, err := text.ParseBase64(f[2])
	if err != nil || len(b) < 2 {
		return key{}, fmt.Errorf("verifier key of %s: not canonical base64: %w", f[0], text.ErrFormat)
	}
	k := key{Type: Type(b[0]), vkey: vkey, public: string(b[1:])}
	if VerifierKey(f[0], k.Type, b[1:]) != vkey {
		return key{}, fmt.Errorf("verifier key of %s: key id %.8q does not fit the key: %w", f[0], f[1], text.ErrFormat)
	}
	size := len(b) - 1
	switch k.Type {
	case Ed25519, Cosignature:
		if size != 32 {
			err = fmt.Errorf("%d bytes, an Ed25519 key has 32", size)
		}
	case MLDSA44:
		if size != mldsa.MLDSA44PublicKeySize {
			err = fmt.Errorf("%d bytes, an ML-DSA-44 key has %d", size, mldsa.MLDSA44PublicKeySize)
		}
	case P256:
		err = checkP256(b[1:])
	default:
		err = fmt.Errorf("signature type 0x%02x is not known", b[0])
	}
	if err == nil {
		k.Verifier, err = fnote.NewVerifier(vkey)
	}
	if err != nil {
		return key{}, fmt.Errorf("verifier key of %s: %w: %w", f[0], err, text.ErrFormat)
	}
	return k, nil
}

func checkP256(der []byte) error {
	k, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return fmt.Errorf("not a DER public key")
	}
	e, ok := k.(*ecdsa.PublicKey)
	if !ok || e.Curve != elliptic.P256() {
		return fmt.Errorf("not a P-256 key")
	}
	if back, err := x509.MarshalPKIXPublicKey(k); err != nil || string(back) != string(der) {
		return fmt.Errorf("not canonical DER")
	}
	return nil
}

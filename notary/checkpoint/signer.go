package checkpoint

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"filippo.io/mldsa"

	"trialnotary/notary/text"
)

// NewSigner returns a signer whose private key is elsewhere, as in a KMS. raw
// signs a message: Ed25519 (RFC 8032); ECDSA P-256 over the message's SHA-256,
// ASN.1; or ML-DSA-44 (FIPS 204, empty context), whichever the type of vkey says.
// The signer builds the message and, for timed types, puts now's second into it.
func NewSigner(vkey string, raw func(message []byte) ([]byte, error), now func() time.Time) (Signer, error) {
	k, err := parseKey(vkey)
	if err != nil {
		return nil, err
	}
	return signer{key: k, raw: raw, now: now}, nil
}

type signer struct {
	key
	raw func([]byte) ([]byte, error)
	now func() time.Time
}

func (s signer) VerifierKey() string { return s.vkey }

// Sign signs the three lines of a checkpoint.
func (s signer) Sign(msg []byte) ([]byte, error) {
	if !s.Type.timed() {
		return s.raw(msg)
	}
	at := s.now().Unix()
	if at <= 0 {
		return nil, fmt.Errorf("the clock says %d seconds since 1970", at)
	}
	var m []byte
	if s.Type == MLDSA44 {
		// The note interface hands over text; the cosignature is over its values.
		r := text.NewReader(msg)
		c := Checkpoint{Origin: r.Line(), Size: r.ParseUint(r.Line()), Root: r.ParseHash(r.Line())}
		if err := r.Done(); err != nil {
			return nil, err
		}
		m = cosignedMessage(s.Name(), uint64(at), c)
	} else {
		m = fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, msg)
	}
	sig, err := s.raw(m)
	if err != nil {
		return nil, err
	}
	return append(binary.BigEndian.AppendUint64(nil, uint64(at)), sig...), nil
}

// cosignedMessage is tlog-cosignature's cosigned_message for the whole tree.
func cosignedMessage(name string, at uint64, c Checkpoint) []byte {
	b := append([]byte("subtree/v1\n\x00"), byte(len(name)))
	b = append(b, name...)
	b = binary.BigEndian.AppendUint64(b, at)
	b = append(b, byte(len(c.Origin)))
	b = append(b, c.Origin...)
	b = binary.BigEndian.AppendUint64(b, 0)
	b = binary.BigEndian.AppendUint64(b, c.Size)
	return append(b, c.Root[:]...)
}

// Key is a private key held in memory. It is a [Signer].
type Key struct {
	signer
	secret []byte
}

// String returns the private key as text, for a key file:
// PRIVATE+KEY+name+key id+base64 of type and secret. The secret is a seed of 32
// bytes, or for P-256 the scalar.
func (k Key) String() string {
	return fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", k.Name(), k.KeyHash(), text.Base64(append([]byte{byte(k.Type)}, k.secret...)))
}

// WithClock returns the key with another clock for timed signatures; without it
// they use the machine's.
func (k Key) WithClock(now func() time.Time) Key {
	k.now = now
	return k
}

// NewEd25519Signer returns the key of a seed.
func NewEd25519Signer(name string, seed [32]byte) (Key, error) { return newKey(name, Ed25519, seed[:]) }

// NewMLDSA44Signer returns the key of a seed.
func NewMLDSA44Signer(name string, seed [32]byte) (Key, error) { return newKey(name, MLDSA44, seed[:]) }

// GenerateEd25519, GenerateMLDSA44 and GenerateP256 make a new key of that name.
func GenerateEd25519(name string) (Key, error) { return newKey(name, Ed25519, random()) }

// GenerateMLDSA44: see [GenerateEd25519].
func GenerateMLDSA44(name string) (Key, error) { return newKey(name, MLDSA44, random()) }

// GenerateCosignature makes a witness key of type 0x04.
func GenerateCosignature(name string) (Key, error) { return newKey(name, Cosignature, random()) }

// GenerateP256: see [GenerateEd25519].
func GenerateP256(name string) (Key, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Key{}, err
	}
	secret, err := k.Bytes()
	if err != nil {
		return Key{}, err
	}
	return newKey(name, P256, secret)
}

func random() []byte {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return b
}

// ParseSigner parses what [Key.String] returns. Errors never hold the secret.
func ParseSigner(skey string) (Key, error) {
	bad := fmt.Errorf("private key: not of the form PRIVATE+KEY+name+id+base64: %w", text.ErrFormat)
	f := strings.SplitN(skey, "+", 5)
	if len(f) != 5 || f[0] != "PRIVATE" || f[1] != "KEY" {
		return Key{}, bad
	}
	b, err := text.ParseBase64(f[4])
	if err != nil || len(b) != 33 {
		return Key{}, bad
	}
	k, err := newKey(f[2], Type(b[0]), b[1:])
	if err != nil {
		return Key{}, err
	}
	if k.String() != skey {
		return Key{}, fmt.Errorf("private key of %s: the key id does not fit the key: %w", f[2], text.ErrFormat)
	}
	return k, nil
}

func newKey(name string, t Type, secret []byte) (Key, error) {
	var public []byte
	var raw func([]byte) ([]byte, error)
	switch t {
	case Ed25519, Cosignature:
		k := ed25519.NewKeyFromSeed(secret)
		public = k.Public().(ed25519.PublicKey)
		raw = func(m []byte) ([]byte, error) { return ed25519.Sign(k, m), nil }
	case MLDSA44:
		k, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), secret)
		if err != nil {
			return Key{}, fmt.Errorf("private key of %s: not an ML-DSA-44 seed: %w", name, text.ErrFormat)
		}
		public = k.PublicKey().Bytes()
		raw = func(m []byte) ([]byte, error) { return k.Sign(nil, m, nil) }
	case P256:
		k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
		if err != nil {
			return Key{}, fmt.Errorf("private key of %s: not a P-256 scalar: %w", name, text.ErrFormat)
		}
		if public, err = x509.MarshalPKIXPublicKey(k.Public()); err != nil {
			return Key{}, err
		}
		raw = func(m []byte) ([]byte, error) {
			d := sha256.Sum256(m)
			return ecdsa.SignASN1(rand.Reader, k, d[:])
		}
	default:
		return Key{}, fmt.Errorf("private key of %s: signature type 0x%02x is not known: %w", name, byte(t), text.ErrFormat)
	}
	k, err := parseKey(VerifierKey(name, t, public))
	if err != nil {
		return Key{}, err
	}
	return Key{signer{k, raw, time.Now}, append([]byte(nil), secret...)}, nil
}

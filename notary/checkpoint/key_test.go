package checkpoint

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"trialnotary/notary/text"
)

func TestEveryKeyTypeSignsAndIsReadBack(t *testing.T) {
	for alg, make := range map[string]func(string) (Key, error){
		"ed25519": GenerateEd25519, "ecdsa-p256": GenerateP256, "ml-dsa-44": GenerateMLDSA44,
	} {
		k, err := make(origin)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseSigner(k.String())
		if err != nil || back.VerifierKey() != k.VerifierKey() || back.String() != k.String() {
			t.Fatalf("%s: %v", alg, err)
		}
		c := Checkpoint{Origin: origin, Size: 1}
		b, err := Sign(c, []Signer{back})
		if err != nil {
			t.Fatal(err)
		}
		v, got, err := VerifierFor(k.VerifierKey())
		if err != nil || got != alg {
			t.Fatalf("%s: %s, %v", alg, got, err)
		}
		if _, err := note.Open(b, note.VerifierList(v)); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

func TestOthersReadOurKeys(t *testing.T) {
	ed, err := GenerateEd25519(origin)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := note.NewSigner(ed.String()); err != nil || s.KeyHash() != ed.KeyHash() {
		t.Error("x/mod:", err)
	}
	pq, err := GenerateMLDSA44(origin)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := fnote.NewMLDSASigner(pq.String()); err != nil || s.KeyHash() != pq.KeyHash() {
		t.Error("transparency-dev:", err)
	}
	theirs, vkey, err := fnote.GenerateMLDSAKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	if k, err := ParseSigner(theirs); err != nil || k.VerifierKey() != vkey {
		t.Error("a key of transparency-dev:", err)
	}
}

func TestTheGivenClockStampsTheCosignature(t *testing.T) {
	c := newCast(t)
	c.at = time.Unix(1_750_000_000, 999)
	s := c.signed()
	if got := s.Lines[1].Sig[:8]; !bytes.Equal(got, []byte{0, 0, 0, 0, 0x68, 0x4e, 0xe1, 0x80}) {
		t.Errorf("%x", got)
	}
	if _, err := Sign(s.Checkpoint, []Signer{c.pq.WithClock(func() time.Time { return time.Unix(0, 0) })}); err == nil {
		t.Error("it signs at second 0, which counts for nothing")
	}
}

func TestASignerThatLiesIsFound(t *testing.T) {
	c := newCast(t)
	cp := Checkpoint{Origin: origin, Size: 1}
	wrong, err := NewSigner(c.ed.VerifierKey(), func([]byte) ([]byte, error) { return make([]byte, 64), nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the KMS is away")
	away, _ := NewSigner(c.ed.VerifierKey(), func([]byte) ([]byte, error) { return nil, broken }, nil)
	for name, signers := range map[string][]Signer{
		"a wrong signature": {c.pq, wrong}, "no signer": nil, "one key twice": {c.ed, c.ed}, "another name": {c.witness[0]},
	} {
		if b, err := Sign(cp, signers); err == nil || b != nil {
			t.Errorf("%s: signed", name)
		}
	}
	if _, err := Sign(cp, []Signer{away}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := Sign(Checkpoint{Origin: "a b"}, []Signer{c.ed}); err == nil {
		t.Error("an origin with a blank")
	}
}

func TestKeyTextIsCanonical(t *testing.T) {
	c := newCast(t)
	p256, err := GenerateP256(origin)
	if err != nil {
		t.Fatal(err)
	}
	v := c.ed.VerifierKey()
	for name, s := range map[string]string{
		"empty":               "",
		"no parts":            "x",
		"no name":             v[len(origin):],
		"name with a blank":   "a b" + v[len(origin):],
		"upper case key id":   strings.Replace(v, "+"+strings.SplitN(v, "+", 3)[1], "+"+strings.ToUpper(strings.SplitN(v, "+", 3)[1])+"A", 1),
		"another key id":      origin + "+00000000+" + strings.SplitN(v, "+", 3)[2],
		"blank at the end":    v + " ",
		"line feed in base64": v[:len(v)-4] + "\n" + v[len(v)-4:],
		"key too short":       VerifierKey(origin, Ed25519, make([]byte, 31)),
		"ML-DSA too short":    VerifierKey(origin, MLDSA44, make([]byte, 32)),
		"type 0x05":           VerifierKey(origin, 5, make([]byte, 32)),
		"P-256 with a tail":   VerifierKey(origin, P256, append([]byte(p256.public), 0)),
		"P-256 that is none":  VerifierKey(origin, P256, []byte("hello")),
	} {
		if _, _, err := VerifierFor(s); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	secret := c.ed.String()
	for name, s := range map[string]string{
		"empty":            "",
		"a verifier key":   v,
		"another key id":   strings.Replace(secret, "+"+strings.Split(secret, "+")[3]+"+", "+00000000+", 1),
		"blank at the end": secret + " ",
		"another type":     "PRIVATE+KEY+x+00000000+" + text.Base64(append([]byte{5}, make([]byte, 32)...)),
		"P-256 zero":       "PRIVATE+KEY+x+00000000+" + text.Base64(append([]byte{2}, make([]byte, 32)...)),
		"too short":        "PRIVATE+KEY+x+00000000+" + text.Base64(append([]byte{1}, make([]byte, 31)...)),
	} {
		_, err := ParseSigner(s)
		if !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), strings.SplitN(secret, "+", 5)[4]) {
			t.Errorf("%s: the error shows the secret", name)
		}
	}
}

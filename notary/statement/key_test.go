package statement

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"trialnotary/notary/text"
)

// x/mod's note package and ours agree on keys, key ids and signatures.
func TestKeysAreNoteKeys(t *testing.T) {
	for _, name := range []string{"acme", "site-001.jdoe", "7", strings.Repeat("k", 64)} {
		k, err := GenerateKey(name)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := note.NewSigner(k.String())
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := note.NewVerifier(k.Public().String())
		if err != nil {
			t.Fatal(err)
		}
		if signer.KeyHash() != k.Public().Hash() {
			t.Errorf("key id %08x, want %08x", k.Public().Hash(), signer.KeyHash())
		}
		lines := []byte("hello\nworld\n")
		ours := SignText(lines, k)
		theirs, err := note.Sign(&note.Note{Text: string(lines)}, signer)
		if err != nil || !bytes.Equal(ours, theirs) {
			t.Errorf("signed:\n%s\nx/mod, %v:\n%s", ours, err, theirs)
		}
		if _, err := note.Open(ours, note.VerifierList(verifier)); err != nil {
			t.Error(err)
		}
		s, err := ParseSigned(theirs)
		if err != nil || !s.VerifiedBy(k.Public()) || !bytes.Equal(s.Text, lines) {
			t.Errorf("%+v, %v", s, err)
		}
		if back, err := ParsePrivateKey(k.String()); err != nil || back.String() != k.String() {
			t.Errorf("private key read back: %v", err)
		}
		if back, err := ParsePublicKey(k.Public().String()); err != nil || back != k.Public() {
			t.Errorf("public key read back: %v", err)
		}
	}
}

func TestBadKeys(t *testing.T) {
	vkey := testKey("acme").Public().String()
	name, rest, _ := strings.Cut(vkey, "+")
	for _, bad := range []struct{ vkey, reason string }{
		{"", "empty"},
		{"acme", "a name alone"},
		{name + "+" + rest[:8], "no key"},
		{"Acme+" + rest, "an upper case letter"},
		{"+" + rest, "no name"},
		{strings.Repeat("k", 65) + "+" + rest, "a name of 65 bytes"},
		{"acme2+" + rest, "a hash of another name"},
		{name + "+" + strings.ToUpper(rest[:8]) + rest[8:], "a hash in upper case"},
		{name + "+00000000" + rest[8:], "a hash of nothing"},
		{vkey + "\n", "a line feed"},
		{vkey + "=", "padding too much"},
		{vkey[:len(vkey)-4], "a key of 29 bytes"},
		{testKey("acme").String(), "a private key"},
	} {
		if k, err := ParsePublicKey(bad.vkey); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %v, %v", bad.reason, k, err)
		}
	}
	secret := testKey("acme").String()
	for _, bad := range []string{"", vkey, secret + "\n", secret[:len(secret)-4], strings.Replace(secret, "acme", "acne", 1), "PRIVATE+KEY+acme"} {
		_, err := ParsePrivateKey(bad)
		if !errors.Is(err, text.ErrFormat) {
			t.Errorf("%q: %v", bad, err)
		}
		if err != nil && strings.Contains(err.Error(), secret[len(secret)-20:len(secret)-8]) {
			t.Error("the error shows the secret")
		}
	}
	for _, name := range []string{"", "A", "a b", "-a", "a+b", strings.Repeat("k", 65), "é"} {
		if _, err := GenerateKey(name); err == nil {
			t.Errorf("a key named %q", name)
		}
	}
}

func TestNotesOfOursHoldNoControlCharacters(t *testing.T) {
	for _, lines := range []string{"a\rb\n", "a\u202eb\n", "a\xffb\n"} {
		if _, err := ParseSigned(SignText([]byte(lines), testKey("acme"))); !errors.Is(err, text.ErrFormat) || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%q: %v", lines, err)
		}
	}
}

func TestKeyFingerprintIsOfTheVerifierKey(t *testing.T) {
	k := testKey("acme").Public()
	if want := text.Fingerprint(sha256.Sum256([]byte(k.String()))); k.Fingerprint() != want {
		t.Errorf("%s, want %s", k.Fingerprint(), want)
	}
}

func TestNoKeySignsNothing(t *testing.T) {
	s := said("site-001", KindNote)
	if _, err := Sign(&s, PrivateKey{}); err == nil {
		t.Error("signed without a key")
	}
	if (PrivateKey{}).String() != "" || (PrivateKey{}).Public() != (PublicKey{}) {
		t.Error("the zero key has a form")
	}
	if (PublicKey{Name: "x"}).Verify([]byte("x"), nil) {
		t.Error("no signature verified")
	}
}

func TestVerifiedByNeedsNameHashAndSignature(t *testing.T) {
	k := testKey("acme")
	s, err := ParseSigned(SignText([]byte("x\n"), k))
	if err != nil || !s.VerifiedBy(k.Public()) {
		t.Fatal(err)
	}
	renamed := PublicKey{"acne", k.Public().Key}
	if s.VerifiedBy(renamed) {
		t.Error("a key of another name")
	}
	s.KeyHash++
	if s.VerifiedBy(k.Public()) {
		t.Error("a key id of nothing")
	}
	s.KeyHash--
	s.Signature = [64]byte(ed25519.Sign(k.key, []byte("y\n")))
	if s.VerifiedBy(k.Public()) {
		t.Error("a signature of something else")
	}
}

func FuzzParseSigned(f *testing.F) {
	f.Add(SignText([]byte("trialnotary/request@v1\nlog x\n"), testKey("acme")))
	f.Add([]byte("\n\n— a "))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseSigned(b)
		if err != nil {
			return
		}
		if back := s.appendLine(append(bytes.Clone(s.Text), '\n')); !bytes.Equal(back, b) {
			t.Fatalf("rebuilt %q from %q", back, b)
		}
		if _, err := note.Open(b, note.VerifierList()); err != nil {
			if _, unverified := err.(*note.UnverifiedNoteError); !unverified {
				t.Fatalf("x/mod refuses %q: %v", b, err)
			}
		}
	})
}

package timestamp_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"trialnotary/notary/timestamp"
)

func TestStampAndVerify(t *testing.T) {
	o := newOffice(t, nil)
	token := o.stamp()
	s, err := timestamp.Verify(token, document[:], o.trusted(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if !s.Time.Equal(o.now) || s.Authority != "Time Office" || s.RevocationUnknown || !s.Expires.Equal(o.tsa.cert.NotAfter) {
		t.Errorf("%+v", s)
	}
	other := sha256.Sum256([]byte("another"))
	if _, err := timestamp.Verify(token, other[:], o.trusted(), time.Time{}); !errors.Is(err, timestamp.ErrImprint) {
		t.Errorf("of another document: %v", err)
	}
	if _, err := timestamp.Verify(token, document[:], newOffice(t, nil).trusted(), time.Time{}); !errors.Is(err, timestamp.ErrAuthority) {
		t.Errorf("by an authority that is not trusted: %v", err)
	}
	nobody, err := timestamp.ParseAuthorities(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := timestamp.Verify(token, document[:], nobody, time.Time{}); !errors.Is(err, timestamp.ErrAuthority) {
		t.Errorf("with nobody trusted: %v", err)
	}
}

// TestOpenSSLAgrees: the token, with all that was added to it, is one for others.
func TestOpenSSLAgrees(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("openssl is missing")
		}
		t.Skip("openssl is missing, against which tokens are compared")
	}
	for _, crl := range []bool{false, true} {
		o := newOffice(t, nil)
		o.noOCSP = crl
		dir := t.TempDir()
		token, root := filepath.Join(dir, "token.tsr"), filepath.Join(dir, "root.pem")
		if err := errors.Join(os.WriteFile(token, o.stamp(), 0o600), os.WriteFile(root, o.root.pem(), 0o600)); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("openssl", "ts", "-verify", "-digest", hex(document), "-in", token, "-token_in", "-CAfile", root).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Verification: OK") {
			t.Errorf("with a CRL %v: openssl: %v\n%s", crl, err, out)
		}
		other := sha256.Sum256(nil)
		if out, err := exec.Command("openssl", "ts", "-verify", "-digest", hex(other), "-in", token, "-token_in", "-CAfile", root).CombinedOutput(); err == nil {
			t.Errorf("openssl accepts it for something else: %s", out)
		}
	}
}

func hex(b [32]byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}

// TestTheTimeOfTheStampCounts: certificates that have ended since still count;
// those that had not begun, or had ended then, do not.
func TestTheTimeOfTheStampCounts(t *testing.T) {
	for name, c := range map[string]struct {
		from, to time.Duration // of the certificate, from genTime
		ok       bool
	}{
		"in force":    {-time.Hour, time.Hour, true},
		"ended since": {-2 * time.Hour, 2 * time.Second, true},
		"ended then":  {-2 * time.Hour, -time.Hour, false},
		"not begun":   {time.Hour, 2 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Now().UTC().Truncate(time.Second)
			o := newOffice(t, func(x *x509.Certificate) { x.NotBefore, x.NotAfter = now.Add(c.from), now.Add(c.to) })
			token := tokenOf(t, o.respond(document[:], nil))
			if c.ok {
				time.Sleep(time.Until(now.Add(min(c.to, 3*time.Second))))
			}
			if _, err := timestamp.Verify(token, document[:], o.trusted(), time.Time{}); c.ok != (err == nil) {
				t.Error(err)
			}
		})
	}
}

// TestRevocation: what RFC 3161, section 4, says of each reason, by OCSP and by a
// CRL in the token.
func TestRevocation(t *testing.T) {
	for name, c := range map[string]struct {
		reason int
		after  time.Duration // of the revocation, from genTime
		ok     bool
	}{
		"superseded later":   {ocsp.Superseded, time.Hour, true},
		"superseded before":  {ocsp.Superseded, -time.Hour, false},
		"superseded then":    {ocsp.Superseded, 0, false},
		"ceased later":       {ocsp.CessationOfOperation, time.Hour, true},
		"key stolen later":   {ocsp.KeyCompromise, time.Hour, false},
		"CA stolen later":    {ocsp.CACompromise, time.Hour, false},
		"no reason, later":   {-1, time.Hour, false},
		"unknown reason":     {ocsp.RemoveFromCRL, time.Hour, false},
		"left the firm":      {ocsp.AffiliationChanged, time.Hour, true},
		"on hold, and later": {ocsp.CertificateHold, time.Hour, false},
	} {
		o := newOffice(t, nil)
		at := o.now.Add(c.after)
		o.revoked, o.reason = &at, c.reason
		for where, try := range map[string]func() error{
			"OCSP": func() error { _, err := o.authority().Stamp(t.Context(), document[:]); return err },
			"a CRL": func() error {
				o.noOCSP = true
				_, err := o.authority().Stamp(t.Context(), document[:])
				return err
			},
		} {
			if err := try(); c.ok != (err == nil) || !c.ok && !errors.Is(err, timestamp.ErrRevoked) {
				t.Errorf("%s, by %s: %v", name, where, err)
			}
		}
	}
}

// TestRevocationUnknown: where nothing can be had on revocation, the token counts
// and says that nothing is known.
func TestRevocationUnknown(t *testing.T) {
	o := newOffice(t, nil)
	o.noOCSP, o.noCRL = true, true
	s, err := timestamp.Verify(o.stamp(), document[:], o.trusted(), time.Time{})
	if err != nil || !s.RevocationUnknown {
		t.Errorf("%+v, %v", s, err)
	}
	// A list by someone else says nothing.
	stranger := newOffice(t, nil)
	at := o.now.Add(-time.Hour)
	stranger.tsa, stranger.revoked = o.tsa, &at
	o.list = stranger.crl()
	s, err = timestamp.Verify(o.stamp(), document[:], o.trusted(), time.Time{})
	if err != nil || !s.RevocationUnknown {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestWrongPurpose(t *testing.T) {
	for name, change := range map[string]func(*x509.Certificate){
		"none":         func(c *x509.Certificate) { c.ExtraExtensions = nil },
		"not critical": func(c *x509.Certificate) { c.ExtraExtensions[0].Critical = false },
		"for code": func(c *x509.Certificate) {
			c.ExtraExtensions = nil
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		},
		"for time and other": func(c *x509.Certificate) {
			c.ExtraExtensions = nil
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageCodeSigning}
		},
	} {
		o := newOffice(t, change)
		if _, err := timestamp.Verify(tokenOf(t, o.respond(document[:], nil)), document[:], o.trusted(), time.Time{}); !errors.Is(err, timestamp.ErrAuthority) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnotherCertificateOfTheKey: the signature names one certificate; a twin for
// the same key, put in its place, does not do.
func TestAnotherCertificateOfTheKey(t *testing.T) {
	o := newOffice(t, nil)
	token := tokenOf(t, o.respond(document[:], nil))
	twin := *o.tsa.cert
	twin.NotAfter = twin.NotAfter.AddDate(10, 0, 0)
	twin.ExtraExtensions = twin.Extensions
	der, err := x509.CreateCertificate(nil, &twin, o.middle.cert, o.tsa.key.Public(), o.middle.key)
	if err != nil {
		t.Fatal(err)
	}
	if len(der) != len(o.tsa.cert.Raw) {
		t.Skip("the twin's signature has another length this time")
	}
	if _, err := timestamp.Verify(bytes.Replace(token, o.tsa.cert.Raw, der, 1), document[:], o.trusted(), time.Time{}); !errors.Is(err, timestamp.ErrSignature) {
		t.Errorf("%v", err)
	}
}

// TestHostileAnswers: nothing is kept of what an authority answers unless it is a
// token over what was asked for, now.
func TestHostileAnswers(t *testing.T) {
	o := newOffice(t, nil)
	earlier := o.respond(document[:], nil)
	for name, answer := range map[string]func([]byte) []byte{
		"nothing":           func([]byte) []byte { return nil },
		"a page":            func([]byte) []byte { return []byte("<!DOCTYPE html>") },
		"an earlier answer": func([]byte) []byte { return earlier },
		"of something else": func([]byte) []byte { h := sha256.Sum256(nil); return o.respond(h[:], nil) },
		"cut short":         func(b []byte) []byte { return b[:len(b)/2] },
		"with more behind":  func(b []byte) []byte { return append(b, 0) },
		"endless":           func(b []byte) []byte { return make([]byte, 1<<20) },
		"by SHA-512":        func([]byte) []byte { return o.respondBy(crypto.SHA512, timestamp.OfReceipt([]byte("x")), nil) },
		"without a nonce":   func([]byte) []byte { return o.respond(document[:], nil) },
		"by another": func([]byte) []byte {
			other := newOffice(t, nil)
			return other.respond(document[:], nil)
		},
	} {
		o.answer = answer
		if _, err := o.authority().Stamp(t.Context(), document[:]); err == nil {
			t.Errorf("%s: kept", name)
		}
	}
}

// TestEveryChangedBit: a changed bit is refused, or changes only what no signature
// covers and no verdict but on revocation.
func TestEveryChangedBit(t *testing.T) {
	o := newOffice(t, nil)
	token := o.stamp()
	want, err := timestamp.Verify(token, document[:], o.trusted(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	want.RevocationUnknown = false
	refused := 0
	step := 1
	if testing.Short() {
		step = 13
	}
	for i := 0; i < len(token)*8; i += step {
		b := bytes.Clone(token)
		b[i/8] ^= 1 << (i % 8)
		got, err := timestamp.Verify(b, document[:], o.trusted(), time.Time{})
		if got.RevocationUnknown = false; err != nil {
			refused++
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("bit %d: %+v", i, got)
		}
	}
	if refused < len(token)*8/step/3 {
		t.Errorf("only %d changes were refused", refused)
	}
}

// TestClocksDiffer: a token that says another time than it is, early or late, is not
// kept: it would prove too much, or too little.
func TestClocksDiffer(t *testing.T) {
	for _, off := range []time.Duration{-time.Hour, time.Hour} {
		o := newOffice(t, nil)
		o.now = o.now.Add(off)
		if _, err := o.authority().Stamp(t.Context(), document[:]); !errors.Is(err, timestamp.ErrClock) {
			t.Errorf("%s: %v", off, err)
		}
	}
	o := newOffice(t, nil)
	o.now = o.now.Add(-time.Minute)
	o.stamp()
}

// TestShownToExist: what a thief of the key could have written by then does not
// count, unless another token shows that it was there before the theft.
func TestShownToExist(t *testing.T) {
	o := newOffice(t, nil)
	at := o.now.Add(time.Hour)
	o.revoked, o.reason = &at, ocsp.KeyCompromise
	token, err := timestamp.WithRevocation(tokenOf(t, o.respond(document[:], nil)), o.crl())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		shown time.Time
		ok    bool
	}{
		"never":            {time.Time{}, false},
		"before the theft": {at.Add(-time.Second), true},
		"at the theft":     {at, false},
		"after the theft":  {at.Add(time.Second), false},
	} {
		if _, err := timestamp.Verify(token, document[:], o.trusted(), c.shown); c.ok != (err == nil) || !c.ok && !errors.Is(err, timestamp.ErrRevoked) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAlgorithms: a token says what it rests on, as trust files name it.
func TestAlgorithms(t *testing.T) {
	o := newOffice(t, nil)
	token, err := o.authority().Stamp(t.Context(), timestamp.OfReceipt([]byte("a receipt")))
	if err != nil {
		t.Fatal(err)
	}
	s, err := timestamp.Verify(token, timestamp.OfReceipt([]byte("a receipt")), o.trusted(), time.Time{})
	if err != nil || !slices.Equal(s.Algorithms, []string{"sha-512", "sha-256", "ecdsa-p256"}) {
		t.Errorf("%v, %v", s.Algorithms, err)
	}
	if _, err := timestamp.Verify(token, timestamp.OfCheckpoint([]byte("a receipt")), o.trusted(), time.Time{}); !errors.Is(err, timestamp.ErrImprint) {
		t.Errorf("by the other hash: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte("0\x80"))
	f.Add([]byte{0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2})
	nobody, err := timestamp.ParseAuthorities(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := timestamp.Verify(b, document[:], nobody, time.Time{}); err == nil {
			t.Error("accepted with nobody trusted")
		}
	})
}

// tokenOf returns the token of a response, whatever it is worth.
func tokenOf(t *testing.T, response []byte) []byte {
	t.Helper()
	var r struct{ Status, Token asn1.RawValue }
	if _, err := asn1.Unmarshal(response, &r); err != nil {
		t.Fatal(err)
	}
	return r.Token.FullBytes
}

// Package timestamp is time from outside the log: RFC 3161 time-stamp tokens over
// final checkpoints, asked for, and verified for decades without anyone's help.
//
// A token is CMS SignedData over a TSTInfo, in which a time-stamping authority
// says that it saw a hash at a time:
//
//	messageImprint  a hash of what was stamped, see below
//	genTime         2026-11-22T13:29:04Z
//	certificates    the authority's own, and its chain
//	unsigned        revocation data as of the day, CRLs and OCSP responses
//
// What is stamped: the final checkpoint, its file byte for byte, by SHA-256; or, by
// a renewal, a whole receipt by SHA-512 (package receipt).
//
// [Verify] judges a token as of its genTime: a certificate that has expired since
// still counts, one that was revoked by then, or that is for another purpose, does
// not. Which authorities count is the visitor's trust alone, the certificates of
// tsa.pem. Whether its algorithms are still good is for the caller to judge, by
// [Stamp.Algorithms], and a renewal is what keeps a token good for longer.
//
// What an authority says is covered by its signature; certificates and crls are
// not, so that whoever asked adds to them what is known on the day of issue, and a
// token needs no network ever after.
package timestamp

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
)

// MaxToken bounds a token in bytes.
const MaxToken = 64 << 10

// Errors of [Verify] besides ErrFormat.
var (
	ErrImprint   = errors.New("the time-stamp is of something else")
	ErrSignature = errors.New("the time-stamp's signature does not verify")
	ErrAuthority = errors.New("the time-stamp is not by an authority of the trust file")
	ErrRevoked   = errors.New("the authority's certificate was revoked")
	ErrClock     = errors.New("the authority's clock and ours differ")
)

var (
	oidSigningCertificateV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidExtKeyUsage          = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidSHA256               = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384               = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512               = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
)

// Stamp is what a verified token says.
type Stamp struct {
	Time      time.Time // genTime, UTC: what was stamped existed by then
	Authority string    // name in the authority's certificate; text from outside
	Expires   time.Time // of the certificates that it rests on, the first to end
	// Algorithms that it rests on, of those that a trust file can give an end: of its
	// imprint, its digest and its signature.
	Algorithms []string
	// RevocationUnknown: neither the token nor the trust file has anything that
	// speaks of revocation of the signer's certificate.
	RevocationUnknown bool
}

// Imprint is the hash of what was stamped: 32 bytes of SHA-256 or 64 of SHA-512.
type Imprint []byte

// OfCheckpoint returns the imprint of a final checkpoint's file.
func OfCheckpoint(file []byte) Imprint {
	h := sha256.Sum256(file)
	return h[:]
}

// OfReceipt returns the imprint of a receipt's file, for its renewal.
func OfReceipt(file []byte) Imprint {
	h := sha512.Sum512(file)
	return h[:]
}

func (i Imprint) hash() crypto.Hash {
	switch len(i) {
	case sha256.Size:
		return crypto.SHA256
	case sha512.Size:
		return crypto.SHA512
	}
	return 0
}

// Verify verifies a token over an imprint under the authorities that are trusted.
// shown is a time at which the token is known to have existed, because a later one
// covers it; zero: none is known. It needs no network and no clock.
func Verify(token []byte, imprint Imprint, trusted *Authorities, shown time.Time) (Stamp, error) {
	s, err := parseSigned(token)
	if err != nil {
		return Stamp{}, err
	}
	info, err := s.info()
	if err != nil {
		return Stamp{}, err
	}
	// Revocation data, which no signature covers, are read here and not by the library.
	plain := *s
	plain.crls, plain.unsigned = nil, nil
	der, err := plain.bytes()
	if err != nil {
		return Stamp{}, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	p7, err := parse(der)
	if err != nil {
		return Stamp{}, err
	}
	t, err := said(der, info)
	if err != nil {
		return Stamp{}, err
	}
	if t.HashAlgorithm == 0 || t.HashAlgorithm != imprint.hash() || !bytes.Equal(t.HashedMessage, imprint) {
		return Stamp{}, ErrImprint
	}
	signer := p7.GetOnlySigner()
	if signer == nil {
		return Stamp{}, fmt.Errorf("%w: the certificate of its signer is not in it", ErrFormat)
	}
	if err := names(p7, signer); err != nil {
		return Stamp{}, err
	}
	if err := forTime(signer); err != nil {
		return Stamp{}, err
	}
	chain, known, err := trusted.chain(signer, p7.Certificates, s, t.Time, shown)
	if err != nil {
		return Stamp{}, err
	}
	stamp := Stamp{Time: t.Time.UTC(), Authority: signer.Subject.CommonName, Expires: signer.NotAfter.UTC(), RevocationUnknown: !known,
		Algorithms: algorithms(t.HashAlgorithm, p7)}
	if stamp.Authority == "" {
		stamp.Authority = signer.Subject.String()
	}
	for _, c := range chain {
		if c.NotAfter.Before(stamp.Expires) {
			stamp.Expires = c.NotAfter.UTC()
		}
	}
	return stamp, nil
}

// algorithms returns the names, as trust files have them, of what a token rests on.
// One that trust files do not name has no end and is left out.
func algorithms(imprint crypto.Hash, p7 *pkcs7.PKCS7) (names []string) {
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, h := range []crypto.Hash{imprint, digests()[p7.Signers[0].DigestAlgorithm.Algorithm.String()]} {
		switch h {
		case crypto.SHA256:
			add("sha-256")
		case crypto.SHA512:
			add("sha-512")
		}
	}
	switch k := p7.GetOnlySigner().PublicKey.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			add("ecdsa-p256")
		}
	case ed25519.PublicKey:
		add("ed25519")
	}
	return names
}

// digests are the hashes that a token may be signed over, by their identifiers.
func digests() map[string]crypto.Hash {
	return map[string]crypto.Hash{oidSHA256.String(): crypto.SHA256, oidSHA384.String(): crypto.SHA384, oidSHA512.String(): crypto.SHA512}
}

// reading is held while the library reads bytes: it counts its indentation, for
// messages that nobody sees, in a variable of the package.
var reading sync.Mutex

// parse parses the token with the library and verifies its signature. A panic of
// the library on hostile bytes is a format error.
func parse(der []byte) (p7 *pkcs7.PKCS7, err error) {
	defer func() {
		if p := recover(); p != nil {
			p7, err = nil, fmt.Errorf("%w: it cannot be parsed", ErrFormat)
		}
	}()
	reading.Lock()
	defer reading.Unlock()
	if p7, err = pkcs7.Parse(der); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	if len(p7.Signers) != 1 || len(p7.Signers[0].AuthenticatedAttributes) == 0 {
		return nil, fmt.Errorf("%w: it has no signed attributes of one signer", ErrFormat)
	}
	if h := p7.Signers[0].DigestAlgorithm.Algorithm; digests()[h.String()] == 0 {
		return nil, fmt.Errorf("%w: it is signed over a digest %v, which is not accepted", ErrSignature, h)
	}
	if err := p7.Verify(); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrSignature, err)
	}
	var contentType asn1.ObjectIdentifier
	if err := p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeContentType, &contentType); err != nil || !contentType.Equal(oidTSTInfo) {
		return nil, fmt.Errorf("%w: its signature is not over a TSTInfo", ErrSignature)
	}
	return p7, nil
}

// said returns what the token says, of the very bytes that are signed.
func said(der, info []byte) (t *timestamp.Timestamp, err error) {
	defer func() {
		if p := recover(); p != nil {
			t, err = nil, fmt.Errorf("%w: its TSTInfo cannot be parsed", ErrFormat)
		}
	}()
	var whole asn1.RawValue
	if rest, err := asn1.Unmarshal(info, &whole); err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("%w: its TSTInfo has no end", ErrFormat)
	}
	var version int
	if _, err := asn1.Unmarshal(whole.Bytes, &version); err != nil || version != 1 {
		return nil, fmt.Errorf("%w: its TSTInfo is not of version 1", ErrFormat)
	}
	reading.Lock()
	defer reading.Unlock()
	if t, err = timestamp.Parse(der); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	for _, x := range t.Extensions {
		if x.Critical {
			return nil, fmt.Errorf("%w: it has a critical extension %v", ErrFormat, x.Id)
		}
	}
	return t, nil
}

// names checks that the signature names the certificate, by its hash (RFC 5816):
// without that, another certificate of the same key could be put in.
func names(p7 *pkcs7.PKCS7, signer *x509.Certificate) error {
	var v2 struct {
		Certs []struct {
			Hash   pkix.AlgorithmIdentifier `asn1:"optional"`
			Digest []byte
			Issuer asn1.RawValue `asn1:"optional"`
		}
		Policies asn1.RawValue `asn1:"optional"`
	}
	if err := p7.UnmarshalSignedAttribute(oidSigningCertificateV2, &v2); err != nil || len(v2.Certs) == 0 {
		return fmt.Errorf("%w: it does not name the certificate it is signed with by SHA-256 or better", ErrSignature)
	}
	h := crypto.SHA256 // where none is named
	if oid := v2.Certs[0].Hash.Algorithm; len(oid) > 0 {
		if h = digests()[oid.String()]; h == 0 {
			return fmt.Errorf("%w: it names its certificate by %v, which is not accepted", ErrSignature, oid)
		}
	}
	d := h.New()
	d.Write(signer.Raw)
	if !bytes.Equal(d.Sum(nil), v2.Certs[0].Digest) {
		return fmt.Errorf("%w: it is signed with another certificate than it names", ErrSignature)
	}
	return nil
}

// forTime checks the purpose of an authority's certificate: time-stamping,
// critical, and nothing else (RFC 3161, section 2.3).
func forTime(c *x509.Certificate) error {
	critical := false
	for _, x := range c.Extensions {
		critical = critical || x.Id.Equal(oidExtKeyUsage) && x.Critical
	}
	if !critical || len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.UnknownExtKeyUsage) > 0 {
		return fmt.Errorf("%w: its certificate is not for time-stamping alone", ErrAuthority)
	}
	return nil
}

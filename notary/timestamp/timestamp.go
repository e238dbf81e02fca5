// Package timestamp is time from outside the log: RFC 3161 time-stamp tokens over
// final checkpoints, asked for, and verified for decades without anyone's help.
//
// A token is CMS SignedData over a TSTInfo, in which a time-stamping authority
// says that it saw a hash at a time:
//
//	messageImprint  SHA-256 of the final checkpoint, its file byte for byte
//	genTime         2026-11-22T13:29:04Z
//	certificates    the authority's own, and its chain
//	unsigned        revocation data as of the day, CRLs and OCSP responses
//
// [Verify] judges a token as of its genTime: a certificate that has expired since
// still counts, one that was revoked by then, or that is for another purpose, does
// not. Which authorities count is the visitor's trust alone: the certificates of
// tsa.pem, which may also hold CRLs of a later day (RFC 3161, section 4).
//
// What an authority says is covered by its signature; certificates and crls are
// not, so that the operator adds to them what is known on the day of issue
// , and a token needs no network ever after.
package timestamp

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
)

// MaxToken bounds a token in bytes.
const MaxToken = 128 << 10

// Errors of [Verify] besides ErrFormat.
var (
	ErrImprint   = errors.New("the time-stamp is of something else")
	ErrSignature = errors.New("the time-stamp's signature does not verify")
	ErrAuthority = errors.New("the time-stamp is not by an authority of the trust file")
	ErrRevoked   = errors.New("the authority's certificate was revoked")
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
	// RevocationUnknown: neither the token nor the trust file has anything that
	// speaks of revocation of the signer's certificate.
	RevocationUnknown bool
}

// Verify verifies a token over a SHA-256 hash under the authorities that are
// trusted. It needs no network and no clock.
func Verify(token []byte, imprint [sha256.Size]byte, trusted *Authorities) (Stamp, error) {
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
	if t.HashAlgorithm != crypto.SHA256 || !bytes.Equal(t.HashedMessage, imprint[:]) {
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
	chain, known, err := trusted.chain(signer, p7.Certificates, s, t.Time)
	if err != nil {
		return Stamp{}, err
	}
	stamp := Stamp{Time: t.Time.UTC(), Authority: signer.Subject.CommonName, Expires: signer.NotAfter.UTC(), RevocationUnknown: !known}
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
	switch h := p7.Signers[0].DigestAlgorithm.Algorithm; {
	case h.Equal(oidSHA256), h.Equal(oidSHA384), h.Equal(oidSHA512):
	default:
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
	h := crypto.SHA256
	switch oid := v2.Certs[0].Hash.Algorithm; {
	case len(oid) == 0, oid.Equal(oidSHA256):
	case oid.Equal(oidSHA384):
		h = crypto.SHA384
	case oid.Equal(oidSHA512):
		h = crypto.SHA512
	default:
		return fmt.Errorf("%w: it names its certificate by %v, which is not accepted", ErrSignature, oid)
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

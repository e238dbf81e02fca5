package timestamp

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/ocsp"
)

// revocation refuses a chain of which a certificate was revoked so that a token of
// at does not count, by the CRLs and OCSP responses in the token. It reports whether
// any that verified speaks of the signer's.
//
// What counts is RFC 3161, section 4: with the reasons unspecified, affiliation
// changed, superseded and cessation of operation the tokens from before the
// revocation stay good; with any other reason, and with none, no token does, for
// whoever has the key can write any time. Unless it is shown, by a later token of
// someone else, that this one existed before the revocation.
func revocation(chain []*x509.Certificate, s *signed, at, shown time.Time) (known bool, err error) {
	lists, answers := s.revocationData()
	for i, c := range chain[:len(chain)-1] {
		issuer := chain[i+1]
		for _, l := range lists {
			if string(l.RawIssuer) != string(c.RawIssuer) || l.CheckSignatureFrom(issuer) != nil {
				continue
			}
			known = known || i == 0
			for _, r := range l.RevokedCertificateEntries {
				if r.SerialNumber.Cmp(c.SerialNumber) == 0 {
					if err := judge(c.SerialNumber, hasReason(r), r.ReasonCode, r.RevocationTime, at, shown); err != nil {
						return false, err
					}
				}
			}
		}
		for _, der := range answers {
			r, err := ocsp.ParseResponseForCert(der, c, issuer)
			if err != nil || r.Status == ocsp.Unknown {
				continue
			}
			known = known || i == 0
			if r.Status == ocsp.Revoked {
				if err := judge(c.SerialNumber, r.RevocationReason != ocsp.Unspecified, r.RevocationReason, r.RevokedAt, at, shown); err != nil {
					return false, err
				}
			}
		}
	}
	return known, nil
}

func judge(serial *big.Int, given bool, reason int, revoked, at, shown time.Time) error {
	ended := !given || reason != ocsp.Unspecified && reason != ocsp.AffiliationChanged && reason != ocsp.Superseded && reason != ocsp.CessationOfOperation
	switch {
	case ended && (shown.IsZero() || !shown.Before(revoked)):
		return fmt.Errorf("%w: number %x, for a reason that ends all its time-stamps", ErrRevoked, serial)
	case !at.Before(revoked):
		return fmt.Errorf("%w: number %x, before this time-stamp", ErrRevoked, serial)
	}
	return nil
}

// hasReason reports whether an entry gives a reason: none is not unspecified.
func hasReason(e x509.RevocationListEntry) bool {
	for _, x := range e.Extensions {
		if x.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 21}) {
			return true
		}
	}
	return false
}

// Where revocation data stand in a token: RevocationValues, an unsigned attribute
// of CAdES (RFC 5126, section 6.3.4), which other readers step over.
var (
	oidRevocationValues = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 24}
	oidOCSPBasic        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
)

// revocationValues returns the attribute with those CRLs and BasicOCSPResponses.
func revocationValues(lists, answers []asn1.RawValue) asn1.RawValue {
	var parts []asn1.RawValue
	for tag, values := range [][]asn1.RawValue{lists, answers} {
		if len(values) > 0 {
			parts = append(parts, set(tag, []asn1.RawValue{universal(asn1.TagSequence, values...)}))
		}
	}
	oid, err := asn1.Marshal(oidRevocationValues)
	if err != nil {
		panic("timestamp: " + err.Error())
	}
	return universal(asn1.TagSequence, asn1.RawValue{FullBytes: oid}, universal(asn1.TagSet, universal(asn1.TagSequence, parts...)))
}

// revocationData returns what a token carries, in SignedData.crls and in
// RevocationValues. What cannot be read says nothing.
func (s *signed) revocationData() (lists []*x509.RevocationList, answers [][]byte) {
	list := func(v asn1.RawValue) {
		if l, err := x509.ParseRevocationList(v.FullBytes); err == nil {
			lists = append(lists, l)
		}
	}
	for _, v := range s.crls {
		list(v)
	}
	for _, a := range s.unsigned {
		var attribute struct {
			Type   asn1.ObjectIdentifier
			Values asn1.RawValue
		}
		var values asn1.RawValue
		if _, err := asn1.Unmarshal(a.FullBytes, &attribute); err != nil || !attribute.Type.Equal(oidRevocationValues) {
			continue
		}
		if _, err := asn1.Unmarshal(attribute.Values.Bytes, &values); err != nil {
			continue
		}
		parts, err := split(values.Bytes)
		if err != nil {
			continue
		}
		for _, p := range parts {
			inner, err := split(p.Bytes)
			if err != nil || len(inner) != 1 {
				continue
			}
			all, err := split(inner[0].Bytes)
			if err != nil {
				continue
			}
			for _, v := range all {
				switch p.Tag {
				case 0:
					list(v)
				case 1:
					answers = append(answers, response(v.FullBytes))
				}
			}
		}
	}
	return lists, answers
}

// response returns the OCSPResponse around a BasicOCSPResponse (RFC 6960).
func response(basic []byte) []byte {
	b, err := asn1.Marshal(struct {
		Status asn1.Enumerated
		Bytes  struct {
			Type     asn1.ObjectIdentifier
			Response []byte
		} `asn1:"explicit,tag:0"`
	}{Bytes: struct {
		Type     asn1.ObjectIdentifier
		Response []byte
	}{oidOCSPBasic, basic}})
	if err != nil {
		panic("timestamp: " + err.Error())
	}
	return b
}

// basic returns the BasicOCSPResponse in an OCSPResponse.
func basic(der []byte) (asn1.RawValue, bool) {
	var r struct {
		Status asn1.Enumerated
		Bytes  struct {
			Type     asn1.ObjectIdentifier
			Response []byte
		} `asn1:"explicit,tag:0"`
	}
	if rest, err := asn1.Unmarshal(der, &r); err != nil || len(rest) > 0 || r.Status != 0 || !r.Bytes.Type.Equal(oidOCSPBasic) {
		return asn1.RawValue{}, false
	}
	return asn1.RawValue{FullBytes: r.Bytes.Response}, true
}

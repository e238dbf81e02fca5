package timestamp

import (
	"encoding/asn1"
	"errors"
	"fmt"
)

// ErrFormat is wrapped by the errors of bytes that are no token.
var ErrFormat = errors.New("not a time-stamp token")

var (
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
)

// signed is the SignedData of a token (RFC 5652, section 5.1) with its parts as
// they stand: only what no signature covers is ever changed, certs, crls, and the
// unsigned attributes of the one signer.
type signed struct {
	version, digests, content asn1.RawValue
	certs, crls               []asn1.RawValue
	signer                    []asn1.RawValue // the parts of the SignerInfo before the unsigned attributes
	unsigned                  []asn1.RawValue
}

// parseSigned takes a token apart. It refuses indefinite lengths, since a token is
// DER, and whatever stands after the end.
func parseSigned(token []byte) (*signed, error) {
	fail := func(what string) (*signed, error) { return nil, fmt.Errorf("%w: %s", ErrFormat, what) }
	if len(token) > MaxToken {
		return fail(fmt.Sprintf("%d bytes, at most %d are allowed", len(token), MaxToken))
	}
	var info struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	if rest, err := asn1.Unmarshal(token, &info); err != nil || len(rest) > 0 || !info.Type.Equal(oidSignedData) {
		return fail("it is no CMS SignedData alone")
	}
	var all asn1.RawValue
	if rest, err := asn1.Unmarshal(info.Content.Bytes, &all); err != nil || len(rest) > 0 || all.Tag != asn1.TagSequence {
		return fail("its SignedData has no end")
	}
	parts, err := split(all.Bytes)
	if err != nil || len(parts) < 4 || len(parts) > 6 {
		return fail("its SignedData has not the right parts")
	}
	s := &signed{version: parts[0], digests: parts[1], content: parts[2]}
	for _, p := range parts[3 : len(parts)-1] {
		inner, err := split(p.Bytes)
		switch {
		case err != nil || p.Class != asn1.ClassContextSpecific:
			return fail("its certificates cannot be read")
		case p.Tag == 0 && s.certs == nil && s.crls == nil:
			s.certs = inner
		case p.Tag == 1 && s.crls == nil:
			s.crls = inner
		default:
			return fail("its SignedData has not the right parts")
		}
	}
	one, err := split(parts[len(parts)-1].Bytes)
	if err != nil || len(one) != 1 || parts[len(parts)-1].Tag != asn1.TagSet {
		return fail("it has not exactly one signer")
	}
	if s.signer, err = split(one[0].Bytes); err != nil || len(s.signer) < 5 {
		return fail("its signer cannot be read")
	}
	if last := s.signer[len(s.signer)-1]; last.Class == asn1.ClassContextSpecific && last.Tag == 1 {
		s.signer = s.signer[:len(s.signer)-1]
		if s.unsigned, err = split(last.Bytes); err != nil {
			return fail("its unsigned attributes cannot be read")
		}
	}
	return s, nil
}

// split returns the values that stand one after the other in b.
func split(b []byte) (all []asn1.RawValue, err error) {
	for len(b) > 0 {
		var v asn1.RawValue
		if b, err = asn1.Unmarshal(b, &v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// bytes puts the token together again.
func (s *signed) bytes() ([]byte, error) {
	signer := s.signer
	if len(s.unsigned) > 0 {
		signer = append(signer[:len(signer):len(signer)], set(1, s.unsigned))
	}
	all := []asn1.RawValue{s.version, s.digests, s.content}
	for tag, values := range [][]asn1.RawValue{s.certs, s.crls} {
		if len(values) > 0 {
			all = append(all, set(tag, values))
		}
	}
	all = append(all, universal(asn1.TagSet, universal(asn1.TagSequence, signer...)))
	return asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{oidSignedData, set(0, []asn1.RawValue{universal(asn1.TagSequence, all...)})})
}

// set returns values under a context tag.
func set(tag int, values []asn1.RawValue) asn1.RawValue {
	return marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: true, Bytes: join(values)})
}

// universal returns values as a SEQUENCE or SET.
func universal(tag int, values ...asn1.RawValue) asn1.RawValue {
	return marshal(asn1.RawValue{Tag: tag, IsCompound: true, Bytes: join(values)})
}

func marshal(v asn1.RawValue) asn1.RawValue {
	b, err := asn1.Marshal(v)
	if err != nil {
		panic("timestamp: " + err.Error()) // a raw value always has bytes
	}
	v.FullBytes = b
	return v
}

func join(values []asn1.RawValue) (b []byte) {
	for _, v := range values {
		b = append(b, v.FullBytes...)
	}
	return b
}

// info returns the TSTInfo that was signed.
func (s *signed) info() ([]byte, error) {
	var c struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	if rest, err := asn1.Unmarshal(s.content.FullBytes, &c); err != nil || len(rest) > 0 || !c.Type.Equal(oidTSTInfo) {
		return nil, fmt.Errorf("%w: what it signs is no TSTInfo", ErrFormat)
	}
	var octets []byte
	if rest, err := asn1.Unmarshal(c.Content.Bytes, &octets); err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("%w: what it signs is no TSTInfo", ErrFormat)
	}
	return octets, nil
}

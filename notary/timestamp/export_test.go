package timestamp

import "encoding/asn1"

// WithRevocation returns a token with a CRL in it, as of another day than its own.
func WithRevocation(token, crl []byte) ([]byte, error) {
	s, err := parseSigned(token)
	if err != nil {
		return nil, err
	}
	s.unsigned = append(s.unsigned, revocationValues([]asn1.RawValue{{FullBytes: crl}}, nil))
	return s.bytes()
}

package onaws

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"

	"trialnotary/notary/checkpoint"
)

// oidMLDSA44 is id-ml-dsa-44 (NIST; RFC 9881, section 2).
var oidMLDSA44 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 17}

// parsePublic reads a DER SubjectPublicKeyInfo, as KMS returns public keys. It
// returns the type, and the key as a verifier key holds it: the raw key of Ed25519
// and ML-DSA-44, the DER itself of P-256.
func parsePublic(der []byte) (checkpoint.Type, []byte, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		return 0, nil, errors.New("its public key is no DER SubjectPublicKeyInfo")
	}
	if info.Algorithm.Algorithm.Equal(oidMLDSA44) {
		if len(info.Algorithm.Parameters.FullBytes) > 0 || info.Key.BitLength != 8*len(info.Key.Bytes) {
			return 0, nil, errors.New("its ML-DSA-44 public key is not encoded as RFC 9881 says")
		}
		return checkpoint.MLDSA44, info.Key.Bytes, nil // its size is checked with the verifier key
	}
	k, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return 0, nil, fmt.Errorf("its public key: %w", err)
	}
	switch k := k.(type) {
	case ed25519.PublicKey:
		return checkpoint.Ed25519, k, nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return checkpoint.P256, der, nil
		}
	}
	return 0, nil, fmt.Errorf("its public key, with algorithm %v, is neither Ed25519 nor P-256 nor ML-DSA-44", info.Algorithm.Algorithm)
}

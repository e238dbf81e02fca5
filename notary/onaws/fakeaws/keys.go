package fakeaws

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"net/http"
	"testing"

	"filippo.io/mldsa"
)

// oidMLDSA44 is id-ml-dsa-44 (NIST; RFC 9881, section 2).
var oidMLDSA44 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 17}

// Keys is KMS on the wire: GetPublicKey and Sign of keys of three specs. What
// AWS documents as wrong it refuses: another message type than RAW, another
// algorithm, an empty message or one above 4,096 bytes, the usage of another key.
type Keys struct {
	Keys map[string]Key // by id
	Lie  bool           // signatures are wrong
}

// Key is one key of KMS.
type Key struct {
	Spec, Usage, Algorithm string
	Public                 []byte // DER
	Sign                   func(message []byte) []byte
	Policy                 string // document
}

// NewKeys makes keys: ed (Ed25519), ml (ML-DSA-44) and ec (P-256) are a log's; with
// 384, dh and mix none can sign: another curve, another usage, a public key that
// is not of its spec.
func NewKeys(t testing.TB) Keys {
	t.Helper()
	der := func(k any) []byte {
		b, err := x509.MarshalPKIXPublicKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	public, ed, _ := ed25519.GenerateKey(rand.Reader)
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ec384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	ml, err := mldsa.GenerateKey(mldsa.MLDSA44())
	if err != nil {
		t.Fatal(err)
	}
	p256 := func(m []byte) []byte {
		d := sha256.Sum256(m)
		sig, _ := ecdsa.SignASN1(rand.Reader, ec, d[:])
		return sig
	}
	key := func(spec, usage, algorithm string, public []byte, sign func([]byte) []byte) Key {
		return Key{Spec: spec, Usage: usage, Algorithm: algorithm, Public: public, Sign: sign}
	}
	return Keys{Keys: map[string]Key{
		"ed":  key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "ED25519_SHA_512", der(public), func(m []byte) []byte { return ed25519.Sign(ed, m) }),
		"ec":  key("ECC_NIST_P256", "SIGN_VERIFY", "ECDSA_SHA_256", der(&ec.PublicKey), p256),
		"384": key("ECC_NIST_P384", "SIGN_VERIFY", "ECDSA_SHA_384", der(&ec384.PublicKey), nil),
		"dh":  key("ECC_NIST_P256", "KEY_AGREEMENT", "", der(&ec.PublicKey), nil),
		"mix": key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "ED25519_SHA_512", der(&ec.PublicKey), p256),
		"ml": key("ML_DSA_44", "SIGN_VERIFY", "ML_DSA_SHAKE_256", SPKI(t, oidMLDSA44, ml.PublicKey().Bytes(), nil), func(m []byte) []byte {
			sig, _ := ml.Sign(rand.Reader, m, nil)
			return sig
		}),
	}}
}

// SPKI encodes a SubjectPublicKeyInfo that crypto/x509 does not know.
func SPKI(t testing.TB, oid asn1.ObjectIdentifier, key []byte, parameters any) []byte {
	t.Helper()
	type algorithm struct {
		OID asn1.ObjectIdentifier
	}
	var alg any = algorithm{oid}
	if parameters != nil {
		alg = struct {
			OID        asn1.ObjectIdentifier
			Parameters any
		}{oid, parameters}
	}
	a, err := asn1.Marshal(alg)
	if err != nil {
		t.Fatal(err)
	}
	b, err := asn1.Marshal(struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}{asn1.RawValue{FullBytes: a}, asn1.BitString{Bytes: key, BitLength: 8 * len(key)}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (k *Keys) serve(w http.ResponseWriter, op string, body []byte) {
	var r struct {
		KeyId, MessageType, SigningAlgorithm string
		Message                              []byte
	}
	if err := json.Unmarshal(body, &r); err != nil {
		jsonError(w, 400, "SerializationException", nil)
		return
	}
	key, ok := k.Keys[r.KeyId]
	var answer any
	switch {
	case !ok:
		jsonError(w, 400, "NotFoundException", nil)
		return
	case op == "GetKeyPolicy":
		answer = map[string]any{"Policy": key.Policy, "PolicyName": "default"}
	case op == "GetPublicKey":
		answer = map[string]any{"KeyId": r.KeyId, "KeySpec": key.Spec, "KeyUsage": key.Usage, "PublicKey": key.Public}
	case op == "Sign" && (key.Usage != "SIGN_VERIFY" || r.SigningAlgorithm != key.Algorithm):
		jsonError(w, 400, "InvalidKeyUsageException", nil)
		return
	case op == "Sign" && (r.MessageType != "RAW" || len(r.Message) < 1 || len(r.Message) > 4096):
		jsonError(w, 400, "ValidationException", nil)
		return
	case op == "Sign":
		sig := key.Sign(r.Message)
		if k.Lie {
			sig[len(sig)-1] ^= 1
		}
		answer = map[string]any{"KeyId": r.KeyId, "SigningAlgorithm": key.Algorithm, "Signature": sig}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	json.NewEncoder(w).Encode(answer)
}

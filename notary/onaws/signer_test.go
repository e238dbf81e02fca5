package onaws

import (
	"bytes"
	"encoding/asn1"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/onaws/fakeaws"
)

func kmsOf(t *testing.T) (*fakeAWS, *kms.Client) {
	f := newFakeAWS(t)
	f.Keys = fakeaws.NewKeys(t)
	return f, f.clients().KMS
}

func withKeys(keys ...string) Env {
	e := testEnv
	e.SigningKeys = keys
	return e
}

// The keys of a log on AWS: what they sign meets the log's policy.
func TestKMSSignsACheckpoint(t *testing.T) {
	_, client := kmsOf(t)
	local := withKeys("ec")
	local.LocalSeed = bytes.Repeat([]byte{7}, 32)
	for name, e := range map[string]Env{"on AWS": withKeys("ed", "ml"), "any order": withKeys("ml", "ed"), "all": withKeys("ed", "ec", "ml"), "emulator": local} {
		t.Run(name, func(t *testing.T) {
			signers, err := Signers(t.Context(), client, e)
			if err != nil {
				t.Fatal(err)
			}
			policy, asked, err := Policy(signers, "")
			if err != nil {
				t.Fatal(err)
			}
			raw, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: e.Origin, Size: 7, Root: [32]byte{1}}, signers)
			if err != nil {
				t.Fatal(err)
			}
			signed, err := checkpoint.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := policy.Verify(signed, nil); err != nil || len(signed.Lines) != len(signers) || asked != nil {
				t.Errorf("%d lines, %v", len(signed.Lines), err)
			}
		})
	}
}

func TestSignatureTypes(t *testing.T) {
	_, client := kmsOf(t)
	signers, err := Signers(t.Context(), client, withKeys("ed", "ec", "ml"))
	if err != nil {
		t.Fatal(err)
	}
	var got []checkpoint.Type
	for _, s := range signers {
		kind, err := checkpoint.TypeOf(s.VerifierKey())
		if err != nil || s.Name() != testEnv.Origin {
			t.Fatal(s.Name(), err)
		}
		got = append(got, kind)
	}
	if want := []checkpoint.Type{0x01, 0x02, 0x06}; !slices.Equal(got, want) {
		t.Errorf("types %x, want %x", got, want)
	}
}

func TestKeysThatCannotSign(t *testing.T) {
	f, client := kmsOf(t)
	ml := f.Keys.Keys["ml"]
	with := func(public []byte) fakeaws.Key { k := ml; k.Public = public; return k }
	raw := make([]byte, 1312)
	f.Keys.Keys["tail"] = with(append(slices.Clone(ml.Public), 0))
	f.Keys.Keys["short"] = with(fakeaws.SPKI(t, oidMLDSA44, raw[1:], nil))
	f.Keys.Keys["ml65"] = with(fakeaws.SPKI(t, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 18}, raw, nil))
	f.Keys.Keys["null"] = with(fakeaws.SPKI(t, oidMLDSA44, raw, asn1.NullRawValue))
	f.Keys.Keys["junk"] = with([]byte("junk"))
	for id, want := range map[string]string{
		"nobody": "NotFoundException",
		"384":    "spec is ECC_NIST_P384",
		"dh":     "KEY_AGREEMENT",
		"mix":    "another algorithm",
		"tail":   "no DER",
		"short":  "1311 bytes",
		"ml65":   "public key",
		"null":   "RFC 9881",
		"junk":   "no DER",
	} {
		_, err := Signers(t.Context(), client, withKeys("ed", id))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "KMS key "+id) {
			t.Errorf("%s: %v, want %q", id, err, want)
		}
	}
	for _, keys := range [][]string{{"ed"}, {"ml"}, {"ed", "ec"}} {
		signers, err := Signers(t.Context(), client, withKeys(keys...))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := Policy(signers, ""); err == nil || !strings.Contains(err.Error(), EnvSigningKeys) {
			t.Errorf("%v: %v", keys, err)
		}
	}
}

// Witnesses of the environment stand in the policy without their addresses, beside
// the log's own keys.
func TestPolicyWithWitnesses(t *testing.T) {
	_, client := kmsOf(t)
	signers, err := Signers(t.Context(), client, withKeys("ed", "ml"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := checkpoint.GenerateCosignature("w.example")
	if err != nil {
		t.Fatal(err)
	}
	line := "witness w1 " + k.VerifierKey() + " https://w.example/"
	policy, asked, err := Policy(signers, line+"\nquorum w1")
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) != 1 || asked[0] != (checkpoint.Witness{Name: "w1", Key: k.VerifierKey(), URL: "https://w.example/"}) || bytes.Contains(policy.Bytes(), []byte("https")) {
		t.Errorf("%+v of\n%s", asked, policy.Bytes())
	}
	if keys := policy.LogKeys(); len(keys) != 2 || keys[0] != signers[0].VerifierKey() || keys[1] != signers[1].VerifierKey() {
		t.Errorf("the log's keys are %q", keys)
	}
	if _, _, err := Policy(signers, line); err == nil || !strings.Contains(err.Error(), EnvWitnesses+": witnesses: the last line") {
		t.Errorf("without a quorum: %v", err)
	}
}

// The fake refuses what KMS refuses, so what passes above asks rightly.
func TestFakeKMSRefuses(t *testing.T) {
	_, client := kmsOf(t)
	sign := func(id string, size int, kind types.MessageType, algorithm types.SigningAlgorithmSpec) error {
		_, err := client.Sign(t.Context(), &kms.SignInput{KeyId: &id, Message: make([]byte, size), MessageType: kind, SigningAlgorithm: algorithm})
		return err
	}
	ed, ml := types.SigningAlgorithmSpecEd25519Sha512, types.SigningAlgorithmSpecMlDsaShake256
	for name, err := range map[string]error{
		"Ed25519 of a digest":   sign("ed", 64, types.MessageTypeDigest, ed),
		"Ed25519ph":             sign("ed", 64, types.MessageTypeRaw, types.SigningAlgorithmSpecEd25519PhSha512),
		"ML-DSA of an external": sign("ml", 64, types.MessageTypeExternalMu, ml),
		"another key's":         sign("ml", 64, types.MessageTypeRaw, ed),
		"4,097 bytes":           sign("ml", 4097, types.MessageTypeRaw, ml),
	} {
		if err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	if err := sign("ml", 4096, types.MessageTypeRaw, ml); err != nil {
		t.Error(err)
	}
}

func TestAWrongSignatureIsNotUsed(t *testing.T) {
	f, client := kmsOf(t)
	signers, err := Signers(t.Context(), client, withKeys("ed", "ml"))
	if err != nil {
		t.Fatal(err)
	}
	c := checkpoint.Checkpoint{Origin: testEnv.Origin, Size: 1}
	f.Keys.Lie = true
	if b, err := checkpoint.Sign(c, signers); err == nil || b != nil {
		t.Error("signed")
	}
	f.Keys.Lie = false
	// KMS that throttles for a while is waited for; one that is away is an error.
	f.On("Sign", 0, 2, fakeaws.Throttled)
	if _, err := checkpoint.Sign(c, signers); err != nil {
		t.Error(err)
	}
	f.On("Sign", 0, 1, fakeaws.Forbidden)
	if _, err := checkpoint.Sign(c, signers); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Error(err)
	}
}

func TestRetention(t *testing.T) {
	at := time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"1d": at.AddDate(0, 0, 1), "30d": at.AddDate(0, 0, 30), "1y": at.AddDate(0, 0, 365), "25y": at.AddDate(0, 0, 25*365),
	} {
		r, err := ParseRetention(s)
		if err != nil || r.String() != s || !r.From(at).Equal(want) {
			t.Errorf("%s: %v until %v, %v", s, r, r.From(at), err)
		}
	}
	for _, s := range []string{"", "d", "0d", "-1d", "+1d", "01d", "1", "1m", "1.5y", "101y", "36501d", " 1d", "1d ", "d1"} {
		if r, err := ParseRetention(s); err == nil {
			t.Errorf("%q is %v", s, r)
		}
	}
}

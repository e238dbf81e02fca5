package onaws

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"trialnotary/notary/checkpoint"
)

// signPatience bounds one signature, with its repetitions.
const signPatience = 20 * time.Second

// maxSigned is what KMS signs of a RAW message.
const maxSigned = 4096

// spec is what we ask of KMS for one key spec.
type spec struct {
	kind      checkpoint.Type
	algorithm types.SigningAlgorithmSpec
}

// specs are the key specs that have a note signature type. The message always
// goes RAW: Ed25519 over a digest is another scheme, and ML-DSA's would be too.
func specOf(s types.KeySpec) (spec, bool) {
	switch s {
	case types.KeySpecEccNistEdwards25519:
		return spec{checkpoint.Ed25519, types.SigningAlgorithmSpecEd25519Sha512}, true
	case types.KeySpecEccNistP256:
		return spec{checkpoint.P256, types.SigningAlgorithmSpecEcdsaSha256}, true
	case types.KeySpecMlDsa44:
		return spec{checkpoint.MLDSA44, types.SigningAlgorithmSpecMlDsaShake256}, true
	}
	return spec{}, false
}

// Signers returns a signer for each KMS key of e, named by its origin, and where e
// has a local seed the key made from it. Public keys and types come from KMS. Only
// kms:GetPublicKey is needed until a signer signs; every signature is verified by
// [checkpoint.Sign] before anybody sees it.
func Signers(ctx context.Context, client *kms.Client, e Env) ([]checkpoint.Signer, error) {
	var all []checkpoint.Signer
	for _, id := range e.SigningKeys {
		s, err := newSigner(ctx, client, e.Origin, id)
		if err != nil {
			return nil, fmt.Errorf("KMS key %s: %w", id, err)
		}
		all = append(all, s)
	}
	if e.LocalSeed != nil {
		k, err := checkpoint.NewMLDSA44Signer(e.Origin, [32]byte(e.LocalSeed))
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

func newSigner(ctx context.Context, client *kms.Client, origin, id string) (checkpoint.Signer, error) {
	out, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &id})
	if err != nil {
		return nil, err
	}
	spec, ok := specOf(out.KeySpec)
	if !ok || out.KeyUsage != types.KeyUsageTypeSignVerify {
		return nil, fmt.Errorf("its spec is %s and its usage %s: a log signs with ECC_NIST_EDWARDS25519, ML_DSA_44 or ECC_NIST_P256 and SIGN_VERIFY", out.KeySpec, out.KeyUsage)
	}
	kind, public, err := parsePublic(out.PublicKey)
	if err != nil {
		return nil, err
	}
	if kind != spec.kind {
		return nil, fmt.Errorf("its spec is %s, but its public key is of another algorithm", out.KeySpec)
	}
	// The key that was asked for by an alias may not be another one tomorrow.
	if out.KeyId != nil && *out.KeyId != "" {
		id = *out.KeyId
	}
	raw := func(message []byte) ([]byte, error) {
		if len(message) > maxSigned {
			return nil, fmt.Errorf("KMS key %s: a message of %d bytes, at most %d can be signed", id, len(message), maxSigned)
		}
		ctx, cancel := context.WithTimeout(context.Background(), signPatience)
		defer cancel()
		out, err := client.Sign(ctx, &kms.SignInput{KeyId: &id, Message: message,
			MessageType: types.MessageTypeRaw, SigningAlgorithm: spec.algorithm})
		if err != nil {
			return nil, fmt.Errorf("KMS key %s: %w", id, err)
		}
		return out.Signature, nil
	}
	return checkpoint.NewSigner(checkpoint.VerifierKey(origin, kind, public), raw, time.Now)
}

// Policy returns what makes a checkpoint final, and the witnesses to be asked: the
// log's first plain key, its first ML-DSA-44 key, and the quorum of the witnesses,
// which are lines as [checkpoint.ParseWitnesses] reads them.
func Policy(signers []checkpoint.Signer, witnesses string) (*checkpoint.Policy, []checkpoint.Witness, error) {
	var plain, mldsa string
	for _, s := range signers {
		kind, err := checkpoint.TypeOf(s.VerifierKey())
		switch {
		case err != nil:
			return nil, nil, err
		case kind == checkpoint.MLDSA44 && mldsa == "":
			mldsa = s.VerifierKey()
		case kind != checkpoint.MLDSA44 && plain == "":
			plain = s.VerifierKey()
		}
	}
	if plain == "" || mldsa == "" {
		return nil, nil, errors.New(EnvSigningKeys + ": a log signs with two keys, one ECC_NIST_EDWARDS25519 (with an emulator ECC_NIST_P256) and one ML_DSA_44 (with an emulator " + EnvLocalSeed + ")")
	}
	p, asked, err := checkpoint.ParseWitnesses(plain, mldsa, []byte(witnesses))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", EnvWitnesses, err)
	}
	return p, asked, nil
}

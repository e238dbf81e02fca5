package main

import (
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
)

// signing is how the log signs with one kind of KMS key.
type signing struct {
	id        string // of the construct
	spec      awskms.KeySpec
	algorithm string // kms:SigningAlgorithm
}

// signings are the log's keys. Ed25519 is what every C2SP reader knows; ML-DSA-44
// is there for the day Ed25519 falls. The emulator has neither: there the same
// calls are made with P-256.
func (s *stage) signings() []signing {
	if s.Local() {
		return []signing{{"KeyP256", awskms.KeySpec_ECC_NIST_P256, "ECDSA_SHA_256"}}
	}
	return []signing{
		{"KeyEd25519", awskms.KeySpec_ECC_NIST_EDWARDS25519, "ED25519_SHA_512"},
		{"KeyMLDSA44", awskms.KeySpec_ML_DSA_44, "ML_DSA_SHAKE_256"},
	}
}

// newSigningKeys makes the log's keys, which only the sealer can use, and keeps those
// before them, which hand the log over. Those of before that leave the stack, not the
// account.
func newSigningKeys(stack awscdk.Stack, s *stage, seal, glass awsiam.Role) (keys, old []awskms.CfnKey) {
	if s.Keys > 1 {
		old = newGeneration(stack, s, s.Keys-1, seal, glass)
	}
	return newGeneration(stack, s, s.Keys, seal, glass), old
}

// newGeneration makes the log's n-th keys.
func newGeneration(stack awscdk.Stack, s *stage, n int, seal, glass awsiam.Role) []awskms.CfnKey {
	var keys []awskms.CfnKey
	for _, sign := range s.signings() {
		id := sign.id
		if n > 1 {
			id += "N" + strconv.Itoa(n)
		}
		key := awskms.NewCfnKey(stack, &id, &awskms.CfnKeyProps{
			Description:         new("trialnotary " + s.Name + ": signs checkpoints of " + s.Origin),
			KeySpec:             new(string(sign.spec)),
			KeyUsage:            new("SIGN_VERIFY"),
			KeyPolicy:           keyPolicy(stack, sign, seal, glass),
			PendingWindowInDays: new(30.0),
			// The policy locks out whoever deploys it, on purpose; break glass may
			// still change it, which this check does not see.
			BypassPolicyLockoutSafetyCheck: new(true),
		})
		key.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
		keys = append(keys, key)
	}
	return keys
}

// keyPolicy says it all: no grants, and what IAM allows elsewhere cannot make
// another role a signer.
func keyPolicy(stack awscdk.Stack, sign signing, seal, glass awsiam.Role) awsiam.PolicyDocument {
	only := func(key string, value any) map[string]any { return map[string]any{key: value} }
	account := awsiam.NewAccountRootPrincipal()
	anyone := awsiam.NewAnyPrincipal()
	p := awsiam.NewPolicyDocument(nil)
	add := func(sid string, effect awsiam.Effect, who awsiam.IPrincipal, conditions map[string]any, actions ...string) {
		props := &awsiam.PolicyStatementProps{
			Sid: &sid, Effect: effect, Principals: &[]awsiam.IPrincipal{who},
			Actions: texts(actions...), Resources: texts("*"),
		}
		if conditions != nil {
			props.Conditions = &conditions
		}
		p.AddStatements(awsiam.NewPolicyStatement(props))
	}
	allow, deny := awsiam.Effect_ALLOW, awsiam.Effect_DENY
	add("ReadByIAM", allow, account, nil,
		"kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetPublicKey", "kms:ListGrants", "kms:ListKeyPolicies",
		"kms:ListResourceTags", "kms:TagResource", "kms:UntagResource", "kms:UpdateKeyDescription")
	add("BreakGlass", allow, glass, nil,
		"kms:CancelKeyDeletion", "kms:CreateGrant", "kms:DisableKey", "kms:EnableKey",
		"kms:PutKeyPolicy", "kms:RevokeGrant", "kms:ScheduleKeyDeletion")
	add("SealSigns", allow, seal, only("StringEquals", map[string]any{
		"kms:SigningAlgorithm": sign.algorithm, "kms:MessageType": "RAW",
	}), "kms:Sign")
	add("OnlySealSigns", deny, anyone,
		only("ArnNotEquals", only("aws:PrincipalArn", seal.RoleArn())), "kms:Sign")
	add("OnlyThisAlgorithm", deny, anyone,
		only("StringNotEquals", only("kms:SigningAlgorithm", sign.algorithm)), "kms:Sign")
	add("OnlyWholeMessages", deny, anyone,
		only("StringNotEquals", only("kms:MessageType", "RAW")), "kms:Sign")
	add("OnlyBreakGlassDestroys", deny, anyone,
		only("ArnNotEquals", only("aws:PrincipalArn", glass.RoleArn())),
		"kms:CreateGrant", "kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion")
	return p
}

// keyList is the keys' ARNs as the functions read them.
func keyList(keys []awskms.CfnKey) *string {
	var arns []string
	for _, k := range keys {
		arns = append(arns, *k.AttrArn())
	}
	return new(strings.Join(arns, ","))
}

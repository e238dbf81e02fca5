package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// specs are each stage's keys and what each signs with.
var specs = map[string]map[string]string{
	"local": {"ECC_NIST_P256": "ECDSA_SHA_256"}, // the emulator has no Ed25519
	"dev":   {"ECC_NIST_EDWARDS25519": "ED25519_SHA_512", "ML_DSA_44": "ML_DSA_SHAKE_256"},
	"prod":  {"ECC_NIST_EDWARDS25519": "ED25519_SHA_512", "ML_DSA_44": "ML_DSA_SHAKE_256"},
}

func TestSigningKeysAreOfTheseSpecs(t *testing.T) {
	for name, expected := range specs {
		tpl := stack(t, name)
		keys := tpl.all("AWS::KMS::Key")
		if len(keys) != len(expected) {
			t.Errorf("%s: %d keys, want %d", name, len(keys), len(expected))
		}
		for _, k := range keys {
			spec, _ := k.Properties["KeySpec"].(string)
			if expected[spec] == "" {
				t.Errorf("%s: a key of spec %q", name, spec)
			}
			want(t, name+": usage", k.Properties["KeyUsage"], "SIGN_VERIFY")
			want(t, name+": thirty days to come to one's senses", k.Properties["PendingWindowInDays"], 30)
			// Else the creation fails: the policy locks out whoever creates the key.
			want(t, name+": lockout check", k.Properties["BypassPolicyLockoutSafetyCheck"], true)
		}
		if n := len(tpl.all("AWS::KMS::Alias")); n != 0 {
			t.Errorf("%s: %d aliases; one can be turned to another key", name, n)
		}
	}
}

// eachKey runs a test on every key's policy.
func eachKey(t *testing.T, test func(t *testing.T, algorithm string, policy []permission)) {
	for _, name := range stages {
		for _, k := range stack(t, name).all("AWS::KMS::Key") {
			spec, _ := k.Properties["KeySpec"].(string)
			t.Run(name+"/"+spec, func(t *testing.T) {
				test(t, specs[name][spec], permissions(k.Properties["KeyPolicy"]))
			})
		}
	}
}

func TestOnlySealSignsByAlgorithmAndMessageType(t *testing.T) {
	eachKey(t, func(t *testing.T, algorithm string, policy []permission) {
		allowed := 0
		denied := map[string]any{}
		for _, s := range policy {
			if !slices.Contains(s.Action, "kms:Sign") {
				continue
			}
			if s.Effect == "Allow" {
				allowed++
				b, _ := json.Marshal(s.Principal)
				if !strings.Contains(string(b), `"SealRole`) {
					t.Errorf("%s may sign", b)
				}
				want(t, "algorithm and message type", s.Condition, object{"StringEquals": object{
					"kms:SigningAlgorithm": algorithm, "kms:MessageType": "RAW",
				}})
				continue
			}
			want(t, s.Sid, s.Principal, object{"AWS": "*"})
			denied[s.Sid] = s.Condition
		}
		if allowed != 1 {
			t.Errorf("%d statements allow signing", allowed)
		}
		// An IAM policy somewhere else cannot open what these close.
		b, _ := json.Marshal(at(denied["OnlySealSigns"], "ArnNotEquals", "aws:PrincipalArn"))
		if !strings.Contains(string(b), `"SealRole`) {
			t.Errorf("signing is denied to all but %s", b)
		}
		want(t, "another algorithm", denied["OnlyThisAlgorithm"], object{"StringNotEquals": object{"kms:SigningAlgorithm": algorithm}})
		want(t, "a digest", denied["OnlyWholeMessages"], object{"StringNotEquals": object{"kms:MessageType": "RAW"}})
	})
}

func TestOnlyBreakGlassDestroysAKey(t *testing.T) {
	eachKey(t, func(t *testing.T, _ string, policy []permission) {
		destructive := []string{"kms:CreateGrant", "kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"}
		for _, action := range destructive {
			s := denying(t, policy, action)
			b, _ := json.Marshal(at(s.Condition, "ArnNotEquals", "aws:PrincipalArn"))
			if !strings.Contains(string(b), `"BreakGlassRole`) {
				t.Errorf("%s is denied to all but %s", action, b)
			}
		}
		for _, s := range policy {
			if s.Effect != "Allow" {
				continue
			}
			b, _ := json.Marshal(s.Principal)
			for _, a := range s.Action {
				if strings.Contains(a, "*") || slices.Contains(destructive, a) && !strings.Contains(string(b), `"BreakGlassRole`) {
					t.Errorf("%s is allowed to %s", a, b)
				}
			}
		}
	})
}

func TestBreakGlassNeedsASecondFactorAndLastsAnHour(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		role := tpl.one("AWS::IAM::Role", "BreakGlassRole").Properties
		want(t, "second factor", at(role, "AssumeRolePolicyDocument", "Statement", 0, "Condition"),
			object{"Bool": object{"aws:MultiFactorAuthPresent": "true"}})
		want(t, "an hour", role["MaxSessionDuration"], 3600)
		want(t, "nothing but what the key policies say", role["ManagedPolicyArns"], nil)
	})
}

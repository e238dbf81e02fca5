package main

import "testing"

func TestWhatTheServiceDoesIsAllowed(t *testing.T) {
	once := map[string]string{"s3:if-none-match": "*"}
	for _, c := range []call{
		{"SubmitRole", "dynamodb:PutItem", "Table", map[string]string{"dynamodb:LeadingKeys": "IN#a"}},
		{"SubmitRole", "dynamodb:PutItem", "Table", map[string]string{"dynamodb:LeadingKeys": "ST#ab#cd"}},
		{"SubmitRole", "dynamodb:BatchGetItem", "Table", map[string]string{"dynamodb:LeadingKeys": "OW#ab"}},
		{"SubmitRole", "dynamodb:BatchGetItem", "Table", map[string]string{"dynamodb:LeadingKeys": "HEAD"}},
		{"SubmitRole", "dynamodb:Query", "Table", map[string]string{"dynamodb:LeadingKeys": "TR#ab"}},
		{"SubmitRole", "s3:GetObject", "LogBucket/checkpoints/00000000000000000010", nil},
		{"ProveRole", "dynamodb:BatchGetItem", "Table", map[string]string{"dynamodb:LeadingKeys": "ST#ab#cd"}},
		{"ProveRole", "dynamodb:Query", "Table", map[string]string{"dynamodb:LeadingKeys": "SM#ab"}},
		{"ProveRole", "dynamodb:Query", "Table", map[string]string{"dynamodb:LeadingKeys": "TR#ab"}},
		{"ProveRole", "dynamodb:BatchGetItem", "Table", map[string]string{"dynamodb:LeadingKeys": "MP#00000000000000000001"}},
		{"ProveRole", "dynamodb:Query", "Table", map[string]string{"dynamodb:LeadingKeys": "AC#ab"}},
		{"ProveRole", "dynamodb:PutItem", "Table", map[string]string{"dynamodb:LeadingKeys": "AQ#-"}},
		{"ProveRole", "s3:GetObject", "StateBucket/map/00000000000000000001", nil},
		{"ProveRole", "s3:GetObject", "StateBucket/access/ab/cd", nil},
		{"SubmitRole", "s3:GetObject", "StateBucket/erased/ab/cd", nil},
		{"SealRole", "s3:PutObject", "StateBucket/access/ab/cd", nil},
		{"SealRole", "s3:PutObject", "StateBucket/erased/ab/cd", nil},
		{"SealRole", "dynamodb:BatchGetItem", "Table", map[string]string{"dynamodb:LeadingKeys": "SV#-"}},
		{"ProveRole", "s3:GetObject", "LogBucket/tile/0/000.p/3", nil},
		{"SealRole", "dynamodb:BatchWriteItem", "Table", nil},
		{"SealRole", "s3:PutObject", "LogBucket/tile/0/000", once},
		{"SealRole", "s3:PutObject", "SiteBucket/checkpoint", nil},
		{"SealRole", "s3:PutObject", "StateBucket/staging/00000000000000000001", nil},
		{"SealRole", "s3:GetObject", "StateBucket/map/00000000000000000001", nil},
		{"SealRole", "s3:ListBucket", "StateBucket", nil},
		{"SealRole", "kms:Sign", "KeyEd25519", map[string]string{"kms:SigningAlgorithm": "ED25519_SHA_512", "kms:MessageType": "RAW"}},
		{"SealRole", "kms:Sign", "KeyMLDSA44", map[string]string{"kms:SigningAlgorithm": "ML_DSA_SHAKE_256", "kms:MessageType": "RAW"}},
		{"ProveRole", "kms:GetPublicKey", "KeyMLDSA44", nil},
		{"AuditRole", "s3:GetObjectRetention", "LogBucket/heads/00000000000000000001", nil},
		{"AuditRole", "s3:ListBucketVersions", "LogBucket", nil},
		{"AuditRole", "s3:PutObject", "StateBucket/audit/newest", nil},
		{"cloudfront", "s3:GetObject", "LogBucket/tile/0/000", nil},
		{"cloudfront", "s3:GetObject", "SiteBucket/checkpoint", nil},
		{"deploy", "s3:PutBucketPolicy", "LogBucket", nil},
		{"BreakGlassRole", "kms:DisableKey", "KeyEd25519", nil},
		{"BreakGlassRole", "kms:PutKeyPolicy", "KeyMLDSA44", nil},
		{"admin", "kms:DescribeKey", "KeyEd25519", nil},
		{"admin", "s3:GetObject", "LogBucket/tile/0/000", nil},
	} {
		for _, name := range public {
			if !stack(t, name).allowed(c) {
				t.Errorf("%s: denied: %+v", name, c)
			}
		}
	}
}

// Time-stamps are the sealer's to write and prove's to read, where there are any.
func TestTimestampsAreAllowedWhereAsked(t *testing.T) {
	const object = "StateBucket/stamps/00000000000000000010"
	with, without := stack(t, "prod", testTSAs), stack(t, "prod")
	for _, c := range []struct {
		call
		ok bool
	}{
		{call{"SealRole", "s3:PutObject", object, nil}, true},
		{call{"SealRole", "s3:GetObject", object, nil}, true},
		{call{"ProveRole", "s3:GetObject", object, nil}, true},
		{call{"ProveRole", "s3:PutObject", object, nil}, false},
		{call{"SubmitRole", "s3:GetObject", object, nil}, false},
		{call{"AuditRole", "s3:GetObject", object, nil}, false},
	} {
		if with.allowed(c.call) != c.ok || without.allowed(c.call) {
			t.Errorf("%+v: allowed %v, and without authorities %v", c.call, with.allowed(c.call), without.allowed(c.call))
		}
	}
}

// testTSAs is the parameter that names an authority.
const testTSAs = "tsas=@testdata/tsas.txt"

func TestWhatAnAttackerDoesIsDenied(t *testing.T) {
	once := map[string]string{"s3:if-none-match": "*"}
	raw := map[string]string{"kms:SigningAlgorithm": "ED25519_SHA_512", "kms:MessageType": "RAW"}
	var calls []call
	// Whatever IAM allows them elsewhere, the account's root included.
	for _, who := range []string{"admin", "root", "deploy", "SealRole", "AuditRole", "ProveRole", "SubmitRole", "BreakGlassRole", "cloudfront"} {
		calls = append(calls,
			call{who, "s3:PutObject", "LogBucket/tile/0/000", nil},
			call{who, "s3:PutObject", "LogBucket/tile/0/000", map[string]string{"s3:if-none-match": "*", "aws:SecureTransport": "false"}},
			call{who, "s3:GetObject", "LogBucket/tile/0/000", map[string]string{"aws:SecureTransport": "false"}},
			call{who, "s3:DeleteObject", "LogBucket/heads/00000000000000000001", nil},
			call{who, "s3:DeleteObjectVersion", "LogBucket/heads/00000000000000000001", nil},
			call{who, "s3:PutObjectRetention", "LogBucket/heads/00000000000000000001", nil},
			call{who, "s3:PutObjectLegalHold", "LogBucket/heads/00000000000000000001", nil},
			call{who, "s3:BypassGovernanceRetention", "LogBucket/heads/00000000000000000001", nil},
			call{who, "s3:PutLifecycleConfiguration", "LogBucket", nil},
			call{who, "kms:Sign", "KeyEd25519", map[string]string{"kms:SigningAlgorithm": "ED25519_SHA_512", "kms:MessageType": "DIGEST"}},
			call{who, "kms:Sign", "KeyEd25519", map[string]string{"kms:SigningAlgorithm": "ED25519_PH_SHA_512", "kms:MessageType": "RAW"}},
			call{who, "kms:Sign", "KeyMLDSA44", map[string]string{"kms:SigningAlgorithm": "ML_DSA_SHAKE_256", "kms:MessageType": "EXTERNAL_MU"}},
		)
		if who != "SealRole" {
			calls = append(calls, call{who, "kms:Sign", "KeyEd25519", raw})
		}
		if who != "BreakGlassRole" {
			for _, action := range []string{"kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy", "kms:CreateGrant"} {
				calls = append(calls, call{who, action, "KeyEd25519", nil}, call{who, action, "KeyMLDSA44", nil})
			}
		}
		if who != "deploy" {
			for _, action := range []string{
				"s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketVersioning",
				"s3:PutBucketObjectLockConfiguration", "s3:PutReplicationConfiguration",
			} {
				calls = append(calls, call{who, action, "LogBucket", nil})
			}
		}
	}
	// A function that was taken over.
	calls = append(calls,
		call{"SubmitRole", "dynamodb:PutItem", "Table", map[string]string{"dynamodb:LeadingKeys": "HEAD"}},
		call{"SubmitRole", "dynamodb:PutItem", "Table", map[string]string{"dynamodb:LeadingKeys": "TR#00"}},
		call{"SubmitRole", "dynamodb:DeleteItem", "Table", nil},
		call{"SubmitRole", "dynamodb:BatchWriteItem", "Table", nil}, // has no condition on keys to put
		call{"SubmitRole", "s3:PutObject", "LogBucket/tile/0/000", once},
		call{"SubmitRole", "s3:GetObject", "StateBucket/staging/00000000000000000001", nil},
		call{"SubmitRole", "dynamodb:BatchGetItem", "Table", map[string]string{"dynamodb:LeadingKeys": "SV#-"}},
		call{"SubmitRole", "dynamodb:GetItem", "Table", map[string]string{"dynamodb:LeadingKeys": "SV#-"}},
		call{"SubmitRole", "s3:PutObject", "StateBucket/erased/ab/cd", nil},
		call{"ProveRole", "dynamodb:BatchGetItem", "Table", map[string]string{"dynamodb:LeadingKeys": "SV#-"}},
		call{"ProveRole", "dynamodb:Query", "Table", map[string]string{"dynamodb:LeadingKeys": "SV#-"}},
		call{"ProveRole", "dynamodb:DeleteItem", "Table", map[string]string{"dynamodb:LeadingKeys": "AQ#-"}},
		call{"ProveRole", "dynamodb:PutItem", "Table", map[string]string{"dynamodb:LeadingKeys": "AC#ab"}},
		call{"ProveRole", "s3:DeleteObject", "StateBucket/access/ab/cd", nil},
		call{"ProveRole", "dynamodb:PutItem", "Table", map[string]string{"dynamodb:LeadingKeys": "IN#a"}},
		call{"ProveRole", "s3:PutObject", "LogBucket/tile/0/000", once},
		call{"ProveRole", "s3:PutObject", "SiteBucket/checkpoint", nil},
		call{"ProveRole", "s3:GetObject", "StateBucket/staging/00000000000000000001", nil},
		call{"AuditRole", "dynamodb:PutItem", "Table", map[string]string{"dynamodb:LeadingKeys": "HEAD"}},
		call{"AuditRole", "dynamodb:GetItem", "Table", nil},
		call{"AuditRole", "s3:PutObject", "LogBucket/tile/0/000", once},
		call{"AuditRole", "s3:PutObject", "StateBucket/map/00000000000000000001", nil},
		call{"SealRole", "s3:DeleteObject", "StateBucket/staging/00000000000000000001", nil}, // it expires
		call{"SealRole", "s3:GetObject", "StateBucket/access/ab/cd", nil},
		call{"SealRole", "s3:PutObject", "SiteBucket/index.html", nil},
		call{"SealRole", "s3:PutObject", "StateBucket/audit/newest", nil},
		call{"SealRole", "dynamodb:DeleteTable", "Table", nil},
		call{"SealRole", "dynamodb:UpdateContinuousBackups", "Table", nil},
		call{"cloudfront", "s3:GetObject", "StateBucket/staging/00000000000000000001", nil},
		call{"cloudfront", "s3:PutObject", "LogBucket/tile/0/000", once},
	)
	for _, name := range public {
		tpl := stack(t, name)
		for _, c := range calls {
			if tpl.allowed(c) {
				t.Errorf("%s: allowed: %+v", name, c)
			}
		}
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"trialnotary/notary/onaws"
)

// denial is something that a policy in force must deny to everyone, with the
// exception that its condition names.
type denial struct {
	words     string
	actions   []string
	condition string // operator and key that except or restrict, "" where nobody is excepted
}

// bucketDenials are the log bucket's; the last one is every bucket's.
var bucketDenials = []denial{
	{"nobody puts a second version under a name", []string{"s3:PutObject"}, "Null s3:if-none-match"},
	{"nobody deletes an object or a version", []string{"s3:DeleteObject", "s3:DeleteObjectVersion"}, ""},
	{"nobody shortens, lifts or bypasses a lock", []string{"s3:PutObjectRetention", "s3:PutObjectLegalHold", "s3:BypassGovernanceRetention"}, ""},
	{"nobody makes objects expire", []string{"s3:PutLifecycleConfiguration"}, ""},
	{"nobody but the deploy role changes policy, versioning, lock or replication", []string{"s3:PutBucketPolicy", "s3:DeleteBucketPolicy",
		"s3:PutBucketVersioning", "s3:PutBucketObjectLockConfiguration", "s3:PutReplicationConfiguration"}, "ArnNotEquals aws:PrincipalArn"},
	{"nothing goes in clear", []string{"s3:*"}, "Bool aws:SecureTransport"},
}

// keyDenials are every signing key's.
var keyDenials = []denial{
	{"nobody but the sealer signs", []string{"kms:Sign"}, "ArnNotEquals aws:PrincipalArn"},
	{"with no other algorithm", []string{"kms:Sign"}, "StringNotEquals kms:SigningAlgorithm"},
	{"and whole messages only", []string{"kms:Sign"}, "StringNotEquals kms:MessageType"},
	{"nobody but the break-glass role disables, deletes, grants or rewrites it",
		[]string{"kms:CreateGrant", "kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"}, "ArnNotEquals aws:PrincipalArn"},
}

// checkPolicies reads back the policies of the buckets and of the signing keys, and
// says in words what they deny.
func (d *deployed) checkPolicies(ctx context.Context, clients *onaws.Clients) error {
	last := len(bucketDenials) - 1
	for _, b := range []struct {
		words, name string
		denials     []denial
	}{
		{"log bucket", d.env.LogBucket, bucketDenials},
		{"state bucket", d.env.StateBucket, bucketDenials[last:]},
		{"site bucket", d.env.SiteBucket, bucketDenials[last:]},
	} {
		document, err := clients.BucketPolicy(ctx, b.name)
		if err == nil {
			err = checkDenials(b.words, document, b.denials)
		}
		if err != nil {
			return err
		}
	}
	for i, key := range d.env.SigningKeys {
		document, err := clients.KeyPolicy(ctx, key)
		if err == nil {
			err = checkDenials(fmt.Sprintf("signing key %d of %d", i+1, len(d.env.SigningKeys)), document, keyDenials)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkDenials checks that each is in a policy document, and says so.
func checkDenials(of, document string, denials []denial) error {
	var policy struct{ Statement []any }
	if err := json.Unmarshal([]byte(document), &policy); err != nil {
		return fmt.Errorf("the policy of the %s: %w", of, err)
	}
	for _, d := range denials {
		for _, action := range d.actions {
			if !slices.ContainsFunc(policy.Statement, func(s any) bool { return d.isIn(s, action) }) {
				return fmt.Errorf("the policy of the %s does not deny %s to everyone: it must say that %s. Deploy the stack again, and find out who changed it", of, action, d.words)
			}
		}
		fmt.Printf("ok    %s: %s\n", of, d.words)
	}
	return nil
}

// isIn reports whether a statement denies an action to everyone, on everything
// that the policy is of, with exactly the condition asked for.
func (d denial) isIn(s any, action string) bool {
	m, _ := s.(map[string]any)
	if m["Effect"] != "Deny" || !slices.Contains(words(m["Action"]), action) {
		return false
	}
	if who, _ := m["Principal"].(map[string]any); m["Principal"] != "*" && !slices.Contains(words(who["AWS"]), "*") {
		return false
	}
	if strings.Contains(action, "Object") && !strings.Contains(action, "ObjectLockConfiguration") &&
		!slices.ContainsFunc(words(m["Resource"]), func(r string) bool { return strings.HasSuffix(r, "/*") }) {
		return false
	}
	conditions, _ := m["Condition"].(map[string]any)
	var found []string
	for operator, keys := range conditions {
		keys, _ := keys.(map[string]any)
		for key := range keys {
			found = append(found, operator+" "+key)
		}
	}
	return strings.Join(found, ", ") == d.condition
}

// words is what JSON policies write as one text or as a list.
func words(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, s := range v {
			all = append(all, fmt.Sprint(s))
		}
		return all
	}
	return nil
}

package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

var stages = []string{"local", "dev", "prod"}

// each runs a test on the template of every stage.
func each(t *testing.T, test func(t *testing.T, tpl *template)) {
	for _, name := range stages {
		t.Run(name, func(t *testing.T) { test(t, stack(t, name)) })
	}
}

func TestOneTable(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		if n := len(tpl.all("AWS::DynamoDB::Table")) + len(tpl.all("AWS::DynamoDB::GlobalTable")); n != 1 {
			t.Fatalf("%d tables", n)
		}
		p := tpl.one("AWS::DynamoDB::Table", "Table").Properties
		want(t, "on demand", p["BillingMode"], "PAY_PER_REQUEST")
		want(t, "point-in-time recovery", at(p, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"), true)
		want(t, "deletion protection", p["DeletionProtectionEnabled"], true)
		want(t, "no GSI", p["GlobalSecondaryIndexes"], nil)
		want(t, "no LSI", p["LocalSecondaryIndexes"], nil)
		want(t, "no TTL on the inbox", p["TimeToLiveSpecification"], nil)
		want(t, "keys", p["KeySchema"], []object{
			{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"},
		})
		want(t, "both keys are strings", p["AttributeDefinitions"], []object{
			{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"},
		})
	})
}

// kept are the types that hold what cannot be made again, or what guards it.
var kept = []string{
	"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::KMS::Key", "AWS::Logs::LogGroup",
}

func TestWhatIsKeptIsRetained(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		for _, r := range tpl.Resources {
			if slices.Contains(kept, r.Type) || strings.HasPrefix(r.ID, "BreakGlassRole") {
				if r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
					t.Errorf("%s %s: DeletionPolicy %q, UpdateReplacePolicy %q", r.Type, r.ID, r.DeletionPolicy, r.UpdateReplacePolicy)
				}
			}
		}
	})
}

func TestThreeBucketsAndNoneIsOpen(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		buckets := tpl.all("AWS::S3::Bucket")
		if len(buckets) != 3 {
			t.Fatalf("%d buckets", len(buckets))
		}
		for _, b := range buckets {
			want(t, b.ID+": nothing public", b.Properties["PublicAccessBlockConfiguration"], object{
				"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
			})
			want(t, b.ID+": no ACLs", at(b.Properties, "OwnershipControls", "Rules", 0, "ObjectOwnership"), "BucketOwnerEnforced")
			want(t, b.ID+": CORS in one place only", b.Properties["CorsConfiguration"], nil)
			if at(b.Properties, "BucketEncryption") == nil {
				t.Errorf("%s: not encrypted", b.ID)
			}
		}
	})
}

func TestLogBucketIsUnderComplianceLock(t *testing.T) {
	for name, retention := range map[string]object{
		"local": {"Mode": "COMPLIANCE", "Days": 1},
		"dev":   {"Mode": "COMPLIANCE", "Days": 1},
		"prod":  {"Mode": "COMPLIANCE", "Years": 25},
	} {
		tpl := stack(t, name)
		p := tpl.one("AWS::S3::Bucket", "LogBucket").Properties
		want(t, name+": Object Lock", p["ObjectLockEnabled"], true)
		want(t, name+": versioned", at(p, "VersioningConfiguration", "Status"), "Enabled")
		want(t, name+": default retention", p["ObjectLockConfiguration"], object{
			"ObjectLockEnabled": "Enabled", "Rule": object{"DefaultRetention": retention},
		})
		want(t, name+": nothing expires", p["LifecycleConfiguration"], nil)
		want(t, name+": replicated only when asked", p["ReplicationConfiguration"], nil)
	}
}

func TestStateBucketIsPrivateAndStagingExpires(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		p := tpl.one("AWS::S3::Bucket", "StateBucket").Properties
		want(t, "not locked", p["ObjectLockConfiguration"], nil)
		want(t, "staging expires later than point-in-time recovery reaches", at(p, "LifecycleConfiguration", "Rules"), []object{
			{"Id": "staging", "Prefix": "staging/", "ExpirationInDays": 36, "Status": "Enabled"},
		})
		// Private: the distribution has no way in, and who answers the public none to
		// statements.
		for _, s := range tpl.policyOf("StateBucket") {
			if s.Effect != "Deny" {
				t.Errorf("the state bucket's policy allows: %+v", s)
			}
		}
		for _, role := range []string{"Submit", "Prove"} {
			b, _ := json.Marshal(tpl.one("AWS::IAM::Policy", role+"RoleDefaultPolicy").Properties)
			if strings.Contains(string(b), "staging") {
				t.Errorf("%s reaches what is staged", role)
			}
		}
		for _, cdn := range tpl.all("AWS::CloudFront::Distribution") {
			b, _ := json.Marshal(cdn.Properties)
			if strings.Contains(string(b), "StateBucket") {
				t.Error("the distribution reaches the state bucket")
			}
		}
	})
}

func TestSiteBucketForgetsOldVersions(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		p := tpl.one("AWS::S3::Bucket", "SiteBucket").Properties
		want(t, "not locked", p["ObjectLockConfiguration"], nil)
		want(t, "versioned", at(p, "VersioningConfiguration", "Status"), "Enabled")
		want(t, "old versions expire", at(p, "LifecycleConfiguration", "Rules", 0, "NoncurrentVersionExpiration", "NoncurrentDays"), 30)
		want(t, "current ones do not", at(p, "LifecycleConfiguration", "Rules", 0, "ExpirationInDays"), nil)
	})
}

func TestReplicaInAnotherAccountOnRequest(t *testing.T) {
	tpl := stack(t, "dev", extras...)
	rule := at(tpl.one("AWS::S3::Bucket", "LogBucket").Properties, "ReplicationConfiguration", "Rules", 0)
	want(t, "target", at(rule, "Destination", "Bucket"), "arn:aws:s3:::copy")
	want(t, "its account owns the copies", at(rule, "Destination", "AccessControlTranslation", "Owner"), "Destination")
	want(t, "no delete marker travels", at(rule, "DeleteMarkerReplication", "Status"), "Disabled")
	want(t, "everything travels", at(rule, "Filter", "Prefix"), "")
	var actions []string
	for _, s := range tpl.roleStatements("ReplicaRoleDefaultPolicy") {
		actions = append(actions, s.Action...)
	}
	for _, a := range []string{"s3:GetObjectRetention", "s3:GetObjectVersionForReplication", "s3:ReplicateObject"} {
		if !slices.Contains(actions, a) {
			t.Errorf("the replica's role lacks %s", a)
		}
	}
	if slices.Contains(actions, "s3:ReplicateDelete") {
		t.Error("the replica's role may delete")
	}
}

// extras are the parameters of everything optional.
var extras = []string{
	"replica=arn:aws:s3:::copy", "replica-account=123456789012", "dashboard=true", "reserve=false",
	"email=operator@example.org",
	"domain=log.example.org", "certificate=arn:aws:acm:us-east-1:123456789012:certificate/1",
}

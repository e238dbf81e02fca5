package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// permission is one statement of a policy in a template.
type permission struct {
	Sid, Effect      string
	Action, Resource []string
	Principal        any
	Condition        any
}

// permissions reads a policy document. Resources that are not text are JSON.
func permissions(document any) []permission {
	list, _ := at(document, "Statement").([]any)
	var all []permission
	for _, v := range list {
		s := permission{Action: strs(at(v, "Action")), Principal: at(v, "Principal"), Condition: at(v, "Condition")}
		s.Sid, _ = at(v, "Sid").(string)
		s.Effect, _ = at(v, "Effect").(string)
		resources, many := at(v, "Resource").([]any)
		if !many {
			resources = []any{at(v, "Resource")}
		}
		for _, r := range resources {
			b, _ := json.Marshal(r)
			s.Resource = append(s.Resource, string(b))
		}
		all = append(all, s)
	}
	return all
}

// policyOf returns the policy of a bucket.
func (tpl *template) policyOf(bucket string) []permission {
	tpl.t.Helper()
	return permissions(tpl.one("AWS::S3::BucketPolicy", bucket+"Policy").Properties["PolicyDocument"])
}

// roleStatements returns what a role is allowed.
func (tpl *template) roleStatements(policy string) []permission {
	tpl.t.Helper()
	return permissions(tpl.one("AWS::IAM::Policy", policy).Properties["PolicyDocument"])
}

// denying returns the statement that denies an action to everyone.
func denying(t *testing.T, all []permission, action string) permission {
	t.Helper()
	for _, s := range all {
		if s.Effect == "Deny" && slices.Contains(s.Action, action) {
			want(t, action+" is denied to everyone", s.Principal, object{"AWS": "*"})
			return s
		}
	}
	t.Errorf("%s is not denied", action)
	return permission{}
}

func TestEveryBucketDeniesWhatIsNotTLS(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		for _, bucket := range []string{"LogBucket", "StateBucket", "SiteBucket"} {
			s := denying(t, tpl.policyOf(bucket), "s3:*")
			want(t, bucket+": non-TLS", s.Condition, object{"Bool": object{"aws:SecureTransport": "false"}})
			if len(s.Resource) != 2 {
				t.Errorf("%s: TLS is asked for %v", bucket, s.Resource)
			}
		}
	})
}

func TestLogBucketDeniesEveryoneToRewrite(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		policy := tpl.policyOf("LogBucket")
		put := denying(t, policy, "s3:PutObject")
		want(t, "Put without if-none-match", put.Condition, object{"Null": object{"s3:if-none-match": "true"}})
		objects := put.Resource
		for _, action := range []string{
			"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectRetention", "s3:PutObjectLegalHold", "s3:BypassGovernanceRetention",
		} {
			s := denying(t, policy, action)
			want(t, action+": without exception", s.Condition, nil)
			if !slices.Equal(s.Resource, objects) || !strings.Contains(objects[0], `"/*"`) {
				t.Errorf("%s is denied on %v", action, s.Resource)
			}
		}
		want(t, "PutLifecycleConfiguration: without exception", denying(t, policy, "s3:PutLifecycleConfiguration").Condition, nil)
	})
}

func TestOnlyTheDeployRoleReconfiguresTheLogBucket(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		for _, action := range []string{
			"s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketVersioning", "s3:PutBucketObjectLockConfiguration",
			"s3:PutReplicationConfiguration",
		} {
			s := denying(t, tpl.policyOf("LogBucket"), action)
			b, _ := json.Marshal(at(s.Condition, "ArnNotEquals", "aws:PrincipalArn"))
			if !strings.Contains(string(b), ":role/cdk-hnb659fds-cfn-exec-role-") {
				t.Errorf("%s: the exception is %s", action, b)
			}
		}
	})
}

func TestOnlyTheDistributionIsAllowedByABucketPolicy(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		for _, bucket := range []string{"LogBucket", "SiteBucket"} {
			var allowed []permission
			for _, s := range tpl.policyOf(bucket) {
				if s.Effect == "Allow" {
					allowed = append(allowed, s)
				}
			}
			if strings.HasSuffix(t.Name(), "local") {
				if len(allowed) > 0 {
					t.Errorf("%s: allowed %+v", bucket, allowed)
				}
				continue
			}
			if len(allowed) != 1 || !slices.Equal(allowed[0].Action, []string{"s3:GetObject", "s3:ListBucket"}) {
				t.Fatalf("%s: allowed %+v", bucket, allowed)
			}
			want(t, bucket+": CloudFront", allowed[0].Principal, object{"Service": "cloudfront.amazonaws.com"})
			if at(allowed[0].Condition, "StringEquals", "AWS:SourceArn") == nil {
				t.Errorf("%s: any distribution of the world may read", bucket)
			}
		}
	})
}

// allowances are all that each function may do, but for what everyFunction may.
var allowances = map[string][]string{
	"Submit": {"dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query", "s3:GetObject"},
	"Prove":  {"dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query", "s3:GetObject"},
	"Seal": {
		"dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:Query",
		"events:PutEvents", "s3:GetObject", "s3:PutObject",
	},
	"Audit": {
		"events:PutEvents", "s3:GetBucketObjectLockConfiguration", "s3:GetBucketVersioning",
		"s3:GetObject", "s3:GetObjectRetention", "s3:ListBucketVersions", "s3:PutObject",
	},
}

var everyFunction = []string{"kms:GetPublicKey", "logs:CreateLogStream", "logs:PutLogEvents", "s3:ListBucket"}

func TestEachFunctionMayDoExactlyThis(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		for function, own := range allowances {
			var got []string
			for _, s := range tpl.roleStatements(function + "RoleDefaultPolicy") {
				if s.Effect != "Allow" {
					t.Errorf("%s: %+v", function, s)
				}
				for _, r := range s.Resource {
					if r == `"*"` {
						t.Errorf("%s: %s on every resource", function, s.Action)
					}
				}
				got = append(got, s.Action...)
			}
			expected := slices.Concat(own, everyFunction)
			slices.Sort(got)
			slices.Sort(expected)
			if got, expected = slices.Compact(got), slices.Compact(expected); !slices.Equal(got, expected) {
				t.Errorf("%s may %v\nnot %v", function, got, expected)
			}
			want(t, function+": no managed policy", tpl.one("AWS::IAM::Role", function+"Role").Properties["ManagedPolicyArns"], nil)
		}
	})
}

func TestNoFunctionMayTouchALock(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		for _, p := range tpl.all("AWS::IAM::Policy") {
			for _, s := range permissions(p.Properties["PolicyDocument"]) {
				for _, a := range s.Action {
					if strings.Contains(a, "*") || strings.HasPrefix(a, "s3:PutObject") && a != "s3:PutObject" ||
						strings.HasPrefix(a, "s3:Bypass") || strings.HasPrefix(a, "s3:PutBucket") {
						t.Errorf("%s allows %s", p.ID, a)
					}
				}
			}
		}
	})
}

func TestSubmitWritesInboxAndStatementsOnly(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		for _, s := range tpl.roleStatements("SubmitRoleDefaultPolicy") {
			if slices.Contains(s.Action, "dynamodb:PutItem") {
				want(t, "partitions", s.Condition,
					object{"ForAllValues:StringLike": object{"dynamodb:LeadingKeys": []string{"IN#*", "ST#*"}}})
				return
			}
		}
		t.Error("submit cannot write the inbox")
	})
}

// The service's own key is the sealer's to read; prove writes the trail of what is
// read, and nothing else.
func TestOnlyTheSealerHasTheServicesKey(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		for _, function := range []string{"Submit", "Prove"} {
			for _, s := range tpl.roleStatements(function + "RoleDefaultPolicy") {
				if !strings.HasPrefix(s.Action[0], "dynamodb:") {
					continue
				}
				keys, _ := at(s.Condition, "ForAllValues:StringLike", "dynamodb:LeadingKeys").([]any)
				if one, ok := at(s.Condition, "ForAllValues:StringLike", "dynamodb:LeadingKeys").(string); ok {
					keys = []any{one}
				}
				if len(keys) == 0 || slices.Contains(keys, any("SV#-")) || slices.Contains(keys, any("*")) {
					t.Errorf("%s: %s of %v", function, s.Action, keys)
				}
				if function == "Prove" && slices.Contains(s.Action, "dynamodb:PutItem") && !slices.Equal(keys, []any{"AQ#-"}) {
					t.Errorf("prove writes %v", keys)
				}
			}
		}
	})
}

func TestOnlyTheSealerWritesTheLog(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		for _, p := range tpl.all("AWS::IAM::Policy") {
			for _, s := range permissions(p.Properties["PolicyDocument"]) {
				writes := slices.Contains(s.Action, "s3:PutObject") && strings.Contains(strings.Join(s.Resource, " "), "LogBucket")
				if writes != (s.Sid == "WriteLog") || writes && !strings.HasPrefix(p.ID, "SealRole") {
					t.Errorf("%s: %+v", p.ID, s)
				}
			}
		}
	})
}

func TestAuditRemembersItsProgressAndChangesNothingElse(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		for _, s := range tpl.roleStatements("AuditRoleDefaultPolicy") {
			if slices.Contains(s.Action, "s3:PutObject") && !strings.Contains(s.Resource[0], "/audit/*") {
				t.Errorf("audit writes %v", s.Resource)
			}
		}
	})
}

package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"

	"trialnotary/notary/onaws"
)

// newLogBucket holds the public log and nothing else: tiles, bundles, heads,
// signed and final checkpoints, each written once and locked by S3 from everyone,
// its account's root included, until its date.
func newLogBucket(stack awscdk.Stack, s *stage) awss3.Bucket {
	bucket := awss3.NewBucket(stack, new("LogBucket"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        new(true),
		ObjectLockEnabled: new(true),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		Versioned:         new(true),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
	})
	// The CDK's own property knows days only; 25 years are not a number of days.
	bucket.Node().DefaultChild().(awss3.CfnBucket).SetObjectLockConfiguration(&awss3.CfnBucket_ObjectLockConfigurationProperty{
		ObjectLockEnabled: new("Enabled"),
		Rule:              &awss3.CfnBucket_ObjectLockRuleProperty{DefaultRetention: lock(s.Retention)},
	})
	denyRewriting(bucket)
	denyReconfiguring(stack, bucket)
	return bucket
}

// lock is the default lock of every version, in the operator's own unit.
func lock(r onaws.Retention) *awss3.CfnBucket_DefaultRetentionProperty {
	rule := &awss3.CfnBucket_DefaultRetentionProperty{Mode: new("COMPLIANCE")}
	if r.Years > 0 {
		rule.Years = new(float64(r.Years))
	} else {
		rule.Days = new(float64(r.Days))
	}
	return rule
}

// denyRewriting denies everyone, the deploy role included, whatever could put
// another object in an object's place, hide it, or shorten its lock.
func denyRewriting(bucket awss3.Bucket) {
	all := bucket.ArnForObjects(new("*"))
	deny(bucket, "OnlyNewNames", []string{"s3:PutObject"}, []*string{all},
		// Without If-None-Match a Put would add a version that hides the first.
		map[string]any{"Null": map[string]any{"s3:if-none-match": "true"}})
	deny(bucket, "NoDeleting", []string{"s3:DeleteObject", "s3:DeleteObjectVersion"}, []*string{all}, nil)
	// Headers on a Put may ask for less than the default; they need these.
	deny(bucket, "NoOtherLock", []string{
		"s3:PutObjectRetention", "s3:PutObjectLegalHold", "s3:BypassGovernanceRetention",
	}, []*string{all}, nil)
	deny(bucket, "NoExpiry", []string{"s3:PutLifecycleConfiguration"}, []*string{bucket.BucketArn()}, nil)
}

// denyReconfiguring leaves what protects the log to CloudFormation's role.
func denyReconfiguring(stack awscdk.Stack, bucket awss3.Bucket) {
	deny(bucket, "OnlyDeployReconfigures", []string{
		"s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketVersioning",
		"s3:PutBucketObjectLockConfiguration", "s3:PutReplicationConfiguration",
	}, []*string{bucket.BucketArn()}, map[string]any{
		"ArnNotEquals": map[string]any{"aws:PrincipalArn": deployRole(stack)},
	})
}

// deployRole is the role that `cdk bootstrap` made for CloudFormation.
func deployRole(stack awscdk.Stack) *string {
	name := "cdk-" + *awscdk.DefaultStackSynthesizer_DEFAULT_QUALIFIER() + "-cfn-exec-role-"
	return new(strings.Join([]string{
		"arn:", *stack.Partition(), ":iam::", *stack.Account(), ":role/", name, *stack.Account(), "-", *stack.Region(),
	}, ""))
}

func deny(bucket awss3.Bucket, sid string, actions []string, resources []*string, conditions map[string]any) {
	props := &awsiam.PolicyStatementProps{
		Sid: &sid, Effect: awsiam.Effect_DENY,
		Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
		Actions:    texts(actions...), Resources: &resources,
	}
	if conditions != nil {
		props.Conditions = &conditions
	}
	bucket.AddToResourcePolicy(awsiam.NewPolicyStatement(props))
}

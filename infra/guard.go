package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
)

// newGuard sees every attempt, denied ones too, to weaken a signing key or the log
// bucket. The account needs a CloudTrail trail of management events for it.
func newGuard(stack awscdk.Stack, keys []awskms.CfnKey, log awss3.Bucket) awsevents.Rule {
	var names []any
	for _, key := range keys {
		names = append(names, key.AttrArn(), key.AttrKeyId())
	}
	destroying := []any{"CreateGrant", "DisableKey", "PutKeyPolicy", "ScheduleKeyDeletion"}
	weakening := []any{
		"DeleteBucketPolicy", "PutBucketLifecycle", "PutBucketObjectLockConfiguration",
		"PutBucketPolicy", "PutBucketReplication", "PutBucketVersioning",
	}
	return awsevents.NewRule(stack, new("Guard"), &awsevents.RuleProps{
		Description: new("trialnotary: someone touches a signing key or the protection of the log"),
		EventPattern: &awsevents.EventPattern{
			Source:     texts("aws.kms", "aws.s3"),
			DetailType: texts("AWS API Call via CloudTrail"),
			Detail: &map[string]any{"$or": []any{
				map[string]any{"eventName": destroying, "resources": map[string]any{"ARN": names}},
				map[string]any{"eventName": destroying, "requestParameters": map[string]any{"keyId": names}},
				map[string]any{"eventName": weakening, "requestParameters": map[string]any{"bucketName": []any{log.BucketName()}}},
			}},
		},
	})
}

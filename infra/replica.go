package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
)

// replicate copies every version of the log, with its lock, to a bucket of another
// account and Region, whose owner this account cannot overrule. That bucket and
// its policy are made there.
func replicate(stack awscdk.Stack, log awss3.Bucket, target, account string) {
	role := awsiam.NewRole(stack, new("ReplicaRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(new("s3.amazonaws.com"), nil),
	})
	allow := func(resource *string, actions ...string) {
		role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: texts(actions...), Resources: &[]*string{resource},
		}))
	}
	allow(log.BucketArn(), "s3:GetReplicationConfiguration", "s3:ListBucket")
	allow(log.ArnForObjects(new("*")), "s3:GetObjectLegalHold", "s3:GetObjectRetention",
		"s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging")
	allow(new(target+"/*"), "s3:ObjectOwnerOverrideToBucketOwner", "s3:ReplicateObject", "s3:ReplicateTags")

	log.Node().DefaultChild().(awss3.CfnBucket).SetReplicationConfiguration(&awss3.CfnBucket_ReplicationConfigurationProperty{
		Role: role.RoleArn(),
		Rules: []any{&awss3.CfnBucket_ReplicationRuleProperty{
			Id: new("replica"), Status: new("Enabled"), Priority: new(1.0),
			Filter:                  &awss3.CfnBucket_ReplicationRuleFilterProperty{Prefix: new("")},
			DeleteMarkerReplication: &awss3.CfnBucket_DeleteMarkerReplicationProperty{Status: new("Disabled")},
			Destination: &awss3.CfnBucket_ReplicationDestinationProperty{
				Bucket: &target, Account: &account,
				AccessControlTranslation: &awss3.CfnBucket_AccessControlTranslationProperty{Owner: new("Destination")},
			},
		}},
	})
}

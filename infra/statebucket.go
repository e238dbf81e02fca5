package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
)

// stagingDays is longer than the 35 days the table can be restored to: a restored
// head always finds its staging object.
const stagingDays = 36

// newStateBucket is private and not locked: staging objects, which expire, and
// the packed map nodes, one object a batch. All of it can be rebuilt from the log.
func newStateBucket(stack awscdk.Stack) awss3.Bucket {
	return awss3.NewBucket(stack, new("StateBucket"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        new(true),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Id: new("staging"), Prefix: new("staging/"),
			Expiration: awscdk.Duration_Days(new(float64(stagingDays))),
		}},
	})
}

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
)

// newSiteBucket holds what is public and changes: `checkpoint`. It is not locked;
// versions tell what stood there before, for a month.
func newSiteBucket(stack awscdk.Stack) awss3.Bucket {
	return awss3.NewBucket(stack, new("SiteBucket"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        new(true),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		Versioned:         new(true),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Id: new("old-versions"), NoncurrentVersionExpiration: awscdk.Duration_Days(new(30.0)),
		}},
	})
}

package onaws

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// BucketPolicy reads a bucket's policy document as it is in force.
func (c *Clients) BucketPolicy(ctx context.Context, bucket string) (string, error) {
	out, err := c.S3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &bucket})
	if err != nil {
		return "", fmt.Errorf("read the policy of bucket %s: %w", bucket, err)
	}
	return aws.ToString(out.Policy), nil
}

// KeyPolicy reads the policy document of a KMS key as it is in force.
func (c *Clients) KeyPolicy(ctx context.Context, key string) (string, error) {
	out, err := c.KMS.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &key})
	if err != nil {
		return "", fmt.Errorf("read the policy of key %s: %w", key, err)
	}
	return aws.ToString(out.Policy), nil
}

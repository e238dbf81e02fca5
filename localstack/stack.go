package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// config is that of a client of the emulator.
func (p place) config() aws.Config {
	return aws.Config{Region: region, BaseEndpoint: aws.String(p.endpoint()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

// inspectStack reads the events of the stack. LocalStack pretends to deploy what it
// does not know and says so in an event ("deployed as a fallback"): here that is an
// error, because a test against it would show nothing.
func (p place) inspectStack(ctx context.Context) error {
	client := cloudformation.NewFromConfig(p.config())
	pages := cloudformation.NewDescribeStackEventsPaginator(client, &cloudformation.DescribeStackEventsInput{StackName: aws.String(stackName)})
	var bad []error
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read the events of stack %s: %w", stackName, err)
		}
		for _, e := range page.StackEvents {
			reason := aws.ToString(e.ResourceStatusReason)
			if strings.Contains(strings.ToLower(reason), "fallback") || strings.HasSuffix(string(e.ResourceStatus), "FAILED") {
				bad = append(bad, fmt.Errorf("%s (%s) %s: %s", aws.ToString(e.LogicalResourceId), aws.ToString(e.ResourceType), e.ResourceStatus, reason))
			}
		}
	}
	return errors.Join(bad...)
}

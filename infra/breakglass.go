package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
)

// newBreakGlassRole is for the day a key must be disabled. People of the account
// whom IAM allows to assume it may, with a second factor, for an hour; using it
// raises the key-policy alarm.
func newBreakGlassRole(stack awscdk.Stack) awsiam.Role {
	role := awsiam.NewRole(stack, new("BreakGlassRole"), &awsiam.RoleProps{
		Description: new("trialnotary: disables a signing key or changes its policy; every use raises an alarm"),
		AssumedBy: awsiam.NewPrincipalWithConditions(awsiam.NewAccountRootPrincipal(), &map[string]any{
			"Bool": map[string]any{"aws:MultiFactorAuthPresent": "true"},
		}),
		MaxSessionDuration: awscdk.Duration_Hours(new(1.0)),
	})
	// The key policies name it: were it deleted, nobody could take its place.
	role.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN)
	return role
}

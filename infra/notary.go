package main

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
)

// newNotary adds the whole service to app as one stack. Read it top to bottom:
// what is kept, who signs, what runs, when, and who is told.
func newNotary(app constructs.Construct, s *stage, zips map[string]string) awscdk.Stack {
	stack := awscdk.NewStack(app, new("trialnotary-"+s.Name), &awscdk.StackProps{
		Description:           new("trialnotary " + s.Name + ": " + s.Origin),
		TerminationProtection: new(s.Prod()),
		AnalyticsReporting:    new(false),
	})
	table := newTable(stack)
	log := newLogBucket(stack, s)
	state := newStateBucket(stack)
	site := newSiteBucket(stack)

	roles := newRoles(stack)
	glass := newBreakGlassRole(stack)
	keys, old := newSigningKeys(stack, s, roles["seal"], glass)
	both := slices.Concat(keys, old)

	functions := newFunctions(stack, s, zips, roles, environment(s, table, log, state, site, keys, old))
	grant(stack, s, roles, functions, table, log, state, site, both)
	urls := newURLs(stack, s, functions)
	newSchedule(stack, functions)
	guard := newGuard(stack, both, log)
	newAlarms(stack, s, functions, guard)
	newSubscribers(stack, s)

	output(stack, "SubmitUrl", urls["submit"].Url())
	output(stack, "ProveUrl", urls["prove"].Url())
	output(stack, "Table", table.TableName())
	output(stack, "LogBucket", log.BucketName())
	output(stack, "StateBucket", state.BucketName())
	output(stack, "SiteBucket", site.BucketName())
	output(stack, "SigningKeys", keyList(keys))
	if !s.Local() { // the emulator has no CloudFront
		output(stack, "SiteUrl", newCDN(stack, s, functions, urls, log, site))
	}
	for _, bucket := range []awss3.Bucket{log, state, site} {
		bucket.Policy().ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN) // it outlives the stack with its bucket
	}
	if s.Replica != "" {
		replicate(stack, log, s.Replica, s.ReplicaOf)
	}
	return stack
}

func output(stack awscdk.Stack, name string, value *string) {
	awscdk.NewCfnOutput(stack, new("Output"+name), &awscdk.CfnOutputProps{Value: value}).OverrideLogicalId(&name)
}

// texts is a list as the CDK takes it.
func texts(s ...string) *[]*string {
	list := make([]*string, len(s))
	for i := range s {
		list[i] = &s[i]
	}
	return &list
}

package main

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"

	"trialnotary/events"
)

// newRoles makes one role per function, empty: grant fills them.
func newRoles(stack awscdk.Stack) map[string]awsiam.Role {
	roles := map[string]awsiam.Role{}
	for _, name := range functionNames {
		roles[name] = awsiam.NewRole(stack, new(title(name)+"Role"), &awsiam.RoleProps{
			AssumedBy:   awsiam.NewServicePrincipal(new("lambda.amazonaws.com"), nil),
			Description: new("trialnotary: the function " + name),
		})
	}
	return roles
}

// grant allows each function what it calls, action by action. The CDK's own
// GrantPut would also allow changing an object's lock.
func grant(stack awscdk.Stack, roles map[string]awsiam.Role, functions map[string]awslambda.Function,
	table awsdynamodb.Table, log, state, site awss3.Bucket, keys []awskms.CfnKey) {
	allow := func(function, sid string, resources []*string, conditions map[string]any, actions ...string) {
		props := &awsiam.PolicyStatementProps{Sid: &sid, Actions: texts(actions...), Resources: &resources}
		if conditions != nil {
			props.Conditions = &conditions
		}
		roles[function].AddToPolicy(awsiam.NewPolicyStatement(props))
	}
	rows := []*string{table.TableArn()}
	var arns []*string
	for _, key := range keys {
		arns = append(arns, key.AttrArn())
	}
	bucket := func(b awss3.Bucket) []*string { return []*string{b.BucketArn()} }
	objects := func(b awss3.Bucket, prefix string) []*string { return []*string{b.ArnForObjects(&prefix)} }

	for _, name := range functionNames {
		allow(name, "WriteOwnLog", []*string{functions[name].LogGroup().LogGroupRef().LogGroupArn}, nil,
			"logs:CreateLogStream", "logs:PutLogEvents")
		allow(name, "ReadPublicKeys", arns, nil, "kms:GetPublicKey") // who signs, the key policies say
		// A missing object is 404 only to those who may list; else it is 403.
		allow(name, "FindLog", bucket(log), nil, "s3:ListBucket")
	}

	partitions := func(of ...string) map[string]any {
		return map[string]any{"ForAllValues:StringLike": map[string]any{"dynamodb:LeadingKeys": of}}
	}
	allow("submit", "ReadRows", rows, partitions(logPartitions()...), "dynamodb:BatchGetItem", "dynamodb:Query")
	allow("submit", "WriteInbox", rows, partitions(submitPartitions()...), "dynamodb:PutItem")
	allow("submit", "FindState", bucket(state), nil, "s3:ListBucket")
	allow("submit", "ReadErased", objects(state, "erased/*"), nil, "s3:GetObject")              // what may not come back
	allow("submit", "ReadFinalCheckpoints", objects(log, "checkpoints/*"), nil, "s3:GetObject") // that a statement is "after"

	allow("prove", "ReadRows", rows, partitions(append(logPartitions(), trailPartitions()...)...), "dynamodb:BatchGetItem", "dynamodb:Query")
	allow("prove", "WriteTrail", rows, partitions("AQ#-"), "dynamodb:PutItem") // before anything is read
	allow("prove", "FindState", bucket(state), nil, "s3:ListBucket")
	allow("prove", "ReadState", append(objects(state, "map/*"), objects(state, "access/*")...), nil, "s3:GetObject")
	for _, name := range []string{"prove", "seal", "audit"} {
		allow(name, "ReadLog", objects(log, "*"), nil, "s3:GetObject")
		allow(name, "FindSite", bucket(site), nil, "s3:ListBucket")
		allow(name, "ReadSite", objects(site, "checkpoint"), nil, "s3:GetObject")
	}

	allow("seal", "ReadRows", rows, nil, "dynamodb:BatchGetItem", "dynamodb:Query")
	allow("seal", "WriteRows", rows, nil, "dynamodb:BatchWriteItem", "dynamodb:PutItem")
	allow("seal", "WriteLog", objects(log, "*"), nil, "s3:PutObject") // and no PutObjectRetention
	allow("seal", "FindState", bucket(state), nil, "s3:ListBucket")
	allow("seal", "WriteState", slices.Concat(objects(state, "staging/*"), objects(state, "map/*"), objects(state, "access/*"), objects(state, "erased/*")), nil,
		"s3:GetObject", "s3:PutObject")
	allow("seal", "WriteSite", objects(site, "checkpoint"), nil, "s3:PutObject")

	// The auditor sees the public log and its locks, and never the table.
	allow("audit", "ReadProtection", bucket(log), nil,
		"s3:GetBucketObjectLockConfiguration", "s3:GetBucketVersioning", "s3:ListBucketVersions")
	allow("audit", "ReadLocks", objects(log, "*"), nil, "s3:GetObjectRetention")
	allow("audit", "FindState", bucket(state), nil, "s3:ListBucket")
	allow("audit", "RememberProgress", objects(state, "audit/*"), nil, "s3:GetObject", "s3:PutObject")

	bus := stack.FormatArn(&awscdk.ArnComponents{
		Service: new("events"), Resource: new("event-bus"), ResourceName: new("default"),
	})
	for _, name := range []string{"seal", "audit"} {
		allow(name, "Announce", []*string{bus},
			map[string]any{"StringEquals": map[string]any{"events:source": events.Source}}, "events:PutEvents")
	}
}

// logPartitions are those of the table that say what was accepted and sealed. The
// service's own key, in SV#, is not among them: only the sealer reads it.
func logPartitions() []string {
	return []string{"HEAD", "IN#*", "ST#*", "SM#*", "OW#*", "RG#*", "TR#*", "BT#*", "MP#*"}
}

// trailPartitions are those of the trail of reads.
func trailPartitions() []string { return []string{"AA#-", "AC#*", "AQ#-", "SP#-"} }

// submitPartitions are those of the table that submit may write: the inbox, and
// the statements, to one of which it may give a note back after a repair.
func submitPartitions() []string { return []string{"IN#*", "ST#*"} }

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
func grant(stack awscdk.Stack, s *stage, roles map[string]awsiam.Role, functions map[string]awslambda.Function,
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
	// What was accepted and sealed, and a trial's keys. The service's own key, in SV#,
	// is the sealer's alone to read.
	allow("submit", "ReadRows", rows, partitions("HEAD", "IN#*", "ST#*", "SM#*", "OW#*", "RG#*"), "dynamodb:BatchGetItem")
	allow("submit", "ListRows", rows, partitions("TR#*"), "dynamodb:Query")
	// The inbox, and the statements, to one of which it may give a note back after a repair.
	allow("submit", "WriteInbox", rows, partitions("IN#*", "ST#*"), "dynamodb:PutItem")
	allow("submit", "FindState", bucket(state), nil, "s3:ListBucket")
	allow("submit", "ReadErased", objects(state, "erased/*"), nil, "s3:GetObject")              // what may not come back
	allow("submit", "ReadFinalCheckpoints", objects(log, "checkpoints/*"), nil, "s3:GetObject") // that a statement is "after"
	allow("submit", "ReadHandovers", objects(log, "handovers/*"), nil, "s3:GetObject")          // of the log's keys

	allow("prove", "ReadRows", rows, partitions("HEAD", "IN#*", "ST#*", "OW#*", "RG#*", "BT#*", "MP#*", "AA#-", "AQ#-", "SP#-"), "dynamodb:BatchGetItem")
	allow("prove", "ListRows", rows, partitions("SM#*", "TR#*", "AC#*", "AQ#-"), "dynamodb:Query")
	allow("prove", "WriteTrail", rows, partitions("AQ#-"), "dynamodb:PutItem") // before a read is answered
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
	allow("seal", "WriteState", slices.Concat(objects(state, "staging/*"), objects(state, "map/*"), objects(state, "erased/*")), nil,
		"s3:GetObject", "s3:PutObject")
	allow("seal", "WriteTrail", objects(state, "access/*"), nil, "s3:PutObject") // who reads it writes it down, and the sealer does not
	allow("seal", "WriteSite", objects(site, "checkpoint"), nil, "s3:PutObject")

	if s.TSAs != "" { // what time-stamping authorities gave
		allow("seal", "WriteStamps", objects(state, "stamps/*"), nil, "s3:GetObject", "s3:PutObject")
		allow("prove", "ReadStamps", objects(state, "stamps/*"), nil, "s3:GetObject")
	}

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

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"

	"trialnotary/notary/onaws"
)

// newTable is the one table: head, inbox and rows. On demand; restorable to any
// second of 35 days; without index, stream or expiry, so that what was accepted
// leaves only by the sealer's hand.
func newTable(stack awscdk.Stack) awsdynamodb.Table {
	return awsdynamodb.NewTable(stack, new("Table"), &awsdynamodb.TableProps{
		PartitionKey:       &awsdynamodb.Attribute{Name: new(onaws.PartitionKey), Type: awsdynamodb.AttributeType_STRING},
		SortKey:            &awsdynamodb.Attribute{Name: new(onaws.SortKey), Type: awsdynamodb.AttributeType_STRING},
		BillingMode:        awsdynamodb.BillingMode_PAY_PER_REQUEST,
		DeletionProtection: new(true),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: new(true),
		},
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
}

package onaws

import (
	"cmp"
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"trialnotary/notary"
	"trialnotary/notary/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Harness{
		Open:   func(t *testing.T) notary.Store { return newFakeAWS(t).store() },
		Reopen: func(t *testing.T, s notary.Store) notary.Store { return s }, // it keeps nothing
	}.Run(t)
}

// The same with a database that answers in small pieces.
func TestStoreInPieces(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) notary.Store {
		f := newFakeAWS(t)
		f.Table.Page, f.Table.Process, f.Table.Empty = 7, 9, 3
		return f.store()
	})
}

// Endpoints of emulators for TestStoreOnEmulator: LocalStack for all, or DynamoDB
// Local alone, beside which S3 is the fake. It does nothing where neither is set.
const (
	localStack    = "TRIALNOTARY_TEST_LOCALSTACK"     // http://127.0.0.1:4566
	dynamoDBLocal = "TRIALNOTARY_TEST_DYNAMODB_LOCAL" // http://127.0.0.1:8000
)

func TestStoreOnEmulator(t *testing.T) {
	all, db := os.Getenv(localStack), os.Getenv(dynamoDBLocal)
	if all == "" && db == "" {
		t.Skipf("neither %s nor %s is set", localStack, dynamoDBLocal)
	}
	storetest.Harness{
		Open: func(t *testing.T) notary.Store {
			name := "t" + strings.ToLower(rand.Text())
			env := Env{Table: name, LogBucket: name + "-log", StateBucket: name + "-state", SiteBucket: name + "-site"}
			if all == "" {
				f := newFakeAWS(t)
				c := f.clients()
				c.DynamoDB = clientsAt(t, db).DynamoDB
				createTable(t, c, env)
				return NewStore(c, env)
			}
			c := clientsAt(t, all)
			createTable(t, c, env)
			createBuckets(t, c, env)
			return NewStore(c, env)
		},
		Reopen: func(t *testing.T, s notary.Store) notary.Store {
			old := s.(*Store)
			c := clientsAt(t, cmp.Or(all, db))
			env := Env{Table: old.table, LogBucket: old.log, StateBucket: old.state, SiteBucket: old.site}
			if all == "" {
				c.S3 = old.s3
			}
			return NewStore(c, env)
		},
	}.Run(t)
}

func createTable(t *testing.T, c *Clients, e Env) {
	t.Helper()
	key := func(name string, kind types.KeyType) (types.AttributeDefinition, types.KeySchemaElement) {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS},
			types.KeySchemaElement{AttributeName: &name, KeyType: kind}
	}
	p, pk := key(PartitionKey, types.KeyTypeHash)
	s, sk := key(SortKey, types.KeyTypeRange)
	_, err := c.DynamoDB.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: &e.Table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{p, s}, KeySchema: []types.KeySchemaElement{pk, sk}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.DynamoDB.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &e.Table})
	})
}

func createBuckets(t *testing.T, c *Clients, e Env) {
	t.Helper()
	for _, name := range []string{e.LogBucket, e.StateBucket, e.SiteBucket} {
		in := &s3.CreateBucketInput{Bucket: &name, ObjectLockEnabledForBucket: aws.Bool(name == e.LogBucket),
			CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraintEuCentral1}}
		if _, err := c.S3.CreateBucket(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.S3.PutObjectLockConfiguration(t.Context(), &s3.PutObjectLockConfigurationInput{Bucket: &e.LogBucket,
		ObjectLockConfiguration: &s3types.ObjectLockConfiguration{ObjectLockEnabled: s3types.ObjectLockEnabledEnabled,
			Rule: &s3types.ObjectLockRule{DefaultRetention: &s3types.DefaultRetention{Days: aws.Int32(1), Mode: s3types.ObjectLockRetentionModeCompliance}}}})
	if err != nil {
		t.Fatal(err)
	}
}

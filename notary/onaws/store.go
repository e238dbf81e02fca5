// Package onaws is everything that is AWS: the [notary.Store] on DynamoDB and S3,
// the log's keys in KMS, and announcements through EventBridge.
//
// One table, two string keys pk and sk, and in every item one value, v:
//
//	pk                          sk                          v
//	HEAD                        LOG                         the head cell
//	IN#<nibble>                 <stream id>#<statement id>  an accepted note; h: received, lane
//	ST#… SM#… TR#… and others  a row's own sort key        a row's value
//
// <nibble> is the first hexadecimal digit of the statement id: 16 partitions take
// the inbox's writes, and Pending reads all of them to the end, consistently. An
// item that would be larger than a write unit holds z, the value deflated, in v's
// place where that is shorter. Cells and rows that are swapped carry in t a token
// of whoever wrote them last.
//
// Three buckets:
//
//	log     tile/… heads/… signed/… checkpoints/…   under Object Lock, written once
//	state   staging/… map/… access/… erased/…       private
//	site    checkpoint                              replaced by If-Match
//
// Every read is consistent. Every write that could overwrite is conditional. When
// a writing call ends without an answer, or a repeated one is told that somebody
// was first, the store reads back what is there: equal bytes, or for a swap the
// token, say whether it was this call. Throttles, unprocessed items, short pages
// and the statuses 409, 412, 429 and 503 are answers like others; after a bounded
// number of them the call fails, and can safely be made again. A missing object is
// only what S3 calls NoSuchKey, never a 403.
package onaws

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"trialnotary/notary"
)

// Names of the table's keys, for those who create it.
const (
	PartitionKey = "pk"
	SortKey      = "sk"
)

// parallel bounds the calls that one call of the store makes at a time.
const parallel = 32

// Store is a [notary.Store] on DynamoDB and S3. It keeps nothing in memory.
type Store struct {
	db *dynamodb.Client
	s3 *s3.Client

	table            string
	log, state, site string // buckets

	deflaters sync.Pool // of *flate.Writer
}

var _ notary.Store = (*Store)(nil)

// NewStore returns the store in the table and buckets that e names.
func NewStore(c *Clients, e Env) *Store {
	return &Store{db: c.DynamoDB, s3: c.S3, table: e.Table, log: e.LogBucket, state: e.StateBucket, site: e.SiteBucket}
}

// do runs one call of the store unless ctx has ended, and names it in its error.
func do(ctx context.Context, what string, f func() error) error {
	err := ctx.Err()
	if err == nil {
		err = f()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

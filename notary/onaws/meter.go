package onaws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// Meter counts what clients ask of AWS, in the SDK's own middleware: calls by
// service and operation, and the capacity units that DynamoDB says it consumed. A
// call that is repeated counts as often as it is sent.
type Meter struct {
	mu    sync.Mutex
	calls map[string]int
	units map[string]float64
}

// Count is what a Meter has counted. Keys are like "DynamoDB PutItem".
type Count struct {
	Calls map[string]int
	Units map[string]float64 // write units of writes, read units of reads
}

// Add adds what another Meter counted.
func (c *Count) Add(more Count) {
	if c.Calls == nil {
		c.Calls, c.Units = map[string]int{}, map[string]float64{}
	}
	for op, n := range more.Calls {
		c.Calls[op] += n
	}
	for op, n := range more.Units {
		c.Units[op] += n
	}
}

// Option makes clients count with m; with a nil Meter they do not.
func (m *Meter) Option() func(*config.LoadOptions) error {
	return config.WithAPIOptions(m.middleware())
}

func (m *Meter) middleware() []func(*middleware.Stack) error {
	if m == nil {
		return nil
	}
	return []func(*middleware.Stack) error{func(s *middleware.Stack) error {
		if err := s.Initialize.Add(middleware.InitializeMiddlewareFunc("trialnotary/meter", m.ask), middleware.Before); err != nil {
			return err
		}
		// The last step but the wire: once for each attempt.
		return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("trialnotary/meter attempt", m.attempt), middleware.After)
	}}
}

// ask asks DynamoDB for the units of a call and adds them up. What is not there is
// read for a unit as well; DynamoDB Local, which emulators use, says for none.
func (m *Meter) ask(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	total := types.ReturnConsumedCapacityTotal
	switch p := in.Parameters.(type) {
	case *dynamodb.PutItemInput:
		p.ReturnConsumedCapacity = total
	case *dynamodb.QueryInput:
		p.ReturnConsumedCapacity = total
	case *dynamodb.BatchGetItemInput:
		p.ReturnConsumedCapacity = total
	case *dynamodb.BatchWriteItemInput:
		p.ReturnConsumedCapacity = total
	}
	out, meta, err := next.HandleInitialize(ctx, in)
	units := 0.0
	add := func(all ...types.ConsumedCapacity) {
		for _, c := range all {
			units += aws.ToFloat64(c.CapacityUnits)
		}
	}
	one := func(c *types.ConsumedCapacity) {
		if c != nil {
			add(*c)
		}
	}
	switch r := out.Result.(type) {
	case *dynamodb.PutItemOutput:
		one(r.ConsumedCapacity)
	case *dynamodb.QueryOutput:
		one(r.ConsumedCapacity)
		units = max(units, 1)
	case *dynamodb.BatchGetItemOutput:
		add(r.ConsumedCapacity...)
		units = max(units, float64(keys(in.Parameters.(*dynamodb.BatchGetItemInput).RequestItems)-keys(r.UnprocessedKeys)))
	case *dynamodb.BatchWriteItemOutput:
		add(r.ConsumedCapacity...)
	}
	if units > 0 {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.units == nil {
			m.units = map[string]float64{}
		}
		m.units[operation(ctx)] += units
	}
	return out, meta, err
}

func keys(items map[string]types.KeysAndAttributes) (n int) {
	for _, table := range items {
		n += len(table.Keys)
	}
	return n
}

func (m *Meter) attempt(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	m.mu.Lock()
	if m.calls == nil {
		m.calls = map[string]int{}
	}
	m.calls[operation(ctx)]++
	m.mu.Unlock()
	return next.HandleFinalize(ctx, in)
}

func operation(ctx context.Context) string {
	return awsmiddleware.GetServiceID(ctx) + " " + awsmiddleware.GetOperationName(ctx)
}

// Take returns what was counted since the last call.
func (m *Meter) Take() Count {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := Count{m.calls, m.units}
	m.calls, m.units = nil, nil
	return c
}

// Prices in US dollars, us-east-1, as published in November 2026. Requests beyond
// the free allowance; storage, transfer and Lambda's time are not in them.
const (
	priceWriteUnit = 0.625e-6
	priceReadUnit  = 0.125e-6
	priceS3Write   = 5e-6   // PUT, LIST
	priceS3Read    = 0.4e-6 // GET, HEAD
	priceKey       = 15e-6  // signature or public key of an asymmetric key
	priceEvent     = 1e-6
)

// Dollars is the price of what was counted.
func (c Count) Dollars() float64 {
	sum := 0.0
	for op, n := range c.Units {
		switch op {
		case "DynamoDB PutItem", "DynamoDB BatchWriteItem":
			sum += n * priceWriteUnit
		default:
			sum += n * priceReadUnit
		}
	}
	for op, n := range c.Calls {
		switch op {
		case "S3 PutObject", "S3 ListObjectsV2", "S3 ListObjectVersions":
			sum += float64(n) * priceS3Write
		case "S3 GetObject", "S3 HeadObject":
			sum += float64(n) * priceS3Read
		case "KMS Sign", "KMS GetPublicKey":
			sum += float64(n) * priceKey
		case "EventBridge PutEvents":
			sum += float64(n) * priceEvent
		}
	}
	return sum
}

// String lists the operations in order: calls, and units where there are any.
func (c Count) String() string {
	var b strings.Builder
	for _, op := range slices.Sorted(maps.Keys(c.Calls)) {
		fmt.Fprintf(&b, "%-28s %7d calls", op, c.Calls[op])
		if u := c.Units[op]; u > 0 {
			fmt.Fprintf(&b, " %9.1f units", u)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

package onaws

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
)

// Bounds of one call of AWS.
const (
	attempts       = 8
	minBackoff     = 50 * time.Millisecond // doubled by each attempt
	maxBackoff     = 2 * time.Second
	answerPatience = 8 * time.Second  // for an answer to begin
	callPatience   = 30 * time.Second // for one attempt in all: a staging object has up to 30 MB
)

// Clients are the AWS clients of one process.
type Clients struct {
	Config   aws.Config
	DynamoDB *dynamodb.Client
	S3       *s3.Client
	KMS      *kms.Client
}

// NewClients makes the clients from the SDK's default configuration, which honours
// AWS_REGION, AWS_ENDPOINT_URL and the others. It calls nobody. options come after
// the package's own.
func NewClients(ctx context.Context, options ...func(*config.LoadOptions) error) (*Clients, error) {
	own := []func(*config.LoadOptions) error{
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(callPatience).WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns, t.MaxIdleConnsPerHost = 4*parallel, 2*parallel
			t.ResponseHeaderTimeout = answerPatience
		})),
		config.WithRetryer(newRetryer),
		config.WithLogger(logging.Nop{}), // its lines are no JSON; what matters comes as an error
	}
	c, err := config.LoadDefaultConfig(ctx, append(own, options...)...)
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	return &Clients{
		Config:   c,
		DynamoDB: dynamodb.NewFromConfig(c),
		S3: s3.NewFromConfig(c, func(o *s3.Options) {
			o.UsePathStyle = c.BaseEndpoint != nil // emulators have no names for buckets
			o.DisableLogOutputChecksumValidationSkipped = true
		}),
		KMS: kms.NewFromConfig(c),
	}, nil
}

// newRetryer repeats what the SDK's standard retryer repeats, and also an answer
// 429 or 409: S3 says by it that another conditional write to the same name was
// under way.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) { return backoff(attempt), nil })
		o.Retryables = append(o.Retryables,
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}, http.StatusConflict: {}}})
	})
}

// backoff is how long to wait before try n+1, n from 1 on: half of it by chance.
func backoff(n int) time.Duration {
	most := min(maxBackoff, minBackoff<<min(max(n, 0), 10))
	return most/2 + rand.N(most/2)
}

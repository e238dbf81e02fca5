package onaws

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
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
// AWS_REGION, AWS_ENDPOINT_URL, profiles and the others. It calls nobody. options
// come after the package's own.
func NewClients(ctx context.Context, options ...func(*config.LoadOptions) error) (*Clients, error) {
	own := []func(*config.LoadOptions) error{
		config.WithHTTPClient(newHTTP()),
		config.WithRetryer(newRetryer),
		config.WithLogger(logging.Nop{}), // its lines are no JSON; what matters comes as an error
	}
	c, err := config.LoadDefaultConfig(ctx, append(own, options...)...)
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	return clientsOf(c), nil
}

// NewFunctionClients makes the clients of a function from what Lambda tells it by
// its environment, or an emulator in Lambda's place; they are counted with m, which
// may be nil. The SDK's own way there asks profiles, single sign-on and roles first,
// which no function has, and which would be a tenth of its program.
func NewFunctionClients(getenv func(string) string, m *Meter) (*Clients, error) {
	c := aws.Config{
		Region: getenv("AWS_REGION"),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
				SessionToken: getenv("AWS_SESSION_TOKEN"), Source: "environment"}, nil
		}),
		HTTPClient: newHTTP(), Retryer: newRetryer, Logger: logging.Nop{},
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		APIOptions:                 m.middleware(),
	}
	if endpoint := getenv(envEndpoint); endpoint != "" {
		c.BaseEndpoint = &endpoint
	}
	var errs []error
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if getenv(name) == "" {
			errs = append(errs, fmt.Errorf("%s is not set: Lambda sets it; elsewhere a function needs it as well", name))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return clientsOf(c), nil
}

func newHTTP() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(callPatience).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 4*parallel, 2*parallel
		t.ResponseHeaderTimeout = answerPatience
	})
}

func clientsOf(c aws.Config) *Clients {
	return &Clients{
		Config:   c,
		DynamoDB: dynamodb.NewFromConfig(c),
		S3: s3.NewFromConfig(c, func(o *s3.Options) {
			o.UsePathStyle = c.BaseEndpoint != nil // emulators have no names for buckets
			o.DisableLogOutputChecksumValidationSkipped = true
		}),
		KMS: kms.NewFromConfig(c),
	}
}

// newRetryer repeats what the SDK's standard retryer repeats, and also an answer
// 429 or 409: S3 says by it that another conditional write to the same name was
// under way.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.RateLimiter = ratelimit.None
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

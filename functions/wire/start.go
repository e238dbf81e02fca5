package wire

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// Start serves the function's events until the process ends; handler is what
// lambda.Start takes. Where the environment asks for it, what each event made the
// function ask of AWS is logged:
//
//	{"msg":"metered","function":"seal","calls":{"KMS Sign":1,…},"units":{"DynamoDB PutItem":2,…},"milliseconds":310}
func (a *App) Start(handler any) {
	lambda.Start(a.metered(discreet{lambda.NewHandler(handler)}))
}

// discreet shortens the ids in an invocation's error, which Lambda writes into the
// function's log as it is.
type discreet struct{ lambda.Handler }

// Invoke implements lambda.Handler.
func (d discreet) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	answer, err := d.Handler.Invoke(ctx, payload)
	if err != nil {
		err = errors.New(shorten(err.Error()))
	}
	return answer, err
}

func (a *App) metered(h lambda.Handler) lambda.Handler {
	if a.meter == nil {
		return h
	}
	return meteredHandler{h, a}
}

type meteredHandler struct {
	lambda.Handler
	app *App
}

// Invoke implements lambda.Handler. A process has one event at a time.
func (m meteredHandler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	began := time.Now()
	answer, err := m.Handler.Invoke(ctx, payload)
	c := m.app.meter.Take()
	m.app.Log.Info("metered", "calls", c.Calls, "units", c.Units, "milliseconds", time.Since(began).Milliseconds())
	return answer, err
}

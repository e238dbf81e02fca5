package wire

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// Start serves the function's events until the process ends; handler is what
// lambda.Start takes. Where the environment asks for it, what each event made the
// function ask of AWS is logged:
//
//	{"msg":"metered","function":"seal","calls":{"KMS Sign":1,…},"units":{"DynamoDB PutItem":2,…},"milliseconds":310}
func (a *App) Start(handler any) {
	lambda.Start(a.metered(lambda.NewHandler(handler)))
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

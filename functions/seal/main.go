// Command seal is the function that a rule starts every minute: it publishes what
// is committed and seals what is waiting. Two at once do no harm. The rule says
// {"tick": true}, but whatever starts it, it does the same.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"trialnotary/functions/wire"
)

func main() {
	app := wire.New("seal")
	app.AnnounceOnBus()
	sealer := newSealer(app)
	lambda.Start(func(ctx context.Context) error { return wire.Loggable(sealer.round(ctx)) })
}

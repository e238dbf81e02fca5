// Command seal is the function that a rule starts every minute: it publishes what
// is committed and seals what is waiting. Two at once do no harm. An operator invokes
// it to have a statement erased.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"trialnotary/functions/wire"
)

func main() {
	app := wire.New("seal")
	app.AnnounceOnBus()
	lambda.Start(newSealer(app).invoked)
}

// Command submit is the function that accepts signed statements, behind its own URL. It
// serves the same handler as any other edge; its role alone says what it may do.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"trialnotary/functions/url"
	"trialnotary/functions/wire"
)

func main() {
	lambda.Start(url.Handler(wire.New("submit").Handler()))
}

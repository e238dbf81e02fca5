// Command prove is the function that hands out receipts and the public log, behind its own URL. It
// serves the same handler as any other edge; its role alone says what it may do.
package main

import (
	"trialnotary/functions/url"
	"trialnotary/functions/wire"
)

func main() {
	app := wire.New("prove")
	app.Start(url.Handler(app.Handler()))
}

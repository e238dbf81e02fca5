// Command submit is the function that accepts signed statements, behind its own URL. It
// serves the same handler as any other edge; its role alone says what it may do.
package main

import (
	"trialnotary/functions/url"
	"trialnotary/functions/wire"
)

func main() {
	app := wire.New("submit")
	app.Start(url.Handler(app.Handler()))
}

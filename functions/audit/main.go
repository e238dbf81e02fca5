// Command audit is the function that a rule starts every hour: it verifies from
// the public objects alone what the log has gained since, and reads back that
// every new object is locked. {"full": true}, once a week, begins anew at the
// first batch and goes on at the following hours.
package main

import "trialnotary/functions/wire"

func main() {
	app := wire.New("audit")
	app.AnnounceOnBus()
	app.Start(newAuditor(app).round)
}

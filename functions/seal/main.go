// Command seal is the function that a rule starts every minute: it publishes what
// is committed and seals what is waiting. Two at once do no harm. The rule says
// {"tick": true}, but whatever starts it, it does the same; only {"repair": true},
// which an operator sends, brings a restored table forward to the log instead.
package main

import (
	"context"

	"trialnotary/functions/wire"
)

func main() {
	app := wire.New("seal")
	app.AnnounceOnBus()
	sealer := newSealer(app)
	app.Start(func(ctx context.Context, e event) (*repaired, error) {
		r, err := sealer.handle(ctx, e)
		return r, wire.Loggable(err)
	})
}

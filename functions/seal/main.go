// Command seal is the function that a rule starts every minute: it publishes what
// is committed and seals what is waiting. Two at once do no harm. The rule says
// {"tick": true}, but whatever starts it, it does the same; only {"repair": true},
// which an operator sends, brings a restored table forward to the log instead, and
// {"erase": …} deletes a statement, and {"handover": {}} gives the log to new keys.
package main

import "trialnotary/functions/wire"

func main() {
	app := wire.New("seal")
	app.AnnounceOnBus()
	app.Start(newSealer(app).handle)
}

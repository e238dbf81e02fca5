package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trialnotary/notary/client"
	"trialnotary/notary/text"
)

// options are those of every client of a service: who watches sees each attempt
// that failed, and when the next one is.
func (a *app) options() client.Options {
	o := client.Options{Agent: "trialnotary/" + version(), Now: a.now}
	if a.watched && !a.json {
		o.Tell = func(t client.Attempt) {
			fmt.Fprintf(a.err, "\r\x1b[K%s.\n  Nothing is lost: attempt %d of %d in %s.\n", text.Visible(t.Err.Error()), t.Next, t.Of, client.Span(t.Wait.Round(time.Second)))
		}
	}
	return o
}

// rightClock returns an error if this computer's clock is far from the service's:
// the time of a statement stands in it for ever. A service that does not answer
// does not say so.
func (a *app) rightClock(ctx context.Context, s *client.Service) *fault {
	off := s.ClockError(ctx)
	if off.Abs() <= client.MaxClockError {
		return nil
	}
	way := "behind"
	if off > 0 {
		way = "ahead of"
	}
	return &fault{code: exitUsage,
		err: fmt.Errorf("the clock of this computer is %s %s the service's: it says %s", client.Span(off), way, moment(a.now())),
		do:  "Set the clock, then run the same command again.\nIf you cannot: add --offline; the statement will say this computer's time, and the log its own beside it."}
}

// advice returns what an error of the network says may help, "" if nothing.
func advice(err error) string {
	var u *client.Unreachable
	if errors.As(err, &u) {
		return u.Do
	}
	return ""
}

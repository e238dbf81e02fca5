package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/text"
)

// options are those of every client of a service: who watches sees each attempt
// that failed, and when the next one is.
func (a *app) options() client.Options {
	o := client.Options{Agent: "trialnotary/" + version(), Now: a.now}
	if a.watched && !a.json {
		var mu sync.Mutex // several requests may fail at once
		last := ""
		o.Tell = func(t client.Attempt) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprint(a.err, "\r\x1b[K")
			if why := text.Visible(t.Err.Error()); why != last { // said once
				fmt.Fprintf(a.err, "%s.\n", why)
				last = why
			}
			fmt.Fprintf(a.err, "  Nothing is lost: attempt %d of %d in %s.\n", t.Next, t.Of, client.Span(max(t.Wait.Round(time.Second), time.Second)))
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
	if errors.Is(err, checkpoint.ErrNotSigned) {
		return "The log may have new keys. Get its new trust file, compare the fingerprint with what the operator says, and accept it: trialnotary trust FILE"
	}
	return ""
}

package client

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// MaxClockError is how far this computer's clock may be from the service's: as far
// as the service allows where a request carries its time.
const MaxClockError = 5 * time.Minute

// ClockError returns how far this computer's clock is ahead of the service's, less
// than zero if it is behind; 0 where that cannot be told. It asks once, and waits
// for no more than a few seconds: a service that does not answer is no fault of
// the clock.
func (s *Service) ClockError(ctx context.Context) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	before := s.Now()
	a, err := s.once(ctx, request{method: http.MethodGet, path: "/checkpoint", limit: 128 << 10})
	if err != nil || page(a) != nil {
		return 0
	}
	after := s.Now()
	there, ok := a.clock()
	// The answer was made at some time between, and its clock shows whole seconds.
	switch {
	case !ok:
		return 0
	case before.After(there.Add(time.Second)):
		return before.Sub(there.Add(time.Second))
	case after.Before(there):
		return after.Sub(there)
	}
	return 0
}

// clock returns the time at which an answer was sent: its date and, where a cache
// kept it, how long (RFC 9110 §6.6.1, RFC 9111 §5.1).
func (a answer) clock() (time.Time, bool) {
	t, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return time.Time{}, false
	}
	if age, err := strconv.ParseUint(a.header.Get("Age"), 10, 31); err == nil {
		t = t.Add(time.Duration(age) * time.Second)
	}
	return t, true
}

// Span writes a length of time in its two largest units: "2 h 5 min".
func Span(d time.Duration) string {
	d = d.Abs()
	switch day := 24 * time.Hour; {
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
)

// kept adds to an error what became of the user's data and how to go on; the exit
// code stays what the error says.
func kept(err error, safe, do string) error {
	return &fault{code: codeOf(err), err: err, safe: safe, do: do}
}

// await waits for evidence, no longer than --timeout and telling a terminal so.
func (a *app) await(ctx context.Context, s *client.Service, r client.Ref, first time.Duration) (receipt.Evidence, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	tell, done := a.waiting()
	defer done()
	return s.Await(ctx, r, first, tell)
}

// waiting returns what tells a terminal how long each wait is, and what ends it.
func (a *app) waiting() (tell func(time.Duration), done func()) {
	told := false
	return func(d time.Duration) {
			if a.watched && !a.json && d > 0 {
				fmt.Fprintf(a.err, "\r\x1b[KAccepted. Waiting for the seal; asking in %s.", max(d.Round(time.Second), time.Second))
				told = true
			}
		}, func() {
			if told {
				fmt.Fprint(a.err, "\r\x1b[K")
			}
		}
}

// submitAndWait sends a statement and waits for what finishes its receipt. A
// service that forgot it is sent it again once.
func (a *app) submitAndWait(ctx context.Context, s *client.Service, r client.Ref, note []byte) (receipt.Evidence, error) {
	for again := false; ; again = true {
		after, err := s.Submit(ctx, note)
		if err != nil {
			return receipt.Evidence{}, err
		}
		e, err := a.await(ctx, s, r, after)
		if errors.Is(err, client.ErrUnknown) && !again {
			continue
		}
		return e, err
	}
}

// random draws a salt.
func random() (b [32]byte) {
	rand.Read(b[:]) // never fails
	return b
}

// parseUntil parses a time, or a day: then its last second in UTC.
func parseUntil(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC().Truncate(time.Second), nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, &fault{code: exitUsage, err: fmt.Errorf("%q is not a time", s), safe: "Nothing was done.", do: "Write a day, 2027-12-31, or a time, 2027-12-31T12:00:00Z."}
	}
	return t.Add(24*time.Hour - time.Second), nil
}

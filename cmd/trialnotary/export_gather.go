package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"trialnotary/notary/client"
	"trialnotary/notary/kit"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// gatherAll asks the service for every receipt that the key may read, and a history.
func (e *exporting) gatherAll() error {
	w, err := e.opened(e.c, e.file)
	if err != nil {
		return err
	}
	srv, err := e.dial(e.c, w.trial.Service)
	if err != nil {
		return err
	}
	from, all, err := srv.TrialFetcher(e.c.Context(), w.trial, w.key, e.now())
	if err != nil {
		return err
	}
	f := &fetching{app: e.app}
	f.add(statement.RegistrationStream, w.trial.Registration.Note.Stream())
	f.add(statement.TrialStream, from.Authority().TrialStream())
	known := []string{}
	for _, x := range all {
		if x.Note != nil && len(x.Note.Keys) == 1 {
			e.learn(x.Note)
			f.add(x.Note.Keys[0].Name, x.Note.Keys[0].Stream)
			known = append(known, x.Note.Keys[0].Name)
		}
	}
	slices.Sort(known)
	if err := e.unknownStreams(slices.Compact(known)); err != nil {
		return err
	}
	var read []string
	for _, s := range f.streams {
		if !e.wants(s.Stream) {
			continue
		}
		sealed, err := srv.Stream(e.c.Context(), w.trial.Log, w.key, s.id)
		if no, ok := errors.AsType[*client.Refused](err); ok && no.Status == statusForbidden {
			e.about.Unread = append(e.about.Unread, s.Stream)
			continue
		} else if err != nil {
			return err
		}
		read = append(read, s.Stream)
		if err := e.stream(from, s.Stream, sealed); err != nil {
			return err
		}
	}
	slices.Sort(e.about.Unread)
	return e.oneHistory(w, read)
}

// stream makes the receipts of a stream.
func (e *exporting) stream(from *client.Fetcher, name string, sealed []client.Sealed) error {
	show, done := e.counter("Receipts of " + name + ":")
	defer done()
	g, ctx := errgroup.WithContext(e.c.Context())
	g.SetLimit(client.Parallel)
	var mu sync.Mutex
	for n, x := range sealed {
		if ctx.Err() != nil {
			break
		}
		show(n, len(sealed))
		e.entries = append(e.entries, x.Entry)
		if x.Note == nil {
			e.about.Erased++
			continue
		}
		g.Go(func() error {
			b, _, err := from.Receipt(ctx, x)
			if _, soon := errors.AsType[*client.NotYet](err); soon {
				return nil // no final checkpoint covers it yet: it is in the next kit
			}
			if errors.Is(err, client.ErrNoGrant) {
				return nil // made by no key in force: the history shows it as what it is
			}
			if err != nil {
				return fmt.Errorf("the receipt of log index %d: %w", x.Index, err)
			}
			mu.Lock()
			defer mu.Unlock()
			e.items = append(e.items, exported{kit.Sealed{Note: x.Note, Entry: x.Entry}, b})
			return nil
		})
	}
	return g.Wait()
}

// oneHistory gets a history of the streams that were read.
func (e *exporting) oneHistory(w *opened, read []string) error {
	r := &reader{service: w.trial.Service, log: w.trial.Log, trust: w.trial.Trust, registration: w.trial.Registration.Note,
		streams: map[string]statement.StreamID{}, key: w.key}
	for _, s := range w.trial.Streams {
		r.streams[s.Name], _ = w.trial.StreamID(s.Name)
	}
	var g gathering
	for _, name := range read {
		if len(e.streams) > 0 && name != statement.RegistrationStream && name != statement.TrialStream {
			g.streams = append(g.streams, name)
		}
	}
	if len(e.streams) > 0 && len(g.streams) == 0 {
		g.streams = []string{statement.TrialStream}
	}
	h, err := e.gather(e.c, r, g)
	if err != nil {
		return err
	}
	v, err := h.Verify(receipt.Options{Trust: e.trust, Confirmed: true, Trial: e.about.Fingerprint, Now: e.now()})
	if err != nil {
		return err
	}
	e.addHistory(h, v)
	return nil
}

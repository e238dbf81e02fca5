package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// What one submission takes: see the interface of the service.
const (
	maxTogether = 256
	maxBody     = 900 << 10 // bytes of notes; as JSON they grow a little
)

// grantAll has make add statements to the trial, submits them together, waits,
// verifies and records them. make returns the ids of those to finish, old and new.
// refused are those that the service said no to; they are out of the trial file.
func (a *app) grantAll(c *cobra.Command, w *opened, make func(t *client.Trial) ([]statement.ID, error)) (t *client.Trial, refused map[statement.ID]error, err error) {
	var ids []statement.ID
	t, err = w.memory.UpdateTrial(w.file, func(t *client.Trial) (err error) {
		if err = w.mayGrant(t, a.now()); err == nil {
			ids, err = make(t)
		}
		return err
	})
	if err != nil {
		return nil, nil, kept(err, "Nothing was sent.", hint(err))
	}
	ids = slices.DeleteFunc(ids, func(id statement.ID) bool { return find(t, id).Sealed() })
	if len(ids) == 0 {
		return t, nil, nil
	}
	srv, err := a.dial(c, t.Service)
	if err != nil {
		return nil, nil, err
	}
	f := finishing{a, w, srv, t}
	sealed, refused, err := f.seal(c.Context(), ids)
	done, uerr := f.record(sealed, refused)
	if err = errors.Join(err, uerr); err != nil {
		return nil, nil, kept(err, fmt.Sprintf("Nothing was lost: %s holds what was signed.", w.file),
			"Run the same command again: it sends the same bytes and goes on from there.")
	}
	return done, refused, nil
}

// finishing is what is on its way into the log.
type finishing struct {
	*app
	opened  *opened
	service *client.Service
	trial   *client.Trial
}

// seal submits statements of the trial file and waits until they are sealed. What
// it returns holds also after an error: so many were done.
func (f *finishing) seal(ctx context.Context, ids []statement.ID) (sealed map[statement.ID]receipt.Evidence, refused map[statement.ID]error, err error) {
	sealed, refused = map[statement.ID]receipt.Evidence{}, map[statement.ID]error{}
	show, done := f.counter("Sealed")
	tell, told := f.waiting()
	defer done()
	defer told()
	for again := range 2 { // a service that forgot a statement is sent it once more
		var forgotten []statement.ID
		for _, some := range f.chunks(ids) {
			after, err := f.service.Submit(ctx, f.notes(some)...)
			if no, ok := errors.AsType[*client.Refused](err); ok && !no.Temporary() && no.Status/100 == 4 {
				if err := f.turnedDown(ctx, some, no, refused); err != nil {
					return sealed, refused, err
				}
				some = slices.DeleteFunc(some, func(id statement.ID) bool { return refused[id] != nil })
			} else if err != nil {
				return sealed, refused, err
			}
			patience, cancel := context.WithTimeout(ctx, f.timeout)
			defer cancel()
			for _, id := range some {
				if len(sealed) > 0 {
					show(len(sealed), len(ids))
				}
				e, err := f.service.Await(patience, client.RefOf(find(f.trial, id).Note), after, tell)
				no, final := errors.AsType[*client.Refused](err)
				switch {
				case err == nil:
					sealed[id] = e
				case errors.Is(err, client.ErrUnknown) && again == 0:
					forgotten = append(forgotten, id)
				case final && no.Status == statusConflict:
					refused[id] = err
				default:
					return sealed, refused, err
				}
				after = 0
			}
		}
		if ids = forgotten; len(ids) == 0 {
			break
		}
	}
	return sealed, refused, nil
}

const statusConflict = 409 // at a receipt's address: refused when its batch was sealed

// turnedDown finds out what becomes of statements that were not accepted together:
// one that was accepted by an earlier run goes on, the others have no effect.
func (f *finishing) turnedDown(ctx context.Context, ids []statement.ID, no *client.Refused, refused map[statement.ID]error) error {
	for i, id := range ids {
		_, err := f.service.Evidence(ctx, client.RefOf(find(f.trial, id).Note))
		switch _, waits := errors.AsType[*client.NotYet](err); {
		case err == nil, waits:
		case !errors.Is(err, client.ErrUnknown):
			return errors.Join(no, err)
		case no.Index == nil || *no.Index == i || len(ids) == 1:
			refused[id] = no
		default:
			refused[id] = errTogether
		}
	}
	if len(refused) == 0 {
		return no
	}
	return nil
}

// errTogether: a statement was turned down with another one.
var errTogether = errors.New("it was sent together with one that the service refused")

// record writes down what was sealed, after verifying it, and takes out what was
// refused: that has no effect and never will. The salts drawn for it stay.
func (f *finishing) record(sealed map[statement.ID]receipt.Evidence, refused map[statement.ID]error) (*client.Trial, error) {
	return f.opened.memory.UpdateTrial(f.opened.file, func(t *client.Trial) error {
		for id := range refused {
			t.Drop(id)
		}
		a, err := t.Authority()
		if err != nil {
			return err
		}
		for id, e := range sealed {
			n := find(t, id).Note
			if n == nil {
				return errors.New("the trial file was changed by someone else meanwhile")
			}
			_, chain, err := t.AllowedBy(a, statement.TrialStream, signer(t, n), time.Time{})
			if err != nil {
				return err
			}
			if _, _, err := t.Pending(n, chain, nil, f.service.URL()).Complete(e, f.now()); err != nil {
				return fmt.Errorf("the service's answer does not verify: %w", err)
			}
		}
		return t.Complete(sealed)
	})
}

// chunks divides statements into what one submission takes.
func (f *finishing) chunks(ids []statement.ID) (all [][]statement.ID) {
	size := 0
	for _, id := range ids {
		n := len(find(f.trial, id).Statement)
		if last := len(all) - 1; last < 0 || len(all[last]) == maxTogether || size+n > maxBody {
			all, size = append(all, nil), 0
		}
		all[len(all)-1], size = append(all[len(all)-1], id), size+n
	}
	return all
}

func (f *finishing) notes(ids []statement.ID) (all [][]byte) {
	for _, id := range ids {
		all = append(all, find(f.trial, id).Statement)
	}
	return all
}

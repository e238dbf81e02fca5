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

// granting is a statement of the trial stream that grants or ends a key: enrol,
// revoke and succeed.
type granting struct {
	file string // the trial file
	// make returns the statement to sign, by what the file knows; key, log, trial,
	// stream, time and salt are filled in. An id instead of a statement: it was
	// made before and is to be finished, or is.
	make func(t *client.Trial) (*statement.Statement, *statement.ID, error)
}

// grant signs, submits, waits, verifies and records a statement. At every step the
// trial file holds what is needed to go on by running the same command again.
func (a *app) grant(c *cobra.Command, g granting) (*client.Trial, *client.Logged, error) {
	m, err := a.memory()
	if err != nil {
		return nil, nil, err
	}
	t, err := readTrial(g.file)
	if err != nil {
		return nil, nil, err
	}
	if !t.Registration.Sealed() {
		return nil, nil, kept(fmt.Errorf("the registration of %s is not finished", t.Trial), "Nothing was changed.", "Run the register command again; it goes on from where it stopped.")
	}
	name := a.key
	if name == "" {
		name = m.SponsorKey(t.Registration.Note.ID)
	}
	file, err := a.readKey(c, name)
	if err != nil {
		return nil, nil, err
	}
	key, err := a.openKey(file, name)
	if err != nil {
		return nil, nil, err
	}
	var id statement.ID
	t, err = m.UpdateTrial(g.file, func(t *client.Trial) error {
		by, _, err := t.InForce(statement.TrialStream, key.Public(), a.now())
		if err == nil && !by.Role.Grants() {
			err = fmt.Errorf("the key %s has the role %s, and only sponsor and recovery keys grant and end keys", key.Public().Name, by.Role)
		}
		if err != nil {
			return err
		}
		s, before, err := g.make(t)
		if err != nil {
			return err
		}
		if before != nil {
			id = *before
			return nil
		}
		s.Log, s.Trial, s.StreamName = t.Log, t.Trial, statement.TrialStream
		s.StreamSalt, _ = t.Salt(statement.TrialStream)
		s.Time, s.Salt = a.now().UTC().Truncate(time.Second), random()
		n, err := statement.Sign(s, key)
		if err != nil {
			return &fault{code: exitUsage, err: err}
		}
		id = n.ID
		t.Grants = append(t.Grants, client.Logged{Note: n, Logged: receipt.Logged{Statement: n.Raw}})
		return nil
	})
	if err != nil {
		return nil, nil, kept(err, "Nothing was sent.", hint(err))
	}
	if l := find(t, id); l.Sealed() {
		return t, l, nil
	}
	srv, err := a.dial(c, t.Service)
	if err != nil {
		return nil, nil, err
	}
	if t, err = a.finishGrant(c.Context(), srv, m, g.file, t, id); err != nil {
		var refused *client.Refused
		if errors.As(err, &refused) && !refused.Temporary() && refused.Status/100 == 4 {
			// It has no effect and never will; the salt drawn for it stays.
			_, derr := m.UpdateTrial(g.file, func(t *client.Trial) error { t.Drop(id); return nil })
			return nil, nil, kept(errors.Join(err, derr), "Nothing was changed in the log; the trial file is as it was.", "")
		}
		return nil, nil, kept(err, fmt.Sprintf("Nothing was lost: %s holds the statement as it was signed.", g.file),
			"Run the same command again: it sends the same bytes and goes on from there.")
	}
	return t, find(t, id), nil
}

// readTrial reads a trial file.
func readTrial(name string) (*client.Trial, error) {
	t, err := client.ReadTrial(name)
	if err != nil {
		b, rerr := client.ReadFile(name, client.MaxProfile)
		if rerr != nil {
			return nil, err
		}
		return nil, wrongFile(name, b, kindOf(client.TrialVersion), errors.Unwrap(err))
	}
	return t, nil
}

func (a *app) finishGrant(ctx context.Context, srv *client.Service, m client.Memory, file string, t *client.Trial, id statement.ID) (*client.Trial, error) {
	n := find(t, id).Note
	e, err := a.submitAndWait(ctx, srv, client.RefOf(n), n.Raw)
	if err != nil {
		return nil, err
	}
	return m.UpdateTrial(file, func(t *client.Trial) error {
		_, chain, err := t.InForce(statement.TrialStream, signer(t, n), time.Time{})
		if err != nil {
			return err
		}
		if _, _, err := t.Pending(n, chain, nil, srv.URL()).Complete(e, a.now()); err != nil {
			return fmt.Errorf("the service's answer does not verify: %w", err)
		}
		return t.Complete(id, e)
	})
}

// signer returns the full key that signed n, of those the trial file knows.
func signer(t *client.Trial, n *statement.Note) statement.PublicKey {
	keys := slices.Clone(t.Registration.Note.Keys)
	for i := range t.Grants {
		keys = append(keys, t.Grants[i].Note.Keys...)
	}
	for _, k := range keys {
		if n.VerifiedBy(k.Key) {
			return k.Key
		}
	}
	return statement.PublicKey{}
}

func find(t *client.Trial, id statement.ID) *client.Logged {
	i := slices.IndexFunc(t.Grants, func(l client.Logged) bool { return l.Note.ID == id })
	if i < 0 {
		return &client.Logged{}
	}
	return &t.Grants[i]
}

func hint(err error) string {
	var f *fault
	if errors.As(err, &f) {
		return f.do
	}
	return ""
}

// granted returns the grants of a key that are in force by what the trial file
// knows, in one stream or, for "", in all.
func granted(t *client.Trial, key statement.PublicKey, stream string, now time.Time) ([]statement.Grant, error) {
	var all []statement.Grant
	for _, s := range t.Streams {
		if stream != "" && s.Name != stream {
			continue
		}
		if g, _, err := t.InForce(s.Name, key, now); err == nil {
			all = append(all, g)
		}
	}
	if len(all) == 0 {
		in := "any stream"
		if stream != "" {
			in = "the stream " + stream
		}
		return nil, &fault{code: exitUsage, err: fmt.Errorf("the key %s is not in force for %s of %s, by what this trial file knows", key, in, t.Trial)}
	}
	return all, nil
}

package main

import (
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
	w, err := a.opened(c, g.file)
	if err != nil {
		return nil, nil, err
	}
	var id statement.ID
	t, refused, err := a.grantAll(c, w, func(t *client.Trial) ([]statement.ID, error) {
		s, before, err := g.make(t)
		if err != nil {
			return nil, err
		}
		if before != nil {
			id = *before
		} else if id, err = w.add(t, s, a.now()); err != nil {
			return nil, err
		}
		return []statement.ID{id}, nil
	})
	if err == nil && refused[id] != nil {
		err = kept(refused[id], "Nothing was changed in the log; the trial file is as it was.", "")
	}
	if err != nil {
		return nil, nil, err
	}
	return t, find(t, id), nil
}

// opened is a trial file and the open key that grants in it.
type opened struct {
	file   string
	memory client.Memory
	trial  *client.Trial
	key    statement.PrivateKey
}

// opened reads a trial file and opens the key given, or else remembered.
func (a *app) opened(c *cobra.Command, file string) (*opened, error) {
	m, err := a.memory()
	if err != nil {
		return nil, err
	}
	t, err := readTrial(file)
	if err != nil {
		return nil, err
	}
	if !t.Registration.Sealed() {
		return nil, kept(fmt.Errorf("the registration of %s is not finished", t.Trial), "Nothing was changed.", "Run the register command again; it goes on from where it stopped.")
	}
	name := a.key
	if name == "" {
		name = m.SponsorKey(t.Registration.Note.ID)
	}
	k, err := a.readKey(c, name)
	if err != nil {
		return nil, err
	}
	key, err := a.openKey(k, name)
	if err != nil {
		return nil, err
	}
	return &opened{file, m, t, key}, nil
}

// mayGrant returns an error unless the key grants and ends keys of the trial.
func (o *opened) mayGrant(t *client.Trial, now time.Time) error {
	by, _, err := t.InForce(statement.TrialStream, o.key.Public(), now)
	if err == nil && !by.Role.Grants() {
		err = fmt.Errorf("the key %s has the role %s, and only sponsor and recovery keys grant and end keys", o.key.Public().Name, by.Role)
	}
	return err
}

// add signs a statement of the trial stream and adds it to the trial, to be sealed.
func (o *opened) add(t *client.Trial, s *statement.Statement, now time.Time) (statement.ID, error) {
	s.Log, s.Trial, s.StreamName = t.Log, t.Trial, statement.TrialStream
	s.StreamSalt, _ = t.Salt(statement.TrialStream)
	s.Time, s.Salt = now.UTC().Truncate(time.Second), random()
	n, err := statement.Sign(s, o.key)
	if err != nil {
		return statement.ID{}, &fault{code: exitUsage, err: err}
	}
	t.Grants = append(t.Grants, client.Logged{Note: n, Logged: receipt.Logged{Statement: n.Raw}})
	return n.ID, nil
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
	t.Trust = current(t.Trust)
	return t, nil
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
	a, err := t.Authority()
	if err != nil {
		return nil, err
	}
	var all []statement.Grant
	for _, name := range t.Names() {
		if stream != "" && name != stream {
			continue
		}
		if g, _, err := t.AllowedBy(a, name, key, now); err == nil {
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

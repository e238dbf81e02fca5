package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// author is who seals, and what shows that they may.
type author struct {
	service, log, trial, stream string
	salt                        [32]byte
	person                      string
	trust                       *receipt.Trust
	keyFile                     string
	key                         *client.Key
	pending                     func(n *statement.Note, after []byte, service string) *client.Pending
}

// author finds out who seals: by the invite named, by the trial named, or by what
// join remembered.
func (a *app) author(c *cobra.Command, s sealing) (author, error) {
	if s.trial != "" {
		return a.sponsor(c, s.trial)
	}
	keyFile := a.key
	var i *client.Invite
	if s.invite == "" {
		j, err := a.joined(s.stream, s.again)
		if err != nil {
			return author{}, err
		}
		if i = j.Invite; keyFile == "" {
			keyFile = j.Key
		}
	} else {
		var err error
		if i, err = readInvite(s.invite); err != nil {
			return author{}, err
		}
		if m, err := a.memory(); err == nil && keyFile == "" {
			all, _ := m.Joins()
			for _, j := range all {
				if j.Invite.Grant() == i.Grant() {
					keyFile = j.Key
				}
			}
		}
	}
	k, err := a.readKey(c, keyFile)
	if err != nil {
		return author{}, err
	}
	if _, err := i.Check(k.Public, statement.TrialFingerprint(i.Registration.Note.ID), a.now()); err != nil {
		return author{}, kept(err, "Nothing was sealed.", "")
	}
	if u := i.Grants[0].Note.Until; !u.IsZero() && a.now().After(u) {
		return author{}, &fault{code: exitUsage, err: fmt.Errorf("the key %s was enrolled until %s", k.Public.Name, moment(u)), safe: "Nothing was sealed.", do: "Ask the sponsor to enrol it again."}
	}
	return author{i.Service, i.Log, i.Trial, i.Stream, i.Salt, i.Person(), i.Trust, keyFile, k, i.Pending}, nil
}

func (a *app) sponsor(c *cobra.Command, file string) (author, error) {
	t, err := readTrial(file)
	if err != nil {
		return author{}, err
	}
	m, err := a.memory()
	if err != nil {
		return author{}, err
	}
	keyFile := a.key
	if keyFile == "" {
		keyFile = m.SponsorKey(t.Registration.Note.ID)
	}
	k, err := a.readKey(c, keyFile)
	if err != nil {
		return author{}, err
	}
	g, chain, err := t.InForce(statement.TrialStream, k.Public, a.now())
	if err != nil {
		return author{}, kept(err, "Nothing was sealed.", "")
	}
	salt, _ := t.Salt(statement.TrialStream)
	return author{t.Service, t.Log, t.Trial, statement.TrialStream, salt, g.Person, t.Trust, keyFile, k,
		func(n *statement.Note, after []byte, service string) *client.Pending {
			return t.Pending(n, chain, after, service)
		}}, nil
}

package main

import (
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

func (a *app) revokeCommand() *cobra.Command {
	var reason, stream string
	c := &cobra.Command{
		Use:   "revoke TRIAL.trial VKEY --reason TEXT",
		Short: "End a key for ever",
		Long: `End a key: what it signs after this is refused, and it can never be enrolled in
that stream again. What it sealed before stays sealed.`,
		Example: `  trialnotary revoke NCT01234567.trial jdoe.key.pub --reason 'left the site'`,
		Args:    args(2, 2, "the trial file and the verifier key"),
		RunE: func(c *cobra.Command, args []string) error {
			if reason == "" {
				return usageError(c, "a revocation gives its reason", "--reason 'left the site'")
			}
			return a.revoke(c, args[0], args[1], stream, reason)
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "`WHY`, in at most 200 bytes; those who may read the trial see it")
	c.Flags().StringVar(&stream, "stream", "", "only in this `STREAM`, where the key has several")
	a.keyFlag(c, "your sponsor key, if not the one that registered the trial")
	a.serviceFlag(c, "the service, if not the trial's")
	a.timeoutFlag(c)
	return c
}

func (a *app) revoke(c *cobra.Command, file, vkey, stream, reason string) error {
	key, err := verifierKey(vkey)
	if err != nil {
		return err
	}
	t, err := readTrial(file)
	if err != nil {
		return err
	}
	// Those that wait to be finished count as not revoked yet.
	grants, err := granted(t, key, stream, a.now())
	if err != nil {
		return err
	}
	type ended struct {
		Stream    string `json:"stream"`
		Statement string `json:"statement"`
	}
	var done []ended
	var streams []string
	for _, g := range grants {
		k := g.Key
		_, l, err := a.grant(c, granting{file, func(t *client.Trial) (*statement.Statement, *statement.ID, error) {
			for i := range t.Grants {
				if n := t.Grants[i].Note; n.Kind == statement.KindRevocation && n.Keys[0] == k {
					return nil, &n.ID, nil
				}
			}
			return &statement.Statement{Kind: statement.KindRevocation, Keys: []statement.Key{k}, Reason: reason}, nil, nil
		}})
		if err != nil {
			return err
		}
		done = append(done, ended{k.Name, l.Note.ID.String()})
		streams = append(streams, k.Name)
	}
	s := &sheet{word: "REVOKED", head: key.Name + " · " + strings.Join(streams, ", ") + " · " + t.Trial}
	s.add("from now", "what this key signs is refused; what it sealed before stays sealed")
	s.add("file", "%s is updated; the version before is %s.previous", file, file)
	return a.print(s, struct {
		Trial   string  `json:"trial"`
		Key     string  `json:"verifier_key"`
		Revoked []ended `json:"revoked"`
	}{t.Trial, key.String(), done})
}

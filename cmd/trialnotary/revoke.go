package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

// ending is how a key is ended: by revoke, or by succeed for a new one.
type ending struct {
	stream, reason, out string
	yes                 bool
}

func (a *app) endingFlags(c *cobra.Command, e *ending) {
	c.Flags().StringVar(&e.reason, "reason", "", "`WHY`, in at most 200 bytes; those who may read the trial see it")
	c.Flags().StringVar(&e.stream, "stream", "", "only in this `STREAM`, where the key has several")
	c.Flags().BoolVar(&e.yes, "yes", false, "do not ask")
	a.keyFlag(c, "your sponsor key, if not the one that registered the trial")
	a.serviceFlag(c, "the service, if not the trial's")
	a.timeoutFlag(c)
}

// check returns an error unless the reason can stand in a statement.
func (e ending) check(c *cobra.Command, what, example string) error {
	switch {
	case e.reason == "":
		return usageError(c, what+" gives its reason", "--reason "+quote(example))
	case inText(e.reason) != "":
		return &fault{code: exitUsage, err: fmt.Errorf("the reason %s", inText(e.reason)), safe: "Nothing was changed.", do: "Give a reason of at most 200 bytes, typed and not pasted."}
	}
	return nil
}

func (a *app) revokeCommand() *cobra.Command {
	var e ending
	c := &cobra.Command{
		Use:   "revoke TRIAL.trial VKEY --reason TEXT",
		Short: "End a key for ever",
		Long: `End a key: what it signs after this is refused, and it can never be enrolled in
that stream again. What it sealed before stays sealed. A revocation cannot be taken
back. For a new key of the same person, succeed instead.`,
		Example: `  trialnotary revoke NCT01234567.trial jdoe.key.pub --reason "left the site"`,
		Args:    args(2, 2, "the trial file and the verifier key"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := e.check(c, "a revocation", "left the site"); err != nil {
				return err
			}
			return a.revoke(c, args[0], args[1], e)
		},
	}
	a.endingFlags(c, &e)
	return c
}

func (a *app) revoke(c *cobra.Command, file, vkey string, e ending) error {
	key, err := verifierKey(vkey)
	if err != nil {
		return err
	}
	t, err := readTrial(file)
	if err != nil {
		return err
	}
	// Those that wait to be finished count as not revoked yet.
	grants, err := granted(t, key, e.stream, a.now())
	if err != nil {
		return kept(err, "Nothing was changed.", hint(err))
	}
	if err := mayEnd(t, file, grants, a.now()); err != nil {
		return err
	}
	s := &sheet{word: "REVOKE", head: endedHead(key, grants, t.Trial)}
	addEnd(s, key)
	for _, g := range grants {
		addLeft(s, t, file, g, a.now())
	}
	if !e.yes {
		if err := a.confirm(s, "Revoke this key for ever?", "Nothing was changed."); err != nil {
			return err
		}
	}
	w, err := a.opened(c, file)
	if err != nil {
		return err
	}
	t, refused, err := a.grantAll(c, w, func(t *client.Trial) (ids []statement.ID, err error) {
		for _, g := range grants {
			id, err := w.revocation(t, g.Key, e.reason, a)
			if err != nil {
				return nil, err
			}
			ids = append(ids, id)
		}
		return ids, nil
	})
	if err != nil {
		return err
	}
	for _, err := range refused {
		return kept(err, "Nothing was changed in the log; the trial file is as it was.", "")
	}
	type ended struct {
		Stream    string   `json:"stream"`
		Statement string   `json:"statement"`
		Left      []string `json:"still_in_force"` // the stream's other keys
	}
	var done []ended
	for _, g := range grants {
		done = append(done, ended{g.Name, revokedBy(t, g.Key).String(), keysOf(t, g.Key, a.now())})
	}
	s.word = "REVOKED"
	s.add("file", "%s is updated; the version before is %s.previous", file, file)
	return a.print(s, struct {
		Trial   string  `json:"trial"`
		Key     string  `json:"verifier_key"`
		Revoked []ended `json:"revoked"`
	}{t.Trial, key.String(), done})
}

// revocation returns the id of the revocation of a key in a stream, which it adds
// unless there is one.
func (o *opened) revocation(t *client.Trial, k statement.Key, reason string, a *app) (statement.ID, error) {
	if id := revokedBy(t, k); id != (statement.ID{}) {
		return id, nil
	}
	return o.add(t, &statement.Statement{Kind: statement.KindRevocation, Keys: []statement.Key{k}, Reason: reason}, a.now())
}

// revokedBy returns the revocation of a key in a stream, sealed or not, or zero.
func revokedBy(t *client.Trial, k statement.Key) statement.ID {
	for i := range t.Grants {
		if n := t.Grants[i].Note; n.Kind == statement.KindRevocation && n.Keys[0].Key == k.Key && n.Keys[0].Stream == k.Stream {
			return n.ID
		}
	}
	return statement.ID{}
}

func endedHead(key statement.PublicKey, grants []statement.Grant, trial string) string {
	var streams []string
	for _, g := range grants {
		streams = append(streams, g.Name)
	}
	return strings.Join([]string{key.Name, strings.Join(streams, ", "), trial}, " · ")
}

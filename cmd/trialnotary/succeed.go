package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

func (a *app) succeedCommand() *cobra.Command {
	var reason, stream, out string
	c := &cobra.Command{
		Use:   "succeed TRIAL.trial OLD NEW --reason TEXT",
		Short: "Hand a stream from an old key to a new one",
		Long: `Hand a stream to a new key: the old one ends, and the new one has its role, its
stream, its holder's name and its term. For another person, revoke and enrol instead.`,
		Example: `  trialnotary succeed NCT01234567.trial jdoe.key.pub jdoe-2.key.pub --reason 'new laptop' --out jdoe-2.invite`,
		Args:    args(3, 3, "the trial file, the old and the new verifier key"),
		RunE: func(c *cobra.Command, args []string) error {
			if reason == "" {
				return usageError(c, "a succession gives its reason", "--reason 'new laptop'")
			}
			return a.succeed(c, args[0], args[1], args[2], stream, reason, out)
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "`WHY`, in at most 200 bytes; those who may read the trial see it")
	c.Flags().StringVar(&stream, "stream", "", "the `STREAM`, where the old key has several")
	c.Flags().StringVar(&out, "out", "", "the new key's invite `FILE`, created (default NAME.invite)")
	a.keyFlag(c, "your sponsor key, if not the one that registered the trial")
	a.serviceFlag(c, "the service, if not the trial's")
	a.timeoutFlag(c)
	return c
}

func (a *app) succeed(c *cobra.Command, file, oldKey, newKey, stream, reason, out string) error {
	before, err := verifierKey(oldKey)
	if err != nil {
		return err
	}
	next, err := verifierKey(newKey)
	if err != nil {
		return err
	}
	if before == next {
		return &fault{code: exitUsage, err: fmt.Errorf("the old and the new key are the same")}
	}
	if out == "" {
		out = next.Name + ".invite"
	}
	if exists(out) == nil {
		return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", out, client.ErrExists), safe: "Nothing was changed.", do: "Choose another name with --out."}
	}
	t, l, err := a.grant(c, granting{file, func(t *client.Trial) (*statement.Statement, *statement.ID, error) {
		for i := range t.Grants {
			n := t.Grants[i].Note
			if n.Kind == statement.KindSuccession && n.Keys[0].Key == next && (stream == "" || n.Keys[0].Name == stream) && endsKey(t, n, before) {
				return nil, &n.ID, nil
			}
		}
		grants, err := granted(t, before, stream, a.now())
		if err != nil {
			return nil, nil, err
		}
		if len(grants) > 1 {
			return nil, nil, &fault{code: exitUsage, err: fmt.Errorf("the key %s is enrolled for %s", before.Name, count(len(grants), "stream")), do: "Say which one with --stream " + grants[0].Name}
		}
		k := grants[0].Key
		k.Key = next
		return &statement.Statement{Kind: statement.KindSuccession, About: []statement.ID{grants[0].Statement},
			Keys: []statement.Key{k}, Reason: reason}, nil, nil
	}})
	if err != nil {
		return err
	}
	if t, err = a.endOld(c, file, t, before, l.Note.Keys[0].Name, reason); err != nil {
		return err
	}
	return a.writeInvite(t, l, out, "SUCCEEDED")
}

// endOld revokes what is left of the old key in a stream: a succession ends the one
// grant that it is about, and a key that was enrolled twice would go on signing.
func (a *app) endOld(c *cobra.Command, file string, t *client.Trial, old statement.PublicKey, stream, reason string) (*client.Trial, error) {
	left, err := granted(t, old, stream, a.now())
	if err != nil {
		return t, nil // not in force there any more
	}
	k := left[0].Key
	t, _, err = a.grant(c, granting{file, func(t *client.Trial) (*statement.Statement, *statement.ID, error) {
		for i := range t.Grants {
			if n := t.Grants[i].Note; n.Kind == statement.KindRevocation && n.Keys[0] == k {
				return nil, &n.ID, nil
			}
		}
		return &statement.Statement{Kind: statement.KindRevocation, Keys: []statement.Key{k}, Reason: reason}, nil, nil
	}})
	if err != nil {
		return nil, kept(err, fmt.Sprintf("The new key is in force, but so is %s still: it was enrolled more than once.", old.Name), "Run the same command again: it goes on from there.")
	}
	return t, nil
}

// endsKey reports whether the statement a succession is about granted that key.
func endsKey(t *client.Trial, n *statement.Note, key statement.PublicKey) bool {
	in := func(n *statement.Note) bool {
		return slices.ContainsFunc(n.Keys, func(k statement.Key) bool { return k.Key == key })
	}
	if n.About[0] == t.Registration.Note.ID {
		return in(t.Registration.Note)
	}
	return in(find(t, n.About[0]).Note)
}

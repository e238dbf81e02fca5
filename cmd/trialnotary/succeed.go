package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

func (a *app) succeedCommand() *cobra.Command {
	var e ending
	c := &cobra.Command{
		Use:   "succeed TRIAL.trial OLD NEW --reason TEXT",
		Short: "Hand a stream from an old key to a new one",
		Long: `Hand a stream to a new key: the old one ends, and the new one has its role, its
stream, its holder's name and its term. For another person, revoke and enrol instead.
The old key's end cannot be taken back.`,
		Example: `  trialnotary succeed NCT01234567.trial jdoe.key.pub new.key.pub --reason "new laptop"`,
		Args:    args(3, 3, "the trial file, the old and the new verifier key"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := e.check(c, "a succession", "new laptop"); err != nil {
				return err
			}
			return a.succeed(c, args[0], args[1], args[2], e)
		},
	}
	c.Flags().StringVar(&e.out, "out", "", "the new key's invite `FILE`, created (default NAME.invite)")
	a.endingFlags(c, &e)
	return c
}

func (a *app) succeed(c *cobra.Command, file, oldKey, newKey string, e ending) error {
	before, err := verifierKey(oldKey)
	if err != nil {
		return err
	}
	next, err := verifierKey(newKey)
	if err != nil {
		return err
	}
	if before == next {
		return &fault{code: exitUsage, err: errors.New("the old and the new key are the same"), safe: "Nothing was changed.",
			do: "Name the key that ends, then the one that takes its place."}
	}
	if e.out == "" {
		e.out = next.Name + ".invite"
	}
	if exists(e.out) == nil {
		return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", e.out, client.ErrExists), safe: "Nothing was changed.", do: "Choose another name with --out."}
	}
	if err := a.confirmSuccession(file, before, next, e); err != nil {
		return err
	}
	t, l, err := a.grant(c, granting{file, func(t *client.Trial) (*statement.Statement, *statement.ID, error) {
		for i := range t.Grants {
			n := t.Grants[i].Note
			if n.Kind == statement.KindSuccession && n.Keys[0].Key == next && (e.stream == "" || n.Keys[0].Name == e.stream) && endsKey(t, n, before) {
				return nil, &n.ID, nil
			}
		}
		grants, err := granted(t, before, e.stream, a.now())
		if err != nil {
			return nil, nil, err
		}
		if len(grants) > 1 {
			return nil, nil, &fault{code: exitUsage, err: fmt.Errorf("the key %s is enrolled for %s", before.Name, count(len(grants), "stream")), do: "Say which one with --stream " + grants[0].Name}
		}
		k := grants[0].Key
		k.Key = next
		return &statement.Statement{Kind: statement.KindSuccession, About: []statement.ID{grants[0].Statement},
			Keys: []statement.Key{k}, Reason: e.reason}, nil, nil
	}})
	if err != nil {
		return err
	}
	if t, err = a.endOld(c, file, t, before, l.Note.Keys[0].Name, e.reason); err != nil {
		return err
	}
	return a.writeInvite(t, l, e.out, "SUCCEEDED", func(s *sheet) { addEnd(s, before) })
}

// confirmSuccession asks, unless it was done before and only its end is missing.
func (a *app) confirmSuccession(file string, before, next statement.PublicKey, e ending) error {
	t, err := readTrial(file)
	if err != nil {
		return err
	}
	grants, err := granted(t, before, e.stream, a.now())
	if err != nil || len(grants) > 1 || e.yes {
		return nil // told once the key has signed for nothing, or finished
	}
	s := &sheet{word: "SUCCEED", head: endedHead(before, grants, t.Trial)}
	s.add("new", "%s, fingerprint %s", next.Name, next.Fingerprint())
	s.more("has the role, the stream, the holder's name and the term of the old key")
	addEnd(s, before)
	return a.confirm(s, "Hand the stream to the new key?", "Nothing was changed.")
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

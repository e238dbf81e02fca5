package main

import (
	"errors"
	"slices"
	"time"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

// mayEnd returns an error if no key would be left that enrols and ends keys.
func mayEnd(t *client.Trial, file string, ending []statement.Grant, now time.Time) error {
	i := slices.IndexFunc(ending, func(g statement.Grant) bool { return g.Name == statement.TrialStream && g.Role.Grants() })
	if i < 0 {
		return nil
	}
	for _, name := range keysOf(t, ending[i].Key, now) {
		if grantsKeys(t, name, now) {
			return nil
		}
	}
	return &fault{code: exitUsage, err: errors.New("it is the last key of this trial that enrols and ends keys"), safe: "Nothing was changed.",
		do: "Enrol another sponsor key first: trialnotary enrol " + quote(file) + " trial NEW.key.pub --role sponsor"}
}

// grantsKeys reports whether a key of that name in the trial stream enrols and ends
// keys.
func grantsKeys(t *client.Trial, name string, now time.Time) bool {
	for _, k := range allKeys(t) {
		if k.Name == statement.TrialStream && k.Key.Name == name {
			if g, _, err := t.InForce(k.Name, k.Key, now); err == nil && g.Role.Grants() {
				return true
			}
		}
	}
	return false
}

// allKeys returns every key line that grants, as the trial file has them.
func allKeys(t *client.Trial) []statement.Key {
	all := slices.Clone(t.Registration.Note.Keys)
	for i := range t.Grants {
		if t.Grants[i].Note.Kind != statement.KindRevocation {
			all = append(all, t.Grants[i].Note.Keys...)
		}
	}
	return all
}

// keysOf returns the names of the keys in force in the stream of k, but for k.
func keysOf(t *client.Trial, k statement.Key, now time.Time) []string {
	names := []string{}
	a, err := t.Authority()
	if err != nil {
		return names
	}
	for _, other := range allKeys(t) {
		if other.Stream != k.Stream || other.Key == k.Key || slices.Contains(names, other.Key.Name) {
			continue
		}
		if _, _, err := t.AllowedBy(a, k.Name, other.Key, now); err == nil {
			names = append(names, other.Key.Name)
		}
	}
	return names
}

// addEnd tells what it means that a key ends.
func addEnd(s *sheet, key statement.PublicKey) {
	s.add("stops", "whatever the key %s signs is refused once this is sealed, what waits in", key.Name)
	s.more(".pending files too; it can no longer ask the service for its receipts")
	s.add("stays", "all that it sealed before: those receipts verify as they did. A receipt alone")
	s.more("does not show that the key has ended; a history does")
	s.add("for ever", "it cannot be taken back, and this key cannot be enrolled there again")
}

// addLeft tells who is left in a stream after a grant has ended, and what to do.
func addLeft(s *sheet, t *client.Trial, file string, g statement.Grant, now time.Time) {
	left := keysOf(t, g.Key, now)
	if len(left) > 0 {
		s.add("left", "%s: %s", g.Name, names(left))
		return
	}
	s.add("left", "%s: nobody can seal there until another key is enrolled:", g.Name)
	s.more("trialnotary enrol %s %s NEW.key.pub --person NAME", quote(file), g.Name)
}

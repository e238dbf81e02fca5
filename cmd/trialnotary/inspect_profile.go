package main

import (
	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

func (i *inspected) key(b []byte) error {
	k, err := client.ParseKey(b)
	if err != nil {
		return err
	}
	i.private = true
	i.add("name", "%s", k.Public.Name)
	i.add("verifier", "%s", k.Public)
	i.add("to read", "%s", k.Public.Fingerprint())
	if k.Locked {
		i.add("secret", "under a passphrase")
	} else {
		i.add("secret", "in the open; not shown")
	}
	return nil
}

func (i *inspected) trial(b []byte) error {
	t, err := client.ParseTrial(b)
	if err != nil {
		return err
	}
	i.private = true
	i.add("trial", "%s, in the log %s", t.Trial, t.Log)
	i.add("fingerprint", "%s", t.Fingerprint())
	i.add("service", "%s", t.Service)
	i.add("trust", "%s", t.Trust.Fingerprint)
	if !t.Registration.Sealed() {
		i.add("registered", "not yet: the registration is signed and not known to be sealed")
	}
	i.add("streams", "%d; their salts are not shown", len(t.Streams))
	for _, s := range t.Streams {
		i.more("%s", s.Name)
	}
	for _, g := range t.Grants {
		k, state := g.Note.Keys[0], ""
		if !g.Sealed() {
			state = " (not known to be sealed)"
		}
		i.add(string(g.Note.Kind), "%s as %s of %s%s", k.Key.Name, k.Role, k.Name, state)
	}
	return nil
}

func (i *inspected) invite(b []byte) error {
	in, err := client.ParseInvite(b)
	if err != nil {
		return err
	}
	i.private = true
	k := in.Grant()
	i.add("trial", "%s, stream %s, in the log %s", in.Trial, in.Stream, in.Log)
	i.add("for", "%s, %s", k.Key, roleLine(in.Person(), k.Role, in.Grants[0].Note.Until))
	i.add("service", "%s", in.Service)
	i.add("trust", "%s", in.Trust.Fingerprint)
	for _, g := range in.Grants {
		i.granted(g.Note)
	}
	i.add("rests on", "the registration of %s, fingerprint %s", in.Registration.Note.Trial, statement.TrialFingerprint(in.Registration.Note.ID))
	i.add("salt", "not shown")
	return nil
}

func (i *inspected) pending(b []byte) error {
	p, err := client.ParsePending(b)
	if err != nil {
		return err
	}
	i.private = true
	i.note(p.Note)
	i.add("service", "%s", p.Service)
	i.add("trust", "%s", p.Trust.Fingerprint)
	return nil
}

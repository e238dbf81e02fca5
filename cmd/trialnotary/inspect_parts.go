package main

import (
	"encoding/hex"
	"fmt"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/manifest"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

func (i *inspected) statementNote(b []byte) error {
	n, err := statement.Parse(b)
	if err == nil {
		i.note(n)
	}
	return err
}

// note adds a statement's lines, but for the salts: who has them can find the
// statement's stream in the log.
func (i *inspected) note(n *statement.Note) {
	i.add("kind", "%s", n.Kind)
	i.add("trial", "%s, stream %s, in the log %s", n.Trial, n.StreamName, n.Log)
	if n.Label != "" {
		i.add("label", "%s", n.Label)
	}
	if d := n.Dataset; d != nil {
		i.add("files", "%s, %s", count(int(min(d.Files, 1<<31)), "file"), bytesOf(d.Bytes))
	}
	if n.Signer != "" {
		i.add("signer", "%s (%s)", n.Signer, n.Meaning)
	}
	if n.Supersedes != nil {
		i.add("replaces", "statement %s", n.Supersedes)
	}
	for _, id := range n.About {
		i.add("about", "statement %s", id)
	}
	if n.Reason != "" {
		i.add("reason", "%s", n.Reason)
	}
	for _, k := range n.Keys {
		i.add("grants", "%s for the stream %s, key %s", k.Role, k.Name, k.Key)
		if n.Kind == statement.KindRevocation {
			i.rows[len(i.rows)-1].word = "ends"
		}
	}
	if n.Person != "" {
		i.add("person", "%s", n.Person)
	}
	if !n.Until.IsZero() {
		i.add("until", "%s", moment(n.Until))
	}
	for _, a := range n.Also {
		i.add("also", "%s", a.Trial)
	}
	for _, r := range n.Rules {
		i.add("rule", "%s before %s", r.First, r.Then)
	}
	if n.After != nil {
		i.add("after", "a checkpoint of size %s", number(n.After.Size))
	}
	i.add("time", "%s by the signer's clock", moment(n.Time))
	i.add("signed", "with the key %s+%08x", n.KeyName, n.KeyHash)
	i.add("id", "%s", n.ID)
	if n.Kind == statement.KindRegistration {
		i.add("fingerprint", "%s", statement.TrialFingerprint(n.ID))
	}
}

func (i *inspected) receipt(b []byte) error {
	r, err := receipt.Parse(b)
	if err != nil {
		return err
	}
	if err := i.statementNote(r.Statement); err != nil {
		return err
	}
	if err := i.logged(r.Logged); err != nil {
		return err
	}
	if len(r.Timestamps) > 0 {
		i.add("timestamps", "%d", len(r.Timestamps))
	}
	for n, g := range r.Grants {
		g, err := statement.Parse(g.Statement)
		if err != nil {
			return fmt.Errorf("grant-%d: %w", n+1, err)
		}
		i.granted(g)
	}
	if r.Registration != nil {
		reg, err := statement.Parse(r.Registration.Statement)
		if err != nil {
			return fmt.Errorf("registration: %w", err)
		}
		i.add("rests on", "the registration of %s, fingerprint %s", reg.Trial, statement.TrialFingerprint(reg.ID))
	}
	return nil
}

func (i *inspected) granted(n *statement.Note) {
	for _, k := range n.Keys {
		i.add("rests on", "%s of %s as %s of %s, signed by %s", n.Kind, k.Key.Name, k.Role, k.Name, n.KeyName)
	}
}

// logged adds the place in the log: the entry and its proof, where there are.
func (i *inspected) logged(l receipt.Logged) error {
	if l.Entry != nil {
		if err := i.entry(l.Entry); err != nil {
			return err
		}
	}
	p, err := checkpoint.ParseProof(l.Proof)
	if err != nil {
		return err
	}
	c, err := checkpoint.Parse(p.Checkpoint)
	if err != nil {
		return err
	}
	i.add("proof", "of log index %s, %d hashes", number(p.Index), len(p.Hashes))
	i.checkpoint(c)
	return nil
}

func (i *inspected) entry(b []byte) error {
	e, err := entry.Parse(b)
	if err == nil {
		i.add("place", "log index %s, batch %s of %s", number(e.Index), number(e.Batch), moment(e.Time))
		i.add("stream id", "%s, %s entry", e.Stream, ordinal(e.Seq))
		i.add("statement", "%s", e.Statement)
	}
	return err
}

// checkpoint adds what is signed, and by which keys it claims to be.
func (i *inspected) checkpoint(c checkpoint.Signed) {
	i.add("checkpoint", "%s, %s leaves", c.Origin, number(c.Size))
	for _, l := range c.Lines {
		i.more("a signature line of %s+%08x", l.Name, l.Hash)
	}
}

func (i *inspected) manifest(b []byte) error {
	m, err := manifest.Parse(b)
	if err != nil {
		return err
	}
	i.private = true
	root := m.Root()
	i.add("files", "%s, %s", count(len(m.Files), "file"), bytesOf(m.Total()))
	for n, f := range m.Files {
		if n == 20 {
			i.more("and %d more", len(m.Files)-n)
			break
		}
		i.more("%s, %s, SHA-256 %s…", f.Path, bytesOf(f.Size), hex.EncodeToString(f.SHA256[:4]))
	}
	said := 0
	for _, f := range m.Files {
		if f.Content != nil {
			said++
		}
	}
	if said > 0 {
		i.add("content", "%s of %s with a digest of what it says, for trialnotary explain", number(uint64(said)), count(len(m.Files), "file"))
	}
	i.add("root", "%s", text.Base64(root[:]))
	i.add("secret", "not shown")
	return nil
}

func (i *inspected) opening(b []byte) error {
	o, err := manifest.ParseOpening(b)
	if err != nil {
		return err
	}
	i.add("opens", "%d of %s", len(o.Files), count(int(min(o.Files[0].Files, 1<<31)), "file"))
	for n, f := range o.Files {
		if n == 20 {
			i.more("and %d more", len(o.Files)-n)
			break
		}
		i.more("%s, %s, SHA-256 %s…", f.Leaf.Path, bytesOf(f.Leaf.Size), hex.EncodeToString(f.Leaf.SHA256[:4]))
	}
	i.add("root", "%s", text.Base64(o.Files[0].Root[:]))
	return nil
}

package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/entry"
	"trialnotary/notary/manifest"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// The formats that inspect knows beside those with a package of their own here.
const (
	historyVersion = "trialnotary/history@v1"
	mapVersion     = "trialnotary/map-proof@v1"
	proofVersion   = "c2sp.org/tlog-proof@v1"
)

func (a *app) inspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect FILE",
		Short: "Tell what is in any of our files, in words",
		Long: `Tell what a file of trialnotary holds: a receipt, a manifest, an invite, a key, a
checkpoint and so on. Nothing is verified, so nothing is shown to be true; secrets
are never shown.`,
		Example: `  trialnotary inspect site-042.invite`,
		Args:    args(1, 1, "the file"),
		RunE:    func(c *cobra.Command, args []string) error { return a.inspect(args[0]) },
	}
}

// kindOf names the format of a version line.
func kindOf(version string) string {
	switch version {
	case statement.Version:
		return "statement"
	case receipt.Version:
		return "receipt"
	case receipt.EvidenceVersion:
		return "service's part of a receipt"
	case receipt.TrustVersion:
		return "trust file"
	case manifest.Version:
		return "manifest"
	case manifest.OpeningVersion:
		return "opening"
	case manifest.LeafVersion:
		return "file's leaf"
	case entry.Version:
		return "log entry"
	case "trialnotary/batch@v1":
		return "batch leaf"
	case "trialnotary/head@v1":
		return "head of a batch"
	case historyVersion:
		return "history"
	case mapVersion:
		return "map proof"
	case proofVersion:
		return "inclusion proof"
	case client.KeyVersion:
		return "key file"
	case client.TrialVersion:
		return "trial file"
	case client.InviteVersion:
		return "invite"
	case client.PendingVersion:
		return "pending statement"
	}
	return "file of another version"
}

// inspected is what inspect found, as rows and for machines.
type inspected struct {
	*sheet
	private bool
}

func (a *app) inspect(name string) error {
	b, err := client.ReadFile(name, manifest.MaxSize)
	if err != nil {
		return &fault{code: exitUsage, err: err}
	}
	b, undone := text.Outer(b)
	line, _, _ := bytes.Cut(b[:min(len(b), 512)], []byte("\n"))
	version := string(line)
	i := inspected{sheet: &sheet{word: strings.ToUpper(kindOf(version)), head: name}}
	if undone != "" {
		i.add("arrival", "%s undone", undone)
	}
	if err := i.read(version, b); err != nil {
		return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", name, err)}
	}
	if i.private {
		i.add("private", "not to be passed on, but to whom it is meant for")
	}
	if version != client.KeyVersion {
		i.add("note", "this is what the file says; nothing was verified")
	}
	rows := [][2]string{}
	for _, r := range i.rows {
		rows = append(rows, [2]string{r.word, r.text})
	}
	return a.print(i.sheet, struct {
		File    string      `json:"file"`
		Version string      `json:"version"`
		Format  string      `json:"format"`
		Rows    [][2]string `json:"rows"`
	}{name, text.Visible(version), kindOf(version), rows})
}

func (i *inspected) read(version string, b []byte) error {
	switch version {
	case statement.Version:
		return i.statementNote(b)
	case receipt.Version:
		return i.receipt(b)
	case receipt.EvidenceVersion:
		e, err := receipt.ParseEvidence(b)
		if err == nil {
			err = i.logged(receipt.Logged{Entry: e.Entry, Proof: e.Proof})
		}
		return err
	case receipt.TrustVersion:
		t, err := receipt.ParseTrust(b)
		if err == nil {
			describeTrust(i.sheet, t)
		}
		return err
	case manifest.Version:
		return i.manifest(b)
	case manifest.OpeningVersion:
		return i.opening(b)
	case entry.Version:
		return i.entry(b)
	case "trialnotary/batch@v1":
		e, err := entry.ParseBatch(b)
		if err == nil {
			i.add("batch", "%s, %s", number(e.Number), moment(e.Time))
			i.add("place", "log index %s; its first entry has index %s", number(e.Index), number(e.First))
			i.add("streams", "%s after it", number(e.Streams))
		}
		return err
	case "trialnotary/head@v1":
		h, err := checkpoint.ParseHead(b)
		if err == nil {
			i.add("batch", "%s", number(h.Batch))
			i.add("size", "%s leaves", number(h.Size))
			i.add("root", "%s", text.Base64(h.Root[:]))
		}
		return err
	case proofVersion:
		return i.logged(receipt.Logged{Proof: b})
	case client.KeyVersion:
		return i.key(b)
	case client.TrialVersion:
		return i.trial(b)
	case client.InviteVersion:
		return i.invite(b)
	case client.PendingVersion:
		return i.pending(b)
	case historyVersion:
		a, err := text.ParseArchive(b, version, client.MaxProfile)
		for _, p := range a.Parts {
			i.add("part", "%s, %s", p.Name, bytesOf(uint64(len(p.Data))))
		}
		return err
	}
	if k, err := statement.ParsePublicKey(strings.TrimSuffix(string(b), "\n")); err == nil {
		i.word = "VERIFIER KEY"
		i.add("name", "%s", k.Name)
		i.add("key", "%s", k)
		i.add("to read", "%s", k.Fingerprint())
		return nil
	}
	if bytes.HasPrefix(b, []byte("PRIVATE+KEY+")) {
		i.word, i.private = "PRIVATE KEY", true
		i.add("secret", "not shown")
		return nil
	}
	if c, err := checkpoint.Parse(b); err == nil {
		i.word = "CHECKPOINT"
		i.checkpoint(c)
		return nil
	}
	if p, err := checkpoint.ParsePolicy(b); err == nil {
		i.word = "POLICY"
		i.add("log", "%s", p.Origin())
		return nil
	}
	return fmt.Errorf("it is none of our files: its first line is %q", text.Visible(version[:min(len(version), 60)]))
}

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

package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/audit"
	"trialnotary/notary/certificate"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/entry"
	"trialnotary/notary/history"
	"trialnotary/notary/manifest"
	"trialnotary/notary/parcel"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// The formats that inspect knows beside those with a package of their own here.
const (
	mapVersion   = "trialnotary/map-proof@v1"
	proofVersion = "c2sp.org/tlog-proof@v1"
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
	case history.Version:
		return "history"
	case audit.EquivocationVersion:
		return "proof of two histories"
	case audit.StateVersion:
		return "auditor's state"
	case history.QuietVersion:
		return "quiet-period attestation"
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
	if isKit(name) {
		return a.inspectKit(name)
	}
	if parcel.IsZip(head(name)) {
		return a.inspectShare(name)
	}
	b, err := client.ReadFile(name, manifest.MaxSize)
	if err != nil {
		return &fault{code: exitUsage, err: err}
	}
	attached := certificate.IsOne(b)
	if attached {
		if b, err = certificate.Receipt(b); err != nil {
			return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", name, err)}
		}
	}
	b, undone := text.Outer(b)
	line, _, _ := bytes.Cut(b[:min(len(b), 512)], []byte("\n"))
	version := string(line)
	i := inspected{sheet: &sheet{word: strings.ToUpper(kindOf(version)), head: name}}
	if attached {
		i.add("attached", "to a certificate, whose printed text says nothing here")
	}
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
			i.batch(e)
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
	case history.Version:
		return i.history(b)
	case audit.EquivocationVersion:
		return i.equivocation(b)
	case history.QuietVersion:
		return i.quiet(b)
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

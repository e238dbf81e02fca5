package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/manifest"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// sealing is one call of seal.
type sealing struct {
	paths                          []string
	invite, trial, stream, out     string
	kind, label, signer, meaning   string
	supersedes, reason             string
	about                          []string
	after, dryRun, noWait, offline bool
	blind                          bool
	from                           author
	prefix                         string
}

func (a *app) sealCommand() *cobra.Command {
	var s sealing
	c := &cobra.Command{
		Use:   "seal PATH… [--kind dataset] [--label TEXT]",
		Short: "Seal files or directories",
		Long: `Hash the files, sign a statement about them, have it sealed, and leave beside them
PREFIX.manifest (private: keep it with the data, without it they cannot be checked)
and PREFIX.receipt (to show). The files themselves go nowhere. If anything stops it,
PREFIX.pending is left, and 'trialnotary receipt' goes on from there.`,
		Example: `  trialnotary seal export
  trialnotary seal export --label 'Week 12' --meaning authorship --signer 'Jane Doe'
  trialnotary seal protocol.pdf --kind protocol --trial NCT01234567.trial
  trialnotary seal export-2 --supersedes export.20261122T132900Z.receipt --reason 'two rows were missing'`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			s.paths = args
			return a.seal(c, s)
		},
	}
	f := c.Flags()
	f.StringVar(&s.kind, "kind", string(statement.KindDataset), "`KIND`: what it is: "+sealKinds())
	f.StringVar(&s.label, "label", "", "`TEXT`, a few words about it; never a patient's name")
	f.StringVar(&s.signer, "signer", "", "printed `NAME` of who signs (default: the name the key was enrolled with)")
	f.StringVar(&s.meaning, "meaning", "", "`MEANING`: what the signature stands for: authorship, review, approval, responsibility")
	f.StringVar(&s.supersedes, "supersedes", "", "statement id, or `RECEIPT`, of what this replaces; with --reason")
	f.StringVar(&s.reason, "reason", "", "`WHY`")
	f.StringArrayVar(&s.about, "about", nil, "statement id, or `RECEIPT`, that this is about; may be repeated")
	f.StringVar(&s.invite, "invite", "", "seal under this invite `FILE`, instead of the one that join remembered")
	f.StringVar(&s.stream, "stream", "", "which of the enrolments that join remembered: `STREAM` or TRIAL:STREAM")
	f.StringVar(&s.trial, "trial", "", "seal in the trial stream of this trial `FILE`, as its sponsor")
	f.StringVar(&s.out, "out", "", "`PREFIX` of what is written (default: beside the input, NAME.<UTC time>)")
	f.BoolVar(&s.after, "after", false, "prove also that it was made after the log's newest checkpoint")
	f.BoolVar(&s.dryRun, "dry-run", false, "show what would be sealed, and write and send nothing")
	f.BoolVar(&s.blind, "blind", false, "send the service nothing but the statement's id: it seals what it never sees")
	f.BoolVar(&s.noWait, "no-wait", false, "submit, and leave the receipt for later")
	f.BoolVar(&s.offline, "offline", false, "do not submit either: leave PREFIX.pending, to be carried and submitted")
	a.keyFlag(c, "your key, if not the one that join remembered")
	a.serviceFlag(c, "the service, if not the one of the invite")
	a.timeoutFlag(c)
	return c
}

// sealKinds are the kinds that seal makes; keys have verbs of their own.
func sealKinds() string {
	var all []string
	for _, k := range statement.Kinds() {
		if sealable(k) {
			all = append(all, string(k))
		}
	}
	return strings.Join(all, ", ")
}

func sealable(k statement.Kind) bool {
	return k.Known() && !slices.Contains([]statement.Kind{statement.KindRegistration, statement.KindEnrolment, statement.KindRevocation, statement.KindSuccession}, k)
}

func (a *app) seal(c *cobra.Command, s sealing) error {
	if err := s.check(c); err != nil {
		return err
	}
	var err error
	if s.from, err = a.author(c, s); err != nil {
		return err
	}
	n, err := s.statement()
	if err != nil {
		return err
	}
	var tree *client.Tree
	if len(s.paths) > 0 {
		if tree, err = client.Scan(s.paths, nil); err != nil {
			return err
		}
	}
	if s.dryRun {
		return a.showDryRun(s, tree)
	}
	// Hashing may take hours: what can be asked or refused is, before it.
	if s.prefix, err = s.choosePrefix(a.now()); err != nil {
		return err
	}
	if err := client.Writable(filepath.Dir(s.prefix)); err != nil {
		return &fault{code: exitUsage, err: err, safe: "Nothing was sealed.", do: "Name another place with --out PREFIX."}
	}
	key, err := a.openKey(s.from.key, s.from.keyFile)
	if err != nil {
		return err
	}
	var m *manifest.Manifest
	if tree != nil {
		if m, err = a.hash(c.Context(), tree); err != nil {
			return err
		}
		n.Dataset = &statement.Dataset{Root: m.Root(), Files: uint64(len(m.Files)), Bytes: m.Total()}
	}
	service := s.from.service
	if a.service != "" {
		if service, err = client.ParseURL(a.service); err != nil {
			return &fault{code: exitUsage, err: err, safe: "Nothing was sealed."}
		}
	}
	p, err := a.signStatement(c, s, n, key, service)
	if err != nil {
		return err
	}
	if err := writeBeside(s.prefix, m, p); err != nil {
		return err
	}
	return a.finishSeal(c, s, p, m)
}

// check refuses what cannot become a statement, before anything is hashed.
func (s *sealing) check(c *cobra.Command) error {
	kind := statement.Kind(s.kind)
	bad := func(what, do string) error {
		return &fault{code: exitUsage, err: errors.New(what), safe: "Nothing was sealed.", do: do}
	}
	if !sealable(kind) {
		do := "The kinds: " + sealKinds()
		switch kind {
		case statement.KindRegistration:
			do = "To open a trial: trialnotary register"
		case statement.KindEnrolment, statement.KindRevocation, statement.KindSuccession:
			do = "Keys have verbs of their own: trialnotary enrol, revoke, succeed"
		}
		return bad(fmt.Sprintf("%q is not a kind that is sealed", s.kind), do)
	}
	allowed, required := kind.Content()
	switch {
	case len(s.paths) == 0 && required:
		return bad("no file or directory was named", "For example: trialnotary seal export")
	case len(s.paths) > 0 && !allowed:
		return bad(fmt.Sprintf("a statement of kind %s is about no files", kind), "Leave the paths away; say what it is about with --about.")
	case s.invite != "" && s.trial != "", s.invite != "" && s.stream != "", s.trial != "" && s.stream != "":
		return bad("--invite, --stream and --trial exclude each other", "At a site name the invite or the stream, as the sponsor the trial.")
	case s.signer != "" && s.meaning == "":
		return bad("a signer's name needs what the signature stands for", "Add --meaning authorship, review, approval or responsibility.")
	case s.meaning != "" && !statement.Meaning(s.meaning).Known():
		return bad(fmt.Sprintf("%q is not a meaning of a signature", s.meaning), "Write --meaning authorship, review, approval or responsibility.")
	case s.supersedes != "" && s.reason == "":
		return bad("what replaces another says why", "Add --reason 'two rows were missing'.")
	case inText(s.label) != "":
		return bad("the label "+inText(s.label), "Give a label of at most 200 bytes, typed and not pasted.")
	case inText(s.reason) != "":
		return bad("the reason "+inText(s.reason), "Give a reason of at most 200 bytes, typed and not pasted.")
	case s.dryRun && (s.noWait || s.offline):
		return bad("--dry-run sends nothing; --no-wait and --offline have no meaning with it", "")
	case s.offline && s.after:
		return bad("--after asks the log for its newest checkpoint, and --offline forbids to", "Leave one of them away.")
	}
	return nil
}

// inText says what is wrong with a line of free text, "" if nothing.
func inText(s string) string {
	switch i := text.IndexForbidden(s, false); {
	case i >= 0:
		return fmt.Sprintf("%q has a character that is not to be seen, or turns the direction of writing", text.Visible(s))
	case len(s) > 200:
		return fmt.Sprintf("has %d bytes, 200 are allowed", len(s))
	case s != strings.TrimSpace(s):
		return fmt.Sprintf("%q begins or ends with a blank", s)
	}
	return ""
}

// statement builds the statement, but for dataset, after, time and salt.
func (s *sealing) statement() (*statement.Statement, error) {
	n := &statement.Statement{Log: s.from.log, Trial: s.from.trial, StreamName: s.from.stream, StreamSalt: s.from.salt,
		Kind: statement.Kind(s.kind), Label: s.label, Meaning: statement.Meaning(s.meaning), Signer: s.signer, Reason: s.reason}
	if n.Meaning != "" && n.Signer == "" {
		if n.Signer = s.from.person; n.Signer == "" {
			return nil, &fault{code: exitUsage, err: errors.New("whose signature is it? The key was enrolled without a person's name"), safe: "Nothing was sealed.", do: "Add --signer 'Jane Doe'."}
		}
	}
	if s.from.person != "" && n.Signer != "" && n.Signer != s.from.person {
		return nil, &fault{code: exitUsage, err: fmt.Errorf("the key was enrolled for %q, and %q is to sign", s.from.person, n.Signer), safe: "Nothing was sealed.",
			do: "Each person signs with their own key; leave --signer away to sign as " + s.from.person + "."}
	}
	if s.supersedes != "" {
		id, err := statementID(s.supersedes)
		if err != nil {
			return nil, err
		}
		n.Supersedes = &id
	}
	for _, ref := range s.about {
		id, err := statementID(ref)
		if err != nil {
			return nil, err
		}
		n.About = append(n.About, id)
	}
	return n, nil
}

// statementID parses a statement id, or takes it out of a receipt.
func statementID(s string) (statement.ID, error) {
	if id, err := statement.ParseID(s); err == nil {
		return id, nil
	}
	b, err := client.ReadFile(s, 2*receipt.MaxSize)
	if err != nil {
		return statement.ID{}, &fault{code: exitUsage, err: fmt.Errorf("%q is neither a statement id, 64 hex digits, nor a receipt that can be read: %w", s, err), safe: "Nothing was sealed."}
	}
	r, _, err := receipt.ParseOuter(b)
	if err == nil {
		var n *statement.Note
		if n, err = statement.Parse(r.Statement); err == nil {
			return n.ID, nil
		}
	}
	return statement.ID{}, &fault{code: exitUsage, err: fmt.Errorf("%s: %w", s, err), safe: "Nothing was sealed."}
}

// choosePrefix returns a prefix under which nothing exists.
func (s *sealing) choosePrefix(now time.Time) (string, error) {
	taken := func(p string) string {
		for _, ext := range []string{".manifest", ".pending", ".receipt"} {
			if exists(p+ext) == nil {
				return p + ext
			}
		}
		return ""
	}
	if s.out != "" {
		if t := taken(s.out); t != "" {
			return "", &fault{code: exitUsage, err: fmt.Errorf("%s: %w", t, client.ErrExists), safe: "Nothing was sealed.", do: "Choose another prefix with --out."}
		}
		return s.out, nil
	}
	at := now.UTC().Format("20060102T150405Z")
	base := s.kind + "." + at
	if len(s.paths) > 0 {
		p := filepath.Clean(s.paths[0])
		if name := filepath.Base(p); name == "." || name == ".." {
			abs, err := filepath.Abs(p)
			if err != nil {
				return "", err
			}
			p = abs
		}
		if len(s.paths) > 1 {
			p = filepath.Join(filepath.Dir(p), "sealed")
		}
		base = p + "." + at
	}
	for n := 1; ; n++ {
		p := base
		if n > 1 {
			p = fmt.Sprintf("%s-%d", base, n)
		}
		if taken(p) == "" {
			return p, nil
		}
	}
}

// signStatement adds what is last, and signs. Nothing has been written so far.
func (a *app) signStatement(c *cobra.Command, s sealing, n *statement.Statement, key statement.PrivateKey, service string) (*client.Pending, error) {
	var after []byte
	if s.after {
		var err error
		if after, err = a.newest(c.Context(), service, s.from.trust, n); err != nil {
			return nil, kept(err, "Nothing was sealed.", "Without --after, sealing does not need the service before it submits.")
		}
	}
	n.Time, n.Salt = a.now().UTC().Truncate(time.Second), random()
	note, err := statement.Sign(n, key)
	if err != nil {
		return nil, &fault{code: exitUsage, err: err, safe: "Nothing was sealed."}
	}
	return s.blindly(s.from.pending(note, after, service), key)
}

// newest fetches the newest final checkpoint, verifies it and names it in n.
func (a *app) newest(ctx context.Context, service string, trust *receipt.Trust, n *statement.Statement) ([]byte, error) {
	srv, err := client.New(service, client.Options{})
	if err != nil {
		return nil, err
	}
	b, err := srv.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	cp, err := checkpoint.Parse(b)
	if err != nil {
		return nil, err
	}
	if _, err := trust.Policy.Verify(cp, nil); err != nil {
		return nil, fmt.Errorf("the service's checkpoint does not verify: %w", err)
	}
	n.After = &statement.After{Size: cp.Size, Hash: sha256.Sum256(b)}
	return b, nil
}

// writeBeside writes the manifest, then the pending file, before anything is sent:
// from here on nothing can be lost.
func writeBeside(prefix string, m *manifest.Manifest, p *client.Pending) error {
	fail := func(err error) error { return kept(err, "Nothing was sealed; your files are as they were.", "") }
	b, err := p.Bytes()
	if err != nil {
		return fail(err)
	}
	if m != nil {
		list, err := m.Bytes()
		if err != nil {
			return fail(err)
		}
		if err := client.WriteNew(prefix+".manifest", list, client.Private); err != nil {
			return fail(err)
		}
	}
	if err := client.WriteNew(prefix+".pending", b, client.Private); err != nil {
		if m != nil {
			os.Remove(prefix + ".manifest") // ours, and the manifest of nothing
		}
		return fail(err)
	}
	return nil
}

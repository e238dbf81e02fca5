package main

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/inventory"
	"trialnotary/notary/manifest"
	"trialnotary/notary/statement"
)

// sealing is one call of seal, or of a verb that seals.
type sealing struct {
	paths                          []string
	invite, trial, stream, out, as string
	kind, label, signer, meaning   string
	supersedes, reason             string
	about                          []string
	after, dryRun, noWait, offline bool
	yes, sums, blind               bool

	// again writes the command anew, with other flags: for those who must choose.
	again   func(flags ...string) string
	from    author
	tree    *client.Tree    // nil: about no files
	list    *inventory.List // nil: nobody's list
	checked string          // what was compared with the list
	careful []string        // what to think about before it is signed
	shown   int             // how many of these a receipt shows
	of      *withdrawn      // what a withdrawal is about
	beside  string          // how a default prefix begins, "": as the input
	prefix  string
}

func (a *app) sealCommand() *cobra.Command {
	var s sealing
	c := &cobra.Command{
		Use:   "seal PATH… [--kind dataset] [--label TEXT]",
		Short: "Seal files or directories",
		Long: `Hash the files, sign a statement about them, have it sealed, and leave beside them
PREFIX.manifest (private: keep it with the data, without it they cannot be checked)
and PREFIX.receipt (to show). The files themselves go nowhere. If anything stops it,
PREFIX.pending is left, and 'trialnotary receipt' goes on from there.

On a terminal it shows what it is about to seal and asks. What desktops leave in
directories (Thumbs.db, desktop.ini, .DS_Store, ._NAME, ~$NAME) is left out, and said
so; name such a file itself to have it sealed. A BagIt bag, an RO-Crate and, with
--as sums, a file of sha256sum or sha512sum are checked first: what differs is listed,
and nothing is sealed.`,
		Example: `  trialnotary seal export
  trialnotary seal export --label "Week 12" --meaning authorship --signer "Jane Doe"
  trialnotary seal protocol.pdf --kind protocol --trial NCT01234567.trial
  trialnotary seal SHA256SUMS --as sums
  trialnotary seal export-2 --supersedes export.receipt --reason "two rows were missing"`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			s.paths = args
			s.again = func(flags ...string) string { return retyped(c, args, flags...) }
			return a.seal(c, s)
		},
	}
	f := c.Flags()
	f.StringVar(&s.kind, "kind", string(statement.KindDataset), "`KIND` of what is sealed: "+sealKinds())
	f.StringVar(&s.label, "label", "", "a few words of `TEXT` about it; never a patient's name")
	f.StringVar(&s.signer, "signer", "", "printed `NAME` of who signs (default: the name the key was enrolled with)")
	f.StringVar(&s.meaning, "meaning", "", "`MEANING` of the signature: authorship, review, approval, responsibility")
	f.StringVar(&s.supersedes, "supersedes", "", "statement id, or `RECEIPT`, of what this replaces; with --reason")
	f.StringVar(&s.reason, "reason", "", "`WHY`, in a sentence; with --supersedes, and wherever it helps")
	f.StringArrayVar(&s.about, "about", nil, "statement id, or `RECEIPT`, that this is about; may be repeated")
	f.StringVar(&s.invite, "invite", "", "seal under this invite `FILE`, instead of the one that join remembered")
	f.StringVar(&s.stream, "stream", "", "which of the enrolments that join remembered: `STREAM` or TRIAL:STREAM")
	f.StringVar(&s.trial, "trial", "", "seal in the trial stream of this trial `FILE`, as its sponsor")
	f.StringVar(&s.as, "as", "", "`FORM` of what is named: files, bag, ro-crate, sums (default: a bag or crate that shows itself as one, else files)")
	f.BoolVar(&s.sums, "sums", false, "write also PREFIX.SHA256SUMS, for sha256sum -c (private: it names the files)")
	f.StringVar(&s.out, "out", "", "`PREFIX` of what is written (default: beside the input, NAME.<UTC time>)")
	f.BoolVar(&s.after, "after", false, "prove also that it was made after the log's newest checkpoint")
	f.BoolVar(&s.dryRun, "dry-run", false, "show what would be sealed, and write and send nothing")
	f.BoolVar(&s.yes, "yes", false, "do not ask on a terminal")
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
	roots, err := s.readList()
	if err != nil {
		return err
	}
	if s.from, err = a.author(c, s); err != nil {
		return err
	}
	if err := s.ownStream(a.now()); err != nil {
		return err
	}
	n, err := s.statement()
	if err != nil {
		return err
	}
	if len(roots) > 0 {
		if s.tree, err = client.Scan(roots, s.skip()); err != nil {
			return err
		}
	}
	if err := s.checkNames(); err != nil {
		return err
	}
	s.careful = append(careful("the label", s.label, a.now()), careful("the reason", s.reason, a.now())...)
	s.shown = len(s.careful)
	s.careful = append(append(s.careful, s.ownFiles()...), s.notOnWindows()...)
	if s.prefix, err = s.choosePrefix(a.now()); err != nil {
		return err
	}
	// Hashing may take hours: what can be asked or refused is, before it.
	if s.dryRun {
		if s.list != nil {
			if _, err = a.hash(c.Context(), &s); err != nil {
				return err
			}
		}
		return a.showDryRun(s)
	}
	if err := client.Writable(filepath.Dir(s.prefix)); err != nil {
		return &fault{code: exitUsage, err: err, safe: "Nothing was sealed.", do: "Name another place with --out PREFIX."}
	}
	if err := a.agree(s); err != nil {
		return err
	}
	key, err := a.openKey(s.from.key, s.from.keyFile)
	if err != nil {
		return err
	}
	if err := a.ready(c, s); err != nil {
		return err
	}
	var m *manifest.Manifest
	if s.tree != nil {
		if m, err = a.hash(c.Context(), &s); err != nil {
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
	if err := s.writeBeside(m, p, a.now()); err != nil {
		return err
	}
	return a.finishSeal(c, s, p, m)
}

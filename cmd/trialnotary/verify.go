package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/certificate"
	"trialnotary/notary/client"
	"trialnotary/notary/history"
	"trialnotary/notary/manifest"
	"trialnotary/notary/parcel"
	"trialnotary/notary/receipt"
	"trialnotary/notary/share"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// verifying is one call of verify.
type verifying struct {
	manifest, opening, trial string
	history                  string
	exact                    bool
	beside                   bool // of a directory: compare the files beside each receipt
	paths                    []string
	font                     string       // that a certificate was printed with
	zip                      *share.Share // the receipt came in it
	noOpening                bool         // only a manifest will do
}

func (a *app) verifyCommand() *cobra.Command {
	var v verifying
	c := &cobra.Command{
		Use:   "verify RECEIPT|HISTORY|SHARE.zip|KIT.zip|CERTIFICATE.pdf|DIR [PATH…]",
		Short: "Check a receipt or a history, and that files are what was sealed",
		Long: `Check a receipt, offline. With paths, check also that those files are what was
sealed: that needs the manifest or opening, which is found beside the receipt, or in
the zip that 'trialnotary share' made. For a directory, check every receipt below it;
with --files, also that what stands beside each, with its manifest, is what was sealed.
With a history, tell what was said of the statement later. A history by itself: check
that nothing was left out of it. The kit of a trial, as 'trialnotary export' makes it:
everything in it, in one table. What 'trialnotary audit' left of a log that signed two
histories: that it did. Of a certificate, the receipt attached to it is checked, and
whether the printed text is what this program prints for it.

Exit codes: 0 verified, 1 NOT verified, 2 it could not be checked, 5 consistent, but
whose log this is is unconfirmed, because you have accepted no trust file of it.`,
		Example: `  trialnotary verify export.20261122T132900Z.receipt export
  trialnotary verify site1.receipt a.csv --opening ab.opening --trust acme.trust
  trialnotary verify board.zip dm.csv
  trialnotary verify site1.receipt --history NCT01234567.history
  trialnotary verify NCT01234567.history
  trialnotary verify NCT01234567.zip
  trialnotary verify site1.pdf
  trialnotary verify receipts/`,
		Args: args(1, -1, "the receipt"),
		RunE: func(c *cobra.Command, args []string) error {
			v.paths = args[1:]
			return a.verify(c.Context(), args[0], v)
		},
	}
	c.Flags().StringVar(&v.manifest, "manifest", "", "the manifest `FILE`, if not beside the receipt")
	c.Flags().StringVar(&v.opening, "opening", "", "an opening `FILE`, which shows some of the files, instead of the manifest")
	c.Flags().StringVar(&v.history, "history", "", "a history `FILE`, which knows of later corrections, withdrawals and revocations")
	c.Flags().StringVar(&v.trial, "trial", "", "the trial `FINGERPRINT`, as the protocol or the registry has it")
	c.Flags().BoolVar(&v.exact, "exact", false, "fail also if there are files that were not sealed")
	c.Flags().BoolVar(&v.beside, "files", false, "of a directory: compare also the files that stand beside each receipt")
	c.Flags().StringVar(&v.font, "font", "", "of a certificate: the font `FILE` it was printed with")
	a.trustFlag(c, "to verify with, instead of the one you accepted")
	return c
}

// The last steps: the files, and what a history says.
const (
	stepBytes   = "files"
	stepHistory = "history"
)

// stepWords says in words what failed.
var stepWords = map[string]string{
	receipt.StepContainer:    "the form of the receipt",
	receipt.StepParts:        "the parts of the receipt",
	receipt.StepCheckpoints:  "the signatures of the log",
	receipt.StepInclusion:    "the place in the log",
	receipt.StepEntry:        "the log's entries",
	receipt.StepRegistration: "the trial's registration",
	receipt.StepAuthority:    "the right of the key to sign",
	receipt.StepSignature:    "the signature of the statement",
	receipt.StepAfter:        "the checkpoint it was made after",
	stepBytes:                "the files",
	stepHistory:              "the history",
	history.StepAuditors:     "the auditors' signatures",
	history.StepMap:          "the map of the streams",
	history.StepEntries:      "the entries of the streams",
	history.StepStatements:   "the statements shown",
}

// checked is the result of one receipt.
type checked struct {
	file    string
	verdict *receipt.Verdict // nil if the receipt did not verify
	failure *receipt.Failure
	trust   belief
	undone  string       // on arrival
	aside   []string     // what came in the zip and was not checked
	page    *printedPage // of a certificate
	now     time.Time
	bytes   *compared
	later   *later // what a history says of it; nil without one
	explain string // the command that says why the files differ, "" if nothing can
}

func (r *checked) code() int {
	switch {
	case r.failure != nil:
		return exitNotVerified
	case !r.verdict.Confirmed:
		return exitUnconfirmed
	}
	return exitDone
}

func (a *app) verify(ctx context.Context, name string, v verifying) error {
	if v.trial != "" {
		if _, err := statement.ParseFingerprint(v.trial); err != nil {
			return &fault{code: exitUsage, err: err, do: "A trial fingerprint has 40 hex digits: 41B7-…"}
		}
	}
	if v.manifest != "" && v.opening != "" {
		return &fault{code: exitUsage, err: errors.New("--manifest and --opening exclude each other"), do: "Give the one that you were sent."}
	}
	info, err := os.Stat(name)
	if err == nil && !info.IsDir() && v.beside {
		return &fault{code: exitUsage, err: errors.New("--files is for a directory of receipts"), do: "Name the files after the receipt: trialnotary verify " + quote(name) + " PATH"}
	}
	if err != nil {
		return client.Unreadable(name, err)
	}
	if info.IsDir() {
		return a.verifyDir(ctx, name, v)
	}
	if isHistory(name) {
		return a.verifyHistory(name, v)
	}
	if isEquivocation(name) {
		return a.verifyEquivocation(name, v)
	}
	if isQuiet(name) {
		return a.verifyQuiet(name, v)
	}
	if isKit(name) {
		return a.verifyKit(name, v)
	}
	r, err := a.open(name, &v)
	if err != nil {
		return err
	}
	if r.failure == nil {
		if r.bytes, err = a.compare(ctx, r, v); err != nil {
			return err
		}
		if c := r.bytes; r.failure != nil && !c.foreign && len(c.Changed)+len(c.Extra) > 0 {
			r.explain = a.commandOf("explain", name, v)
		}
	}
	if err := a.lookUp(r, v); err != nil {
		return err
	}
	return a.showVerdict(r)
}

// open verifies the receipt itself, or the one in a zip or a certificate.
func (a *app) open(name string, v *verifying) (*checked, error) {
	if certificate.IsPDF(head(name)) {
		return a.openCertificate(name, v)
	}
	if !parcel.IsZip(head(name)) {
		return a.check(name, *v)
	}
	if v.manifest != "" || v.opening != "" {
		return nil, &fault{code: exitUsage, err: errors.New("a zip is verified with what is in it, without --manifest or --opening"), do: "Unpack it to verify its receipt with another manifest."}
	}
	var err error
	if v.zip, err = readShare(name); err != nil {
		return nil, err
	}
	r, err := a.checkBytes(name, v.zip.Receipt, *v)
	if err != nil {
		return nil, err
	}
	if v.zip.Note != nil {
		r.aside = append(r.aside, share.NoteName)
	}
	if v.zip.Certificate != nil {
		r.aside = append(r.aside, share.CertificateName)
	}
	return r, nil
}

// check verifies the receipt itself.
func (a *app) check(name string, v verifying) (*checked, error) {
	// CR LF makes a file larger; the limit holds once that is undone.
	b, err := client.ReadFile(name, 2*receipt.MaxSize)
	if err != nil {
		return nil, &fault{code: exitUsage, err: err}
	}
	return a.checkBytes(name, b, v)
}

// checkBytes verifies a receipt that was read from a file, or from a zip of that
// name.
func (a *app) checkBytes(name string, b []byte, v verifying) (*checked, error) {
	r := &checked{file: name, now: a.now()}
	b, r.undone = text.Outer(b)
	if err := isReceipt(name, b); err != nil {
		return nil, err
	}
	rec, err := receipt.Parse(b)
	if err != nil {
		r.failure = &receipt.Failure{Step: receipt.StepContainer, Reason: err.Error()}
		return r, nil
	}
	r.trust, r.failure, err = a.judge(filepath.Dir(name), originOf(rec.Proof), v.trial, r.undone, func(o receipt.Options) (err error) {
		r.verdict, err = rec.Verify(o)
		return err
	})
	return r, err
}

// isReceipt says in a sentence what a file is that is no receipt.
func isReceipt(name string, b []byte) error {
	line, _, _ := bytes.Cut(b[:min(len(b), 80)], []byte("\n"))
	what, do := "", ""
	switch version := string(line); {
	case version == receipt.Version:
		return nil
	case version == history.Version:
		what, do = "is a history, not a receipt", "To check it: trialnotary verify "+quote(name)
	case version == manifest.Version:
		what, do = "is a manifest, not a receipt", "Verify the receipt, with --manifest "+quote(name)
	case version == manifest.OpeningVersion:
		what, do = "is an opening, not a receipt", "Verify the receipt, with --opening "+quote(name)
	case version == client.PendingVersion:
		what, do = "is a pending statement: its receipt is not there yet", "To get it: trialnotary receipt "+quote(name)
	case strings.HasPrefix(version, "trialnotary/"):
		what, do = "is a "+kindOf(version)+", not a receipt", "To see what it holds: trialnotary inspect "+quote(name)
	default:
		what, do = "is not a receipt: it does not begin with the line "+receipt.Version, "A receipt's name ends with .receipt. To check files, name the receipt first, then the files."
	}
	return &fault{code: exitUsage, err: fmt.Errorf("%s %s", name, what), do: do}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/manifest"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// verifying is one call of verify.
type verifying struct {
	manifest, opening, trial string
	exact                    bool
	paths                    []string
}

func (a *app) verifyCommand() *cobra.Command {
	var v verifying
	c := &cobra.Command{
		Use:   "verify RECEIPT|DIR [PATH…]",
		Short: "Check a receipt, and that files are what was sealed",
		Long: `Check a receipt, offline. With paths, check also that those files are what was
sealed: that needs the manifest, which is found beside the receipt, or an opening.
For a directory, check every receipt below it.

Exit codes: 0 verified, 1 NOT verified, 2 it could not be checked, 5 consistent, but
whose log this is is unconfirmed, because you have accepted no trust file of it.`,
		Example: `  trialnotary verify export.20261122T132900Z.receipt export
  trialnotary verify site1.receipt a.csv --opening ab.opening --trust acme.trust
  trialnotary verify receipts/`,
		Args: args(1, -1, "the receipt"),
		RunE: func(c *cobra.Command, args []string) error {
			v.paths = args[1:]
			return a.verify(c.Context(), args[0], v)
		},
	}
	c.Flags().StringVar(&v.manifest, "manifest", "", "the manifest, if not beside the receipt")
	c.Flags().StringVar(&v.opening, "opening", "", "an opening, which shows some of the files, instead of the manifest")
	c.Flags().StringVar(&v.trial, "trial", "", "the trial fingerprint, as the protocol or the registry has it")
	c.Flags().BoolVar(&v.exact, "exact", false, "fail also if there are files that were not sealed")
	a.trustFlag(c, "trust file to verify with, instead of the one you accepted")
	return c
}

// stepBytes is the last step: the files.
const stepBytes = "files"

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
}

// checked is the result of one receipt.
type checked struct {
	file    string
	verdict *receipt.Verdict // nil if the receipt did not verify
	failure *receipt.Failure
	trust   belief
	undone  string // on arrival
	bytes   *compared
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

// belief is the trust file that a receipt was verified with.
type belief struct {
	trust     *receipt.Trust
	name, how string
	confirmed bool
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
	if err != nil {
		return &fault{code: exitUsage, err: fmt.Errorf("%s cannot be found or read", name)}
	}
	if info.IsDir() {
		return a.verifyDir(name, v)
	}
	r, err := a.check(name, v)
	if err != nil {
		return err
	}
	if r.failure == nil {
		if r.bytes, err = a.compare(ctx, r, v); err != nil {
			return err
		}
	}
	return a.showVerdict(r)
}

// check verifies the receipt itself.
func (a *app) check(name string, v verifying) (*checked, error) {
	// CR LF makes a file larger; the limit holds once that is undone.
	b, err := client.ReadFile(name, 2*receipt.MaxSize)
	if err != nil {
		return nil, &fault{code: exitUsage, err: err}
	}
	r := &checked{file: name}
	b, r.undone = text.Outer(b)
	if err := isReceipt(name, b); err != nil {
		return nil, err
	}
	rec, err := receipt.Parse(b)
	if err != nil {
		r.failure = &receipt.Failure{Step: receipt.StepContainer, Reason: err.Error()}
		return r, nil
	}
	beliefs, err := a.believe(filepath.Dir(name), originOf(rec))
	if err != nil {
		return nil, err
	}
	// Several only where none is the visitor's own: then any that fits will do.
	for _, r.trust = range beliefs {
		o := receipt.Options{Trust: r.trust.trust, Confirmed: r.trust.confirmed, Trial: v.trial, Now: a.now()}
		if r.undone != "" {
			o.Hint = "on arrival " + r.undone + " had to be undone: ask for the file as it was first made"
		}
		r.verdict, err = rec.Verify(o)
		if err == nil {
			r.failure = nil
			return r, nil
		}
		var f *receipt.Failure
		if !errors.As(err, &f) {
			return nil, err
		}
		r.failure = f
	}
	return r, nil
}

// isReceipt says in a sentence what a file is that is no receipt.
func isReceipt(name string, b []byte) error {
	line, _, _ := bytes.Cut(b[:min(len(b), 80)], []byte("\n"))
	what, do := "", ""
	switch version := string(line); {
	case version == receipt.Version:
		return nil
	case version == "trialnotary/history@v1":
		what, do = "is a history, which this version does not check yet", "Check the receipts it is about one by one."
	case strings.HasPrefix(version, "PK\x03\x04"):
		what, do = "is a zip; this version does not look into a kit or share by itself", "Unpack it, then verify the directory."
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

// originOf returns the log a receipt says it is of, "" if that cannot be read.
func originOf(r *receipt.Receipt) string {
	p, err := checkpoint.ParseProof(r.Proof)
	if err != nil {
		return ""
	}
	s, err := checkpoint.Parse(p.Checkpoint)
	if err != nil {
		return ""
	}
	return s.Origin
}

// believe returns the trust file of the visitor's own: given, or accepted for that
// log. Without one it returns those that came with the evidence, which do not
// count, or a belief in nothing.
func (a *app) believe(dir, origin string) ([]belief, error) {
	if a.trust != "" {
		t, err := readTrust(a.trust)
		if err != nil {
			return nil, err
		}
		return []belief{{t, filepath.Base(a.trust), "given by you", true}}, nil
	}
	m, err := a.memory()
	if err != nil {
		return nil, err
	}
	acc, err := m.Accepted(origin)
	if err != nil {
		return nil, err
	}
	if acc != nil {
		return []belief{{acc.Trust, acc.Name, "accepted by you", true}}, nil
	}
	var beside []belief
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if len(beside) == 16 { // each is tried; a directory may hold any number
			break
		}
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".trust") {
			continue
		}
		b, err := client.ReadFile(filepath.Join(dir, e.Name()), 2*receipt.MaxTrustSize)
		if err != nil {
			continue
		}
		b, _ = text.Outer(b)
		if t, err := receipt.ParseTrust(b); err == nil && t.Policy.Origin() == origin {
			beside = append(beside, belief{t, e.Name(), "came with the evidence: not accepted by you", false})
		}
	}
	if len(beside) == 0 {
		beside = []belief{{how: "no trust file of this log"}}
	}
	return beside, nil
}

// compared is the result for the files.
type compared struct {
	client.Comparison
	dataset *statement.Dataset // what was sealed
	listed  int                // files in the manifest or the opening
	opening bool
	source  string // the file that lists them; "" if there is none
	looked  bool   // files were given
	partial bool   // single files were given, not the whole
}

// compare checks the manifest or opening against the statement and, where paths
// are given, files against it. A difference becomes the failure of r.
func (a *app) compare(ctx context.Context, r *checked, v verifying) (*compared, error) {
	n := r.verdict.Note
	if n.Dataset == nil {
		if len(v.paths) > 0 || v.manifest != "" || v.opening != "" {
			return nil, &fault{code: exitUsage, err: fmt.Errorf("this statement is about no files, so there is nothing to compare"), do: "Verify it without paths: trialnotary verify " + quote(r.file)}
		}
		return nil, nil
	}
	c := &compared{dataset: n.Dataset, looked: len(v.paths) > 0}
	m, o, err := c.find(r, v)
	if err != nil || r.failure != nil {
		return c, err
	}
	if m == nil && o == nil {
		if c.looked {
			beside := strings.TrimSuffix(r.file, ".receipt") + ".manifest"
			return nil, &fault{code: exitUsage, err: fmt.Errorf("the files cannot be compared: there is no manifest %s", beside),
				safe: "The receipt itself verifies.", do: "Name the manifest with --manifest, or an opening with --opening."}
		}
		return c, nil
	}
	if !c.looked {
		return c, nil
	}
	show, done := a.progress("Comparing")
	defer done()
	if m != nil {
		c.Comparison, err = client.Compare(ctx, m, v.paths, show)
	} else {
		c.Comparison, err = client.CompareOpening(ctx, o, v.paths, show)
	}
	if err != nil {
		return nil, err
	}
	c.partial = !slices.ContainsFunc(v.paths, func(p string) bool {
		info, err := os.Stat(p)
		return err != nil || info.IsDir()
	})
	if why := c.fault(v.exact); why != "" {
		r.failure = &receipt.Failure{Step: stepBytes, Reason: why}
	}
	return c, nil
}

// find reads the manifest or opening, and checks that it is of what was sealed.
func (c *compared) find(r *checked, v verifying) (*manifest.Manifest, *manifest.Opening, error) {
	d := c.dataset
	fail := func(reason string, a ...any) {
		r.failure = &receipt.Failure{Step: stepBytes, Reason: fmt.Sprintf(reason, a...)}
	}
	if v.opening != "" {
		c.source, c.opening = v.opening, true
		b, err := client.ReadFile(v.opening, 2*manifest.MaxOpeningSize)
		if err != nil {
			return nil, nil, &fault{code: exitUsage, err: err}
		}
		b, _ = text.Outer(b)
		o, err := manifest.ParseOpening(b)
		if err != nil {
			return nil, nil, &fault{code: exitUsage, err: fmt.Errorf("%s: %w", v.opening, err), safe: "The receipt itself verifies."}
		}
		c.listed = len(o.Files)
		if err := o.Verify(d.Root, d.Files); err != nil {
			fail("%v", err)
		}
		return nil, o, nil
	}
	c.source = v.manifest
	if c.source == "" {
		beside := strings.TrimSuffix(r.file, ".receipt") + ".manifest"
		if exists(beside) != nil {
			return nil, nil, nil
		}
		c.source = beside
	}
	b, err := client.ReadFile(c.source, manifest.MaxSize)
	if err != nil {
		return nil, nil, &fault{code: exitUsage, err: err}
	}
	m, err := manifest.Parse(b)
	if err != nil {
		return nil, nil, &fault{code: exitUsage, err: fmt.Errorf("%s: %w", c.source, err), safe: "The receipt itself verifies."}
	}
	c.listed = len(m.Files)
	if m.Root() != d.Root || uint64(len(m.Files)) != d.Files || m.Total() != d.Bytes {
		fail("%s is not the manifest of what was sealed", c.source)
	}
	return m, nil, nil
}

// fault says why the files are not what was sealed, or returns "".
func (c *compared) fault(exact bool) string {
	var why []string
	for i, d := range c.Changed {
		if i == 5 {
			why = append(why, fmt.Sprintf("and %d more that differ", len(c.Changed)-i))
			break
		}
		why = append(why, d.Path+" "+d.Reason)
	}
	renamed := map[string]bool{}
	var strangers []string
	for _, e := range c.Extra {
		if e.SameAs != "" {
			renamed[e.SameAs] = true
		}
		if e.SameAs == "" || exact {
			strangers = append(strangers, e.Path)
		}
	}
	if !c.partial || exact {
		if len(c.Missing) > 0 {
			why = append(why, "missing: "+names(c.Missing))
		}
		for _, e := range c.Extra {
			if e.SameAs != "" {
				why = append(why, fmt.Sprintf("%s has the bytes of %s under another name", e.Path, e.SameAs))
			}
		}
	}
	if (c.partial || exact) && len(strangers) > 0 {
		why = append(why, "not sealed: "+names(strangers))
	}
	return strings.Join(why, "; ")
}

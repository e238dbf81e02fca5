package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/certificate"
	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

func (a *app) certificateCommand() *cobra.Command {
	var c certifying
	cmd := &cobra.Command{
		Use:   "certificate RECEIPT [--out FILE.pdf]",
		Short: "Print what a receipt shows on one page, with the receipt attached",
		Long: `Verify a receipt, and print what it shows on one page: a PDF for those who read paper,
with the receipt attached to it. No file's name is on it. Its bytes follow from the
receipt and the trust file alone, so that 'trialnotary verify FILE.pdf' can tell whether
the printed text was changed. Beside the receipt, under its name, 'share' takes it in.

Latin, Greek and Cyrillic are built in; --font gives a TrueType font for other scripts.
Scripts that join their letters or run from right to left are printed by the
verification page only.`,
		Example: `  trialnotary certificate export.20261122T132900Z.receipt
  trialnotary certificate site1.receipt --paper letter --out site1-letter.pdf
  trialnotary certificate site7.receipt --font NotoSansJP-Regular.ttf`,
		Args: args(1, 1, "the receipt"),
		RunE: func(_ *cobra.Command, args []string) error {
			c.receipt = args[0]
			return a.certificate(c)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.out, "out", "", "the `FILE.pdf` to write, if not beside the receipt under its name")
	f.StringVar(&c.paper, "paper", string(certificate.A4), "the `SIZE` of the paper: a4 or letter")
	f.StringVar(&c.font, "font", "", "a TrueType font `FILE` for characters that the built-in one lacks")
	f.StringVar(&c.trial, "trial", "", "the trial `FINGERPRINT`, as the protocol or the registry has it")
	a.trustFlag(cmd, "to verify with, instead of the one you accepted")
	return cmd
}

// certifying is one call of certificate.
type certifying struct{ receipt, out, paper, font, trial string }

// maxFont is the size in bytes of the largest font read.
const maxFont = 64 << 20

func (a *app) certificate(c certifying) error {
	const safe = "Nothing was written."
	bad := func(code int, err error, do string) error { return &fault{code: code, err: err, safe: safe, do: do} }
	if c.trial != "" {
		if _, err := statement.ParseFingerprint(c.trial); err != nil {
			return bad(exitUsage, err, "A trial fingerprint has 40 hex digits: 41B7-…")
		}
	}
	if c.out == "" {
		c.out = strings.TrimSuffix(c.receipt, ".receipt") + ".pdf"
	}
	if exists(c.out) == nil {
		return bad(exitUsage, fmt.Errorf("%s: %w", c.out, client.ErrExists), "Choose another name with --out.")
	}
	font, err := readFont(c.font)
	if err != nil {
		return kept(err, safe, "")
	}
	b, err := client.ReadFile(c.receipt, 2*receipt.MaxSize)
	if err != nil {
		return bad(exitUsage, err, "")
	}
	r, err := a.checkBytes(c.receipt, b, verifying{trial: c.trial})
	if err != nil {
		return kept(err, safe, "")
	}
	if r.failure != nil {
		return bad(exitNotVerified, fmt.Errorf("%s does not verify: %s: %s", c.receipt, stepWords[r.failure.Step], r.failure.Reason), "To see more: trialnotary verify "+quote(c.receipt))
	}
	b, _ = text.Outer(b)
	pdf, err := certificate.Print(r.verdict, b, r.trust.fingerprint(), certificate.Options{Paper: certificate.Paper(strings.ToLower(c.paper)), Font: font})
	if err != nil {
		return unprinted(err, safe)
	}
	if err := client.WriteNew(c.out, pdf, client.Public); err != nil {
		return kept(err, safe, "")
	}
	return a.showCertificate(c, r)
}

// readFont reads the font named, nil where none is.
func readFont(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	b, err := client.ReadFile(name, maxFont)
	if err != nil {
		return nil, &fault{code: exitUsage, err: err}
	}
	return b, nil
}

// fingerprint returns that of the trust file, "" where there is none.
func (b belief) fingerprint() string {
	if b.trust == nil {
		return ""
	}
	return b.trust.Fingerprint
}

// unprinted says why a receipt that verifies could not be printed, and what helps.
func unprinted(err error, safe string) error {
	f := &fault{code: exitUsage, err: err, safe: safe}
	var unshown *certificate.UnshownError
	switch {
	case errors.As(err, &unshown) && len(unshown.Unset) > 0:
		f.do = "Print it from the verification page: a browser sets every script."
	case errors.As(err, &unshown):
		f.do = "Give a TrueType font that has them: --font FILE.ttf"
	case errors.Is(err, certificate.ErrFont):
		f.do = "Give the .ttf file of a TrueType font; .otf, .ttc and .woff are not taken."
	}
	return f
}

func (a *app) showCertificate(c certifying, r *checked) error {
	v := r.verdict
	s := &sheet{word: "PRINTED", head: headOf(v.Note)}
	s.add("page", "%s, with the receipt attached", c.out)
	if !v.Confirmed {
		s.word = "PRINTED AS UNCONFIRMED"
		s.add("careful", "whose log this is is unconfirmed, and the page says so")
		s.more("get the operator's trust file by a way you trust, then: trialnotary trust FILE")
	}
	s.add("who", "%s", who(v))
	s.add("trial", "fingerprint %s", v.TrialFingerprint)
	s.add("they type", "trialnotary verify %s", quote(c.out))
	out := struct {
		Certificate string `json:"certificate"`
		Statement   string `json:"statement"`
		Paper       string `json:"paper"`
		Confirmed   bool   `json:"trust_confirmed"`
	}{c.out, v.Note.ID.String(), strings.ToLower(c.paper), v.Confirmed}
	if err := a.print(s, out); err != nil {
		return err
	}
	if code := r.code(); code != exitDone {
		return shown{code}
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/manifest"
	"trialnotary/notary/receipt"
	"trialnotary/notary/share"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

func (a *app) shareCommand() *cobra.Command {
	var s sharing
	c := &cobra.Command{
		Use:   "share RECEIPT [PATH…|--whole] --out FILE.zip",
		Short: "Make one zip of what a board may have",
		Long: `Put into one zip what an ethics board, an inspector or a journal may have: the receipt,
what opens exactly the files named, the certificate PREFIX.pdf if there is one beside
the receipt, and a note in plain words. No key, no secret, and no other file's name is
in it; nor are the files themselves, which you send as you send files. Whoever has it
checks it with 'trialnotary verify FILE.zip PATH…'.

--whole gives the manifest instead: the names of all files, and the secret by which
guesses about them can be tested. Give it to those who receive all the data.`,
		Example: `  trialnotary share export.20261122T132900Z.receipt export/dm.csv --out board.zip
  trialnotary share export.20261122T132900Z.receipt --whole --out inspector.zip`,
		Args: args(1, -1, "the receipt"),
		RunE: func(c *cobra.Command, args []string) error {
			s.receipt, s.paths = args[0], args[1:]
			if s.out == "" {
				return usageError(c, "where is the zip to be written?", "--out board.zip")
			}
			return a.share(s)
		},
	}
	f := c.Flags()
	f.BoolVar(&s.whole, "whole", false, "give the manifest: the names of all files")
	f.StringVar(&s.out, "out", "", "the `FILE.zip` to write")
	f.StringVar(&s.manifest, "manifest", "", "the manifest `FILE`, if not beside the receipt")
	f.BoolVar(&s.yes, "yes", false, "do not ask on a terminal")
	a.trustFlag(c, "to verify with, instead of the one you accepted")
	return c
}

// sharing is one call of share.
type sharing struct {
	receipt, out, manifest string
	paths                  []string
	whole, yes             bool
}

func (a *app) share(s sharing) error {
	const safe = "Nothing was written."
	bad := func(code int, err error, do string) error { return &fault{code: code, err: err, safe: safe, do: do} }
	if s.whole && len(s.paths) > 0 {
		return bad(exitUsage, errors.New("--whole gives all files, and some are named"), "Leave one of them away.")
	}
	if exists(s.out) == nil {
		return bad(exitUsage, fmt.Errorf("%s: %w", s.out, client.ErrExists), "Choose another name with --out.")
	}
	r, err := a.check(s.receipt, verifying{})
	if err != nil {
		return kept(err, safe, "")
	}
	if r.failure != nil {
		return bad(exitNotVerified, fmt.Errorf("%s does not verify: %s: %s", s.receipt, stepWords[r.failure.Step], r.failure.Reason), "To see more: trialnotary verify "+quote(s.receipt))
	}
	m, err := a.manifestOf(r, s)
	if err != nil {
		return err
	}
	var z share.Share
	var opened []string
	if z.Receipt, err = client.ReadFile(s.receipt, 2*receipt.MaxSize); err != nil {
		return err
	}
	z.Receipt, _ = text.Outer(z.Receipt)
	switch {
	case s.whole:
		if err := a.confirmWhole(s, m); err != nil {
			return err
		}
		z.Manifest, err = m.Bytes()
	case len(s.paths) > 0:
		if opened, err = sealedPaths(m, s.paths); err != nil {
			return err
		}
		var o *manifest.Opening
		if o, err = m.Open(opened...); err == nil {
			opened = opened[:0]
			for i := range o.Files {
				opened = append(opened, o.Files[i].Leaf.Path)
			}
			z.Opening, err = o.Bytes()
		}
	}
	if err != nil {
		return kept(err, safe, "")
	}
	left := a.addCertificate(&z, r)
	z.Note = share.Note(r.verdict, opened, s.whole)
	b, err := z.Bytes(r.verdict.Note.Time)
	if err != nil {
		return kept(err, safe, "")
	}
	if err := client.WriteNew(s.out, b, client.Public); err != nil {
		return kept(err, safe, "")
	}
	return a.showShare(s, r, &z, opened, left)
}

// manifestOf returns the manifest of what was sealed, nil where none is needed.
func (a *app) manifestOf(r *checked, s sharing) (*manifest.Manifest, error) {
	if !s.whole && len(s.paths) == 0 {
		return nil, nil
	}
	n := r.verdict.Note
	if n.Dataset == nil {
		return nil, &fault{code: exitUsage, err: fmt.Errorf("this statement, of kind %s, is about no files", n.Kind), safe: "Nothing was written.", do: "Share it without paths."}
	}
	c := &compared{dataset: n.Dataset}
	m, _, err := c.find(r, verifying{manifest: s.manifest, noOpening: true})
	switch {
	case err != nil:
		return nil, kept(err, "Nothing was written.", "")
	case r.failure != nil:
		return nil, &fault{code: exitNotVerified, err: errors.New(r.failure.Reason), safe: "Nothing was written.", do: "Name the right manifest with --manifest."}
	case m == nil:
		return nil, &fault{code: exitUsage, err: fmt.Errorf("there is no manifest beside %s", s.receipt), safe: "Nothing was written.", do: "Name it with --manifest FILE: it was written when the receipt was."}
	}
	return m, nil
}

// sealedPaths returns the paths in the manifest of files that are named by them, or
// as they lie on disk.
func sealedPaths(m *manifest.Manifest, named []string) ([]string, error) {
	var all []string
	for _, p := range named {
		may := client.SealedPaths(m, p)
		if len(may) > 1 {
			return nil, &fault{code: exitUsage, err: fmt.Errorf("%s may be %s or %s of what was sealed", p, may[0], may[1]), safe: "Nothing was written.",
				do: "Run this in another directory, and name it as the manifest has it."}
		}
		if len(may) == 0 {
			f := &fault{code: exitUsage, err: fmt.Errorf("%s is no file that was sealed there", p), safe: "Nothing was written.",
				do: "Name files as the manifest has them: trialnotary inspect shows it."}
			if info, err := os.Stat(p); err == nil && info.IsDir() {
				f.err, f.do = fmt.Errorf("%s is a directory; what is opened is named file by file", p), "For example: "+quote(strings.TrimRight(p, "/")+"/dm.csv")+"\nTo give all of it: --whole"
			}
			return nil, f
		}
		all = append(all, may[0])
	}
	return all, nil
}

// confirmWhole says what a manifest reveals, and asks where someone is there.
func (a *app) confirmWhole(s sharing, m *manifest.Manifest) error {
	what := fmt.Sprintf("--whole reveals the names of all %s, and lets whoever has the zip test guesses about what is in them.", count(len(m.Files), "file"))
	if !a.terminal || s.yes {
		fmt.Fprintln(a.err, "trialnotary: "+what)
		return nil
	}
	out := &sheet{word: "ABOUT TO SHARE", head: s.receipt}
	out.add("careful", "%s", what)
	for i := range m.Files {
		if i == 10 {
			out.more("and %s more", number(uint64(len(m.Files)-i)))
			break
		}
		out.more("%s", m.Files[i].Path)
	}
	return a.confirm(out, "Share all of that?", "Nothing was written. To open some of the files only, name them.")
}

// addCertificate takes in the certificate beside the receipt. It returns the name of
// a PDF there that is none: it may be the very document that was sealed.
func (a *app) addCertificate(z *share.Share, r *checked) string {
	name := strings.TrimSuffix(r.file, ".receipt") + ".pdf"
	b, err := client.ReadFile(name, 16<<20)
	switch {
	case err != nil && exists(name) != nil:
		return ""
	case err == nil && share.IsCertificate(b, r.verdict.Note.ID):
		z.Certificate = b
		return ""
	}
	return name
}

func (a *app) showShare(s sharing, r *checked, z *share.Share, opened []string, left string) error {
	n := r.verdict.Note
	out := &sheet{word: "SHARED", head: headOf(n)}
	out.add("zip", "%s", s.out)
	out.add("holds", "the receipt, and a note in plain words")
	switch {
	case z.Manifest != nil:
		out.add("files", "the manifest: the names and checksums of all %s sealed", count(int(n.Dataset.Files), "file"))
	case len(opened) > 0:
		out.add("files", "%d of %s sealed can be checked with it: %s", len(opened), number(n.Dataset.Files), names(opened))
	case n.Dataset != nil:
		out.add("files", "none of the %s sealed is opened; name those that may be seen", number(n.Dataset.Files))
	}
	if n.Label != "" {
		out.add("label", "%s (the receipt says it)", n.Label)
	}
	if z.Certificate != nil {
		out.add("with it", "the certificate")
	}
	if left != "" {
		out.add("not in it", "%s, which is no certificate of this receipt", left)
	}
	check := "trialnotary verify " + quote(s.out)
	if z.Manifest != nil || len(opened) > 0 {
		out.add("send", "the zip, and beside it the files: they are not in it")
		check += " PATH…"
	}
	out.add("they type", "%s", check)
	return a.print(out, struct {
		Zip         string   `json:"zip"`
		Statement   string   `json:"statement"`
		Opened      []string `json:"opened"`
		Whole       bool     `json:"whole"`
		Certificate bool     `json:"certificate"`
	}{s.out, n.ID.String(), append([]string{}, opened...), s.whole, z.Certificate != nil})
}

// readShare reads a zip that share made.
func readShare(name string) (*share.Share, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, &fault{code: exitUsage, err: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, &fault{code: exitUsage, err: err}
	}
	z, err := share.Parse(f, info.Size())
	if err != nil {
		return nil, &fault{code: exitUsage, err: fmt.Errorf("%s: %w", name, err), safe: "Nothing in it was checked.",
			do: "Ask for the zip as 'trialnotary share' made it; or unpack it where that is safe, and verify the receipt alone."}
	}
	return z, nil
}

// inspectShare says what a zip holds.
func (a *app) inspectShare(name string) error {
	z, err := readShare(name)
	if err != nil {
		return err
	}
	out := &sheet{word: "SHARE", head: name}
	rows := [][2]string{{"holds", "a receipt"}}
	if r, err := receipt.Parse(z.Receipt); err == nil {
		if n, err := statement.Parse(r.Statement); err == nil {
			rows[0][1] += ": " + headOf(n)
		}
	}
	if z.Opening != nil {
		o, err := manifest.ParseOpening(z.Opening)
		if err != nil {
			return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", name, err)}
		}
		var paths []string
		for i := range o.Files {
			paths = append(paths, o.Files[i].Leaf.Path)
		}
		rows = append(rows, [2]string{"opens", names(paths)})
	}
	if z.Manifest != nil {
		rows = append(rows, [2]string{"opens", "all files, by their manifest"})
	}
	if z.Certificate != nil {
		rows = append(rows, [2]string{"with it", "a certificate"})
	}
	rows = append(rows, [2]string{"note", "this is what the zip says; nothing was verified: trialnotary verify " + quote(name)})
	for _, r := range rows {
		out.add(r[0], "%s", r[1])
	}
	return a.print(out, struct {
		File   string      `json:"file"`
		Format string      `json:"format"`
		Rows   [][2]string `json:"rows"`
	}{name, "share", rows})
}

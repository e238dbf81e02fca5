package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/content"
	"trialnotary/notary/explain"
	"trialnotary/notary/manifest"
)

// explaining is one call of explain.
type explaining struct {
	verifying
	original string
	values   bool
}

func (a *app) explainCommand() *cobra.Command {
	var e explaining
	c := &cobra.Command{
		Use:   "explain RECEIPT|SHARE.zip PATH…",
		Short: "Say why files are not what was sealed",
		Long: `Say why files are not what was sealed, as far as it can be known: another time of
export, other line ends, a byte order mark, another name, or other data. What is called
proved follows from digests that were sealed; all else is what it looks like. The digest
of what a file says is the word of whoever sealed it: --original checks that, too.

With --original, where the bytes that were sealed lie, say also where the first
difference is. Values are shown only with --values.

Exit codes: 0 as sealed, 1 the bytes differ, even where the data are proved to be the
same, 2 it could not be checked, 5 as sealed, but whose log this is is unconfirmed.`,
		Example: `  trialnotary explain export.20261122T132900Z.receipt export
  trialnotary explain board.zip dm.xpt
  trialnotary explain week12.receipt dm.xpt --manifest week12.manifest
  trialnotary explain week12.receipt dm.xpt --original archive/week12/dm.xpt --values`,
		Args: args(2, -1, "the receipt and the files"),
		RunE: func(c *cobra.Command, args []string) error {
			e.paths = args[1:]
			return a.explain(c.Context(), args[0], e)
		},
	}
	c.Flags().StringVar(&e.manifest, "manifest", "", "the manifest `FILE`, if not beside the receipt")
	c.Flags().StringVar(&e.opening, "opening", "", "an opening `FILE`, which shows some of the files, instead of the manifest")
	c.Flags().StringVar(&e.original, "original", "", "`PATH` of the file or directory that was sealed, to see where the difference is")
	c.Flags().BoolVar(&e.values, "values", false, "show the values that differ, which may be personal data")
	c.Flags().StringVar(&e.trial, "trial", "", "the trial `FINGERPRINT`, as the protocol or the registry has it")
	a.trustFlag(c, "to verify with, instead of the one you accepted")
	return c
}

// reason is why one file differs.
type reason struct {
	explain.Finding
	path  string // as sealed
	given string // the name at hand, if another
	file  manifest.File
	disk  string // where it lies
	fault string // it cannot be read
	where []string
	// The original shows it: another zip around the same members; a content digest
	// that never was that of what was sealed.
	repacked, misstated bool
}

// same reports whether it is proved to say the same as what was sealed.
func (r *reason) same() bool { return r.fault == "" && (r.repacked || r.Same()) }

func (a *app) explain(ctx context.Context, name string, e explaining) error {
	if e.manifest != "" && e.opening != "" {
		return &fault{code: exitUsage, err: errors.New("--manifest and --opening exclude each other"), do: "Give the one that you were sent."}
	}
	if e.values && e.original == "" {
		return &fault{code: exitUsage, err: errors.New("--values shows what differs from the original, and none is named"), do: "Name it: --original PATH"}
	}
	if info, err := os.Stat(name); err != nil {
		return client.Unreadable(name, err)
	} else if info.IsDir() || isHistory(name) {
		return &fault{code: exitUsage, err: fmt.Errorf("%s is no receipt", name), do: "Name the receipt first, then the files."}
	}
	r, err := a.open(name, &e.verifying)
	if err != nil {
		return err
	}
	if r.failure == nil {
		if r.bytes, err = a.compare(ctx, r, e.verifying); err != nil {
			return err
		}
	}
	if r.verdict == nil || r.bytes.foreign {
		return a.showVerdict(r) // nothing here is shown to be what was sealed
	}
	all, err := reasons(ctx, r.bytes)
	if err != nil {
		return err
	}
	if e.original != "" {
		if err := a.look(ctx, r.bytes, all, e); err != nil {
			return err
		}
	}
	return a.showReasons(r, all, e)
}

// mostTried is how many missing files one of another name is tried for.
const mostTried = 8

// reasons finds out why each file differs. A file of another name is explained only
// where it is proved to be a missing one.
func reasons(ctx context.Context, c *compared) (all []reason, err error) {
	sealed := func(path string) manifest.File {
		i, _ := slices.BinarySearchFunc(c.files, path, func(f manifest.File, p string) int { return strings.Compare(f.Path, p) })
		return c.files[i]
	}
	for _, d := range c.Changed {
		r := reason{path: d.Path, file: sealed(d.Path), disk: c.Disk(d.Path)}
		if d.Unread {
			r.fault = d.Reason
		} else if r.Finding, err = explain.Bytes(ctx, r.file, opener(r.disk)); err != nil {
			return nil, unread(r.disk, err)
		}
		all = append(all, r)
	}
	gone := map[string]bool{} // known under another name
	for _, x := range c.Extra {
		gone[x.SameAs] = true
	}
	missing := map[string][]string{} // by the ending of their names
	for _, p := range c.Missing {
		if !gone[p] {
			missing[path.Ext(p)] = append(missing[path.Ext(p)], p)
		}
	}
	for _, x := range c.Extra {
		if x.SameAs != "" || x.Reason != "" {
			continue
		}
		may := missing[path.Ext(x.Path)]
		for n, p := range may[:min(len(may), mostTried)] {
			found, err := explain.Bytes(ctx, sealed(p), opener(c.Disk(x.Path)))
			if err != nil {
				return nil, unread(c.Disk(x.Path), err)
			}
			if found.Same() {
				all = append(all, reason{Finding: found, path: p, given: x.Path, file: sealed(p), disk: c.Disk(x.Path)})
				missing[path.Ext(x.Path)] = slices.Delete(may, n, n+1)
				break
			}
		}
	}
	slices.SortFunc(all, func(x, y reason) int { return strings.Compare(x.path, y.path) })
	return all, nil
}

func opener(name string) explain.Open {
	return func() (io.ReadCloser, error) { return os.Open(name) }
}

func unread(name string, err error) error {
	return &fault{code: exitUsage, err: fmt.Errorf("%s cannot be read: %w", name, err), safe: "Nothing was explained; your files are as they were."}
}

// look says where each file differs from the original, which must be what was sealed.
func (a *app) look(ctx context.Context, c *compared, all []reason, e explaining) error {
	show, done := a.progress("Checking the original")
	defer done()
	original, err := client.Compare(ctx, &manifest.Manifest{Files: c.files}, []string{e.original}, show)
	if err != nil {
		return err
	}
	for i := range all {
		r := &all[i]
		if r.fault != "" || r.Same() && r.Cause != explain.SameData {
			continue
		}
		lies := original.Disk(r.path)
		if !slices.Contains(original.Matched, r.path) {
			lies = ""
			for _, x := range original.Extra {
				if x.SameAs == r.path {
					lies = original.Disk(x.Path)
				}
			}
		}
		if lies != "" {
			wrong, err := explain.Misstated(ctx, r.file, opener(lies))
			if err != nil {
				return unread(lies, err)
			}
			if r.misstated = wrong; wrong {
				r.Cause = explain.Unknown
			}
		}
		if r.Same() {
			continue
		}
		if lies == "" {
			r.where = []string{"where: not known, for " + e.original + " is not what was sealed as " + r.path}
			continue
		}
		if err := r.locate(ctx, lies, e.values); err != nil {
			return unread(r.disk, err)
		}
	}
	return nil
}

func (r *reason) locate(ctx context.Context, original string, values bool) error {
	sealed, closeSealed, err := section(original)
	if err != nil {
		return err
	}
	defer closeSealed()
	given, closeGiven, err := section(r.disk)
	if err != nil {
		return err
	}
	defer closeGiven()
	if r.Cause == explain.Zip {
		m, err := explain.CompareZips(ctx, sealed, given)
		if errors.Is(err, explain.ErrZip) {
			r.where = []string{"where: not known: " + err.Error()}
			return nil
		}
		if err != nil {
			return err
		}
		r.where, r.repacked = zipWords(m)
		return nil
	}
	if r.Profile != "" {
		w, found, err := content.Compare(r.Profile, sealed, given)
		if err != nil {
			return err
		}
		if found {
			if r.Profile == content.CSV && !values {
				w.Name = "" // nothing says that the first row has names: it may have a person's
			}
			r.where = whereWords(w, values)
			return nil
		}
		for _, s := range []*io.SectionReader{sealed, given} {
			if _, err := s.Seek(0, io.SeekStart); err != nil {
				return err
			}
		}
	}
	at, line, err := explain.Offset(ctx, sealed, given)
	if err != nil {
		return err
	}
	what := "first difference: byte " + number(at+1)
	if line > 0 {
		what += ", in line " + number(line)
	}
	r.where = []string{what}
	return nil
}

func section(name string) (*io.SectionReader, func() error, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return io.NewSectionReader(f, 0, info.Size()), f.Close, nil
}

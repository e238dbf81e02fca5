package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"trialnotary/notary/client"
	"trialnotary/notary/manifest"
	"trialnotary/notary/receipt"
	"trialnotary/notary/share"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// compared is the result for the files.
type compared struct {
	client.Comparison
	dataset *statement.Dataset // what was sealed
	files   []manifest.File    // as the manifest or the opening lists them
	listed  int                // files in the manifest or the opening
	opened  []string           // their names, of an opening
	opening bool
	source  string // the file that lists them; "" if there is none
	looked  bool   // files were given
	partial bool   // single files were given, not the whole
	foreign bool   // source lists something else: no file was compared
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
			if v.zip != nil {
				return nil, &fault{code: exitUsage, err: fmt.Errorf("the files cannot be compared: %s opens none of them", r.file),
					safe: "The receipt itself verifies.", do: "Ask for a share that opens the files you were sent."}
			}
			beside := r.prefix() + ".manifest"
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
	b, err := c.lists(r, v)
	if err != nil || b == nil {
		return nil, nil, err
	}
	b, _ = text.Outer(b) // what mail does to it; its root is compared below
	broken := func(err error) error {
		return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", c.source, err), safe: "The receipt itself verifies."}
	}
	if c.opening {
		o, err := manifest.ParseOpening(b)
		if err != nil {
			return nil, nil, broken(err)
		}
		c.listed = len(o.Files)
		for i := range o.Files {
			c.files = append(c.files, o.Files[i].Leaf.File)
		}
		if err := o.Verify(d.Root, d.Files); err != nil {
			c.foreign = true
			fail("%v", err)
			return nil, o, nil
		}
		for i := range o.Files {
			c.opened = append(c.opened, o.Files[i].Leaf.Path)
		}
		return nil, o, nil
	}
	m, err := manifest.Parse(b)
	if err != nil {
		return nil, nil, broken(err)
	}
	c.listed, c.files = len(m.Files), m.Files
	if m.Root() != d.Root || uint64(len(m.Files)) != d.Files || m.Total() != d.Bytes {
		c.foreign = true
		fail("%s is not the manifest of what was sealed", c.source)
	}
	return m, nil, nil
}

// prefix is how the names begin of what lies beside the receipt or its certificate.
func (r *checked) prefix() string {
	if r.page != nil {
		return strings.TrimSuffix(r.file, ".pdf")
	}
	return strings.TrimSuffix(r.file, ".receipt")
}

// lists returns the manifest or opening: from the zip, as named, or found beside the
// receipt; nil if there is none.
func (c *compared) lists(r *checked, v verifying) ([]byte, error) {
	prefix := r.prefix()
	switch {
	case v.zip != nil && v.zip.Opening != nil:
		c.source, c.opening = r.file+": "+share.OpeningName, true
		return v.zip.Opening, nil
	case v.zip != nil:
		c.source = r.file + ": " + share.ManifestName
		return v.zip.Manifest, nil
	case v.opening != "":
		c.source, c.opening = v.opening, true
	case v.manifest != "":
		c.source = v.manifest
	case exists(prefix+".manifest") == nil:
		c.source = prefix + ".manifest"
	case exists(prefix+".opening") == nil && !v.noOpening:
		c.source, c.opening = prefix+".opening", true
	default:
		return nil, nil
	}
	limit := int64(manifest.MaxSize)
	if c.opening {
		limit = 2 * manifest.MaxOpeningSize
	}
	b, err := client.ReadFile(c.source, limit)
	if err != nil {
		return nil, &fault{code: exitUsage, err: err}
	}
	return b, nil
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
		// What seal leaves out of a directory is no stranger in it.
		if litter := !c.partial && client.Litter(e.Path, false); e.SameAs == "" && !litter || exact && e.SameAs != "" {
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

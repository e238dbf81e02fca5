package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"trialnotary/notary/client"
	"trialnotary/notary/manifest"
	"trialnotary/notary/text"
)

// verifyDir checks every receipt below a directory: one table, in log order. With
// --files, the files beside each receipt too.
func (a *app) verifyDir(ctx context.Context, dir string, v verifying) error {
	if len(v.paths) > 0 || v.manifest != "" || v.opening != "" {
		return &fault{code: exitUsage, err: errors.New("files are compared with one receipt at a time"), do: "Name the receipt: trialnotary verify " + quote(dir) + "/NAME.receipt PATH"}
	}
	files, err := below([]string{dir}, ".receipt")
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return &fault{code: exitUsage, err: fmt.Errorf("there is no receipt below %s", dir), do: "A receipt's name ends with .receipt"}
	}
	var all []*checked
	var unreadable []outcome
	show, done := a.counter("Checked")
	for i, f := range files {
		show(i, len(files))
		r, err := a.check(f, v)
		if err == nil && v.beside && r.failure == nil {
			one := v
			one.paths = dataBeside(f)
			if r.verdict.Note.Dataset != nil {
				r.bytes, err = a.compare(ctx, r, one)
			}
		}
		if err != nil {
			unreadable = append(unreadable, outcome{File: f, State: "failed"}.failed(err))
			continue
		}
		all = append(all, r)
	}
	done()
	slices.SortStableFunc(all, func(x, y *checked) int {
		if x.verdict == nil || y.verdict == nil {
			return cmp.Compare(b2i(x.verdict != nil), b2i(y.verdict != nil))
		}
		return cmp.Or(strings.Compare(x.verdict.Origin, y.verdict.Origin), cmp.Compare(x.verdict.Entry.Index, y.verdict.Entry.Index))
	})
	code := exitDone
	for _, r := range all {
		if c := r.code(); c == exitNotVerified || code == exitDone {
			code = c
		}
	}
	if len(unreadable) > 0 && code != exitNotVerified {
		code = exitUsage
	}
	if err := a.showTable(all, unreadable, v.beside); err != nil {
		return err
	}
	if code != exitDone {
		return shown{code}
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sealTime is what seal puts behind the name of what it seals.
var sealTime = regexp.MustCompile(`\.[0-9]{8}T[0-9]{6}Z(-[0-9]+)?$`)

// dataBeside returns what stands beside a receipt under the name it was sealed by,
// if there is such a thing and the manifest to compare it with.
func dataBeside(file string) []string {
	prefix := strings.TrimSuffix(file, ".receipt")
	b, err := client.ReadFile(prefix+".manifest", manifest.MaxSize)
	if err != nil {
		return nil
	}
	if name := sealTime.ReplaceAllString(prefix, ""); name != prefix && exists(name) == nil {
		return []string{name}
	}
	// Sealed with --out: of a single file the manifest has the name.
	b, _ = text.Outer(b)
	if m, err := manifest.Parse(b); err == nil && len(m.Files) == 1 {
		if name := filepath.Join(filepath.Dir(file), m.Files[0].Path); exists(name) == nil {
			return []string{name}
		}
	}
	return nil
}

// filesWord says how the files beside a receipt compare.
func filesWord(r *checked) string {
	switch c := r.bytes; {
	case r.verdict == nil || r.verdict.Note.Dataset == nil:
		return ""
	case r.failure != nil && r.failure.Step == stepBytes:
		return "DIFFER"
	case c == nil || !c.looked:
		return "not beside"
	}
	return "match"
}

func (a *app) showTable(all []*checked, unreadable []outcome, beside bool) error {
	out := []verdictOut{}
	files := ""
	if beside {
		files = "FILES\t"
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RESULT\tINDEX\tTRIAL\tSTREAM\tKIND\tNO LATER THAN\t"+files+"FILE")
	gap := strings.Repeat("\t", 6+strings.Count(files, "\t"))
	matched := 0
	counts := map[string]int{}
	for _, r := range all {
		word, file := verified, text.Visible(r.file)
		switch r.code() {
		case exitNotVerified:
			word = notVerified
		case exitUnconfirmed:
			word = "unconfirmed"
		}
		counts[word]++
		out = append(out, verdictJSON(r, word))
		if r.verdict == nil {
			fmt.Fprintf(w, "%s%s%s\n", word, gap, file)
			continue
		}
		if beside {
			files = filesWord(r) + "\t"
		}
		if files == "match\t" {
			matched++
		}
		v := r.verdict
		at := "not proved"
		if proved := v.NoLaterThan(); !proved.IsZero() {
			at = proved.UTC().Format("2 Jan 2006 15:04 UTC")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s%s\n", word, number(v.Entry.Index), v.Note.Trial, v.Note.StreamName, v.Note.Kind, at, files, file)
	}
	for _, o := range unreadable {
		fmt.Fprintf(w, "not checked%s%s\n", gap, text.Visible(o.File))
	}
	w.Flush()
	if a.json {
		return a.encode(struct {
			Receipts    []verdictOut `json:"receipts"`
			Unreadable  []outcome    `json:"not_checked,omitempty"`
			Verified    int          `json:"verified"`
			Unconfirmed int          `json:"unconfirmed"`
			NotVerified int          `json:"not_verified"`
		}{out, unreadable, counts[verified], counts["unconfirmed"], counts[notVerified]})
	}
	fmt.Fprint(a.out, b.String())
	compared := "No files were compared; to compare those beside: --files"
	if beside {
		compared = fmt.Sprintf("The files beside %d of them match.", matched)
	}
	fmt.Fprintf(a.out, "\n%s: %d verified, %d unconfirmed, %d NOT verified, %d not checked. %s\n",
		count(len(all)+len(unreadable), "receipt"), counts[verified], counts["unconfirmed"], counts[notVerified], len(unreadable), compared)
	if counts["unconfirmed"] > 0 {
		fmt.Fprintln(a.out, "  unconfirmed: consistent, but you have accepted no trust file of that log:\n  get the operator's trust file by a way you trust, then: trialnotary trust FILE")
	}
	for _, r := range all {
		if r.verdict != nil && r.verdict.Doubtful > 0 {
			fmt.Fprintf(a.out, "  WARNING %s: its keys may have been stolen: trialnotary verify %s\n", text.Visible(r.file), quote(r.file))
		}
		if r.failure != nil {
			fmt.Fprintf(a.out, "  %s: %s: %s\n", text.Visible(r.file), stepWords[r.failure.Step], text.Visible(r.failure.Reason))
		}
	}
	for _, o := range unreadable {
		fmt.Fprintf(a.out, "  %s\n", text.Visible(o.Error))
	}
	return nil
}

package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"trialnotary/notary/text"
)

// verifyDir checks every receipt below a directory: one table, in log order.
func (a *app) verifyDir(dir string, v verifying) error {
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
	for _, f := range files {
		r, err := a.check(f, v)
		if err != nil {
			unreadable = append(unreadable, outcome{File: f, State: "failed"}.failed(err))
			continue
		}
		all = append(all, r)
	}
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
	if err := a.showTable(all, unreadable); err != nil {
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

func (a *app) showTable(all []*checked, unreadable []outcome) error {
	out := []verdictOut{}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RESULT\tINDEX\tTRIAL\tSTREAM\tKIND\tNO LATER THAN\tFILE")
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
			fmt.Fprintf(w, "%s\t\t\t\t\t\t%s\n", word, file)
			continue
		}
		v := r.verdict
		at := "not proved"
		if v.Met.Witnessed {
			at = v.Met.NoLaterThan.UTC().Format("2 Jan 2006 15:04 UTC")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", word, number(v.Entry.Index), v.Note.Trial, v.Note.StreamName, v.Note.Kind, at, file)
	}
	for _, o := range unreadable {
		fmt.Fprintf(w, "not checked\t\t\t\t\t\t%s\n", text.Visible(o.File))
	}
	w.Flush()
	if a.json {
		return a.encode(struct {
			Receipts   []verdictOut `json:"receipts"`
			Unreadable []outcome    `json:"not_checked,omitempty"`
		}{out, unreadable})
	}
	fmt.Fprint(a.out, b.String())
	fmt.Fprintf(a.out, "\n%s: %d verified, %d unconfirmed, %d NOT verified, %d not checked. No files were compared.\n",
		count(len(all)+len(unreadable), "receipt"), counts[verified], counts["unconfirmed"], counts[notVerified], len(unreadable))
	for _, r := range all {
		if r.failure != nil {
			fmt.Fprintf(a.out, "  %s: %s: %s\n", text.Visible(r.file), stepWords[r.failure.Step], text.Visible(r.failure.Reason))
		}
	}
	for _, o := range unreadable {
		fmt.Fprintf(a.out, "  %s\n", text.Visible(o.Error))
	}
	return nil
}

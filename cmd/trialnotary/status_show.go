package main

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"trialnotary/notary/client"
	"trialnotary/notary/text"
)

//go:embed status.html
var statusPage string

// showStatus prints the table and writes the files asked for.
func (a *app) showStatus(s *trialStatus, o statusOptions) error {
	for _, f := range []struct {
		name string
		make func(*trialStatus) ([]byte, error)
	}{{o.csv, statusCSV}, {o.html, statusHTML}} {
		if f.name == "" {
			continue
		}
		b, err := f.make(s)
		if err == nil {
			err = client.WriteNew(f.name, b, client.Private) // it has people's names
		}
		if err != nil {
			return err
		}
	}
	if a.json {
		return a.encode(s)
	}
	t := newTable("STREAM", "PEOPLE", "ENTRIES", "LAST SEAL", "WITHDRAWN", "NOTES")
	for _, r := range s.Streams {
		t.row(r.Stream, people(r), r.number(r.Entries), r.last(), r.number(r.Withdrawals), strings.Join(r.notes(), "; "))
	}
	fmt.Fprint(a.out, t.String())
	entries := 0
	for _, r := range s.Streams {
		entries += r.Entries
	}
	fmt.Fprintf(a.out, "\n%s: %s, %s, %d overdue (quiet for more than %s), %d with withdrawals. By what the service shows, %s.\n",
		text.Visible(s.Trial), count(len(s.Streams), "stream"), entriesOf(entries),
		s.count(func(r streamStatus) bool { return r.Overdue }), s.Quiet,
		s.count(func(r streamStatus) bool { return r.Withdrawals > 0 }), moment(s.Time))
	for _, name := range []string{o.csv, o.html} {
		if name != "" {
			fmt.Fprintf(a.out, "%s is written (it holds people's names).\n", text.Visible(name))
		}
	}
	return nil
}

func entriesOf(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return number(uint64(n)) + " entries"
}

func people(r streamStatus) string {
	var all []string
	for _, p := range r.People {
		all = append(all, p.String())
	}
	if len(all) == 0 {
		return "nobody: every key has ended"
	}
	return strings.Join(all, ", ")
}

// number is n, or nothing where the stream is not shown.
func (r streamStatus) number(n int) string {
	if r.Closed {
		return ""
	}
	return strconv.Itoa(n)
}

func (r streamStatus) last() string {
	switch {
	case r.Closed:
		return ""
	case r.Last == nil:
		return "never"
	}
	return day(*r.Last)
}

// notes are what else there is to say.
func (r streamStatus) notes() (all []string) {
	if r.Closed {
		return []string{"closed: not shown to this key"}
	}
	if r.Overdue {
		all = append(all, "OVERDUE, quiet since "+day(*r.Since))
	}
	if r.Corrections > 0 {
		all = append(all, count(r.Corrections, "correction"))
	}
	if r.Pending > 0 {
		all = append(all, fmt.Sprintf("%d not final yet", r.Pending))
	}
	if r.Unreadable > 0 {
		all = append(all, fmt.Sprintf("%d erased or not held any more", r.Unreadable))
	}
	if r.Ended > 0 {
		all = append(all, count(r.Ended, "ended key"))
	}
	return all
}

// statusCSV returns the table as spreadsheets read it: a byte order mark, CR LF, and
// no field that they would take for a formula.
func statusCSV(s *trialStatus) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	_ = w.Write([]string{"trial", "stream", "roles", "people", "entries", "last_seal", "withdrawals", "corrections", "not_final", "unreadable", "closed", "overdue", "quiet_since"})
	stamp := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return text.FormatTime(*t)
	}
	for _, r := range s.Streams {
		var names []string
		for _, p := range r.People {
			names = append(names, p.String())
		}
		_ = w.Write([]string{cell(s.Trial), cell(r.Stream), cell(strings.Join(r.Roles, ", ")), cell(strings.Join(names, ", ")), r.number(r.Entries), stamp(r.Last),
			r.number(r.Withdrawals), r.number(r.Corrections), r.number(r.Pending), r.number(r.Unreadable), yes(r.Closed), yes(r.Overdue), stamp(r.Since)})
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// cell is text that no spreadsheet runs: one that begins like a formula has an
// apostrophe before it.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		s = "'" + s
	}
	return text.Visible(s)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// statusHTML returns the page, which loads nothing.
func statusHTML(s *trialStatus) ([]byte, error) {
	t, err := template.New("status").Funcs(template.FuncMap{
		"people": people, "moment": moment, "visible": text.Visible,
		"number": func(r streamStatus, n int) string { return r.number(n) },
		"last":   func(r streamStatus) string { return r.last() },
		"notes":  func(r streamStatus) string { return strings.Join(r.notes(), "; ") },
		"overdue": func() int {
			return s.count(func(r streamStatus) bool { return r.Overdue })
		},
	}).Parse(statusPage)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, s)
	return b.Bytes(), err
}

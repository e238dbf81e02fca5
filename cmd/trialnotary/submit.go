package main

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/text"
)

func (a *app) submitCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "submit FILE.pending…",
		Short: "Send what was prepared offline",
		Long: `Send statements that were sealed with --offline, on this machine or another. It needs
no key. Sending the same file again does no harm: it is one entry.`,
		Example: `  trialnotary submit export.20261122T132900Z.pending`,
		Args:    args(1, -1, "the pending file"),
		RunE:    func(c *cobra.Command, args []string) error { return a.submit(c, args) },
	}
	a.serviceFlag(c, "the service, if not the one in the file")
	return c
}

func readPending(name string) (*client.Pending, error) {
	b, err := client.ReadFile(name, client.MaxProfile)
	if err != nil {
		return nil, err
	}
	b, _ = text.Outer(b)
	p, err := client.ParsePending(b)
	if err != nil {
		return nil, wrongFile(name, b, kindOf(client.PendingVersion), err)
	}
	p.Trust = current(p.Trust)
	return p, nil
}

// outcome is what became of one pending file.
type outcome struct {
	File      string `json:"file"`
	Statement string `json:"statement,omitempty"`
	State     string `json:"state"` // accepted, complete, pending, failed; of a receipt that is there: stamped, unchanged
	Receipt   string `json:"receipt,omitempty"`
	Error     string `json:"error,omitempty"`
	About     string `json:"about,omitempty"` // kind, stream and trial
	code      int
	final     bool // refused: asking again will not help
}

func (a *app) submit(c *cobra.Command, files []string) error {
	var all []outcome
	away := silent{}
	for _, f := range files {
		o := outcome{File: f, State: "accepted"}
		p, err := readPending(f)
		if err == nil {
			o.Statement, o.About = p.Note.ID.String(), headOf(p.Note)
			var s *client.Service
			if s, err = a.dial(c, p.Service); err == nil {
				if err = away[s.URL()]; err == nil {
					_, err = s.Submit(c.Context(), p.Submission())
					away.note(s, err)
				}
			}
		}
		all = append(all, o.failed(err))
	}
	return a.showOutcomes("SUBMITTED", all, "The receipts come with: trialnotary receipt")
}

// failed records an error, if there is one.
func (o outcome) failed(err error) outcome {
	if err != nil {
		o.State, o.Error, o.code = "failed", strings.TrimPrefix(inWords(err), o.File+": "), codeOf(err)
		var refused *client.Refused
		o.final = o.code == exitUsage || errors.As(err, &refused) && !refused.Temporary()
	}
	return o
}

// shown is the file that there is now.
func (o outcome) shown() string {
	if o.State == "complete" {
		return o.Receipt
	}
	return o.File
}

// showOutcomes prints one row per file and returns the gravest code: a failure
// before what is only not yet there.
func (a *app) showOutcomes(word string, all []outcome, next string) error {
	code := exitDone
	s := &sheet{word: word, head: count(len(all), "statement")}
	width := 0
	for _, o := range all {
		width = max(width, utf8.RuneCountInString(text.Visible(o.shown())))
	}
	for _, o := range all {
		// Columns: what became of it, the file, what it is about.
		s.add(o.State, "%-*s  %s", width, text.Visible(o.shown()), o.About)
		if o.Error != "" {
			s.more("%s", o.Error)
		}
		if code == exitDone || code == exitPending && o.code != exitDone {
			code = o.code
		}
	}
	if slices.ContainsFunc(all, func(o outcome) bool { return o.code != exitDone && o.Receipt == "" }) {
		s.add("safe", "nothing was lost: what is not complete is kept in its pending file")
	}
	goesOn := func(o outcome) bool { return o.Receipt == "" && !o.final }
	if slices.ContainsFunc(all, goesOn) {
		s.add("next", "%s", next)
	}
	if slices.ContainsFunc(all, func(o outcome) bool { return o.final }) {
		s.add("not again", "what was refused, or cannot be read, stays so: put the reason right and seal again, then remove its pending file")
	}
	if all == nil {
		all = []outcome{}
	}
	if err := a.print(s, struct {
		Statements []outcome `json:"statements"`
	}{all}); err != nil {
		return err
	}
	if code != exitDone {
		return shown{code}
	}
	return nil
}

package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/history"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

func (a *app) timelineCommand() *cobra.Command {
	var g gathering
	var html string
	c := &cobra.Command{
		Use:   "timeline TRIAL.trial|FILE.history [--html FILE]",
		Short: "Show everything a trial sealed, in order, against its own rules",
		Long: `Show every statement of a trial in the order of the log: which replaced which, what
was withdrawn, corrected or erased and why, and whether the trial kept the order that
its registration promised. What counts for nothing is shown as that; what is closed is
counted. --html writes the same as one page with a picture, for a board or a printer.

The order is that of the batches in the log. For two statements, their receipts show
it without the operator's word: trialnotary verify.

Exit codes: 0 nothing that is shown breaks a rule, 1 a rule is broken, or the history
does NOT verify, 2 it could not be checked, 4 the service could not be reached or
refused, 5 as 0, but whose log this is is unconfirmed.`,
		Example: `  trialnotary timeline NCT01234567.trial --html timeline.html
  trialnotary timeline NCT01234567.history`,
		Args: args(1, 1, "the trial file or the history"),
		RunE: func(c *cobra.Command, args []string) error { return a.timeline(c, args[0], html, g) },
	}
	c.Flags().StringVar(&html, "html", "", "write the timeline as a page to this `FILE`, created")
	a.gatherFlags(c, &g)
	return c
}

func (a *app) timeline(c *cobra.Command, name, html string, g gathering) error {
	if html != "" && exists(html) == nil {
		return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", html, client.ErrExists), do: "Choose another name with --html."}
	}
	r, err := a.trialHistory(c, name, g)
	if err != nil {
		return err
	}
	if r.failure != nil {
		return a.showHistory(r)
	}
	t := r.verdict.Timeline()
	if html != "" {
		page, err := timelinePage(r, t, a.now())
		if err != nil {
			return err
		}
		if err := client.WriteNew(html, page, client.Private); err != nil {
			return err
		}
	}
	if a.json {
		err = a.encode(timelineJSON(r, t, html))
	} else {
		err = a.showTimeline(r, t, html)
	}
	if err != nil {
		return err
	}
	code := r.code()
	if t.Violation() {
		code = exitNotVerified
	}
	if code != exitDone {
		return shown{code}
	}
	return nil
}

// showTimeline prints the rules, then one line for each entry.
func (a *app) showTimeline(r *checkedHistory, t *history.Timeline, html string) error {
	v := r.verdict
	s := &sheet{word: "TIMELINE", head: strings.TrimPrefix(headOfHistory(v), "history · ")}
	if !v.Confirmed {
		s.word = unconfirmed
		s.head = "timeline · " + s.head
	}
	if t.Violation() {
		s.word, s.head = "NOT IN ORDER", "timeline · "+strings.TrimPrefix(s.head, "timeline · ")
	}
	for _, rule := range t.Rules {
		s.add("rule", "%-15s  %s before %s: %s", shout(rule.State), rule.First, rule.Then, ruleWhy(t, rule))
	}
	addAsOf(s, v)
	addVouched(s, v)
	for _, i := range v.Rivals {
		s.add("ANOTHER", "registration of %s: fingerprint %s, log index %s, sponsor key %s", i.Stream.Trial, fingerprintOf(i), number(i.Entry.Index), i.Note.Keys[0].Key.Name)
	}
	addBelief(s, r.trust, v.Registered, v.Confirmed)
	for _, what := range v.NotShown() {
		s.add("not shown", "%s", what)
	}
	if r.file != "" && isHistory(r.file) {
		s.add("evidence", "%s", r.file)
	}
	if html != "" {
		s.add("page", "%s", html)
	}
	if err := a.print(s, nil); err != nil {
		return err
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\n#\tINDEX\tBATCH\tLOG'S CLOCK\tSTREAM\tWHAT\tBY\t")
	for _, e := range t.Events {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Number, number(e.Entry.Index), number(e.Entry.Batch), history.Moment(e.Entry.Time),
			laneOf(e.Stream), eventWhat(e), eventBy(e), text.Visible(strings.Join(eventNotes(v, e), "; ")))
	}
	w.Flush()
	for line := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\n"), "\n") {
		fmt.Fprintln(a.out, strings.TrimRight(line, " "))
	}
	return nil
}

// shout writes what must not be overlooked in capitals.
func shout(s history.RuleState) string {
	switch s {
	case history.Kept, history.Open:
		return s.String()
	}
	return strings.ToUpper(s.String())
}

// ruleWhy adds to a ruling's reason where all that break it stand.
func ruleWhy(t *history.Timeline, r history.Ruling) string {
	if len(r.By) < 2 {
		return r.Why
	}
	var all []string
	for _, e := range r.By {
		all = append(all, fmt.Sprintf("#%d", e.Number))
	}
	return fmt.Sprintf("%s; in all %d: %s", r.Why, len(all), names(all))
}

// laneOf names a stream in one word.
func laneOf(s *history.StreamVerdict) string {
	switch {
	case s.Kind == history.Registration:
		return "registration"
	case s.Name == "":
		return s.ID.String()[:12] + "…"
	case s.Wrong != "":
		return text.Visible(s.Name) + " (2)"
	}
	return text.Visible(s.Name)
}

// eventWhat says what an entry is.
func eventWhat(e *history.Event) string {
	if e.State == history.Closed {
		return "closed"
	}
	if e.Note == nil {
		return "INVALID"
	}
	kind := text.Visible(string(e.Note.Kind))
	switch {
	case e.State == history.Invalid:
		return "INVALID " + kind
	case e.State == history.Undecided:
		return kind + "?"
	case e.State == history.Rival:
		return "ANOTHER registration"
	case e.Version > 0:
		return fmt.Sprintf("%s, version %d", kind, e.Version)
	}
	return kind
}

// eventBy says whose statement it is: a person's only if the signature says so.
func eventBy(e *history.Event) string {
	switch {
	case e.Note == nil:
		return ""
	case e.State == history.Valid && e.Note.Signer != "":
		return text.Visible(fmt.Sprintf("%s (%s)", e.Note.Signer, e.Note.Meaning))
	case e.State == history.Valid && e.Grant.Person != "":
		return text.Visible(e.Grant.Person)
	}
	return text.Visible(e.Note.KeyName)
}

// eventNotes says what is to be known of an entry: what it says, as far as its
// signature vouches for it, and what others say of it.
func eventNotes(v *history.Verdict, e *history.Event) (all []string) {
	add := func(format string, a ...any) { all = append(all, fmt.Sprintf(format, a...)) }
	if e.State == history.Valid {
		n := e.Note
		if n.Label != "" {
			add("“%s”", n.Label)
		}
		for _, k := range n.Keys {
			switch n.Kind {
			case statement.KindRegistration:
				add("%s key %s", k.Role, k.Key.Name)
			case statement.KindRevocation:
				add("ends key %s of %s", k.Key.Name, k.Name)
			default:
				who := ""
				if n.Person != "" {
					who = " (" + n.Person + ")"
				}
				add("key %s%s as %s of %s", k.Key.Name, who, k.Role, k.Name)
			}
		}
		if n.Supersedes != nil && e.Of == nil {
			add("replaces a statement that is not shown")
		}
		if e.Of != nil {
			add("replaces #%d", e.Of.Number)
		}
		for _, about := range e.About {
			add("about #%d", about.Number)
		}
		if n.Reason != "" {
			add("reason: %s", n.Reason)
		}
		if from, to, ok := v.Between(e.Item); ok {
			add("made between %s and %s by the log's clock: it names the log at size %s", history.Moment(from), history.Moment(to), number(n.After.Size))
		}
	}
	if e.State == history.Rival {
		add("fingerprint %s, sponsor key %s", fingerprintOf(e.Item), e.Note.Keys[0].Key.Name)
	}
	if e.Why != "" {
		add("%s", e.Why)
	}
	for _, by := range e.SupersededBy {
		add("REPLACED by #%d%s", by.Number, maybe(by))
	}
	for _, by := range e.Ends {
		word := strings.ToUpper(pastWords[by.Note.Kind])
		if len(by.Note.Keys) > 0 {
			word = "its key was " + word
		}
		add("%s by #%d%s", word, by.Number, maybe(by))
	}
	return all
}

// maybe marks what nobody can say to be by a key in force.
func maybe(e *history.Event) string {
	if e.State != history.Valid {
		return " (whether its key was in force is not shown)"
	}
	return ""
}

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"trialnotary/notary/entry"
	"trialnotary/notary/history"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// absence is one call of absent.
type absence struct {
	gathering
	kind, statement, before string
}

func (a *app) absentCommand() *cobra.Command {
	var q absence
	c := &cobra.Command{
		Use:   "absent TRIAL.trial|FILE.history [STREAM] [--kind KIND] [--before ID]",
		Short: "Show that something was not there",
		Long: `Show that a stream had no entry, or that no statement of a kind stood in any
stream of the trial: up to a batch or, with --before, before a given statement, which
is up to the last batch wholly before it. With a trial file the service is asked for
the history, which --out keeps as evidence; a history file is enough by itself.

That no statement of a kind was there needs every statement to be shown and checked:
where one is closed, it cannot be known.

Exit codes: 0 it was absent, 1 it was there, or it cannot be known, 2 it could not be
checked, 4 the service could not be reached or refused, 5 absent, but whose log this
is is unconfirmed.`,
		Example: `  trialnotary absent NCT01234567.trial --kind unblinding --before plan.receipt
  trialnotary absent NCT01234567.history site-042`,
		Args: args(1, 2, "the trial file or the history, then a stream"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				q.stream = args[1]
			}
			return a.absent(c, args[0], q)
		},
	}
	c.Flags().StringVar(&q.kind, "kind", "", "any statement of this `KIND`, in any stream")
	c.Flags().StringVar(&q.statement, "statement", "", "the statement of this `ID`, or in this receipt, in any stream")
	c.Flags().StringVar(&q.before, "before", "", "only what is before the statement of this `ID`, or in this receipt")
	a.gatherFlags(c, &q.gathering)
	return c
}

// question checks what is asked.
func (q absence) question(c *cobra.Command) (history.Question, error) {
	asked := history.Question{Stream: q.stream, Kind: statement.Kind(q.kind)}
	if q.statement != "" {
		id, err := statementID(q.statement)
		if err != nil {
			return asked, asking(err)
		}
		asked.Statement = &id
	}
	n := 0
	for _, given := range []string{q.stream, q.kind, q.statement} {
		if given != "" {
			n++
		}
	}
	switch {
	case n != 1:
		return asked, usageError(c, "what is to be absent? Name one: a stream, --kind or --statement", "--kind dataset")
	case q.kind != "" && !asked.Kind.Known():
		return asked, &fault{code: exitUsage, err: fmt.Errorf("there is no kind %q", q.kind), do: "The kinds: " + kindNames()}
	}
	return asked, nil
}

// asking takes out of a fault what it says of sealing.
func asking(err error) error {
	var f *fault
	if errors.As(err, &f) {
		f.safe = ""
	}
	return err
}

func (a *app) absent(c *cobra.Command, name string, q absence) error {
	asked, err := q.question(c)
	if err != nil {
		return err
	}
	r, err := a.trialHistory(c, name, q.gathering)
	if err != nil {
		return err
	}
	if r.failure != nil {
		return a.showHistory(r)
	}
	var before *entry.Entry
	if q.before != "" {
		if before, err = a.beforeWhat(r, q); err != nil {
			return err
		}
	}
	answer, err := r.verdict.Absent(asked, before)
	if err != nil {
		return &fault{code: exitUsage, err: err, do: "To see what the history holds: trialnotary verify " + quote(r.file)}
	}
	return a.showAbsent(r, q, asked, before, answer)
}

// beforeWhat finds the entry of a statement: in the history or, if it stands later,
// by its receipt.
func (a *app) beforeWhat(r *checkedHistory, q absence) (*entry.Entry, error) {
	id, err := statementID(q.before)
	if err != nil {
		return nil, asking(err)
	}
	if i := r.verdict.Find(id); i != nil {
		return &i.Entry, nil
	}
	if exists(q.before) != nil {
		return nil, &fault{code: exitUsage, err: fmt.Errorf("the history, up to batch %s, does not hold the statement %s", number(r.verdict.Batch.Number), id), do: "If it came later, give its receipt: --before NAME.receipt"}
	}
	by, err := a.check(q.before, verifying{trial: q.trial})
	if err != nil {
		return nil, err
	}
	switch v := by.verdict; {
	case by.failure != nil:
		return nil, &fault{code: exitNotVerified, err: fmt.Errorf("%s does not verify: %s: %s", q.before, stepWords[by.failure.Step], by.failure.Reason)}
	case v.Origin != r.verdict.Origin:
		return nil, &fault{code: exitUsage, err: fmt.Errorf("%s is of the log %s, the history of %s", q.before, v.Origin, r.verdict.Origin)}
	default:
		if _, err := r.verdict.Holds(v.Entry); err != nil {
			return nil, &receipt.Failure{Step: stepHistory, Reason: fmt.Sprintf("it contradicts %s, and the log signed both: %v", q.before, err)}
		}
		return &v.Entry, nil
	}
}

func (a *app) showAbsent(r *checkedHistory, q absence, asked history.Question, before *entry.Entry, answer history.Answer) error {
	what := q.stream + q.kind
	if asked.Statement != nil {
		what = "statement " + asked.Statement.String()[:16] + "…"
	}
	v := r.verdict
	s := &sheet{word: "ABSENT", head: what}
	code := r.code()
	switch answer.Reply {
	case history.Present:
		s.word, code = "NOT ABSENT", exitNotVerified
	case history.Unknown:
		s.word, code = "NOT KNOWN", exitNotVerified
	}
	if v.Registration != nil {
		s.head += " · " + v.Registration.Trial
	}
	s.add("answer", "%s", answer.Words)
	for n, i := range append(append([]*history.Item{}, answer.Found...), answer.Maybe...) {
		word := []string{"there", ""}[min(n, 1)]
		if answer.Reply == history.Unknown {
			word = []string{"could be", ""}[min(n, 1)]
		}
		if n == 10 {
			s.add(word, "and %d more", len(answer.Found)+len(answer.Maybe)-n)
			break
		}
		s.add(word, "log index %s, batch %s, number %s of %s: %s", number(i.Entry.Index), number(i.Entry.Batch), number(i.Entry.Seq), i.Stream.Title(), i.State)
	}
	for _, i := range answer.Invalid {
		s.add("INVALID", "log index %s, number %s of %s%s: %s", number(i.Entry.Index), number(i.Entry.Seq), i.Stream.Title(), says(i), i.Why)
	}
	if before != nil {
		s.add("before", "the statement at log index %s, batch %s (%s)", number(before.Index), number(before.Batch), moment(before.Time))
	}
	addAsOf(s, v)
	s.add("vouched", "%s", v.ByWhom())
	addBelief(s, r.trust, v.Registered, v.Confirmed)
	if q.out != "" {
		s.add("file", "%s", q.out)
	}
	out := absentOut{Answer: map[history.Reply]string{history.Absent: "absent", history.Present: "present", history.Unknown: "unknown"}[answer.Reply],
		Words: answer.Words, Stream: q.stream, Kind: q.kind, Missing: answer.Missing, Found: itemsOut(answer.Found), Maybe: itemsOut(answer.Maybe), Invalid: itemsOut(answer.Invalid),
		Log: v.Origin, Batch: v.Batch.Number, TrialPrint: v.TrialFingerprint, Audited: v.Audited(), Confirmed: v.Confirmed, File: r.file}
	if asked.Statement != nil {
		out.Statement = asked.Statement.String()
	}
	if before != nil {
		out.Before = &before.Index
	}
	if err := a.print(s, out); err != nil {
		return err
	}
	if code != exitDone {
		return shown{code}
	}
	return nil
}

// absentOut is the answer for machines.
type absentOut struct {
	Answer     string    `json:"answer"` // absent, present, unknown
	Words      string    `json:"words"`
	Stream     string    `json:"stream,omitempty"`
	Kind       string    `json:"kind,omitempty"`
	Statement  string    `json:"statement,omitempty"`
	Before     *uint64   `json:"before_index,omitempty"`
	Found      []itemOut `json:"found"`
	Maybe      []itemOut `json:"could_be"`
	Invalid    []itemOut `json:"invalid"`
	Missing    []string  `json:"missing,omitempty"`
	Log        string    `json:"log"`
	Batch      uint64    `json:"batch"`
	TrialPrint string    `json:"trial_fingerprint,omitempty"`
	Audited    bool      `json:"audited"`
	Confirmed  bool      `json:"trust_confirmed"`
	File       string    `json:"file"`
}

func itemsOut(all []*history.Item) []itemOut {
	out := []itemOut{}
	for _, i := range all {
		out = append(out, itemJSON(i))
	}
	return out
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/access"
	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

// readsCommand shows the trail of reads of a trial.
func (a *app) readsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "reads TRIAL.trial",
		Short: "Who read what of a trial through the service",
		Long: `The service writes down every read that is not everyone's before it answers, and about
every ten minutes seals a statement with the hash of what was read. This shows the reads
that were sealed so far, in order, after checking that no file of them is missing or was
changed and that each statement stands in the log. Reads of closed streams, such as a
safety board's, are shown to those keys only that may read them.`,
		Example: "  trialnotary reads NCT01234567.trial\n  trialnotary reads NCT01234567.trial --json",
		Args:    args(1, 1, "the trial file"),
		RunE:    func(c *cobra.Command, args []string) error { return a.reads(c, args[0]) },
	}
	a.keyFlag(c, "your key, if not the one that registered the trial")
	a.serviceFlag(c, "the service, if not the trial's")
	return c
}

// readOut is one read.
type readOut struct {
	Time   time.Time `json:"time"` // the service's clock
	Who    string    `json:"who"`
	Role   string    `json:"role"`
	What   string    `json:"what"`
	Stream string    `json:"stream"`
	From   uint64    `json:"from,omitempty"`
	To     uint64    `json:"to,omitempty"`
}

func (a *app) reads(c *cobra.Command, file string) error {
	w, err := a.opened(c, file)
	if err != nil {
		return err
	}
	srv, err := a.dial(c, w.trial.Service)
	if err != nil {
		return err
	}
	trial := w.trial.Registration.Note.Keys[0].Stream
	trail, err := srv.Access(c.Context(), w.trial.Log, w.key, trial)
	if err != nil {
		return err
	}
	out := struct {
		Trial string    `json:"trial"`
		Files int       `json:"files"`
		Reads []readOut `json:"reads"`
	}{w.trial.Trial, len(trail.Open) + len(trail.Closed), []readOut{}}
	names := a.namesOf(w.trial)
	for i, anchored := range [][]access.Anchored{trail.Open, trail.Closed} {
		records, err := access.Verify(w.trial.Log, trial, i == 1, trail.Service, anchored)
		if err == nil {
			err = a.standing(c.Context(), srv, w.trial, anchored)
		}
		var nothing *client.Unreachable
		var refused *client.Refused
		switch {
		case errors.As(err, &nothing), errors.As(err, &refused):
			return err
		case err != nil:
			return &fault{code: exitNotVerified, err: fmt.Errorf("the trail of reads does not hold: %w", err), safe: "Nothing was changed.",
				do: "Keep this answer, and ask the operator. What was sealed is not touched by it."}
		}
		for _, r := range records {
			out.Reads = append(out.Reads, readOut{r.Time, names(r.Key), string(r.Role), r.What, names(r.Stream.String()), r.From, r.To})
		}
	}
	slices.SortStableFunc(out.Reads, func(x, y readOut) int { return x.Time.Compare(y.Time) })
	if a.json {
		return a.encode(out)
	}
	t := newTable("TIME (SERVICE'S CLOCK)", "WHO", "ROLE", "READ", "OF STREAM", "ENTRIES")
	for _, r := range out.Reads {
		t.row(moment(r.Time), r.Who, r.Role, r.What, r.Stream, span(r))
	}
	if len(out.Reads) > 0 {
		fmt.Fprint(a.out, t.String(), "\n")
	}
	fmt.Fprintf(a.out, "%s: %s in %s, each sealed in the log. The last minutes are sealed later.\n",
		out.Trial, count(len(out.Reads), "read"), count(out.Files, "file"))
	return nil
}

// standing checks that every statement of the trail stands in the log.
func (a *app) standing(ctx context.Context, srv *client.Service, t *client.Trial, anchored []access.Anchored) error {
	show, done := a.counter("Statements checked:")
	defer done()
	for i, x := range anchored {
		n, err := statement.Parse(x.Statement)
		if err != nil {
			return err
		}
		var wait *client.NotYet
		if err := srv.Stands(ctx, n, t.Trust, a.now()); err != nil && !errors.As(err, &wait) {
			return err
		}
		show(i+1, len(anchored))
	}
	return nil
}

// namesOf returns what people call the keys and streams of a trial; what it does not
// know, it shortens.
func (a *app) namesOf(t *client.Trial) func(string) string {
	known := map[string]string{}
	for _, l := range append([]client.Logged{t.Registration}, t.Grants...) {
		for _, k := range l.Note.Keys {
			known[k.Stream.String()] = k.Name
			if known[k.Key.Fingerprint()] = k.Key.Name; l.Note.Person != "" {
				known[k.Key.Fingerprint()] = l.Note.Person
			}
		}
	}
	for _, id := range t.Registration.Note.RegistrationStreams() {
		known[id.String()] = statement.RegistrationStream
	}
	return func(id string) string {
		if name := known[id]; name != "" {
			return name
		}
		return id[:9] + "…"
	}
}

// span says which entries were read.
func span(r readOut) string {
	switch {
	case r.What == access.Trail:
		return ""
	case r.What == access.History:
		return fmt.Sprintf("as of batch %d", r.To)
	case r.To < r.From:
		return "none"
	}
	return fmt.Sprintf("%d to %d", r.From, r.To)
}

package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

type statusOptions struct {
	quiet, csv, html string
}

func (a *app) statusCommand() *cobra.Command {
	var o statusOptions
	c := &cobra.Command{
		Use:   "status TRIAL.trial [--quiet 31d] [--csv FILE] [--html FILE]",
		Short: "How every stream of a trial stands",
		Long: `One row for each stream: whose keys are in force, how much was sealed, when last, what
was withdrawn, and which streams have been quiet for too long. It is what the service
shows; that nothing is left out, trialnotary history proves.`,
		Example: `  trialnotary status NCT01234567.trial --quiet 14d
  trialnotary status NCT01234567.trial --csv status.csv --html status.html`,
		Args: args(1, 1, "the trial file"),
		RunE: func(c *cobra.Command, args []string) error { return a.status(c, args[0], o) },
	}
	c.Flags().StringVar(&o.quiet, "quiet", "31d", "a stream without an entry for longer than this `TIME` is overdue: 31d, 4w, 36h")
	c.Flags().StringVar(&o.csv, "csv", "", "also write a spreadsheet `FILE`, created")
	c.Flags().StringVar(&o.html, "html", "", "also write a page `FILE`, created, that needs nothing else")
	a.keyFlag(c, "your sponsor key, if not the one that registered the trial")
	a.serviceFlag(c, "the service, if not the trial's")
	return c
}

// streamStatus is one row.
type streamStatus struct {
	Stream      string        `json:"stream"`
	Roles       []string      `json:"roles"`
	People      []personState `json:"people"` // in force
	Ended       int           `json:"keys_ended"`
	Entries     int           `json:"entries"`
	Last        *time.Time    `json:"last_seal,omitempty"` // by the log's clock
	Withdrawals int           `json:"withdrawals"`
	Corrections int           `json:"corrections"`
	Pending     int           `json:"pending"`    // sealed, not under a final checkpoint yet
	Unreadable  int           `json:"unreadable"` // statement erased or not held any more
	Closed      bool          `json:"closed"`     // not shown to this key
	Overdue     bool          `json:"overdue"`
	Since       *time.Time    `json:"quiet_since,omitempty"`
}

type personState struct {
	Person string     `json:"person,omitempty"`
	Key    string     `json:"key"`
	Role   string     `json:"role"`
	Until  *time.Time `json:"until,omitempty"`
}

func (p personState) String() string {
	if p.Person == "" {
		return p.Key
	}
	return p.Person
}

// trialStatus is the whole.
type trialStatus struct {
	Trial       string         `json:"trial"`
	Fingerprint string         `json:"fingerprint"`
	Time        time.Time      `json:"time"`
	Quiet       string         `json:"quiet"`
	LogSize     uint64         `json:"log_size"`
	Streams     []streamStatus `json:"streams"`
}

func (s *trialStatus) count(of func(streamStatus) bool) (n int) {
	for _, r := range s.Streams {
		if of(r) {
			n++
		}
	}
	return n
}

func (a *app) status(c *cobra.Command, file string, o statusOptions) error {
	quiet, err := parsePeriod(o.quiet)
	if err != nil {
		return err
	}
	for _, name := range []string{o.csv, o.html} {
		if name != "" && exists(name) == nil {
			return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", name, client.ErrExists), safe: "Nothing was written.", do: "Choose another name."}
		}
	}
	w, err := a.opened(c, file)
	if err != nil {
		return err
	}
	srv, err := a.dial(c, w.trial.Service)
	if err != nil {
		return err
	}
	f, all, err := srv.TrialFetcher(c.Context(), w.trial, w.key, a.now())
	if err != nil {
		return err
	}
	s := &trialStatus{Trial: w.trial.Trial, Fingerprint: w.trial.Fingerprint(), Time: a.now().UTC().Truncate(time.Second), Quiet: o.quiet, LogSize: f.Size()}
	s.Streams = peopleOf(f.Authority(), all, a.now())
	show, done := a.counter("Streams read:")
	for i := range s.Streams {
		show(i, len(s.Streams))
		r := &s.Streams[i]
		id, _ := f.Authority().Stream(r.Stream)
		entries := all
		if r.Stream != statement.TrialStream {
			entries, err = srv.Stream(c.Context(), w.trial.Log, w.key, id)
			if no, ok := errors.AsType[*client.Refused](err); ok && no.Status == statusForbidden {
				r.Closed, r.Since = true, nil
				continue
			} else if err != nil {
				done()
				return err
			}
		}
		r.tell(entries, f.Size(), a.now().Add(-quiet))
	}
	done()
	return a.showStatus(s, o)
}

const statusForbidden = 403 // of a stream that the key may not read, or that is none

// peopleOf returns a row for each stream that the trial stream names, with who may
// sign in it now; the trial stream first, then by name.
func peopleOf(a *statement.Authority, all []client.Sealed, now time.Time) []streamStatus {
	rows := []streamStatus{{Stream: statement.TrialStream}}
	at := map[string]int{statement.TrialStream: 0}
	add := func(k statement.Key, granted *time.Time) {
		i, ok := at[k.Name]
		if !ok {
			i = len(rows)
			at[k.Name] = i
			rows = append(rows, streamStatus{Stream: k.Name, Since: granted})
		}
		r, found := &rows[i], false
		if slices.ContainsFunc(r.People, func(p personState) bool { return p.Key == k.Key.Name && p.Role == string(k.Role) }) {
			return
		}
		for _, g := range a.InForce(k.Stream, k.Key.Name, k.Key.Hash(), math.MaxUint64, now) {
			if g.Key.Key != k.Key || found {
				continue
			}
			found = true
			p := personState{Person: g.Person, Key: k.Key.Name, Role: string(g.Role)}
			if !g.Until.IsZero() {
				p.Until = &g.Until
			}
			r.People = append(r.People, p)
			if !slices.Contains(r.Roles, string(g.Role)) {
				r.Roles = append(r.Roles, string(g.Role))
			}
		}
		if !found {
			r.Ended++
		}
	}
	for _, k := range a.Registration().Keys {
		add(k, nil)
	}
	for _, x := range all {
		if x.Note == nil || len(x.Note.Keys) != 1 || x.Note.Kind == statement.KindRevocation {
			continue
		}
		add(x.Note.Keys[0], &x.Time)
	}
	slices.SortFunc(rows[1:], func(x, y streamStatus) int { return strings.Compare(x.Stream, y.Stream) })
	return rows
}

// tell adds what the entries of the stream say. overdue is before when the last one
// should not be.
func (r *streamStatus) tell(entries []client.Sealed, final uint64, overdue time.Time) {
	r.Entries = len(entries)
	for _, x := range entries {
		r.Last, r.Since = &x.Time, &x.Time
		if x.Index >= final {
			r.Pending++
		}
		switch {
		case x.Note == nil:
			r.Unreadable++
		case x.Note.Kind == statement.KindWithdrawal:
			r.Withdrawals++
		case x.Note.Kind == statement.KindCorrection:
			r.Corrections++
		}
	}
	// Who has no key in force, and who only reads, owes nothing.
	seals := slices.ContainsFunc(r.Roles, func(role string) bool {
		switch statement.Role(role) {
		case statement.RoleSite, statement.RoleLaboratory, statement.RoleDSMB:
			return true
		}
		return false
	})
	r.Overdue = seals && r.Since != nil && r.Since.Before(overdue)
}

// parsePeriod parses 31d, 4w or 36h.
func parsePeriod(s string) (time.Duration, error) {
	units := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if len(s) > 1 {
		if n, err := strconv.ParseUint(s[:len(s)-1], 10, 16); err == nil && n > 0 && units[s[len(s)-1]] > 0 {
			return time.Duration(n) * units[s[len(s)-1]], nil
		}
	}
	return 0, &fault{code: exitUsage, err: fmt.Errorf("%q is not a period", s), safe: "Nothing was done.", do: "Write days, weeks or hours: 31d, 4w, 36h."}
}

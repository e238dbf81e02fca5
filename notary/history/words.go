package history

import (
	"fmt"
	"strings"
	"time"

	"trialnotary/notary/entry"
)

// Moment writes a time as verdicts do: 22 Nov 2026 13:29 UTC.
func Moment(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 UTC") }

// upTo names a batch; its time is the log's clock.
func upTo(b entry.Batch) string { return fmt.Sprintf("batch %d (%s)", b.Number, Moment(b.Time)) }

// Title names a stream.
func (s *StreamVerdict) Title() string {
	switch {
	case s.Kind == Registration:
		return "the registration stream of " + s.Trial
	case s.Name == "":
		return "stream " + s.ID.String()
	}
	return "stream " + s.Name + " of " + s.Trial
}

// Line says in words that the entries here are all that a stream held, and what
// of it is closed or counts for nothing.
func (v *Verdict) Line(s *StreamVerdict) string {
	var b strings.Builder
	switch n := len(s.Items); n {
	case 0:
		fmt.Fprintf(&b, "%s held no entry up to %s", s.Title(), upTo(v.Batch))
	case 1:
		fmt.Fprintf(&b, "this 1 entry is all that %s held up to %s", s.Title(), upTo(v.Batch))
	default:
		fmt.Fprintf(&b, "these %d entries are all that %s held up to %s", n, s.Title(), upTo(v.Batch))
	}
	for _, part := range []struct {
		state State
		words string
	}{{Closed, "closed: counted, not shown"}, {Invalid, "INVALID"}, {Undecided, "of a key whose right is not shown here"}, {Rival, "another registration"}} {
		if n := len(s.Shown(part.state)); n > 0 {
			fmt.Fprintf(&b, "; %d %s", n, part.words)
		}
	}
	switch {
	case s.Wrong != "":
		b.WriteString("; " + s.Wrong)
	case s.Kind == Unnamed && v.Registration != nil:
		b.WriteString("; no grant that is shown names this stream")
	}
	return b.String()
}

// ByWhom says on whose word the map, and so every line, rests.
func (v *Verdict) ByWhom() string {
	if !v.Audited() {
		return "complete according to the operator only: no auditor vouches for the map"
	}
	var names []string
	for _, a := range v.Auditors {
		names = append(names, a.Name)
	}
	return fmt.Sprintf("%s recomputed the log and every map up to here", strings.Join(names, ", "))
}

// NotShown says in sentences what a reader might take the history to show, and it
// does not.
func (v *Verdict) NotShown() (all []string) {
	if v.NoRegistration != "" {
		all = append(all, "by whose right anything was said: "+v.NoRegistration)
	}
	if len(v.Missing) > 0 {
		all = append(all, "the whole trial: not here are "+strings.Join(v.Missing, ", "))
	}
	if v.grants != nil {
		if n := len(v.grants.Shown(Closed)); n > 0 {
			all = append(all, fmt.Sprintf("every grant and revocation: %d of %d entries of the trial stream are closed", n, len(v.grants.Items)))
		}
	}
	return all
}

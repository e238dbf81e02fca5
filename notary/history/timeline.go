package history

import (
	"fmt"
	"slices"
	"strings"

	"trialnotary/notary/statement"
)

// Timeline is a trial in the order of its log.
type Timeline struct {
	Events []*Event
	Rules  []Ruling
}

// Event is one entry and what others say of it.
type Event struct {
	*Item
	Number       int      // from 1, in this timeline
	Version      int      // in its chain of versions, from 1; 0 if there is only one
	Of           *Event   // the version it supersedes, nil for none that is shown
	SupersededBy []*Event // by ascending index
	Ends         []*Event // withdrawals, corrections and erasures that are about it
	About        []*Event // what it is about
}

// Violation reports whether some rule of the trial is broken.
func (t *Timeline) Violation() bool {
	for _, r := range t.Rules {
		if r.State == OutOfOrder || r.State == FirstMissing {
			return true
		}
	}
	return false
}

// Timeline puts everything that the history shows in the order of the log. The
// registration is there once, where it stands under the trial's own id.
func (v *Verdict) Timeline() *Timeline {
	t := &Timeline{}
	at := map[statement.ID]*Event{}
	for _, i := range v.Items() {
		if v.Registration != nil && i.Entry.Statement == v.Registration.ID && i.Stream.Kind == Registration && i.Stream.Trial != v.Registration.Trial {
			continue
		}
		e := &Event{Item: i, Number: len(t.Events) + 1}
		t.Events = append(t.Events, e)
		// A site can have another's id sealed in its own stream, even before the other does.
		if was := at[i.Entry.Statement]; was == nil || !was.atHome() && e.atHome() {
			at[i.Entry.Statement] = e
		}
	}
	for _, e := range t.Events {
		if e.State == Valid || e.State == Undecided {
			e.link(at)
		}
	}
	for _, e := range t.Events {
		if e.Of == nil && len(e.SupersededBy) > 0 {
			e.number(1)
		}
	}
	if v.Registration != nil {
		for _, r := range v.Registration.Rules {
			t.Rules = append(t.Rules, v.rule(r, t.Events))
		}
	}
	return t
}

// link connects a statement with those it names, if its key was in force or nobody
// can say: what may be a withdrawal is not to be overlooked. What it names must
// have been there before.
func (e *Event) link(at map[statement.ID]*Event) {
	if s := e.Note.Supersedes; s != nil {
		if old := at[*s]; old != nil && old.Entry.Index < e.Entry.Index {
			e.Of = old
			old.SupersededBy = append(old.SupersededBy, e)
		}
	}
	for _, id := range e.Note.About {
		old := at[id]
		if old == nil || old.Entry.Index >= e.Entry.Index {
			continue
		}
		e.About = append(e.About, old)
		switch e.Note.Kind {
		case statement.KindWithdrawal, statement.KindCorrection, statement.KindErasure, statement.KindRevocation, statement.KindSuccession:
			old.Ends = append(old.Ends, e)
		}
	}
}

func (e *Event) number(version int) {
	e.Version = version
	for _, next := range e.SupersededBy {
		next.number(version + 1)
	}
}

// RuleState says how a trial kept one of its rules.
type RuleState int

const (
	// Kept: the first of the one kind was sealed in an earlier batch than any of
	// the other, or is named by it.
	Kept RuleState = iota
	// Open: there is none of the second kind yet.
	Open
	// Together: the first of both were sealed in one batch; which came first is not
	// shown.
	Together
	// OutOfOrder: one of the second kind was sealed before any of the first that is
	// shown.
	OutOfOrder
	// FirstMissing: there is one of the second kind and none of the first.
	FirstMissing
	// NotKnown: what is closed, or not here, could decide it either way.
	NotKnown
)

// String returns the state as reports have it.
func (s RuleState) String() string {
	return [...]string{"ok", "nothing yet", "sealed together", "out of order", "missing", "cannot be known"}[s]
}

// Ruling is how a trial kept one of its rules.
type Ruling struct {
	statement.Rule
	State    RuleState
	Why      string   // a sentence without a full stop
	Earliest *Event   // of the first kind, the earliest; nil for none
	By       []*Event // of the second kind: the earliest or, where the rule is broken, all that break it
}

// rule evaluates a rule by the order in which batches were sealed: only what a key
// in force said counts.
func (v *Verdict) rule(r statement.Rule, events []*Event) Ruling {
	j := Ruling{Rule: r}
	var firsts, thens []*Event
	for _, e := range events {
		if e.State != Valid {
			continue
		}
		if e.Note.Kind == r.First {
			firsts = append(firsts, e)
		}
		if e.Note.Kind == r.Then {
			thens = append(thens, e)
		}
	}
	if len(firsts) > 0 {
		j.Earliest = firsts[0]
	}
	// Each of the second kind is looked at: that one names what was sealed after it
	// excuses no other.
	excused := func(e *Event) bool {
		return slices.ContainsFunc(firsts, func(f *Event) bool { return e.names(f.Entry.Statement) })
	}
	var early, together []*Event
	for _, e := range thens {
		switch {
		case j.Earliest == nil || e.Entry.Batch > j.Earliest.Entry.Batch || excused(e):
		case e.Entry.Batch < j.Earliest.Entry.Batch:
			early = append(early, e)
		default:
			together = append(together, e)
		}
	}
	// What could be of either kind, up to a batch.
	hidden := func(last uint64) string {
		n := 0
		for _, e := range events {
			of := e.Note != nil && (e.Note.Kind == r.First || e.Note.Kind == r.Then)
			if e.Entry.Batch <= last && (e.State == Closed || e.State == Undecided && of) {
				n++
			}
		}
		var why []string
		if n > 0 {
			why = append(why, fmt.Sprintf("of the entries up to batch %d, %d %s closed or of a key whose right is not shown", last, n, are(n)))
		}
		if len(v.Missing) > 0 {
			why = append(why, "not here are "+strings.Join(v.Missing, ", "))
		}
		return strings.Join(why, "; ")
	}
	place := func(e *Event) string { return fmt.Sprintf("index %d (batch %d)", e.Entry.Index, e.Entry.Batch) }
	if len(thens) == 0 {
		j.State, j.Why = Open, fmt.Sprintf("no %s is there", r.Then)
		if why := hidden(v.Batch.Number); why != "" {
			j.State, j.Why = NotKnown, fmt.Sprintf("no %s is shown, and %s", r.Then, why)
		}
		return j
	}
	then := thens[0]
	j.By = thens[:1]
	switch f := j.Earliest; {
	case f == nil:
		j.State, j.Why, j.By = FirstMissing, fmt.Sprintf("%s at %s, and no %s", r.Then, place(then), r.First), thens
		if why := hidden(then.Entry.Batch); why != "" {
			j.State, j.Why = NotKnown, fmt.Sprintf("no %s is shown, and %s", r.First, why)
		}
	case len(early) > 0:
		j.State, j.By = OutOfOrder, append(early, together...)
		j.Why = fmt.Sprintf("%s at %s, before the first %s at %s", r.Then, place(early[0]), r.First, place(f))
		// What is shown breaks the rule: that is not to be hidden behind what is closed.
		if why := hidden(early[0].Entry.Batch); why != "" {
			j.Why += fmt.Sprintf(", unless an earlier %s is not shown: %s", r.First, why)
		}
	case len(together) > 0:
		j.State, j.By = Together, together[:1]
		j.Why = fmt.Sprintf("%s and %s were sealed in one batch, %d: which was first is not shown", r.First, r.Then, f.Entry.Batch)
	default:
		j.Why = fmt.Sprintf("%s at %s, first %s at %s", r.First, place(f), r.Then, place(then))
		if why := hidden(f.Entry.Batch); why != "" {
			j.State, j.Why = NotKnown, j.Why+"; but "+why
		}
	}
	return j
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

package history

import (
	"fmt"
	"strings"

	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
)

// Question asks whether something was there. One of the fields is set.
type Question struct {
	Stream    string         // a stream's name, or its id: any entry of it
	Kind      statement.Kind // any statement of that kind, in any stream of the trial
	Statement *statement.ID  // that statement, in any stream of the trial
}

// Reply is an answer in a word.
type Reply int

const (
	// Absent: it was not there.
	Absent Reply = iota
	// Present: it was.
	Present
	// Unknown: what is closed, or not here, could be it.
	Unknown
)

// Answer is what a history shows of a [Question].
type Answer struct {
	Reply   Reply
	Found   []*Item  // Present: what was there
	Maybe   []*Item  // closed, or of a key whose right is not shown: could be it
	Missing []string // streams that could hold it and are not here
	Invalid []*Item  // of the kind by their own words, and made by no key in force: they count for nothing
	Words   string   // the answer as a sentence without a full stop
}

// Absent answers whether something was absent up to the history's batch or, with
// before, up to the last batch that is wholly before that entry. It fails if the
// history does not reach so far, or has no such stream.
func (v *Verdict) Absent(q Question, before *entry.Entry) (Answer, error) {
	last := v.Batch.Number
	if before != nil {
		if last = before.Batch - 1; last > v.Batch.Number {
			return Answer{}, fmt.Errorf("the history ends with batch %d, and batch %d is before the statement too: a later history is needed", v.Batch.Number, last)
		}
	}
	streams := v.Streams
	if q.Stream != "" {
		s := v.named(q.Stream)
		if s == nil {
			return Answer{}, fmt.Errorf("the history does not hold the stream %q", q.Stream)
		}
		streams = []*StreamVerdict{s}
	}
	var a Answer
	for _, s := range streams {
		for _, i := range s.Items {
			if i.Entry.Batch <= last {
				a.weigh(q, i)
			}
		}
	}
	if _, byID := statement.ParseStreamID(q.Stream); q.Stream != "" && byID != nil && v.grants != nil && !v.firm(q.Stream) {
		// The name may be another stream's, by a grant that is closed.
		for _, i := range v.grants.Shown(Closed) {
			if at, bound := v.bound[q.Stream]; i.Entry.Batch <= last && (!bound || i.Entry.Index < at) {
				a.Maybe = append(a.Maybe, i)
			}
		}
	}
	if q.Stream == "" {
		a.Missing = v.Missing
		if v.Registration == nil {
			a.Missing = append(a.Missing, "every stream but those here: "+v.NoRegistration)
		}
	}
	switch {
	case len(a.Found) > 0:
		a.Reply = Present
	case len(a.Maybe)+len(a.Missing) > 0:
		a.Reply = Unknown
	}
	a.Words = a.words(q, v, last, before)
	return a, nil
}

// named returns the stream of that name or id.
func (v *Verdict) named(name string) *StreamVerdict {
	if id, err := statement.ParseStreamID(name); err == nil {
		return v.stream(id)
	}
	return v.Stream(name)
}

// weigh decides what one entry says to a question.
func (a *Answer) weigh(q Question, i *Item) {
	switch {
	case q.Stream != "":
		a.Found = append(a.Found, i)
	case q.Statement != nil:
		if i.Entry.Statement == *q.Statement {
			a.Found = append(a.Found, i)
		} else if i.Stream.Kind == Grants && i.State == Closed {
			a.Maybe = append(a.Maybe, i) // it may name a stream that nothing here names
		}
	case i.State == Closed:
		a.Maybe = append(a.Maybe, i)
	case i.Note == nil || i.Note.Kind != q.Kind:
	case i.State == Invalid:
		a.Invalid = append(a.Invalid, i)
	case i.State == Undecided:
		a.Maybe = append(a.Maybe, i)
	default:
		a.Found = append(a.Found, i)
	}
}

func (a *Answer) words(q Question, v *Verdict, last uint64, before *entry.Entry) string {
	until := fmt.Sprintf("up to batch %d", last)
	if last == v.Batch.Number {
		until = "up to " + upTo(v.Batch)
	}
	if before != nil {
		until += fmt.Sprintf(", the last before log index %d", before.Index)
	}
	what, where := "", fmt.Sprintf("in any of the %d streams of %s", len(v.Streams), v.RegisteredAs)
	if v.Registration == nil {
		where = "in the streams shown"
	}
	switch {
	case q.Stream != "":
		what, where = "entry", "in "+v.named(q.Stream).Title()
	case q.Kind != "":
		what = "statement of kind " + string(q.Kind)
	default:
		what = "entry of statement " + q.Statement.String()
	}
	switch a.Reply {
	case Present:
		i := a.Found[0]
		return fmt.Sprintf("%d %s stood %s %s; the first is log index %d, batch %d", len(a.Found), plural(what, len(a.Found)), where, until, i.Entry.Index, i.Entry.Batch)
	case Unknown:
		var why []string
		if n := len(a.Maybe); n > 0 {
			why = append(why, fmt.Sprintf("%d %s %s closed, or of a key whose right is not shown", n, plural("entry", n), are(n)))
		}
		if len(a.Missing) > 0 {
			why = append(why, "not here are "+strings.Join(a.Missing, ", "))
		}
		return fmt.Sprintf("no %s is shown %s %s, and it cannot be known: %s", what, where, until, strings.Join(why, "; "))
	}
	words := fmt.Sprintf("no %s stood %s %s", what, where, until)
	if n := len(a.Invalid); n > 0 {
		words += fmt.Sprintf("; %d that says so was made by no key in force and counts for nothing", n)
	}
	return words
}

func plural(what string, n int) string {
	first, rest, _ := strings.Cut(what, " ")
	if n == 1 {
		return what
	}
	if first = strings.TrimSuffix(first, "y") + "ies"; strings.HasPrefix(what, "statement") {
		first = "statements"
	}
	return strings.TrimSpace(first + " " + rest)
}

// Before reports whether a, of this history, is shown to come before b, of w, which
// may be this or a later one: the checkpoint that covers a is not larger than b's
// index, or b names a. Otherwise nothing is shown but the order in which the
// operator sealed; in one batch they are sealed together.
func (v *Verdict) Before(a *Item, w *Verdict, b *Item) bool {
	return v.Origin == w.Origin && v.FinalSize <= b.Entry.Index || b.names(a.Entry.Statement)
}

// names reports whether a statement, made by a key in force, names another.
func (i *Item) names(id statement.ID) bool {
	if i.State != Valid {
		return false
	}
	if s := i.Note.Supersedes; s != nil && *s == id {
		return true
	}
	for _, about := range i.Note.About {
		if about == id {
			return true
		}
	}
	return false
}

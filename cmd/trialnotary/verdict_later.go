package main

import (
	"fmt"

	"trialnotary/notary/history"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// later is what a history says of a receipt's statement.
type later struct {
	file    string
	verdict *history.Verdict
	event   *history.Event // nil: the history does not hold its stream, or ends before
	keyEnd  *history.Item
}

// lookUp looks for the statement of a receipt in the history given, if any.
func (a *app) lookUp(r *checked, v verifying) error {
	if v.history == "" || r.verdict == nil {
		return nil
	}
	h, err := a.goodHistory(v.history, v.trial)
	if err != nil {
		return err
	}
	w, e := h.verdict, r.verdict.Entry
	if w.Origin != r.verdict.Origin {
		return &fault{code: exitUsage, err: fmt.Errorf("%s is of the log %s, the receipt of %s", v.history, w.Origin, r.verdict.Origin)}
	}
	r.later = &later{file: v.history, verdict: w}
	held, err := w.Holds(e)
	if err != nil && r.failure == nil {
		r.failure = &receipt.Failure{Step: stepHistory, Reason: fmt.Sprintf("%s contradicts the receipt, and the log signed both: %v", v.history, err)}
	}
	if !held {
		return nil
	}
	for _, event := range w.Timeline().Events {
		if event.Entry == e {
			r.later.event, r.later.keyEnd = event, w.KeyEnd(event.Item)
		}
	}
	return nil
}

// add tells what is known now, as of the history's batch.
func (l *later) add(s *sheet) {
	asOf := fmt.Sprintf("batch %s (%s)", number(l.verdict.Batch.Number), moment(l.verdict.Batch.Time))
	if l.event == nil {
		s.add("not known", "later correction, withdrawal or key revocation: %s, of %s, does not reach it", l.file, asOf)
		return
	}
	none := true
	tell := func(word string, i *history.Item) {
		s.add(word, "%s", told(i))
		none = false
	}
	for _, e := range l.event.Ends {
		tell(pastWords[e.Note.Kind], e.Item)
	}
	for _, e := range l.event.SupersededBy {
		tell("replaced", e.Item)
	}
	if l.keyEnd != nil {
		tell("key ended", l.keyEnd)
	}
	if none {
		s.add("known now", "no correction, withdrawal, erasure, newer version or key revocation up to %s", asOf)
	} else {
		s.add("known now", "this is all that names it up to %s", asOf)
	}
	s.more("by %s: %s", l.file, l.verdict.ByWhom())
	for _, what := range l.verdict.NotShown() {
		s.add("not shown", "%s", what)
	}
	if n := l.closed(); n > 0 {
		s.add("not shown", "%s closed in it, and could name the statement", countClosed(n))
	}
}

func (l *later) closed() (n int) {
	for _, s := range l.verdict.Streams {
		n += len(s.Shown(history.Closed))
	}
	return n
}

func countClosed(n int) string {
	if n == 1 {
		return "1 entry is"
	}
	return number(uint64(n)) + " entries are"
}

// pastWords say what a statement did to the one it is about.
var pastWords = map[statement.Kind]string{
	statement.KindWithdrawal: "withdrawn", statement.KindCorrection: "corrected", statement.KindErasure: "erased",
	statement.KindRevocation: "revoked", statement.KindSuccession: "succeeded",
}

// told tells of a statement in one line: where it stands, by which key, and why.
func told(i *history.Item) string {
	line := fmt.Sprintf("%s at log index %s, batch %s (%s)", i.Note.Kind, number(i.Entry.Index), number(i.Entry.Batch), moment(i.Entry.Time))
	line += ", by key " + i.Note.KeyName
	switch {
	case i.State != history.Valid:
		line += "; whether that key was in force is not shown"
	case i.Note.Reason != "":
		line += ": " + i.Note.Reason
	}
	return line
}

// laterOut is the same for machines.
type laterOut struct {
	History string       `json:"history"`
	Batch   uint64       `json:"batch"`
	Found   bool         `json:"found"`
	Audited bool         `json:"audited"`
	Closed  int          `json:"closed_entries"`
	Missing []string     `json:"missing,omitempty"`
	Names   []mentionOut `json:"named_by,omitempty"`
	KeyEnd  *mentionOut  `json:"key_ended_by,omitempty"`
}

// mentionOut is a statement that names another.
type mentionOut struct {
	Kind      string `json:"kind"`
	Statement string `json:"statement"`
	Index     uint64 `json:"index"`
	Key       string `json:"key"`
	State     string `json:"state"`
	Reason    string `json:"reason,omitempty"`
}

func mention(i *history.Item) mentionOut {
	m := mentionOut{Kind: string(i.Note.Kind), Statement: i.Note.ID.String(), Index: i.Entry.Index, Key: i.Note.KeyName, State: i.State.String()}
	if i.State == history.Valid {
		m.Reason = i.Note.Reason // which its signature vouches for
	}
	return m
}

func (l *later) out() *laterOut {
	o := &laterOut{History: l.file, Batch: l.verdict.Batch.Number, Found: l.event != nil, Audited: l.verdict.Audited(), Closed: l.closed(), Missing: l.verdict.Missing}
	if l.event == nil {
		return o
	}
	for _, e := range append(append([]*history.Event{}, l.event.Ends...), l.event.SupersededBy...) {
		o.Names = append(o.Names, mention(e.Item))
	}
	if l.keyEnd != nil {
		m := mention(l.keyEnd)
		o.KeyEnd = &m
	}
	return o
}

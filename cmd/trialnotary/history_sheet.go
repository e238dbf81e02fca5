package main

import (
	"fmt"
	"strings"
	"time"

	"trialnotary/notary/history"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// showHistory prints the verdict on a history and returns its exit code.
func (a *app) showHistory(r *checkedHistory) error {
	s := &sheet{word: verified, head: r.file}
	switch {
	case r.verdict == nil:
		s.word = notVerified
		addHistoryFailure(s, r)
		s.add("so", "nothing is shown to be complete, or absent")
	case r.failure != nil:
		s.word, s.head = notVerified, headOfHistory(r.verdict)
		addHistoryFailure(s, r)
		s.add("history", "it verifies by itself, as follows; of two that contradict, at least one is a lie of the operator")
		addHistory(s, r)
	default:
		s.head = headOfHistory(r.verdict)
		if !r.verdict.Confirmed {
			s.word = unconfirmed
		}
		addHistory(s, r)
	}
	if err := a.print(s, historyJSON(r, s.word)); err != nil {
		return err
	}
	if code := r.code(); code != exitDone {
		return shown{code}
	}
	return nil
}

func headOfHistory(v *history.Verdict) string {
	head := []string{"history"}
	if v.Registration != nil {
		head = append(head, v.Registration.Trial)
	}
	return strings.Join(append(head, "batch "+number(v.Batch.Number)), " · ")
}

func addHistoryFailure(s *sheet, r *checkedHistory) {
	s.add("failed", "%s: %s", stepWords[r.failure.Step], r.failure.Reason)
	if r.trust.trust != nil && r.verdict == nil && r.failure.Step == receipt.StepCheckpoints {
		s.more("verified with %s %s (%s)", r.trust.name, r.trust.trust.Fingerprint, r.trust.how)
	}
}

func addHistory(s *sheet, r *checkedHistory) {
	v := r.verdict
	if r.undone != "" {
		s.add("arrival", "%s had been added on the way; undone, and it is the history byte for byte", r.undone)
	}
	addAsOf(s, v)
	for n, stream := range v.Streams {
		if n == 0 {
			s.add("complete", "%s", v.Line(stream))
		} else {
			s.more("%s", v.Line(stream))
		}
	}
	addVouched(s, v)
	addWarnings(s, v)
	addKnown(s, v)
	addBelief(s, r.trust, v.Registered, v.Confirmed)
	for _, what := range v.NotShown() {
		s.add("not shown", "%s", what)
	}
	s.add("not shown", "that the data are true, consent, clinical validity; what came after batch %s", number(v.Batch.Number))
}

// addAsOf tells up to when the history reaches.
func addAsOf(s *sheet, v *history.Verdict) {
	s.add("as of", "batch %s of %s, log index %s", number(v.Batch.Number), v.Origin, number(v.Batch.Index))
	proved := "no time is proved: this log has no witnesses"
	if v.Met.Witnessed {
		proved = fmt.Sprintf("no later than %s (%d of %d witnesses)", moment(v.Met.NoLaterThan), v.Met.Witnesses, v.Met.Of)
	} else if v.Unsigned {
		proved = "no time is proved: without a trust file no witness is known"
	}
	s.more("%s; log's clock %s: a claim", proved, moment(v.Batch.Time))
}

// addVouched tells on whose word the map rests.
func addVouched(s *sheet, v *history.Verdict) {
	s.add("vouched", "%s", v.ByWhom())
	if v.Whole() {
		entries := 0
		for _, stream := range v.Streams {
			entries += len(stream.Items)
		}
		s.add("whole", "every stream that the registration and its grants name is here: %s, %s", count(len(v.Streams), "stream"), entriesOf(entries))
	}
}

// addWarnings tells what nobody may overlook: other registrations, and statements
// that count for nothing or may not count.
func addWarnings(s *sheet, v *history.Verdict) {
	for _, i := range v.Rivals {
		s.add("ANOTHER", "registration of %s: fingerprint %s, log index %s, sponsor key %s", i.Stream.Trial, fingerprintOf(i), number(i.Entry.Index), i.Note.Keys[0].Key.Name)
	}
	if len(v.Rivals) > 0 {
		s.more("this history is of the trial with the fingerprint below; compare it with the protocol's")
	}
	for _, stream := range v.Streams {
		if may := stream.Shown(history.Undecided); len(may) > 0 && v.Registration != nil {
			s.add("undecided", "%s of %s, from log index %s on%s: %s", entriesOf(len(may)), stream.Title(), number(may[0].Entry.Index), says(may[0]), may[0].Why)
		}
		for _, i := range stream.Items {
			switch {
			case i.State == history.Invalid:
				s.add("INVALID", "log index %s, number %s of %s%s: %s", number(i.Entry.Index), number(i.Entry.Seq), stream.Title(), says(i), i.Why)
			case i.State == history.Closed && i.Why != "":
				s.add("closed", "log index %s, number %s of %s: %s", number(i.Entry.Index), number(i.Entry.Seq), stream.Title(), i.Why)
			}
		}
	}
}

// says tells what a statement calls itself whose signature proves nothing.
func says(i *history.Item) string {
	if i.Note == nil {
		return ""
	}
	return fmt.Sprintf(" (says: %s, by %s)", i.Note.Kind, i.Note.KeyName)
}

// addKnown tells what was later said of earlier statements and keys.
func addKnown(s *sheet, v *history.Verdict) {
	for _, e := range v.Timeline().Events {
		for _, by := range e.Ends {
			if len(by.Note.Keys) == 0 {
				s.add(pastWords[by.Note.Kind], "%s, by the %s", eventName(e), told(by.Item))
			}
		}
		for _, by := range e.SupersededBy {
			s.add("replaced", "%s, by the %s", eventName(e), told(by.Item))
		}
		if e.State != history.Valid {
			continue
		}
		switch e.Note.Kind {
		case statement.KindRevocation:
			s.add("revoked", "key %s of stream %s, by the %s", e.Note.Keys[0].Key.Name, e.Note.Keys[0].Name, told(e.Item))
		case statement.KindSuccession:
			s.add("succeeded", "key %s took over in stream %s, by the %s", e.Note.Keys[0].Key.Name, e.Note.Keys[0].Name, told(e.Item))
		}
	}
}

// eventName names an entry of the trial in a few words.
func eventName(e *history.Event) string {
	what := "closed entry"
	switch {
	case e.State == history.Valid:
		what = string(e.Note.Kind)
	case e.Note != nil:
		what = "entry that says it is of kind " + string(e.Note.Kind)
	}
	return fmt.Sprintf("%s at log index %s in %s", what, number(e.Entry.Index), e.Stream.Title())
}

// historyOut is the verdict on a history for machines.
type historyOut struct {
	Verdict      string      `json:"verdict"` // verified, not verified, unconfirmed
	File         string      `json:"file"`
	Failed       string      `json:"failed,omitempty"`
	Reason       string      `json:"reason,omitempty"`
	Undone       string      `json:"undone,omitempty"`
	Log          string      `json:"log,omitempty"`
	Batch        uint64      `json:"batch,omitempty"`
	BatchTime    *time.Time  `json:"batch_time_claim,omitempty"`
	Index        uint64      `json:"index,omitempty"`
	NoLaterThan  *time.Time  `json:"no_later_than,omitempty"`
	Witnesses    int         `json:"witnesses"`
	WitnessesOf  int         `json:"witnesses_of"`
	Auditors     []string    `json:"auditors"` // none: according to the operator only
	Trial        string      `json:"trial,omitempty"`
	TrialPrint   string      `json:"trial_fingerprint,omitempty"`
	Pinned       bool        `json:"trial_pinned"`
	Listed       bool        `json:"sponsor_listed"`
	Registration string      `json:"no_registration,omitempty"` // why none is shown
	Others       []string    `json:"other_registrations,omitempty"`
	Whole        bool        `json:"whole"`
	Missing      []string    `json:"missing,omitempty"`
	Trust        string      `json:"trust_fingerprint,omitempty"`
	Confirmed    bool        `json:"trust_confirmed"`
	Streams      []streamOut `json:"streams,omitempty"`
}

type streamOut struct {
	ID      string    `json:"id"`
	Name    string    `json:"name,omitempty"`
	Trial   string    `json:"trial,omitempty"`
	Named   bool      `json:"named_by_a_grant"`
	Wrong   string    `json:"wrong,omitempty"`
	Line    string    `json:"line"`
	Count   int       `json:"count"`
	Closed  int       `json:"closed"`
	Entries []itemOut `json:"entries"`
}

type itemOut struct {
	Index     uint64    `json:"index"`
	Batch     uint64    `json:"batch"`
	BatchTime time.Time `json:"batch_time_claim"`
	Seq       uint64    `json:"seq"`
	Statement string    `json:"statement"`
	State     string    `json:"state"`
	Kind      string    `json:"kind,omitempty"`
	Key       string    `json:"key,omitempty"`
	Label     string    `json:"label,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Why       string    `json:"why,omitempty"`
}

// itemJSON is an entry for machines. What a statement says beyond its kind is in it
// only if a key in force signed it.
func itemJSON(i *history.Item) itemOut {
	e := i.Entry
	o := itemOut{Index: e.Index, Batch: e.Batch, BatchTime: e.Time, Seq: e.Seq, Statement: e.Statement.String(), State: i.State.String(), Why: i.Why}
	if i.Note != nil {
		o.Kind, o.Key = string(i.Note.Kind), i.Note.KeyName
		if i.State == history.Valid {
			o.Label, o.Reason = i.Note.Label, i.Note.Reason
		}
	}
	return o
}

func historyJSON(r *checkedHistory, word string) historyOut {
	o := historyOut{File: r.file, Undone: r.undone, Verdict: strings.ToLower(word), Auditors: []string{}}
	if word == unconfirmed {
		o.Verdict = "unconfirmed"
	}
	if r.failure != nil {
		o.Failed, o.Reason = r.failure.Step, r.failure.Reason
	}
	if r.trust.trust != nil {
		o.Trust = r.trust.trust.Fingerprint
	}
	v := r.verdict
	if v == nil {
		return o
	}
	o.Log, o.Batch, o.BatchTime, o.Index = v.Origin, v.Batch.Number, &v.Batch.Time, v.Batch.Index
	o.Witnesses, o.WitnessesOf = v.Met.Witnesses, v.Met.Of
	if v.Met.Witnessed {
		o.NoLaterThan = &v.Met.NoLaterThan
	}
	for _, a := range v.Auditors {
		o.Auditors = append(o.Auditors, a.Name)
	}
	o.Trial, o.TrialPrint, o.Pinned, o.Listed, o.Registration = v.RegisteredAs, v.TrialFingerprint, v.Pinned, v.SponsorListed, v.NoRegistration
	for _, i := range v.Rivals {
		o.Others = append(o.Others, fingerprintOf(i))
	}
	o.Whole, o.Missing, o.Confirmed = v.Whole(), v.Missing, v.Confirmed
	for _, s := range v.Streams {
		out := streamOut{ID: s.ID.String(), Name: s.Name, Trial: s.Trial, Named: s.Kind != history.Unnamed, Wrong: s.Wrong, Line: v.Line(s),
			Count: len(s.Items), Closed: len(s.Shown(history.Closed)), Entries: []itemOut{}}
		for _, i := range s.Items {
			out.Entries = append(out.Entries, itemJSON(i))
		}
		o.Streams = append(o.Streams, out)
	}
	return o
}

func fingerprintOf(i *history.Item) string { return statement.TrialFingerprint(i.Note.ID) }

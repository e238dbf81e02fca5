package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"

	"trialnotary/notary/history"
	"trialnotary/notary/text"
)

//go:embed timeline.html
var timelineTemplate string

//go:embed timeline.css
var timelineStyle string

// pageData is what the page shows. Every string is escaped where it is written.
type pageData struct {
	Policy  string       // what the page may load: nothing but its own style
	Style   template.CSS // ours
	Trial   string
	Head    string   // verified or not, in words
	Class   string   // of the head
	Sub     []string // what it rests on, in a line
	Warn    []string // what nobody may overlook
	Facts   [][2]string
	Rules   []pageRule
	Events  []pageEvent
	Picture picture
	Made    string
}

type pageRule struct{ First, Then, State, Class, Why string }

type pageEvent struct {
	Number                                int
	Class, What, Lane, When, Batch, Index string
	By                                    string
	Notes                                 []string
}

// timelinePage is the timeline as one page that loads nothing and runs nothing.
func timelinePage(r *checkedHistory, t *history.Timeline, now time.Time) ([]byte, error) {
	v := r.verdict
	hash := sha256.Sum256([]byte(timelineStyle))
	p := pageData{Policy: "default-src 'none'; style-src 'sha256-" + text.Base64(hash[:]) + "'; base-uri 'none'; form-action 'none'",
		Style: template.CSS(timelineStyle), Trial: "a trial without a registration", Picture: drawPicture(t),
		Made: history.Moment(now)}
	if v.Registration != nil {
		p.Trial = text.Visible(v.Registration.Trial)
	}
	p.Head, p.Class = pageHead(v, t)
	p.facts(r)
	for _, rule := range t.Rules {
		p.Rules = append(p.Rules, pageRule{text.Visible(string(rule.First)), text.Visible(string(rule.Then)), rule.State.String(), ruleClass(rule.State), text.Visible(ruleWhy(t, rule))})
	}
	for _, e := range t.Events {
		o := pageEvent{Number: e.Number, Class: eventClass(e), What: eventWhat(e), Lane: laneOf(e.Stream), By: eventBy(e),
			When: history.Moment(e.Entry.Time), Batch: number(e.Entry.Batch), Index: number(e.Entry.Index)}
		for _, n := range eventNotes(v, e) {
			o.Notes = append(o.Notes, text.Visible(n))
		}
		p.Events = append(p.Events, o)
	}
	page, err := template.New("timeline").Parse(timelineTemplate)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = page.Execute(&b, p)
	return b.Bytes(), err
}

// pageHead says in a sentence what a board looks for first.
func pageHead(v *history.Verdict, t *history.Timeline) (head, class string) {
	broken, unsure := 0, 0
	for _, r := range t.Rules {
		switch r.State {
		case history.OutOfOrder, history.FirstMissing:
			broken++
		case history.NotKnown, history.Together:
			unsure++
		}
	}
	n := count(len(t.Rules), "rule")
	switch {
	case broken > 0:
		return number(uint64(broken)) + " of the " + n + " that this trial set itself " + isAre(broken) + " broken", "bad"
	case len(t.Rules) == 0:
		return "This trial set itself no rules of order", "plain"
	case unsure > 0:
		return "Of the " + n + " that this trial set itself, " + number(uint64(unsure)) + " cannot be judged", "warn"
	}
	return "No rule that this trial set itself is broken", "good"
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// facts are the lines of the head: what the page rests on.
func (p *pageData) facts(r *checkedHistory) {
	v, s := r.verdict, &sheet{}
	word := "Verified"
	if !v.Confirmed {
		word = "Consistent, but whose log this is is unconfirmed"
		p.Warn = append(p.Warn, "Whose log this is is unconfirmed: nobody has accepted its trust file.")
	}
	p.Sub = []string{word, fmt.Sprintf("batch %s, %s by the log’s clock", number(v.Batch.Number), history.Moment(v.Batch.Time)), text.Visible(v.ByWhom())}
	if n := len(v.Rivals); n > 0 {
		p.Warn = append(p.Warn, fmt.Sprintf("%s under this trial’s ids beside its own: compare the fingerprint below with the protocol’s.", count(n, "other registration")))
	}
	if len(v.Missing) > 0 {
		p.Warn = append(p.Warn, text.Visible("Not here: "+strings.Join(v.Missing, ", ")+"."))
	}
	s.add("verdict", "%s", word)
	addAsOf(s, v)
	addVouched(s, v)
	for _, i := range v.Rivals {
		s.add("another", "registration of %s: fingerprint %s, sponsor key %s", i.Stream.Trial, fingerprintOf(i), i.Note.Keys[0].Key.Name)
	}
	addBelief(s, r.trust, v.Registered, v.Confirmed)
	for _, what := range v.NotShown() {
		s.add("not shown", "%s", what)
	}
	for _, row := range s.rows {
		p.Facts = append(p.Facts, [2]string{row.word, text.Visible(strings.TrimSpace(row.text))})
	}
}

func ruleClass(s history.RuleState) string {
	switch s {
	case history.Kept:
		return "good"
	case history.OutOfOrder, history.FirstMissing:
		return "bad"
	case history.Open:
		return "plain"
	}
	return "warn"
}

// eventClass is how an entry is drawn.
func eventClass(e *history.Event) string {
	switch {
	case e.State == history.Invalid, e.State == history.Rival:
		return "bad"
	case e.State == history.Closed:
		return "closed"
	case e.State == history.Undecided:
		return "warn"
	case len(e.Ends) > 0, len(e.SupersededBy) > 0:
		return "past"
	}
	return "plain"
}

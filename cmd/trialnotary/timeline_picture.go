package main

import (
	"fmt"
	"unicode/utf8"

	"trialnotary/notary/history"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// The measures of the picture, in its own units, about a pixel each.
const (
	gutter    = 176 // names of streams and rules
	laneStep  = 44
	laneTop   = 58
	minStep   = 18
	maxStep   = 64
	pageWidth = 1040
	charWidth = 6.0 // of the small print
	capWidth  = 7.9 // of a rule's state in capitals
)

// picture is the timeline drawn: a lane for each stream, a mark for each entry in
// the order of the log, and a line for each rule.
type picture struct {
	Width, Height int
	LaneEnd       int // x
	RulesTop      int // y of the heading, 0 for none
	Lanes         []lane
	Batches       []band
	Ticks         []tick
	Links         []link
	Marks         []mark
	Rules         []ruleLine
	Said          string // the picture in words, for those who do not see it
}

type lane struct {
	Y     int
	Name  string
	Wrong bool
}

// band is a batch: the entries in it were sealed together.
type band struct {
	X, Width, Height int
	Shaded           bool
	Number, Day      string
}

// tick is an entry's number above its mark, as in the table.
type tick struct{ X, Number int }

// link goes from a version to the one that replaces it.
type link struct{ Path string }

// mark is an entry. Shape is diamond (keys), square (documents), circle (data),
// flag (what a trial turns on) or cross (what ends something).
type mark struct {
	X, Y         int
	Shape, Class string
	Struck       bool
	Label        string
	LabelY       int
	Title        string
	Number       int
}

// ruleLine is a rule: from the first of one kind to the first of the other.
type ruleLine struct {
	Y           int
	Name, State string
	Class       string
	X1, X2      int // 0: there is none
	Line        bool
	By          []int // marks of those that break it
	TextX       int
	Anchor      string // of the text: start or end
}

func drawPicture(t *history.Timeline) picture {
	n := max(len(t.Events), 1)
	step := min(max((pageWidth-gutter-30)/n, minStep), maxStep)
	p := picture{LaneEnd: gutter + n*step + 20}
	p.Width = max(p.LaneEnd, pageWidth)
	p.LaneEnd = p.Width - 10
	y := p.lanes(t)
	x := func(e *history.Event) int { return gutter + 18 + (e.Number-1)*step }
	p.bands(t, x, step, y[nil])
	for _, e := range t.Events {
		p.Ticks = append(p.Ticks, tick{x(e), e.Number})
	}
	var labels labels
	for _, e := range t.Events {
		m := mark{X: x(e), Y: y[e.Stream], Shape: shapeOf(e), Class: eventClass(e), Number: e.Number, Struck: len(e.Ends) > 0,
			Title: fmt.Sprintf("#%d %s, %s, %s", e.Number, eventWhat(e), laneOf(e.Stream), history.Moment(e.Entry.Time))}
		if e.State != history.Closed {
			m.LabelY = labels.place(e.Stream, m.X, eventWhat(e), p.LaneEnd)
		}
		if m.LabelY > 0 {
			m.Label = eventWhat(e)
		}
		p.Marks = append(p.Marks, m)
		if e.Of != nil {
			p.Links = append(p.Links, link{arc(x(e.Of), y[e.Of.Stream], x(e), y[e.Stream])})
		}
	}
	p.rules(t, x, y[nil])
	p.Said = fmt.Sprintf("%s in %s, in the order of the log; the table below says the same in words", entriesOf(len(t.Events)), count(len(p.Lanes), "stream"))
	return p
}

// labels remembers up to where each lane is written on, on two levels below it.
type labels map[*history.StreamVerdict]*[2]float64

// place returns where below its mark a label has room, 0 for nowhere: it does not
// run into one before it. What is left out, the table says.
func (l *labels) place(s *history.StreamVerdict, x int, label string, end int) int {
	if *l == nil {
		*l = labels{}
	}
	if (*l)[s] == nil {
		(*l)[s] = &[2]float64{}
	}
	start := float64(x) - 6
	width := float64(utf8.RuneCountInString(label)) * charWidth
	for level, used := range (*l)[s] {
		if start >= used && start+width < float64(end) {
			(*l)[s][level] = start + width + 6
			return 18 + 11*level
		}
	}
	return 0
}

// lanes gives each stream its y, and nil the y below them all.
func (p *picture) lanes(t *history.Timeline) map[*history.StreamVerdict]int {
	y := map[*history.StreamVerdict]int{}
	at := laneTop
	for _, e := range t.Events {
		if _, ok := y[e.Stream]; !ok {
			y[e.Stream] = 0
		}
	}
	for _, kind := range []history.StreamKind{history.Registration, history.Grants, history.Named, history.Unnamed} {
		for _, e := range t.Events {
			if s := e.Stream; s.Kind == kind && y[s] == 0 {
				y[s] = at
				name := laneOf(s)
				if utf8.RuneCountInString(name) > 24 {
					name = string([]rune(name)[:23]) + "…"
				}
				p.Lanes = append(p.Lanes, lane{at, name, s.Wrong != ""})
				at += laneStep
			}
		}
	}
	y[nil] = at
	return y
}

// bands shade every second batch, and say the day where it changes.
func (p *picture) bands(t *history.Timeline, x func(*history.Event) int, step, bottom int) {
	day, freeX := "", 0
	for i := 0; i < len(t.Events); {
		first := t.Events[i]
		last := first
		for i < len(t.Events) && t.Events[i].Entry.Batch == first.Entry.Batch {
			last = t.Events[i]
			i++
		}
		b := band{X: x(first) - step/2, Width: x(last) - x(first) + step, Height: bottom - laneTop + 6, Shaded: len(p.Batches)%2 == 0}
		if b.X >= freeX {
			b.Number = fmt.Sprintf("batch %s", number(first.Entry.Batch))
			freeX = b.X + int(float64(len(b.Number))*charWidth)
			if d := first.Entry.Time.UTC().Format("2 Jan 2006"); d != day {
				b.Day, day = d, d
				freeX = max(freeX, b.X+int(float64(len(d))*charWidth)+6)
			}
		}
		p.Batches = append(p.Batches, b)
	}
	p.Height = bottom + 8
}

// rules draws each rule below the lanes.
func (p *picture) rules(t *history.Timeline, x func(*history.Event) int, top int) {
	if len(t.Rules) == 0 {
		return
	}
	p.RulesTop = top + 22
	for i, r := range t.Rules {
		l := ruleLine{Y: p.RulesTop + 22 + i*24, Name: text.Visible(fmt.Sprintf("%s before %s", r.First, r.Then)), State: shout(r.State), Class: ruleClass(r.State), TextX: gutter + 12, Anchor: "start"}
		left := p.Width
		at := func(e *history.Event) int {
			l.TextX, left = max(l.TextX, x(e)+14), min(left, x(e)-14)
			return x(e)
		}
		if r.Earliest != nil {
			l.X1 = at(r.Earliest)
		}
		for _, e := range r.By {
			l.By = append(l.By, at(e))
		}
		if len(l.By) > 0 {
			l.X2 = l.By[0]
		}
		l.Line = l.X1 > 0 && l.X2 > 0 && l.X1 != l.X2
		if float64(l.TextX)+float64(len(l.State))*capWidth > float64(p.Width) {
			l.TextX, l.Anchor = left, "end"
		}
		p.Rules = append(p.Rules, l)
	}
	p.Height = p.RulesTop + 22 + len(t.Rules)*24
}

// arc is a curve above two marks.
func arc(x1, y1, x2, y2 int) string {
	return fmt.Sprintf("M%d %d Q%d %d %d %d", x1, y1-7, (x1+x2)/2, min(y1, y2)-24, x2, y2-7)
}

func shapeOf(e *history.Event) string {
	if e.Note == nil {
		return "circle"
	}
	switch e.Note.Kind {
	case statement.KindRegistration, statement.KindEnrolment, statement.KindRevocation, statement.KindSuccession:
		return "diamond"
	case statement.KindWithdrawal, statement.KindCorrection, statement.KindErasure:
		return "cross"
	case statement.KindDataset, statement.KindConsent, statement.KindCustody:
		return "circle"
	case statement.KindDatabaseLock, statement.KindUnblinding:
		return "flag"
	}
	return "square"
}

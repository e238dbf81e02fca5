package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

// enrolList is the enrolment of a whole list.
type enrolList struct {
	csv, dir    string
	dryRun, yes bool
}

// What a row of a list is by what the trial file knows.
const (
	rowNew     = "new"
	rowWaiting = "waiting" // signed by an earlier run that did not get to its end
	rowBefore  = "enrolled before"
)

// enrolListed enrols every key of a list, all of them in one batch. Nothing is
// sent while a row is wrong; run again, it goes on from where it stopped.
func (a *app) enrolListed(c *cobra.Command, file string, l enrolList) error {
	rows, mistakes, err := readList(l.csv, a.now())
	if err != nil {
		return err
	}
	t, err := readTrial(file)
	if err != nil {
		return err
	}
	e := &enrolments{app: a, enrolList: l, rows: rows, ids: map[int]statement.ID{}, states: map[int]string{}}
	found, err := e.compare(t)
	if err != nil {
		return kept(err, "Nothing was enrolled.", "")
	}
	if mistakes = append(mistakes, found...); len(mistakes) > 0 {
		return e.refuse(mistakes)
	}
	if l.dryRun {
		return e.show(t, nil, nil)
	}
	if err := e.prepare(t); err != nil {
		return err
	}
	w, err := a.opened(c, file)
	if err != nil {
		return err
	}
	t, refused, err := a.grantAll(c, w, func(t *client.Trial) ([]statement.ID, error) {
		if mistakes, err := e.compare(t); err != nil || len(mistakes) > 0 {
			return nil, cmp.Or(err, errors.New("the trial file was changed by someone else meanwhile"))
		}
		return e.sign(w, t)
	})
	if err != nil {
		return err
	}
	invites, err := e.writeInvites(t, refused)
	if err != nil {
		return kept(err, "The keys are enrolled all the same; only invites are missing.", "Run the same command again: it writes those.")
	}
	return e.show(t, invites, refused)
}

// enrolments is a list on its way; rows are known by their line.
type enrolments struct {
	*app
	enrolList
	rows   []listed
	ids    map[int]statement.ID
	states map[int]string
}

func (e *enrolments) count(state string) (n int) {
	for _, s := range e.states {
		if s == state {
			n++
		}
	}
	return n
}

// compare finds what the trial file knows of each row, and the rows that cannot be
// enrolled as they are written.
func (e *enrolments) compare(t *client.Trial) (mistakes []mistake, err error) {
	a, err := t.Authority()
	if err != nil {
		return nil, err
	}
	type place struct{ stream, key string }
	granted, revoked := map[place][]*client.Logged{}, map[place]bool{}
	for i := range t.Grants {
		k := t.Grants[i].Note.Keys[0]
		at := place{k.Name, k.Key.String()}
		if t.Grants[i].Note.Kind == statement.KindRevocation {
			revoked[at] = true
		} else {
			granted[at] = append(granted[at], &t.Grants[i])
		}
	}
	holders := map[string]listed{}
	for _, r := range e.rows {
		bad := func(what, do string) { mistakes = append(mistakes, mistake{r.line, what, do}) }
		at := place{r.stream, r.key.String()}
		other, twice := holders[at.key]
		if holders[at.key] = r; twice && other.person != r.person {
			bad(fmt.Sprintf("the key %s is that of %q in line %d and of %q here, and a key has one holder", r.key.Name, other.person, other.line, r.person), "have each make a key of their own")
			continue
		}
		if r.lost(t) {
			bad("the salt of the stream "+r.stream+" was lost", lostDo)
			continue
		}
		if revoked[at] {
			bad(fmt.Sprintf("the key %s was revoked for %s, and a revocation is for ever", r.key.Name, r.stream), "take the line out, or give the new key of its holder")
			continue
		}
		var same *client.Logged
		for _, l := range granted[at] {
			if n := l.Note; n.Kind == statement.KindEnrolment && string(n.Keys[0].Role) == r.role && n.Person == r.person && n.Until.Equal(r.end) {
				same = l
			}
		}
		_, _, ended := t.AllowedBy(a, r.stream, r.key, e.now())
		switch {
		case same != nil && !same.Sealed():
			e.states[r.line], e.ids[r.line] = rowWaiting, same.Note.ID
		case same != nil && ended == nil:
			e.states[r.line], e.ids[r.line] = rowBefore, same.Note.ID
		case len(granted[at]) == 0:
			e.states[r.line] = rowNew
		case ended != nil && same != nil:
			bad(fmt.Sprintf("the key %s is no longer in force for %s: another key succeeded it", r.key.Name, r.stream), "take the line out; the new key is enrolled already")
		default:
			n := granted[at][len(granted[at])-1].Note
			bad(fmt.Sprintf("the key %s is enrolled for %s already, as %s; the line says %s", r.key.Name, r.stream,
				roleLine(n.Person, n.Keys[0].Role, n.Until), roleLine(r.person, statement.Role(r.role), r.end)), e.correction(r, n))
		}
	}
	return mistakes, nil
}

// correction says how a key is enrolled otherwise than it was.
func (e *enrolments) correction(r listed, n *statement.Note) string {
	if n.Person != "" && n.Person != r.person {
		return "write the line as it was; another person has a key of their own"
	}
	return "write the line as it was; to change it, enrol that key by itself: trialnotary enrol TRIAL.trial STREAM VKEY --role … --until …"
}

// refuse lists what is wrong, in the order of the list.
func (e *enrolments) refuse(mistakes []mistake) error {
	slices.SortStableFunc(mistakes, func(x, y mistake) int { return cmp.Compare(x.Line, y.Line) })
	wrong := map[int]bool{}
	var lines []string
	for _, m := range mistakes {
		wrong[m.Line] = true
		lines = append(lines, m.String())
	}
	f := &fault{code: exitUsage, err: fmt.Errorf("%s: %s cannot be enrolled as written", e.csv, count(len(wrong), "line")),
		safe: "Nothing was enrolled, none of the other lines either.", do: strings.Join(lines, "\n")}
	if !e.json {
		return f
	}
	if err := e.encode(struct {
		Error    string    `json:"error"`
		Exit     int       `json:"exit"`
		Safe     string    `json:"safe"`
		Mistakes []mistake `json:"mistakes"`
	}{f.err.Error(), f.code, f.safe, mistakes}); err != nil {
		return err
	}
	return shown{f.code}
}

// prepare makes sure that invites can be written, and asks.
func (e *enrolments) prepare(t *client.Trial) error {
	if err := os.MkdirAll(e.dir, 0o700); err != nil {
		return &fault{code: exitUsage, err: fmt.Errorf("%s cannot be made a folder: %w", e.dir, err), safe: "Nothing was enrolled."}
	}
	if err := client.Writable(e.dir); err != nil {
		return kept(err, "Nothing was enrolled.", "")
	}
	if e.enrolList.yes || e.count(rowNew) == 0 {
		return nil
	}
	s := &sheet{word: "ENROL", head: count(e.count(rowNew), "key") + " · " + t.Trial}
	s.add("list", "%s, %s", e.csv, count(len(e.rows), "line"))
	s.add("then", "each key signs in its stream; a stream's name stands for ever, a key can be revoked")
	return e.confirm(s, "Enrol them?", "Nothing was enrolled.")
}

// sign adds the enrolments that are new, and returns all that are to be finished.
func (e *enrolments) sign(w *opened, t *client.Trial) (ids []statement.ID, err error) {
	for _, r := range e.rows {
		if e.states[r.line] == rowNew {
			if e.ids[r.line], err = w.add(t, r.fresh(t, r.key, r.end), e.now()); err != nil {
				return nil, err
			}
		}
		ids = append(ids, e.ids[r.line])
	}
	return ids, nil
}

package main

import (
	"fmt"
	"time"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

// enrolledRow is one row for machines.
type enrolledRow struct {
	Line        int        `json:"line"`
	State       string     `json:"state"` // new, waiting, enrolled before, refused
	Stream      string     `json:"stream"`
	Role        string     `json:"role"`
	Person      string     `json:"person,omitempty"`
	Until       *time.Time `json:"until,omitempty"`
	Key         string     `json:"verifier_key"`
	Fingerprint string     `json:"key_fingerprint"`
	Statement   string     `json:"statement,omitempty"`
	Invite      string     `json:"invite,omitempty"`
	Error       string     `json:"error,omitempty"`
}

// show prints the list as it is now: one row for each key, its fingerprint to be
// read to its holder.
func (e *enrolments) show(t *client.Trial, invites map[int]invited, refused map[statement.ID]error) error {
	out := []enrolledRow{}
	tab := newTable("LINE", "STATE", "STREAM", "PERSON", "KEY", "FINGERPRINT")
	written := 0
	var failed []string
	for _, r := range e.rows {
		id := e.ids[r.line]
		o := enrolledRow{Line: r.line, State: e.states[r.line], Stream: r.stream, Role: r.role, Person: r.person,
			Key: r.key.String(), Fingerprint: r.key.Fingerprint(), Invite: invites[r.line].file}
		if !r.end.IsZero() {
			o.Until = &r.end
		}
		if id != (statement.ID{}) {
			o.Statement = id.String()
		}
		if invites[r.line].written {
			written++
		}
		if err := refused[id]; err != nil && id != (statement.ID{}) {
			o.State, o.Error = "refused", inWords(err)
			failed = append(failed, fmt.Sprintf("line %d: %s", r.line, o.Error))
		}
		out = append(out, o)
		if o.State != rowBefore || len(e.rows) <= 20 {
			tab.row(number(uint64(r.line)), o.State, r.stream, r.person, r.key.Name, o.Fingerprint)
		}
	}
	done := e.count(rowNew) + e.count(rowWaiting) - len(failed)
	s := &sheet{word: "ENROLLED", head: count(done, "key") + " · " + t.Trial}
	switch {
	case e.dryRun:
		s.word = "WOULD ENROL"
	case done == 0 && len(failed) > 0:
		s.word = "NOT ENROLLED"
	case done == 0:
		s.word = "NOTHING NEW"
	}
	s.add("list", "%s: %s, %d of them enrolled before", e.csv, count(len(e.rows), "line"), e.count(rowBefore))
	if e.dryRun {
		s.add("nothing", "was written or sent")
	} else {
		s.add("invites", "%d written in %s (private: each for the holder of its key)", written, e.dir)
		s.more("they run: trialnotary join NAME.invite --key THEIR.key")
		s.add("check", "have each holder read the fingerprint of their key to you, if they have not")
	}
	for _, f := range failed {
		s.add("refused", "%s", f)
	}
	if !e.json && len(tab.rows) > 0 {
		fmt.Fprintln(e.out, tab.String())
	}
	if err := e.print(s, struct {
		Trial    string        `json:"trial"`
		Enrolled int           `json:"enrolled"`
		Before   int           `json:"enrolled_before"`
		Invites  int           `json:"invites_written"`
		DryRun   bool          `json:"dry_run,omitempty"`
		Rows     []enrolledRow `json:"rows"`
	}{t.Trial, done, e.count(rowBefore), written, e.dryRun, out}); err != nil {
		return err
	}
	if len(failed) > 0 {
		return shown{exitService}
	}
	return nil
}

package main

import (
	"time"

	"trialnotary/notary/history"
)

// timelineOut is a timeline for machines.
type timelineOut struct {
	Trial      string     `json:"trial,omitempty"`
	TrialPrint string     `json:"trial_fingerprint,omitempty"`
	Log        string     `json:"log"`
	Batch      uint64     `json:"batch"`
	BatchTime  time.Time  `json:"batch_time_claim"`
	Violation  bool       `json:"violation"`
	Whole      bool       `json:"whole"`
	Missing    []string   `json:"missing,omitempty"`
	Audited    bool       `json:"audited"`
	Others     []string   `json:"other_registrations,omitempty"`
	Trust      string     `json:"trust_fingerprint,omitempty"`
	Confirmed  bool       `json:"trust_confirmed"`
	Rules      []ruleOut  `json:"rules"`
	Events     []eventOut `json:"events"`
	Page       string     `json:"page,omitempty"`
}

type ruleOut struct {
	First string `json:"first"`
	Then  string `json:"then"`
	State string `json:"state"` // ok, nothing yet, sealed together, out of order, missing, cannot be known
	Why   string `json:"why"`
	By    []int  `json:"events,omitempty"` // of the second kind: the first or, if broken, all that break it
}

type eventOut struct {
	Number   int    `json:"number"`
	Stream   string `json:"stream"`
	StreamID string `json:"stream_id"`
	itemOut
	Signer     string   `json:"signer,omitempty"`
	Version    int      `json:"version,omitempty"`
	Supersedes int      `json:"supersedes,omitempty"`
	ReplacedBy []int    `json:"replaced_by,omitempty"`
	EndedBy    []int    `json:"ended_by,omitempty"` // withdrawals, corrections, erasures, and ends of its key
	About      []int    `json:"about,omitempty"`
	Notes      []string `json:"notes,omitempty"`
}

func numbers(events []*history.Event) (all []int) {
	for _, e := range events {
		all = append(all, e.Number)
	}
	return all
}

func timelineJSON(r *checkedHistory, t *history.Timeline, page string) timelineOut {
	v := r.verdict
	o := timelineOut{Trial: v.RegisteredAs, TrialPrint: v.TrialFingerprint, Log: v.Origin, Batch: v.Batch.Number, BatchTime: v.Batch.Time,
		Violation: t.Violation(), Whole: v.Whole(), Missing: v.Missing, Audited: v.Audited(), Confirmed: v.Confirmed, Rules: []ruleOut{}, Events: []eventOut{}, Page: page}
	if r.trust.trust != nil {
		o.Trust = r.trust.trust.Fingerprint
	}
	for _, i := range v.Rivals {
		o.Others = append(o.Others, fingerprintOf(i))
	}
	for _, rule := range t.Rules {
		o.Rules = append(o.Rules, ruleOut{string(rule.First), string(rule.Then), rule.State.String(), rule.Why, numbers(rule.By)})
	}
	for _, e := range t.Events {
		out := eventOut{Number: e.Number, Stream: e.Stream.Name, StreamID: e.Stream.ID.String(), itemOut: itemJSON(e.Item), Version: e.Version,
			ReplacedBy: numbers(e.SupersededBy), EndedBy: numbers(e.Ends), About: numbers(e.About), Notes: eventNotes(v, e)}
		if e.State == history.Valid {
			out.Signer = e.Note.Signer
		}
		if e.Of != nil {
			out.Supersedes = e.Of.Number
		}
		o.Events = append(o.Events, out)
	}
	return o
}

package main

import (
	"strings"
	"time"
)

// verdictOut is a verdict for machines.
type verdictOut struct {
	Verdict     string     `json:"verdict"` // verified, not verified, unconfirmed
	File        string     `json:"file"`
	Failed      string     `json:"failed,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	Undone      string     `json:"undone,omitempty"`
	Kind        string     `json:"kind,omitempty"`
	Stream      string     `json:"stream,omitempty"`
	Trial       string     `json:"trial,omitempty"`
	Label       string     `json:"label,omitempty"`
	Statement   string     `json:"statement,omitempty"`
	Key         string     `json:"key,omitempty"`
	Signer      string     `json:"signer,omitempty"`
	Meaning     string     `json:"meaning,omitempty"`
	Enroller    string     `json:"enrolled_by,omitempty"`
	NoLaterThan *time.Time `json:"no_later_than,omitempty"`
	Authority   string     `json:"time_stamp_authority,omitempty"`
	Renewed     *time.Time `json:"time_stamps_renewed,omitempty"`
	RenewBy     *time.Time `json:"renew_time_stamps_by,omitempty"`
	NotBefore   *time.Time `json:"not_before,omitempty"`
	Witnesses   int        `json:"witnesses"`
	WitnessesOf int        `json:"witnesses_of"`
	LogClock    *time.Time `json:"log_clock_claim,omitempty"`
	SignerClock *time.Time `json:"signer_clock_claim,omitempty"`
	Log         string     `json:"log,omitempty"`
	Index       *uint64    `json:"index,omitempty"`
	Seq         uint64     `json:"seq,omitempty"`
	FinalSize   uint64     `json:"final_size,omitempty"`
	TrialPrint  string     `json:"trial_fingerprint,omitempty"`
	Pinned      bool       `json:"trial_pinned"`
	Listed      bool       `json:"sponsor_listed"`
	Trust       string     `json:"trust_fingerprint,omitempty"`
	Confirmed   bool       `json:"trust_confirmed"`
	Page        string     `json:"printed_text,omitempty"`     // of a certificate: same, differs, not compared
	Doubtful    uint64     `json:"keys_given_up_at,omitempty"` // which signed it, and may have been stolen
	Files       *filesOut  `json:"files,omitempty"`
	Later       *laterOut  `json:"later,omitempty"` // by the history given
}

type filesOut struct {
	Sealed   uint64   `json:"sealed"`
	Bytes    uint64   `json:"sealed_bytes"`
	Compared bool     `json:"compared"`
	Matched  []string `json:"matched,omitempty"`
	Changed  []string `json:"changed,omitempty"`
	Missing  []string `json:"missing,omitempty"`
	Extra    []string `json:"not_sealed,omitempty"`
}

// verdictJSON is the same for machines. Nothing of the statement is in it unless
// its signature verified.
func verdictJSON(r *checked, word string) verdictOut {
	o := verdictOut{File: r.file, Undone: r.undone, Verdict: strings.ToLower(word)}
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
	n := v.Note
	o.Kind, o.Stream, o.Trial, o.Label, o.Statement = string(n.Kind), n.StreamName, n.Trial, n.Label, n.ID.String()
	o.Key, o.Signer, o.Meaning, o.Enroller = n.KeyName, n.Signer, string(n.Meaning), v.Enroller
	o.Witnesses, o.WitnessesOf = v.Met.Witnesses, v.Met.Of
	if at := v.NoLaterThan(); !at.IsZero() {
		o.NoLaterThan = &at
	}
	if s := v.Vouched(); s != nil {
		o.Authority = s.Authority
	}
	if s := v.Renewal(); s != nil {
		o.Renewed = &s.Time
	}
	if r.trust.trust != nil {
		if by := v.RenewBy(r.trust.trust); !by.IsZero() {
			o.RenewBy = &by
		}
	}
	if v.After != nil && !v.After.NotBefore.IsZero() {
		o.NotBefore = &v.After.NotBefore
	}
	o.LogClock, o.SignerClock = &v.Entry.Time, &n.Time
	o.Log, o.Index, o.Seq, o.FinalSize = v.Origin, &v.Entry.Index, v.Entry.Seq, v.FinalSize
	o.TrialPrint, o.Pinned, o.Listed, o.Confirmed = v.TrialFingerprint, v.Pinned, v.SponsorListed, v.Confirmed
	o.Doubtful = v.Doubtful
	o.Page = r.page.word()
	if r.later != nil {
		o.Later = r.later.out()
	}
	if c := r.bytes; c != nil {
		o.Files = &filesOut{Sealed: c.dataset.Files, Bytes: c.dataset.Bytes, Compared: c.looked && !c.foreign, Matched: c.Matched, Missing: c.Missing}
		for _, d := range c.Changed {
			o.Files.Changed = append(o.Files.Changed, d.Path)
		}
		for _, e := range c.Extra {
			o.Files.Extra = append(o.Files.Extra, e.Path)
		}
	}
	return o
}

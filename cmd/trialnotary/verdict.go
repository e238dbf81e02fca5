package main

import (
	"fmt"
	"strings"
	"time"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

const (
	verified    = "VERIFIED"
	notVerified = "NOT VERIFIED"
	unconfirmed = "CONSISTENT, but whose log this is is unconfirmed"
)

// showVerdict prints the verdict on one receipt and returns its exit code.
func (a *app) showVerdict(r *checked) error {
	s := &sheet{}
	if r.verdict == nil {
		s.word, s.head = notVerified, r.file
		addFailure(s, r)
		s.add("so", "nothing in this file is shown to be true")
	} else {
		s.head = headOf(r.verdict.Note)
		switch s.word = verified; {
		case r.failure != nil:
			s.word = notVerified
			addFailure(s, r)
			switch {
			case r.failure.Step == stepHistory:
				s.add("receipt", "it verifies by itself, as follows")
			case r.bytes != nil && r.bytes.foreign:
				s.add("receipt", "it verifies by itself, as follows; no file was compared")
				s.more("with the manifest that came with it: trialnotary verify %s PATH --manifest FILE", quote(r.file))
			default:
				s.add("receipt", "it verifies by itself, as follows; the files given are not what was sealed")
				if r.explain != "" {
					s.more("to see why: %s", r.explain)
				}
			}
		case !r.verdict.Confirmed:
			s.word = unconfirmed
		}
		addVerdict(s, r)
	}
	if err := a.print(s, verdictJSON(r, s.word)); err != nil {
		return err
	}
	if code := r.code(); code != exitDone {
		return shown{code}
	}
	return nil
}

func headOf(n *statement.Note) string {
	return strings.Join([]string{string(n.Kind), n.StreamName, n.Trial}, " · ")
}

func addFailure(s *sheet, r *checked) {
	s.add("failed", "%s: %s", stepWords[r.failure.Step], r.failure.Reason)
	if r.trust.trust != nil && r.verdict == nil && r.failure.Step == receipt.StepCheckpoints {
		s.more("verified with %s %s (%s)", r.trust.name, r.trust.trust.Fingerprint, r.trust.how)
	}
}

func addVerdict(s *sheet, r *checked) {
	v := r.verdict
	if v.Note.Label != "" {
		s.add("label", "%s", v.Note.Label)
	}
	if r.undone != "" {
		s.add("arrival", "%s had been added on the way; undone, and it is the receipt byte for byte", r.undone)
	}
	if r.page != nil {
		addPage(s, r.page)
	}
	if r.failure == nil {
		addBytes(s, r)
	}
	if len(r.aside) > 0 {
		s.add("not evidence", "%s in the zip: for people, and not checked", strings.Join(r.aside, " and "))
	}
	s.add("who", "%s", who(v))
	addWhen(s, r)
	s.add("order", "%s entry of this stream, log index %s", ordinal(v.Entry.Seq), number(v.Entry.Index))
	for _, id := range v.Note.About {
		s.add("about", "statement %s", id)
	}
	if v.Note.Supersedes != nil {
		s.add("replaces", "statement %s", v.Note.Supersedes)
	}
	if v.Note.Reason != "" {
		s.add("reason", "%s", v.Note.Reason)
	}
	addTrust(s, r)
	if r.failure != nil {
		return // what a verdict does not show is no matter where there is none
	}
	if r.later != nil {
		r.later.add(s)
	} else {
		s.add("not known", "later correction, withdrawal or key revocation: needs a history")
	}
	s.add("not shown", "that the data are true, consent, clinical validity")
}

func addBytes(s *sheet, r *checked) {
	c := r.bytes
	if c == nil {
		return // a statement about no files
	}
	sealed := fmt.Sprintf("%s, %s, were sealed", count(int(c.dataset.Files), "file"), bytesOf(c.dataset.Bytes))
	switch {
	case !c.looked && c.opening:
		s.add("bytes", "not compared: %s; the opening shows %d of them: %s", sealed, c.listed, names(c.opened))
	case !c.looked:
		s.add("bytes", "not compared: %s", sealed)
	default:
		s.add("bytes", "%s", matchLine(c))
	}
	if !c.looked {
		s.more("to compare: trialnotary verify %s PATH", quote(r.file))
	}
}

// matchLine says which of the files match, given that none fails.
func matchLine(c *compared) string {
	matched, all := len(c.Matched), "files"
	var same, extra []string
	for _, e := range c.Extra {
		if e.SameAs != "" {
			matched++
			same = append(same, e.Path+" is "+e.SameAs)
		} else {
			extra = append(extra, e.Path)
		}
	}
	if c.listed == 1 {
		all = "file"
	}
	line := fmt.Sprintf("%s of %s %s match", number(uint64(matched)), number(uint64(c.listed)), all)
	if c.listed == 1 {
		line += "es"
	}
	if c.opening {
		line += fmt.Sprintf(" (opened, of %s sealed)", number(c.dataset.Files))
	}
	if c.partial && matched < c.listed {
		line += "; the others were not given"
	}
	if len(same) > 0 {
		line += "; under another name: " + names(same)
	}
	switch len(extra) {
	case 0:
	case 1:
		line += "; 1 file here was not sealed: " + extra[0]
	default:
		line += fmt.Sprintf("; %d files here were not sealed: %s", len(extra), names(extra))
	}
	return line
}

func who(v *receipt.Verdict) string {
	key := "key " + v.Note.KeyName
	switch {
	case v.Note.Signer != "":
		key = fmt.Sprintf("%s (%s), %s", v.Note.Signer, v.Note.Meaning, key)
	case v.Grant.Person != "":
		key += " of " + v.Grant.Person
	}
	if v.Grant.Registration {
		return fmt.Sprintf("%s, the trial's %s key by its registration %s", key, v.Grant.Role, day(v.EnrolledAt))
	}
	return fmt.Sprintf("%s, enrolled by %s %s", key, v.Enroller, day(v.EnrolledAt))
}

// addWhen tells the proved times first, the claimed ones as claims.
func addWhen(s *sheet, r *checked) {
	v := r.verdict
	var proved []string
	if t := v.Vouched(); t != nil {
		proved = append(proved, fmt.Sprintf("no later than %s (RFC 3161 by %s)", moment(t.Time), text.Visible(t.Authority)))
	} else if v.Met.Witnessed {
		proved = append(proved, fmt.Sprintf("no later than %s (%d of %d witnesses)", moment(v.Met.NoLaterThan), v.Met.Witnesses, v.Met.Of))
	}
	if v.After != nil && !v.After.NotBefore.IsZero() {
		proved = append(proved, "not before "+moment(v.After.NotBefore))
	}
	if len(proved) == 0 {
		why := "this log has no witnesses"
		if v.Unsigned {
			why = "without a trust file no witness is known"
		}
		proved = []string{"no time is proved: " + why}
	}
	s.add("when", "%s", strings.Join(proved, "; "))
	// The day is said once, with the time that stands before.
	clock := func(t, before time.Time) string {
		if !before.IsZero() && day(t) == day(before) {
			return t.UTC().Format("15:04")
		}
		return moment(t)
	}
	s.more("log's clock %s, signer's clock %s: claims", clock(v.Entry.Time, v.NoLaterThan()), clock(v.Note.Time, v.Entry.Time))
	addStamps(s, r)
}

// addStamps tells what is to be known of the time-stamps and their renewals.
func addStamps(s *sheet, r *checked) {
	v := r.verdict
	if t := v.Renewal(); t != nil {
		s.more("renewed %s (RFC 3161 by %s)", moment(t.Time), text.Visible(t.Authority))
	}
	tell := func(what string, all []receipt.Stamped) {
		for i, t := range all {
			switch {
			case t.Err != nil:
				s.more("%s %d does not count: %s", what, i+1, text.Visible(t.Err.Error()))
			case t.RevocationUnknown:
				s.more("%s %d: whether its authority's certificate was revoked is not known", what, i+1)
			}
		}
	}
	tell("time-stamp", v.Stamps)
	tell("renewal", v.Renewals)
	if r.trust.trust == nil {
		return
	}
	switch by := v.RenewBy(r.trust.trust); {
	case by.IsZero():
	case r.now.Before(by):
		s.more("time-stamps to be renewed before %s: trialnotary renew %s", day(by), quote(r.file))
	default:
		s.more("what the time-stamps rest on ended %s: renew them now: trialnotary renew %s", day(by), quote(r.file))
	}
}

func addTrust(s *sheet, r *checked) {
	addBelief(s, r.trust, r.verdict.Registered, r.verdict.Confirmed)
	if n := r.verdict.Doubtful; n > 0 {
		s.add("WARNING", "signed with keys that the log gave up at size %s without their own signature: they may", number(n))
		s.add("", "have been stolen, and whoever has them can make such a receipt at any time. Rely on it only if")
		s.add("", "a time-stamp is from before that change")
	}
}

// addBelief says by which trust file, and by what the trial's registration is
// believed.
func addBelief(s *sheet, b belief, v receipt.Registered, confirmed bool) {
	trial := "trial fingerprint " + v.TrialFingerprint
	if v.Pinned {
		trial += " (as you gave it)"
	}
	if v.Registration == nil {
		trial = "no registration is shown"
	}
	if b.trust == nil {
		s.add("trust", "none: the signatures of the log were not checked · %s", trial)
	} else {
		s.add("trust", "%s %s (%s) · %s", b.name, b.trust.Fingerprint, b.how, trial)
	}
	// A list of sponsors that came with the evidence proves no one to be one.
	if v.Registration != nil && (v.FirstToRegister() || !confirmed && !v.Pinned) {
		s.more("first to register %s, not proved to be its sponsor: compare the trial fingerprint", v.RegisteredAs)
	}
	if !confirmed {
		s.more("get the operator's trust file by a way you trust, then: trialnotary trust FILE")
	}
}

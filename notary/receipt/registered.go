package receipt

import (
	"slices"

	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
)

// Registered is the registration that everything in a trial rests on, and by what
// it is believed.
type Registered struct {
	Registration     *statement.Note
	TrialFingerprint string
	RegisteredAs     string // trial id in whose registration stream it was shown
	SponsorListed    bool   // its sponsor key is listed in the trust file
	Pinned           bool   // its fingerprint is the visitor's
}

// FirstToRegister reports whether authority rests on nothing but being the first
// registration in its stream: "first to register, not proved to be the sponsor".
func (r Registered) FirstToRegister() bool { return !r.Pinned && !r.SponsorListed }

// Believe decides whether a registration, shown by that entry, is the trial's: its
// fingerprint is the visitor's; or else it is the first of its stream, by a listed
// sponsor where sponsors are listed. itself: the registration is all that is to be
// shown, and nothing rests on it. Its signature is for [statement.NewAuthority] to
// check. The error is a [*Failure].
func (o Options) Believe(reg *statement.Note, e entry.Entry, itself bool) (Registered, error) {
	r := Registered{Registration: reg, TrialFingerprint: statement.TrialFingerprint(reg.ID), RegisteredAs: reg.Trial}
	if i := slices.Index(reg.RegistrationStreams(), e.Stream); i < len(reg.Also) {
		r.RegisteredAs = reg.Also[i].Trial
	}
	r.SponsorListed = o.Trust != nil && slices.Contains(o.Trust.Sponsors, reg.Keys[0].Key)

	if o.Trial != "" {
		pin, err := statement.ParseFingerprint(o.Trial)
		if err != nil {
			return r, fail(StepRegistration, "the given trial fingerprint is none: %v", err)
		}
		if pin != r.TrialFingerprint {
			return r, fail(StepRegistration, "this is of the trial with fingerprint %s, not of %s", r.TrialFingerprint, pin)
		}
		r.Pinned = true
		return r, nil
	}
	switch {
	case e.Seq != 1:
		return r, fail(StepRegistration, "this is registration number %d of its trial id: only the trial fingerprint can say that it is the right one", e.Seq)
	case !itself && r.RegisteredAs != reg.Trial:
		// Being first under one of the other ids says nothing about this one.
		return r, fail(StepRegistration, "the registration is shown under another id of the trial: only the trial fingerprint can say that it is the right one")
	case o.Trust != nil && o.Trust.HasSponsors && !r.SponsorListed:
		return r, fail(StepRegistration, "the registration is not by a sponsor that the trust file lists")
	}
	return r, nil
}

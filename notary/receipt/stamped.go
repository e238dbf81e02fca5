package receipt

import (
	"errors"
	"fmt"
	"time"

	"trialnotary/notary/timestamp"
)

// MaxStamps bounds how many tokens of one receipt are looked at, and how many
// renewals.
const MaxStamps = 8

// Stamped is what became of one time-stamp token of a receipt.
type Stamped struct {
	timestamp.Stamp
	Err error // why it does not count; nil: it does
}

// Why a token does not count, besides the errors of package timestamp.
var (
	ErrNoAuthority   = errors.New("the trust file names no time-stamping authority")
	ErrTooManyStamps = errors.New("there are too many of them")
	ErrEnded         = errors.New("the trust file no longer accepts its algorithm")
)

// stamps judges the renewals, the last one first and as of now, each before it as of
// the time of the one after it that counts; then the time-stamps as of the first. One
// that does not count is no reason to refuse what the receipt shows without it.
func (t *verification) stamps() error {
	at, shown := t.o.Now, time.Time{}
	judge := func(i int, token []byte, imprint timestamp.Imprint) (s Stamped) {
		switch {
		case i >= MaxStamps:
			s.Err = ErrTooManyStamps
		case t.authorities == nil:
			s.Err = ErrNoAuthority
		default:
			s.Stamp, s.Err = timestamp.Verify(token, imprint, t.authorities, shown)
		}
		for _, a := range s.Algorithms {
			if s.Err == nil && !t.o.Trust.Accepts(a, at, t.o.Now) {
				s.Err = fmt.Errorf("%w %s as of %s", ErrEnded, a, at.UTC().Format("2 Jan 2006"))
			}
		}
		return s
	}
	t.v.Renewals = make([]Stamped, len(t.r.Renewals))
	for i := len(t.r.Renewals) - 1; i >= 0; i-- {
		imprint, err := t.r.renewalImprint(i)
		if err != nil {
			return fail(StepContainer, "%v", err)
		}
		s := judge(i, t.r.Renewals[i], imprint)
		if t.v.Renewals[i] = s; s.Err == nil {
			at, shown = s.Time, s.Time
		}
	}
	for i, token := range t.r.Timestamps {
		t.v.Stamps = append(t.v.Stamps, judge(i, token, timestamp.OfCheckpoint(t.statement.head.Raw)))
	}
	t.renewed = shown
	return nil
}

// Stamp returns the earliest time-stamp that counts, nil if there is none.
func (v *Verdict) Stamp() *Stamped { return earliest(v.Stamps) }

// Renewal returns the latest renewal that counts, nil if there is none.
func (v *Verdict) Renewal() *Stamped {
	for i := len(v.Renewals) - 1; i >= 0; i-- {
		if v.Renewals[i].Err == nil {
			return &v.Renewals[i]
		}
	}
	return nil
}

func earliest(all []Stamped) (first *Stamped) {
	for i := range all {
		if s := &all[i]; s.Err == nil && (first == nil || s.Time.Before(first.Time)) {
			first = s
		}
	}
	return first
}

// Vouched returns whose time [Verdict.NoLaterThan] is: a time-stamp's or a renewal's;
// nil where it is the witnesses', or where there is none.
func (v *Verdict) Vouched() *Stamped {
	if s := v.Stamp(); s != nil {
		return s
	}
	if !v.Met.NoLaterThan.IsZero() {
		return nil
	}
	return earliest(v.Renewals)
}

// NoLaterThan returns the time by which the statement is shown to have existed: the
// earliest time-stamp or, where there is none, the witnesses' time, or else that of
// the earliest renewal; zero where nobody but the log vouches for one.
func (v *Verdict) NoLaterThan() time.Time {
	if s := v.Vouched(); s != nil {
		return s.Time
	}
	return v.Met.NoLaterThan
}

// RenewBy returns when the time-stamps are to be renewed at the latest: the end of
// what the latest renewal rests on or, where there is none, the time-stamp that is
// first to end of those that count; zero where there is nothing to renew. trust says
// until when algorithms are accepted.
func (v *Verdict) RenewBy(trust *Trust) (by time.Time) {
	soonest := func(s *Stamped) {
		ends := s.Expires
		for _, a := range s.Algorithms {
			if until, ok := trust.Algorithms[a]; ok && until.Before(ends) {
				ends = until
			}
		}
		if by.IsZero() || ends.Before(by) {
			by = ends
		}
	}
	if s := v.Renewal(); s != nil {
		soonest(s)
		return by
	}
	for i := range v.Stamps {
		if v.Stamps[i].Err == nil {
			soonest(&v.Stamps[i])
		}
	}
	return by
}

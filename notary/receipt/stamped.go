package receipt

import (
	"crypto/sha256"
	"errors"
	"time"

	"trialnotary/notary/timestamp"
)

// MaxStamps bounds how many tokens of one receipt are looked at.
const MaxStamps = 16

// Stamped is what became of one time-stamp token of a receipt.
type Stamped struct {
	timestamp.Stamp
	Err error // why it does not count; nil: it does
}

// Why a token does not count, besides the errors of package timestamp.
var (
	ErrNoAuthority   = errors.New("the trust file names no time-stamping authority")
	ErrTooManyStamps = errors.New("there are too many of them")
)

// timestamps: each token is over the statement's final checkpoint, its file byte for
// byte, and by an authority of the trust file. One that is not does not count; it
// is no reason to refuse what the receipt shows without it.
func (t *verification) timestamps() error {
	imprint := sha256.Sum256(t.statement.head.Raw)
	for i, token := range t.r.Timestamps {
		s := Stamped{Err: ErrNoAuthority}
		switch {
		case i >= MaxStamps:
			s.Err = ErrTooManyStamps
		case t.authorities != nil:
			s.Stamp, s.Err = timestamp.Verify(token, imprint, t.authorities)
		}
		t.v.Stamps = append(t.v.Stamps, s)
	}
	return nil
}

// Stamp returns the earliest time-stamp that counts, nil if there is none.
func (v *Verdict) Stamp() (first *Stamped) {
	for i := range v.Stamps {
		if s := &v.Stamps[i]; s.Err == nil && (first == nil || s.Time.Before(first.Time)) {
			first = s
		}
	}
	return first
}

// NoLaterThan returns the time by which the statement is shown to have existed: the
// earliest time-stamp or, where there is none, the witnesses' time; zero where
// nobody but the log vouches for one.
func (v *Verdict) NoLaterThan() time.Time {
	if s := v.Stamp(); s != nil {
		return s.Time
	}
	return v.Met.NoLaterThan
}

package receipt

import (
	"fmt"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/text"
	"trialnotary/notary/timestamp"
)

// RenewalImprint returns what the next renewal of the receipt is to stamp: all of
// it as it is now.
func (r *Receipt) RenewalImprint() (timestamp.Imprint, error) {
	if n := len(r.Renewals); n >= MaxStamps {
		return nil, fmt.Errorf("the receipt was renewed %d times, and more would not be looked at: %w", n, text.ErrFormat)
	}
	return r.renewalImprint(len(r.Renewals))
}

// renewalImprint returns what renewal n, from 0, is over: the receipt as it was
// before, without that renewal and those after it.
func (r *Receipt) renewalImprint(n int) (timestamp.Imprint, error) {
	before := *r
	before.Renewals = r.Renewals[:n]
	b, err := before.Bytes()
	if err != nil {
		return nil, err
	}
	return timestamp.OfReceipt(b), nil
}

// WithTimestamps returns the receipt with those tokens of other evidence for it that
// it does not have and that count under trusted, as many as are looked at; and how
// many they are. A receipt that was renewed gets no more: its renewals are over all of
// it. Entry and proof must be the same bytes.
func (r *Receipt) WithTimestamps(e Evidence, trusted *timestamp.Authorities) (*Receipt, int, error) {
	if string(e.Entry) != string(r.Entry) || string(e.Proof) != string(r.Proof) {
		return nil, 0, fmt.Errorf("the service shows another entry or proof than the receipt has: keep both, and ask its operator")
	}
	if len(r.Renewals) > 0 {
		return r, 0, nil
	}
	p, err := checkpoint.ParseProof(r.Proof)
	if err != nil {
		return nil, 0, err
	}
	with := *r
	with.Timestamps = r.Timestamps[:len(r.Timestamps):len(r.Timestamps)]
	added := 0
	for _, token := range e.Timestamps {
		if len(with.Timestamps) >= MaxStamps || with.hasTimestamp(token) {
			continue
		}
		if _, err := timestamp.Verify(token, timestamp.OfCheckpoint(p.Checkpoint), trusted, time.Time{}); err != nil {
			continue
		}
		more := with
		more.Timestamps = append(with.Timestamps, token)
		if _, err := more.Bytes(); err != nil {
			continue // it would be larger than a receipt may be
		}
		with = more
		added++
	}
	return &with, added, nil
}

func (r *Receipt) hasTimestamp(token []byte) bool {
	for _, t := range r.Timestamps {
		if string(t) == string(token) {
			return true
		}
	}
	return false
}

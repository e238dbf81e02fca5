package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/text"
)

// belief is the trust file that a receipt was verified with.
type belief struct {
	trust     *receipt.Trust
	name, how string
	confirmed bool
}

// originOf returns the log that a proof says it is of, "" if that cannot be read.
func originOf(proof []byte) string {
	p, err := checkpoint.ParseProof(proof)
	if err != nil {
		return ""
	}
	s, err := checkpoint.Parse(p.Checkpoint)
	if err != nil {
		return ""
	}
	return s.Origin
}

// judge verifies evidence of that log with the visitor's own trust file or, where
// there is none, with those beside it: then any that fits will do. It returns the
// one it ended with, and the failure, if any.
func (a *app) judge(dir, origin, trial, undone string, verify func(receipt.Options) error) (b belief, f *receipt.Failure, err error) {
	beliefs, err := a.believe(dir, origin)
	if err != nil {
		return b, nil, err
	}
	for _, b = range beliefs {
		o := receipt.Options{Trust: b.trust, Confirmed: b.confirmed, Trial: trial, Now: a.now()}
		if undone != "" {
			o.Hint = "on arrival " + undone + " had to be undone: ask for the file as it was first made"
		}
		err := verify(o)
		if err == nil {
			return b, nil, nil
		}
		if !errors.As(err, &f) {
			return b, nil, err
		}
	}
	return b, f, nil
}

// believe returns the trust file of the visitor's own: given, or accepted for that
// log. Without one it returns those that came with the evidence, which do not
// count, or a belief in nothing.
func (a *app) believe(dir, origin string) ([]belief, error) {
	if a.trust != "" {
		t, err := readTrust(a.trust)
		if err != nil {
			return nil, err
		}
		return []belief{{t, filepath.Base(a.trust), "given by you", true}}, nil
	}
	m, err := a.memory()
	if err != nil {
		return nil, err
	}
	acc, err := m.Accepted(origin)
	if err != nil {
		return nil, err
	}
	if acc != nil {
		return []belief{{acc.Trust, acc.Name, "accepted by you", true}}, nil
	}
	var beside []belief
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if len(beside) == 16 { // each is tried; a directory may hold any number
			break
		}
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".trust") {
			continue
		}
		b, err := client.ReadFile(filepath.Join(dir, e.Name()), 2*receipt.MaxTrustSize)
		if err != nil {
			continue
		}
		b, _ = text.Outer(b)
		if t, err := receipt.ParseTrust(b); err == nil && t.Policy.Origin() == origin {
			beside = append(beside, belief{t, e.Name(), "came with the evidence: not accepted by you", false})
		}
	}
	if len(beside) == 0 {
		beside = []belief{{how: "no trust file of this log"}}
	}
	return beside, nil
}

// current returns the trust file to use in place of one that stands in a file of the
// user's: the log's keys may have been changed since it was made.
func current(t *receipt.Trust) *receipt.Trust {
	m, err := client.OpenMemory(os.Getenv("TRIALNOTARY_CONFIG"))
	if err != nil {
		return t
	}
	return m.Current(t)
}

package main

import (
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

// originOf returns the log a receipt says it is of, "" if that cannot be read.
func originOf(r *receipt.Receipt) string {
	p, err := checkpoint.ParseProof(r.Proof)
	if err != nil {
		return ""
	}
	s, err := checkpoint.Parse(p.Checkpoint)
	if err != nil {
		return ""
	}
	return s.Origin
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

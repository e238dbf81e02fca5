package main

import (
	"errors"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

// blindly makes the submission one of the statement's id alone, if that was asked for.
func (s sealing) blindly(p *client.Pending, key statement.PrivateKey) (*client.Pending, error) {
	if !s.blind {
		return p, nil
	}
	if p.Note.StreamName == statement.TrialStream {
		return nil, &fault{code: exitUsage, err: errors.New("nothing is sealed blind in the trial stream: everyone must be able to see who may sign, and what was planned"),
			safe: "Nothing was sealed.", do: "Seal it without --blind."}
	}
	if err := p.SubmitBlind(key); err != nil {
		return nil, &fault{code: exitUsage, err: err, safe: "Nothing was sealed."}
	}
	return p, nil
}

package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"trialnotary/notary/client"
	"trialnotary/notary/history"
	"trialnotary/notary/receipt"
	"trialnotary/notary/text"
)

// checkedHistory is the result of one history.
type checkedHistory struct {
	file    string
	verdict *history.Verdict // nil if it did not verify
	failure *receipt.Failure
	trust   belief
	undone  string // on arrival
}

func (r *checkedHistory) code() int {
	switch {
	case r.failure != nil:
		return exitNotVerified
	case !r.verdict.Confirmed:
		return exitUnconfirmed
	}
	return exitDone
}

// isHistory reports whether a file says it is a history.
func isHistory(name string) bool {
	b, _ := text.Outer(head(name))
	return strings.HasPrefix(string(b), history.Version+"\n")
}

func (a *app) verifyHistory(name string, v verifying) error {
	if len(v.paths) > 0 || v.manifest != "" || v.opening != "" {
		return &fault{code: exitUsage, err: errors.New("files are compared with a receipt, not with a history"), do: "Name the receipt: trialnotary verify NAME.receipt PATH --history " + quote(name)}
	}
	r, err := a.checkHistory(name, v.trial)
	if err != nil {
		return err
	}
	if v.history != "" && r.failure == nil {
		other, err := a.goodHistory(v.history, v.trial)
		if err != nil {
			return err
		}
		if err := r.verdict.Agrees(other.verdict); err != nil {
			r.failure = &receipt.Failure{Step: stepHistory, Reason: fmt.Sprintf("%s contradicts it, and the log signed both: %v", v.history, err)}
		}
	}
	return a.showHistory(r)
}

// checkHistory verifies a history.
func (a *app) checkHistory(name, trial string) (*checkedHistory, error) {
	// CR LF makes a file larger; the limit holds once that is undone.
	b, err := client.ReadFile(name, 2*history.MaxSize)
	if err != nil {
		return nil, &fault{code: exitUsage, err: err}
	}
	r := &checkedHistory{file: name}
	var h *history.History
	h, r.undone, err = history.ParseOuter(b)
	if err != nil {
		if !isHistory(name) {
			return nil, wrongFile(name, b, kindOf(history.Version), err)
		}
		r.failure = &receipt.Failure{Step: receipt.StepContainer, Reason: err.Error()}
		return r, nil
	}
	r.trust, r.failure, err = a.judge(filepath.Dir(name), originOf(h.Proof), trial, r.undone, func(o receipt.Options) (err error) {
		r.verdict, err = h.Verify(o)
		return err
	})
	return r, err
}

// goodHistory is checkHistory for a history that something else is to rest on.
func (a *app) goodHistory(name, trial string) (*checkedHistory, error) {
	r, err := a.checkHistory(name, trial)
	if err == nil && r.failure != nil {
		err = &fault{code: exitNotVerified, err: fmt.Errorf("%s does not verify: %s: %s", name, stepWords[r.failure.Step], r.failure.Reason), do: "Look at it by itself: trialnotary verify " + quote(name)}
	}
	return r, err
}

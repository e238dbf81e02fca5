package main

import (
	"context"
	"fmt"

	"trialnotary/notary"
	"trialnotary/notary/statement"
)

// told is which statement an operator has erased:
//
//	{"erase":{"stream":"<stream id>","statement":"<statement id>"}}
//
// Who may invoke the function is for the account's administrator to say; that the
// erasure was asked for, a sealed statement must.
type told struct{ Stream, Statement string }

// erased is the answer to an operator.
type erased struct {
	Erased bool   `json:"erased"`
	Before bool   `json:"before"` // it was done before
	By     string `json:"erasure"`
	Index  uint64 `json:"index"`
}

// erase deletes a statement, and says on what that rests.
func (s *sealer) erase(ctx context.Context, t told) (*erased, error) {
	var ref notary.Ref
	var err error
	if ref.Stream, err = statement.ParseStreamID(t.Stream); err == nil {
		ref.Statement, err = statement.ParseID(t.Statement)
	}
	if err != nil {
		return nil, fmt.Errorf("erase: %w", err)
	}
	service, err := s.opened(ctx)
	if err != nil {
		return nil, err
	}
	done, err := service.Erase(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("erase: %w", err)
	}
	s.app.Log.Info("erased", "erasure at index", done.Index, "before", done.Done)
	return &erased{Erased: true, Before: done.Done, By: done.Statement.String(), Index: done.Index}, nil
}

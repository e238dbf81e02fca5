package main

import (
	"context"
	"fmt"

	"trialnotary/notary"
	"trialnotary/notary/statement"
)

// event is what the function is invoked with: by the rule, with nothing that it looks
// at; by an operator who has a statement erased, with
//
//	{"erase":{"stream":"<stream id>","statement":"<statement id>"}}
//
// Who may invoke the function is for the account's administrator to say; that the
// erasure was asked for, a sealed statement must.
type event struct {
	Erase *struct{ Stream, Statement string } `json:"erase"`
}

// erased is the answer to an operator.
type erased struct {
	Erased bool   `json:"erased"`
	Before bool   `json:"before"` // it was done before
	By     string `json:"erasure"`
	Index  uint64 `json:"index"`
}

// invoked does what an event asks for.
func (s *sealer) invoked(ctx context.Context, e event) (*erased, error) {
	if e.Erase == nil {
		return nil, s.round(ctx)
	}
	var ref notary.Ref
	var err error
	if ref.Stream, err = statement.ParseStreamID(e.Erase.Stream); err == nil {
		ref.Statement, err = statement.ParseID(e.Erase.Statement)
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

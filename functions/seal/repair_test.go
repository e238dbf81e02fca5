package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"trialnotary/notary"
)

// An operator's event repairs and does not seal; the rule's seals and does not repair.
func TestRepairIsAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		err          error
		slow         bool
		answer, fail string
	}{
		"done":              {answer: `{"batches_rebuilt":2,"last_batch":8}`},
		"the time was over": {slow: true, answer: `{"batches_rebuilt":2,"last_batch":8,"more":true}`},
		"forked":            {err: fmt.Errorf("x: %w", notary.ErrForked), answer: "null", fail: "compare them with your copies"},
		"the store is away": {err: errors.New("503"), answer: "null", fail: "503"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{repairs: func(ctx context.Context, all bool, progress func(uint64)) error {
				if all {
					t.Error("from the first batch: a log of any size would not be done in the time")
				}
				progress(7)
				progress(8)
				if c.slow {
					<-ctx.Done()
					return ctx.Err()
				}
				return c.err
			}}
			sealer, _, _ := newTest(s)
			ctx, cancel := context.WithTimeout(t.Context(), lastBatch+50*time.Millisecond)
			defer cancel()
			var e event
			if err := json.Unmarshal([]byte(`{"repair":true}`), &e); err != nil {
				t.Fatal(err)
			}
			r, err := sealer.handle(ctx, e)
			if c.fail == "" && err != nil || c.fail != "" && (err == nil || !strings.Contains(err.Error(), c.fail)) {
				t.Errorf("%v, want %q", err, c.fail)
			}
			if b, err := json.Marshal(r); err != nil || string(b) != c.answer {
				t.Errorf("%s %v, want %s", b, err, c.answer)
			}
			if s.calls != 0 {
				t.Error("it sealed as well")
			}
		})
	}
	s := &script{steps: []func(context.Context) (notary.Sealed, error){gives(notary.Sealed{}, nil)}}
	sealer, _, _ := newTest(s)
	if r, err := sealer.handle(t.Context(), event{}); r != nil || err != nil || s.calls != 1 {
		t.Errorf("the rule's event: %+v, %v, %d calls of Seal", r, err, s.calls)
	}
}

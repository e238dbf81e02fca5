package main

import (
	"context"
	"errors"
	"fmt"

	"trialnotary/notary"
)

// repaired is the answer to {"repair": true}:
//
//	{"batches_rebuilt": 3, "last_batch": 120}
//
// With "more", the time was over before the end: the same event again goes on
// from last_batch.
type repaired struct {
	Batches uint64 `json:"batches_rebuilt"`
	Last    uint64 `json:"last_batch,omitempty"`
	More    bool   `json:"more,omitempty"`
}

// repair brings the table forward to the log, after it was restored from an older
// copy or was lost: an empty table is rebuilt from the first batch. It signs only
// what was committed and writes nothing that the log does not hold. A sealer beside
// it stops where the log is ahead of the table, as it did before.
func (s *sealer) repair(ctx context.Context) (*repaired, error) {
	service, err := s.opened(ctx)
	if err != nil {
		return nil, err
	}
	within, cancel := ctx, func() {}
	if end, ok := ctx.Deadline(); ok {
		within, cancel = context.WithDeadline(ctx, end.Add(-lastBatch))
	}
	defer cancel()
	r := &repaired{}
	err = service.Repair(within, false, func(batch uint64) { r.Batches, r.Last = r.Batches+1, batch })
	switch {
	case err == nil:
		s.app.Log.Info("repaired", "batches", r.Batches, "last", r.Last)
		return r, nil
	case within.Err() != nil && ctx.Err() == nil:
		r.More = true
		s.app.Log.Info("repaired so far; the same event goes on", "batches", r.Batches, "last", r.Last)
		return r, nil
	case errors.Is(err, notary.ErrForked):
		err = fmt.Errorf("the log contradicts itself or the table, and no program can decide which part is right; "+
			"nothing was signed, keep the table and the buckets as they are and compare them with your copies: %w", err)
	}
	s.app.Log.Error("the repair could not go on; what it has done stays, and the same event goes on", "error", err)
	return nil, err
}

package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/web"
)

// stampEvery is the least time between two looks for what lacks time-stamps.
const stampEvery = time.Second

// stamper asks the time-stamping authorities beside the sealer, which never waits
// for it, until it is told to stop.
type stamper struct {
	service *notary.Service
	every   time.Duration
	logger  *slog.Logger

	failures atomic.Uint64 // of the store's, in a row
	cancel   context.CancelFunc
	done     sync.WaitGroup
}

func newStamper(service *notary.Service, every time.Duration, logger *slog.Logger) *stamper {
	return &stamper{service: service, every: max(every, stampEvery), logger: logger}
}

// start begins asking, if there is anyone to ask.
func (s *stamper) start() {
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	if len(s.service.Timestampers) == 0 {
		return
	}
	s.done.Go(func() {
		for {
			before := s.service.StampFigures()
			err := s.service.Stamp(ctx)
			wait := s.every
			if err != nil && ctx.Err() == nil {
				n := s.failures.Add(1)
				wait = min(maxBackoff, s.every<<min(n, 16))
				s.logger.Warn("time-stamps could not be kept and are asked for again; sealing goes on", "failures", n, "error", err.Error())
			} else {
				s.failures.Store(0)
			}
			if now := s.service.StampFigures(); now.Kept > before.Kept {
				s.logger.Info("time-stamps", "kept", now.Kept-before.Kept, "lacking", now.Lacking)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		}
	})
}

// stop ends what is being asked and waits for it: what is missing is asked for by
// the next start.
func (s *stamper) stop() {
	s.cancel()
	s.done.Wait()
}

// figures are the stamper's numbers for /metrics.
func (s *stamper) figures() []web.Figure {
	f := s.service.StampFigures()
	return []web.Figure{
		{Name: "timestamps_total", Help: "Time-stamps kept since the start.", Counter: true, Value: float64(f.Kept)},
		{Name: "timestamp_failures_total", Help: "Questions to time-stamping authorities that failed since the start.", Counter: true, Value: float64(f.Failed)},
		{Name: "timestamps_lacking", Help: "Final checkpoints that lack a time-stamp and are still tried.", Value: float64(f.Lacking)},
	}
}

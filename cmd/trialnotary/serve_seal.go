package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/ondisk"
	"trialnotary/notary/web"
)

const (
	maxBackoff   = time.Minute
	pruneEvery   = 24 * time.Hour
	unwellAfter  = 5 // failures in a row
	lastSealTime = 10 * time.Second
)

// sealer seals what is waiting, every so often, until it is told to stop or only
// an operator can help.
type sealer struct {
	service *notary.Service
	every   time.Duration
	logger  *slog.Logger
	before  func()      // runs before every tick's batches
	fatal   func(error) // told when only a new process can go on
	dir     string      // for what to tell the operator

	next     atomic.Int64 // Unix nanoseconds of the next tick
	stopped  atomic.Bool  // nothing is sealed until an operator acts
	failures atomic.Int64 // in a row
	failed   atomic.Uint64
	batches  atomic.Uint64
	entries  atomic.Uint64
	refused  atomic.Uint64
	size     atomic.Uint64
	last     atomic.Int64 // Unix time of the last tick that went well
	once     sync.Once
	quit     chan struct{}
	done     chan struct{}
	pruned   time.Time
}

func newSealer(service *notary.Service, every time.Duration, logger *slog.Logger, before func(), fatal func(error), dir string) *sealer {
	s := &sealer{service: service, every: every, logger: logger, before: before, fatal: fatal, dir: dir, quit: make(chan struct{}), done: make(chan struct{})}
	if b, err := service.Object(context.Background(), "checkpoint"); err == nil {
		if c, err := checkpoint.Parse(b); err == nil {
			s.size.Store(c.Size)
		}
	}
	return s
}

// run seals until stop is called.
func (s *sealer) run() {
	defer close(s.done)
	for !s.stopped.Load() {
		begin := time.Now()
		s.before()
		err := s.seal(s.quitting)
		wait := time.Until(begin.Add(s.every))
		if n := s.failures.Load(); n > 0 {
			wait = min(maxBackoff, max(s.every, time.Second/4)<<min(n-1, 16))
		}
		s.next.Store(time.Now().Add(max(0, wait)).UnixNano())
		if time.Since(s.pruned) > pruneEvery && err == nil {
			s.prune()
		}
		select {
		case <-s.quit:
			return
		case <-time.After(max(0, time.Until(time.Unix(0, s.next.Load())))):
		}
	}
	<-s.quit
}

// seal seals batch after batch until nothing is waiting or enough says so.
func (s *sealer) seal(enough func() bool) error {
	for {
		start := time.Now()
		sealed, err := s.service.Seal(context.Background())
		switch {
		case errors.Is(err, notary.ErrForked), errors.Is(err, notary.ErrRestored):
			s.stopped.Store(true)
			s.logger.Error("SEALING HAS STOPPED and nothing was signed. Reads go on; statements are refused until this is repaired. "+
				"Keep a copy of the directory as it is, stop this service, and run: trialnotary repair --dir "+s.dir, "error", err.Error())
			return err
		case errors.Is(err, notary.ErrLost):
			s.logger.Warn("another sealer was first; nothing is lost", "error", err.Error())
			return nil
		case errors.Is(err, ondisk.ErrReopen):
			s.fatal(fmt.Errorf("%w; nothing that was accepted is lost: start the service again", err))
			fallthrough
		case err != nil:
			s.failed.Add(1)
			s.logger.Error("sealing failed and will be tried again; nothing that was accepted is lost", "failures", s.failures.Add(1), "error", err.Error())
			return err
		}
		if n := s.failures.Swap(0); n > 0 {
			s.logger.Info("sealing works again", "failures", n)
		}
		s.last.Store(time.Now().Unix())
		if sealed.Batch > 0 {
			s.batches.Add(1)
			s.entries.Add(uint64(sealed.Entries))
			s.refused.Add(uint64(sealed.Refused))
			s.size.Store(sealed.Size)
			s.logger.Info("sealed", "batch", sealed.Batch, "size", sealed.Size, "entries", sealed.Entries, "refused", sealed.Refused,
				"took", time.Since(start).Round(time.Millisecond))
		}
		if !sealed.More || enough() {
			return nil
		}
	}
}

// stop ends the loop and seals once more what is waiting, as long as ctx and a
// few seconds allow; the rest is sealed by the next start.
func (s *sealer) stop(ctx context.Context) error {
	s.once.Do(func() { close(s.quit) })
	<-s.done // a batch that was begun is published first
	if s.stopped.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lastSealTime)
	defer cancel()
	if err := s.seal(func() bool { return ctx.Err() != nil }); err != nil {
		return fmt.Errorf("the last batch: %w; what was accepted is kept and sealed by the next start", err)
	}
	return nil
}

func (s *sealer) quitting() bool {
	select {
	case <-s.quit:
		return true
	default:
		return false
	}
}

func (s *sealer) prune() {
	s.pruned = time.Now()
	if n, err := s.service.Prune(context.Background(), notary.StagingAge); err != nil {
		s.logger.Warn("old staging objects could not be removed; tomorrow it is tried again", "error", err.Error())
	} else if n > 0 {
		s.logger.Info("removed old staging objects", "count", n)
	}
}

// nextSeal returns when the next batch is due.
func (s *sealer) nextSeal() time.Time { return time.Unix(0, s.next.Load()) }

// health returns "" or what is wrong, fit for anyone.
func (s *sealer) health() string {
	switch {
	case s.stopped.Load():
		return "Sealing has stopped until the operator has acted. Nothing that was answered with 202 is lost; receipts and the log can be read."
	case s.failures.Load() >= unwellAfter:
		return "Sealing has failed several times and is being tried again. Nothing that was answered with 202 is lost."
	}
	return ""
}

// figures are the sealer's numbers for /metrics.
func (s *sealer) figures() []web.Figure {
	stopped := 0.0
	if s.stopped.Load() {
		stopped = 1
	}
	return []web.Figure{
		{Name: "batches_total", Help: "Batches sealed since the start.", Counter: true, Value: float64(s.batches.Load())},
		{Name: "entries_total", Help: "Statements entered since the start.", Counter: true, Value: float64(s.entries.Load())},
		{Name: "refused_total", Help: "Statements refused at sealing since the start.", Counter: true, Value: float64(s.refused.Load())},
		{Name: "seal_failures_total", Help: "Sealing runs that failed since the start.", Counter: true, Value: float64(s.failed.Load())},
		{Name: "sealing_stopped", Help: "1 when nothing is sealed until an operator acts.", Value: stopped},
		{Name: "log_size", Help: "Leaves in the log.", Value: float64(s.size.Load())},
		{Name: "last_seal_timestamp_seconds", Help: "When sealing last went well, Unix time.", Value: float64(s.last.Load())},
	}
}

package main

import (
	"context"
	"errors"
	"time"

	"trialnotary/functions/wire"
	"trialnotary/notary"
)

// lastBatch is how long before the function's end no new batch is begun. What is
// left is sealed at the next tick, and so is a batch that was cut off: the sealer
// resumes from the staged object.
const lastBatch = 30 * time.Second

// stampPatience is how long time-stamps are asked for after a round, in all: the next
// one is due a minute after this one began.
const stampPatience = 20 * time.Second

// sealer is what a process remembers from one round to the next.
type sealer struct {
	app    *wire.App
	inbox  *inbox
	now    func() time.Time
	ended  time.Time // when the last round ended well, zero if none did
	opened func(context.Context) (seals, error)
}

// seals is the service, as far as the function needs it.
type seals interface {
	Seal(context.Context) (notary.Sealed, error)
	Stamp(context.Context) error
	Erase(context.Context, notary.Ref) (notary.Erasure, error)
	Repair(ctx context.Context, all bool, progress func(batch uint64)) error
}

// event is what the function is started with: the rule's {"tick": true}, or an operator's.
type event struct {
	Repair   bool      `json:"repair"`
	Erase    *told     `json:"erase"`
	Handover *handover `json:"handover"`
}

func newSealer(app *wire.App) *sealer {
	s := &sealer{app: app, inbox: &inbox{Store: app.Store}, now: time.Now}
	app.Store = s.inbox
	s.opened = func(ctx context.Context) (seals, error) {
		o, err := app.Open(ctx)
		if err != nil {
			return nil, err
		}
		return o.Service, nil
	}
	return s
}

// handle does what the event asks for.
func (s *sealer) handle(ctx context.Context, e event) (any, error) {
	switch {
	case e.Repair:
		return s.repair(ctx)
	case e.Erase != nil:
		return s.erase(ctx, *e.Erase)
	case e.Handover != nil:
		return s.handOver(ctx, *e.Handover)
	}
	err := s.round(ctx)
	if err == nil {
		s.stamp(ctx)
	}
	return nil, err
}

// stamp asks for time-stamps once all that waited is sealed, in what is left of the
// time. What is missing then, the next tick asks for.
func (s *sealer) stamp(ctx context.Context) {
	if end, ok := ctx.Deadline(); ok && end.Sub(s.now()) < lastBatch+stampPatience {
		return
	}
	service, err := s.opened(ctx)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, stampPatience)
		defer cancel()
		err = service.Stamp(ctx)
	}
	if err != nil {
		s.app.Log.Warn("time-stamps could not be kept and are asked for again at the next tick; sealing goes on", "error", err)
	}
}

// round seals batch after batch until nothing is waiting or the time is nearly
// over. Its error makes the invocation a failed one; the next tick tries again.
func (s *sealer) round(ctx context.Context) error {
	s.inbox.oldest = 0
	entries, refused, err := s.seal(ctx)
	forks := 0.0
	switch {
	case errors.Is(err, notary.ErrForked), errors.Is(err, notary.ErrRestored):
		forks = 1
		s.app.Log.Error("SEALING HAS STOPPED and nothing was signed; reads and submissions go on, nothing accepted is lost. "+
			"Keep the table and the buckets as they are and start this function with {\"repair\": true}", "error", err)
	case errors.Is(err, notary.ErrLost):
		s.app.Log.Warn("another sealer was first; nothing is lost", "error", err)
		err = nil
	case err != nil:
		s.app.Log.Error("sealing failed and is tried again at the next tick; nothing that was accepted is lost", "error", err)
	}
	if err == nil {
		s.ended = s.now()
	}
	metrics := []wire.Metric{
		{Name: wire.Forks, Unit: "Count", Value: forks},
		{Name: wire.Entries, Unit: "Count", Value: float64(entries)},
		{Name: wire.Refused, Unit: "Count", Value: float64(refused)},
	}
	if !s.ended.IsZero() { // else nobody knows the age, and that it is missing is the alarm
		metrics = append(metrics, wire.Metric{Name: wire.SealAge, Unit: "Seconds", Value: s.now().Sub(s.ended).Seconds()})
	}
	oldest := 0.0
	if s.inbox.oldest != 0 {
		oldest = max(0, s.now().Sub(time.Unix(0, s.inbox.oldest)).Seconds())
	}
	metrics = append(metrics, wire.Metric{Name: wire.OldestPending, Unit: "Seconds", Value: oldest})
	return errors.Join(err, s.app.Measure(metrics...))
}

func (s *sealer) seal(ctx context.Context) (entries, refused int, err error) {
	service, err := s.opened(ctx)
	if err != nil {
		return 0, 0, err
	}
	for {
		start := s.now()
		sealed, err := service.Seal(ctx)
		if err != nil {
			return entries, refused, err
		}
		entries, refused = entries+sealed.Entries, refused+sealed.Refused
		if sealed.Batch > 0 {
			s.app.Log.Info("sealed", "batch", sealed.Batch, "size", sealed.Size, "entries", sealed.Entries, "refused", sealed.Refused,
				"took", s.now().Sub(start).Round(time.Millisecond).String())
		}
		if !sealed.More {
			return entries, refused, nil
		}
		if end, ok := ctx.Deadline(); ok && end.Sub(s.now()) < lastBatch {
			s.app.Log.Info("more is waiting; the next tick goes on")
			return entries, refused, nil
		}
	}
}

// inbox is the store, and remembers how old the oldest statement was that a round
// found waiting first.
type inbox struct {
	notary.Store
	oldest int64 // Unix nanoseconds; 0: none
}

// Pending implements notary.Store. The oldest statement of all is always first.
func (i *inbox) Pending(ctx context.Context, max int) ([]notary.Accepted, error) {
	pending, err := i.Store.Pending(ctx, max)
	if err == nil && len(pending) > 0 && i.oldest == 0 {
		i.oldest = pending[0].Received
	}
	return pending, err
}

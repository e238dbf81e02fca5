package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"trialnotary/functions/wire"
	"trialnotary/notary"
	"trialnotary/notary/audit"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/onaws"
)

// lastBatch is how long before the function's end no further batch is begun.
const lastBatch = 30 * time.Second

// Names of what the auditor remembers, in the state bucket.
const (
	newestProgress = "audit/newest"
	fullProgress   = "audit/full"
)

// auditor verifies one log: what package audit does, with what this function keeps
// and with its look at the locks.
type auditor struct {
	app    *wire.App
	state  notary.Store // Get, Checkpoint, and what is below audit/
	locks  locks
	policy *checkpoint.Policy // what makes a checkpoint final; nil until the keys are known
	own    *checkpoint.Policy // the log's own keys alone
	packs  packs
}

// locks reads back how objects of the log are protected.
type locks interface {
	CheckLocks(context.Context, onaws.Retention) error
	CheckLock(ctx context.Context, name string, r onaws.Retention) error
}

func newAuditor(app *wire.App) *auditor {
	return &auditor{app: app, state: app.Store, locks: onaws.NewStore(app.Clients, app.Env)}
}

// of returns the auditor of the log, whose map stands after m.
func (a *auditor) of(m *audit.Packs) *audit.Auditor {
	verify := func(p *checkpoint.Policy) func(checkpoint.Signed) error {
		return func(c checkpoint.Signed) error { _, err := p.Verify(c, nil); return err }
	}
	return &audit.Auditor{Log: objects{a.state}, Map: m, Final: verify(a.policy), Own: verify(a.own),
		Check: func(ctx context.Context, name string) error { return a.locks.CheckLock(ctx, name, a.app.Env.Retention) }}
}

// objects reads the public log of a store.
type objects struct{ store notary.Store }

// Read implements [audit.Reader].
func (o objects) Read(ctx context.Context, name string) ([]byte, error) {
	if name == "checkpoint" {
		b, err := o.store.Checkpoint(ctx)
		if err == nil && b == nil {
			err = fs.ErrNotExist
		}
		return b, err
	}
	b, err := o.store.Get(ctx, name)
	if errors.Is(err, notary.ErrNotFound) {
		err = fs.ErrNotExist
	}
	return b, err
}

// event is the rule's input.
type event struct {
	Full bool `json:"full"`
}

// round audits what is new, then goes on with a full audit if one is under way.
func (a *auditor) round(ctx context.Context, e event) error {
	err := a.audit(ctx, e.Full)
	failures := 0.0
	var finding *audit.Finding
	var unlocked *onaws.Unlocked
	switch {
	case errors.As(err, &unlocked):
		failures = 1
		a.alarm("unlocked", unlocked.Error())
	case errors.As(err, &finding):
		failures = 1
		a.alarm("audit", finding.Error())
	case err != nil:
		a.app.Log.Error("the audit could not go on; the next one does", "error", err)
	}
	return errors.Join(err, a.app.Measure(wire.Metric{Name: wire.AuditFailures, Unit: "Count", Value: failures}))
}

func (a *auditor) alarm(kind, what string) {
	a.app.Log.Error("ALARM", "kind", kind, "object", what)
	if a.app.Alarm != nil {
		a.app.Alarm(kind, what)
	}
}

func (a *auditor) audit(ctx context.Context, full bool) error {
	if a.policy == nil {
		o, err := a.app.Open(ctx)
		if err != nil {
			return err
		}
		if err := a.trust(o.Policy); err != nil {
			return err
		}
	}
	if full {
		if err := a.remember(ctx, fullProgress, progress{}); err != nil {
			return err
		}
	}
	if err := a.locks.CheckLocks(ctx, a.app.Env.Retention); err != nil {
		return err
	}
	newest, err := a.of(nil).Newest(ctx)
	if err != nil {
		return err
	}
	if newest == nil {
		if _, err := a.state.GetState(ctx, newestProgress, 0, 0); err == nil {
			return &audit.Finding{Object: "checkpoint", Reason: "it is gone"}
		}
		return nil
	}
	at, err := a.goOn(ctx, newestProgress, newest)
	if err != nil {
		return err
	}
	if _, err := a.state.GetState(ctx, fullProgress, 0, 0); errors.Is(err, notary.ErrNotFound) {
		return nil // no full audit was ever begun
	}
	behind, err := a.goOn(ctx, fullProgress, newest)
	if err == nil && (behind.Batch != at.Batch || behind.Root != at.Root) && behind.Size == at.Size {
		err = &audit.Finding{Object: checkpoint.HeadName(at.Batch), Reason: "the full audit gives another root than the hourly ones"}
	}
	return err
}

// trust takes a log's policy, and of it the log's own keys for what it signs before
// any witness has seen it.
func (a *auditor) trust(policy *checkpoint.Policy) error {
	own, err := policy.Own()
	if err != nil {
		return err
	}
	a.policy, a.own = policy, own
	return nil
}

// goOn audits batch after batch from where the progress of that name was left,
// until the newest checkpoint or until the time is nearly over. What is above that
// checkpoint is being published and is not audited yet.
func (a *auditor) goOn(ctx context.Context, name string, newest *checkpoint.Signed) (progress, error) {
	p, err := a.recall(ctx, name)
	if err != nil {
		return p, err
	}
	begin := p.Batch
	if p.Size < newest.Size {
		m := &audit.Packs{At: p.Map, Store: &packStore{a}}
		log := a.of(m)
		log.Stop = func() bool { end, ok := ctx.Deadline(); return ok && time.Until(end) < lastBatch }
		_, err = log.Walk(ctx, p.position(), newest.Size, func(at audit.Position) error {
			p = progress{at.Batch, at.Size, at.Root, at.Time, m.At}
			return a.remember(ctx, name, p)
		})
	} else {
		_, err = a.of(nil).Walk(ctx, p.position(), p.Size, nil) // its edge is read back
	}
	switch {
	case err != nil:
		return p, err
	case p.Size > newest.Size:
		return p, &audit.Finding{Object: "checkpoint", Reason: fmt.Sprintf("it has gone back to size %d; size %d was audited", newest.Size, p.Size)}
	case p.Size == newest.Size && p.Root != newest.Root:
		return p, &audit.Finding{Object: "checkpoint", Reason: fmt.Sprintf("its root is not that of the log at size %d", p.Size)}
	}
	a.app.Log.Info("audited", "what", name, "from", begin, "batch", p.Batch, "size", p.Size)
	return p, nil
}

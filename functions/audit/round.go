package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trialnotary/functions/wire"
	"trialnotary/notary"
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

// auditor verifies one log.
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

// Finding is something wrong with the log itself, as against a fault on the way
// to it.
type Finding struct{ Object, Reason string }

func (f *Finding) Error() string { return f.Object + ": " + f.Reason }

func found(object, format string, a ...any) error {
	return &Finding{object, fmt.Sprintf(format, a...)}
}

func newAuditor(app *wire.App) *auditor {
	return &auditor{app: app, state: app.Store, locks: onaws.NewStore(app.Clients, app.Env)}
}

// event is the rule's input.
type event struct {
	Full bool `json:"full"`
}

// round audits what is new, then goes on with a full audit if one is under way.
func (a *auditor) round(ctx context.Context, e event) error {
	err := a.audit(ctx, e.Full)
	failures := 0.0
	var finding *Finding
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
	newest, err := a.newest(ctx)
	if err != nil || newest == nil {
		return err
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
		err = found(checkpoint.HeadName(at.Batch), "the full audit gives another root than the hourly ones")
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

// newest returns the public checkpoint, nil for an empty log. What is above it is
// being published and is not audited yet.
func (a *auditor) newest(ctx context.Context) (*checkpoint.Signed, error) {
	raw, err := a.state.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	if raw == nil {
		if _, err := a.state.GetState(ctx, newestProgress, 0, 0); err == nil {
			return nil, found("checkpoint", "it is gone")
		}
		return nil, nil
	}
	cp, err := checkpoint.Parse(raw)
	if err == nil {
		_, err = a.policy.Verify(cp, nil)
	}
	if errors.Is(err, checkpoint.ErrQuorum) {
		return nil, found("checkpoint", "%v; if the witnesses of the policy were changed just now, the next batch ends this", err)
	} else if err != nil {
		return nil, found("checkpoint", "%v", err)
	}
	final, err := a.get(ctx, checkpoint.FinalName(cp.Size))
	if err == nil && string(final) != string(raw) {
		err = found("checkpoint", "it is not %s", checkpoint.FinalName(cp.Size))
	}
	return &cp, err
}

// get reads a public object that must be there.
func (a *auditor) get(ctx context.Context, name string) ([]byte, error) {
	b, err := a.state.Get(ctx, name)
	if errors.Is(err, notary.ErrNotFound) {
		return nil, found(name, "it is missing")
	}
	return b, err
}

// goOn audits batch after batch from where the progress of that name was left,
// until the newest checkpoint or until the time is nearly over.
func (a *auditor) goOn(ctx context.Context, name string, newest *checkpoint.Signed) (progress, error) {
	at, err := a.recall(ctx, name)
	if err != nil {
		return at, err
	}
	w, err := a.at(ctx, at)
	if err != nil {
		return at, err
	}
	begin := w.progress.Batch
	for w.progress.Size < newest.Size {
		if end, ok := ctx.Deadline(); ok && time.Until(end) < lastBatch {
			break
		}
		if err := w.batch(ctx); err != nil {
			return w.progress, errors.Join(err, a.remember(ctx, name, w.progress))
		}
		if w.progress.Batch%rememberEvery == 0 {
			if err := a.remember(ctx, name, w.progress); err != nil {
				return w.progress, err
			}
		}
	}
	switch p := w.progress; {
	case p.Size > newest.Size:
		return p, found("checkpoint", "it has gone back to size %d; size %d was audited, or no batch ends there", newest.Size, p.Size)
	case p.Size == newest.Size && p.Root != newest.Root:
		return p, found("checkpoint", "its root is not that of the log at size %d", p.Size)
	}
	a.app.Log.Info("audited", "what", name, "from", begin, "batch", w.progress.Batch, "size", w.progress.Size)
	if w.progress.Batch == begin {
		return w.progress, nil
	}
	return w.progress, a.remember(ctx, name, w.progress)
}

// Package wire makes of a function's environment what the function serves: the
// store, the keys, the service over them, its log and its metrics.
//
// Reading the environment calls nobody, so that a function polls for its first
// event at once and says at once, in sentences, what its environment lacks. AWS is
// asked for the keys when the first event is there; if it does not answer, that
// event fails and the next one asks again.
package wire

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/onaws"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
	"trialnotary/notary/timestamp"
	"trialnotary/notary/witness"
)

// StampPatience is how long one time-stamping authority is waited for: well within what
// a tick has for all of them, so that one which never answers is known to have failed,
// and a token whose revocation data are slow to come is still kept.
const StampPatience = 8 * time.Second

// App is one function's process.
type App struct {
	Env     onaws.Env
	Clients *onaws.Clients
	Store   notary.Store
	Log     *slog.Logger
	Out     io.Writer // of log and metrics

	// Alarm and Announce, if set before the first event, are told what the service's
	// own are told.
	Alarm    func(kind, object string)
	Announce func(notary.Sealed)

	meter *onaws.Meter // nil: nothing is counted
	mu    sync.Mutex
	open  *Open
}

// Open is what needs the keys.
type Open struct {
	Service *notary.Service
	Policy  *checkpoint.Policy
	Trust   []byte // the operator's own trust file
}

// New reads the environment of the function of that name. If it is wrong, New says
// why, one line a sentence, and ends the process.
func New(name string) *App {
	log := newLog(os.Stdout, name)
	env, err := onaws.ParseEnv(os.Getenv)
	if err == nil {
		a := &App{Env: env, Log: log, Out: os.Stdout}
		if env.Meter {
			a.meter = new(onaws.Meter)
		}
		if a.Clients, err = onaws.NewFunctionClients(os.Getenv, a.meter); err == nil {
			a.Store = onaws.NewStore(a.Clients, env)
			return a
		}
	}
	log.Error("this function cannot start", "error", err.Error())
	os.Exit(1)
	return nil
}

// Open returns the service, made at the first call that succeeds.
func (a *App) Open(ctx context.Context) (*Open, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open != nil {
		return a.open, nil
	}
	signers, err := onaws.Signers(ctx, a.Clients.KMS, a.Env)
	if err != nil {
		return nil, err
	}
	o := &Open{}
	var asked []checkpoint.Witness
	if o.Policy, asked, err = onaws.Policy(signers, a.Env.Witnesses); err != nil {
		return nil, err
	}
	// Until the old keys have handed over, what is here is not the last word.
	policy, err := notary.WithHandovers(ctx, o.Policy, a.Store.Get)
	waits := len(a.Env.OldKeys) > 0 && (errors.Is(err, notary.ErrKeys) || err == nil && len(policy.Retired()) == 0)
	switch {
	case err == nil:
		o.Policy = policy
	case !waits:
		return nil, err
	}
	witnesses := make([]notary.Witness, len(asked))
	for i, w := range asked {
		if witnesses[i], err = witness.New(w, nil); err != nil {
			return nil, err
		}
	}
	authorities, roots, err := timestamp.ParseAsked([]byte(a.Env.TSAs))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", onaws.EnvTSAs, err)
	}
	stampers := make([]notary.Timestamper, len(authorities))
	for i, t := range authorities {
		stampers[i] = t
	}
	t := &receipt.Trust{Policy: o.Policy, Sponsors: a.Env.Sponsors, HasSponsors: true, TSA: roots}
	if o.Trust, err = t.Bytes(); err != nil {
		return nil, err
	}
	o.Service, err = notary.New(a.Store, notary.Config{Origin: a.Env.Origin, Signers: signers, Policy: o.Policy, Witnesses: witnesses, Timestampers: stampers, StampPatience: StampPatience,
		Sponsors: func() []statement.PublicKey { return a.Env.Sponsors }, Alarm: a.alarm, Announce: a.Announce})
	if err != nil {
		return nil, err
	}
	a.Log.Info("open", "trust", text.Fingerprint(sha256.Sum256(o.Trust)), "sponsors", len(a.Env.Sponsors), "keys", len(signers), "witnesses", len(witnesses), "authorities", len(stampers))
	if !waits {
		a.open = o
	}
	return o, nil
}

// HandOver gives the log from the old keys to those it signs with; see
// [notary.HandOver].
func (a *App) HandOver(ctx context.Context, stolen bool) (checkpoint.Retired, error) {
	none := checkpoint.Retired{}
	if len(a.Env.OldKeys) == 0 {
		return none, errors.New(onaws.EnvOldKeys + " is not set, so nothing is to be handed over")
	}
	next, err := onaws.Signers(ctx, a.Clients.KMS, a.Env)
	if err != nil {
		return none, err
	}
	before := a.Env
	before.SigningKeys = a.Env.OldKeys
	old := notary.Config{Origin: a.Env.Origin, Alarm: a.alarm}
	if old.Signers, err = onaws.Signers(ctx, a.Clients.KMS, before); err != nil {
		return none, err
	}
	if old.Policy, _, err = onaws.Policy(old.Signers, a.Env.Witnesses); err != nil {
		return none, err
	}
	return notary.HandOver(ctx, a.Store, old, next, stolen)
}

// alarm logs what an operator must look at.
func (a *App) alarm(kind, object string) {
	a.Log.Error("ALARM", "kind", kind, "object", object)
	if a.Alarm != nil {
		a.Alarm(kind, object)
	}
}

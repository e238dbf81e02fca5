// Package notary is the service: it accepts signed statements, seals them in
// batches into a Merkle log, publishes signed checkpoints, and hands out the
// evidence that receipts are made of.
//
// A statement's life (architecture, "Life of a statement"):
//
//	Submit   checks it and stores it durably in the inbox
//	Seal     1 finishes an unpublished batch   4 computes the next one
//	         2 refuses a restored database     5 stages it
//	         3 reads the inbox                 6 swaps the head: THE COMMIT
//	publish  7 head object, tiles, signature, final checkpoint, rows,
//	           `checkpoint`, and last the inbox
//	Receipt  entry and inclusion proof in the first final checkpoint covering it
//
// Beside that, and never in its way, Stamp asks time-stamping authorities about
// final checkpoints; receipts have the tokens that are there.
//
// Invariants: nothing is written under a public name before the commit, nothing
// is signed that was not committed, every accepted statement is sealed exactly
// once or refused with a reason, and everything after the commit can be run
// again, by anyone, from the staged object alone.
//
// The service holds no state of its own but caches: two processes over one
// [Store] are as good as one.
package notary

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/statement"
	"trialnotary/notary/tile"
)

// Sentinels a caller decides on.
var (
	// ErrPending: accepted, or sealed but not yet under a final checkpoint.
	ErrPending = errors.New("not sealed yet")
	// ErrForked: a public name holds other bytes than the committed batch gives.
	// Nothing was signed; sealing stays stopped until an operator looks.
	ErrForked = errors.New("the log and the database disagree")
	// ErrRestored: the log is ahead of the database, which was restored from an
	// older copy. Nothing was signed; Repair brings the database forward.
	ErrRestored = errors.New("the database is older than the log")
	// ErrLost: another sealer committed this batch number first. Nothing is lost;
	// the statements are in its batch or still in the inbox.
	ErrLost = errors.New("another sealer was first")
)

// Defaults of Config.
const (
	DefaultMaxBatch  = 10_000
	DefaultHeartbeat = 24 * time.Hour
	DefaultAnchor    = 10 * time.Minute
	DefaultPatience  = 5 * time.Second
	// DefaultStampPatience is an authority's, which nobody waits for.
	DefaultStampPatience = 20 * time.Second

	maxBatchBytes = 24 << 20 // of notes in one batch, so that memory is bounded
)

// Config is what a Service is told at its start.
type Config struct {
	Origin    string              // names the log for ever
	Signers   []checkpoint.Signer // all of them sign every checkpoint
	Policy    *checkpoint.Policy  // what makes a checkpoint final
	MaxBatch  int                 // statements in a batch; 0: DefaultMaxBatch
	Heartbeat time.Duration       // an empty batch after so long; 0: DefaultHeartbeat
	Anchor    time.Duration       // reads are anchored after so long; 0: DefaultAnchor

	// Witnesses are asked for a cosignature on every checkpoint before it becomes
	// final; Patience is how long, together. 0: DefaultPatience.
	Witnesses []Witness
	Patience  time.Duration

	// Timestampers are asked, by Stamp, for a token over each final checkpoint;
	// StampPatience is how long each. 0: DefaultStampPatience.
	Timestampers  []Timestamper
	StampPatience time.Duration

	// Sponsors returns the keys that may register trials, at each call anew.
	Sponsors func() []statement.PublicKey
	// Now is the operator's clock; nil: time.Now.
	Now func() time.Time
	// Alarm is told of what an operator must look at ("forked", "restored",
	// "unreadable", "clock", "witness", "keys", "timestamp"); detail names objects and
	// outside parties, never trials or people. May be nil.
	Alarm func(kind, detail string)
	// Announce is told of every published batch. May be nil.
	Announce func(Sealed)
}

// Service seals one log. Its methods may be called concurrently.
type Service struct {
	store Store
	Config

	sealing   sync.Mutex // one Seal at a time in this process
	edge      *tile.Edge // the right edge after the batch sealed last, or nil
	unwell    []int      // how often in a row each witness did not cosign
	ours      bool       // the log is known to be under these keys
	final     uint64     // a batch known to be under a final checkpoint
	retry     time.Time  // when one that is not is tried again
	stamps    stamping
	received  atomic.Int64
	published atomic.Uint64 // a batch up to which all are known to be published
	sealed    atomic.Int64  // Unix time of the newest batch known
	behind    atomic.Bool   // told that the clock is behind it
	trials    trialCache
	nodes     nodeCache
	notes     noteCache
	nobody    statement.PublicKey // see mayRead
	queue     atomic.Uint64       // number of the trail's next read, as far as known; 0: not
}

// New returns a service over store. It reads and writes nothing yet.
func New(store Store, c Config) (*Service, error) {
	if err := checkpoint.ValidOrigin(c.Origin); err != nil {
		return nil, fmt.Errorf("origin %q: %w", c.Origin, err)
	}
	switch {
	case len(c.Signers) == 0:
		return nil, errors.New("no log key: a log signs with Ed25519 and ML-DSA-44")
	case c.Policy == nil:
		return nil, errors.New("no publication policy")
	case c.Policy.Origin() != c.Origin:
		return nil, fmt.Errorf("the publication policy is for %q, the log is %q", c.Policy.Origin(), c.Origin)
	}
	if err := checkKeys(c); err != nil {
		return nil, err
	}
	if c.MaxBatch <= 0 {
		c.MaxBatch = DefaultMaxBatch
	}
	if c.Heartbeat <= 0 {
		c.Heartbeat = DefaultHeartbeat
	}
	if c.Anchor <= 0 {
		c.Anchor = DefaultAnchor
	}
	if c.Patience <= 0 {
		c.Patience = DefaultPatience
	}
	if c.StampPatience <= 0 {
		c.StampPatience = DefaultStampPatience
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sponsors == nil {
		c.Sponsors = func() []statement.PublicKey { return nil }
	}
	if c.Alarm == nil {
		c.Alarm = func(string, string) {}
	}
	if c.Announce == nil {
		c.Announce = func(Sealed) {}
	}
	return &Service{store: store, Config: c, nobody: nobodysKey(c.Origin), unwell: make([]int, len(c.Witnesses)),
		stamps: stamping{moods: make([]mood, len(c.Timestampers))}}, nil
}

// checkKeys: every key is the log's, and all that the policy asks for are there. What
// is wrong with them would show after a commit only, with statements accepted.
func checkKeys(c Config) error {
	var keys []string
	for _, k := range c.Signers {
		switch vkey := k.VerifierKey(); {
		case k.Name() != c.Origin:
			return fmt.Errorf("the key %s is not one of the log %s", k.Name(), c.Origin)
		case slices.Contains(keys, vkey):
			return fmt.Errorf("the log key %s stands twice", vkey)
		default:
			keys = append(keys, vkey)
		}
	}
	for _, k := range c.Policy.LogKeys() {
		if !slices.Contains(keys, k) {
			return fmt.Errorf("the publication policy asks for the log key %.60s…, which is not there to sign", k)
		}
	}
	return nil
}

// Object returns an object of the public log by its name: checkpoint, tile/…,
// heads/…, signed/…, checkpoints/…. ErrNotFound if there is none.
func (s *Service) Object(ctx context.Context, name string) ([]byte, error) {
	if name != "checkpoint" {
		return s.store.Get(ctx, name)
	}
	b, err := s.store.Checkpoint(ctx)
	if err == nil && b == nil {
		err = ErrNotFound
	}
	return b, err
}

// batchTime returns the time that a batch sealed now would have: the clock's, and
// no earlier than the newest batch's that this process knows.
func (s *Service) batchTime() time.Time {
	now := s.Now()
	if last := time.Unix(s.sealed.Load(), 0); now.Before(last) {
		return last.UTC()
	}
	return now
}

// next returns a time of acceptance: the clock's, and later than every earlier
// one of this process, so that order of acceptance is order of arrival.
func (s *Service) next() int64 {
	now := s.Now().UnixNano()
	for {
		last := s.received.Load()
		if now <= last {
			now = last + 1
		}
		if s.received.CompareAndSwap(last, now) {
			return now
		}
	}
}

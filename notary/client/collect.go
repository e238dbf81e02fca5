package client

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/tile"
)

// Collector makes the evidence of many entries from the public log alone: each tile,
// head and checkpoint is asked for once, and nothing is asked that tells which
// entries are meant beyond the tiles they stand in. What it makes is what the
// service hands out for each, byte for byte, but for timestamps. Safe for
// concurrent use; it is quickest by ascending index.
type Collector struct {
	log   Log
	trust *receipt.Trust
	now   time.Time
	size  uint64 // of the newest final checkpoint
	root  tile.Hash
	tree  *tile.Tree

	mu      sync.Mutex
	batches map[uint64]*final
	finals  map[uint64]*final
}

// final is a final checkpoint while it is looked for, and then.
type final struct {
	once sync.Once
	raw  []byte
	size uint64
	err  error
}

// NewCollector asks the service for the newest final checkpoint and verifies it.
// Before the log has one, the error is [*NotYet].
func (s *Service) NewCollector(ctx context.Context, trust *receipt.Trust, now time.Time) (*Collector, error) {
	return NewCollector(ctx, s, trust, now)
}

// NewCollector is the same for any copy of the log.
func NewCollector(ctx context.Context, log Log, trust *receipt.Trust, now time.Time) (*Collector, error) {
	raw, err := log.Object(ctx, "checkpoint")
	if errors.Is(err, ErrNoObject) {
		return nil, &NotYet{}
	} else if err != nil {
		return nil, err
	}
	c, err := verifiedCheckpoint(raw, trust)
	if err != nil {
		return nil, &Unreachable{URL: log.URL(), Err: fmt.Errorf("its checkpoint does not verify: %w", err)}
	}
	f := &Collector{log: log, trust: trust, now: now, size: c.Size, root: c.Root, batches: map[uint64]*final{}, finals: map[uint64]*final{}}
	f.tree = tile.NewTree(c.Size, func(name string) ([]byte, error) { return log.Object(ctx, name) })
	return f, nil
}

func verifiedCheckpoint(raw []byte, trust *receipt.Trust) (checkpoint.Signed, error) {
	c, err := checkpoint.Parse(raw)
	if err == nil {
		_, err = trust.Policy.Verify(c, func(string, time.Time) bool { return true })
	}
	return c, err
}

// Size returns the size of the log as of the newest final checkpoint.
func (c *Collector) Size() uint64 { return c.size }

// Evidence returns an entry's evidence: its proof in the first final checkpoint
// that covers its batch. [*NotYet] while there is none. The proof is verified
// against that checkpoint's root, its signatures are not.
func (c *Collector) Evidence(ctx context.Context, leaf []byte) (receipt.Evidence, error) {
	e, err := entry.Parse(leaf)
	if err != nil {
		return receipt.Evidence{}, err
	}
	f := c.covering(ctx, e.Batch)
	if f.err != nil {
		return receipt.Evidence{}, f.err
	}
	cp, err := checkpoint.Parse(f.raw)
	if err != nil {
		return receipt.Evidence{}, &Unreachable{URL: c.log.URL(), Err: err}
	}
	hashes, err := c.tree.Inclusion(e.Index, f.size)
	if err == nil {
		err = tile.VerifyInclusion(tile.LeafHash(leaf), e.Index, f.size, hashes, cp.Root)
	}
	if err != nil {
		return receipt.Evidence{}, fmt.Errorf("the entry with index %d is not in the public log: %w", e.Index, err)
	}
	return receipt.Evidence{Entry: leaf, Proof: checkpoint.Proof{Index: e.Index, Hashes: hashes, Checkpoint: f.raw}.Bytes()}, nil
}

// covering returns the first final checkpoint that covers a batch: that of its own
// size, or else of the first later batch that became final.
func (c *Collector) covering(ctx context.Context, batch uint64) *final {
	f := c.slot(c.batches, batch)
	f.once.Do(func() {
		h, err := c.head(ctx, batch)
		if err != nil {
			f.err = err
			return
		}
		at := c.final(ctx, h.Size)
		if errors.Is(at.err, ErrNoObject) {
			at = c.covering(ctx, batch+1) // ends where a head passes the newest final size
		}
		f.raw, f.size, f.err = at.raw, at.size, at.err
	})
	return f
}

func (c *Collector) head(ctx context.Context, batch uint64) (checkpoint.Head, error) {
	b, err := c.log.Object(ctx, checkpoint.HeadName(batch))
	if errors.Is(err, ErrNoObject) {
		return checkpoint.Head{}, &NotYet{}
	} else if err != nil {
		return checkpoint.Head{}, err
	}
	h, err := checkpoint.ParseHead(b)
	if err == nil && h.Batch != batch {
		err = fmt.Errorf("%s is of batch %d", checkpoint.HeadName(batch), h.Batch)
	}
	if err != nil {
		return h, &Unreachable{URL: c.log.URL(), Err: err}
	}
	if h.Size > c.size {
		return h, &NotYet{} // sealed since, or not final yet
	}
	return h, nil
}

// final returns the final checkpoint of a size, or ErrNoObject.
func (c *Collector) final(ctx context.Context, size uint64) *final {
	f := c.slot(c.finals, size)
	f.once.Do(func() {
		f.size = size
		if f.raw, f.err = c.log.Object(ctx, checkpoint.FinalName(size)); f.err != nil {
			return
		}
		if s, err := checkpoint.Parse(f.raw); err != nil || s.Size != size {
			f.err = &Unreachable{URL: c.log.URL(), Err: fmt.Errorf("%s is not the checkpoint of that size", checkpoint.FinalName(size))}
		}
	})
	return f
}

// After returns the final checkpoint that a statement's `after` names.
func (c *Collector) After(ctx context.Context, size uint64, hash [32]byte) ([]byte, error) {
	f := c.final(ctx, size)
	if f.err == nil && sha256.Sum256(f.raw) != hash {
		return nil, fmt.Errorf("the checkpoint of size %d is not the one that the statement names", size)
	}
	return f.raw, f.err
}

func (c *Collector) slot(of map[uint64]*final, key uint64) *final {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := of[key]
	if f == nil {
		f = &final{}
		of[key] = f
	}
	return f
}

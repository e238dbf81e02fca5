package notary

import (
	"context"
	"errors"
	"fmt"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/tile"
)

// Refusal is the outcome of a statement that was accepted and then refused at
// sealing. Reason is a sentence for its author.
type Refusal struct{ Reason string }

func (r *Refusal) Error() string { return "refused at sealing: " + r.Reason }

// Receipt returns the public part of a statement's receipt: its entry, and the
// inclusion proof in the first final checkpoint that covers it, the same for ever,
// and the time-stamps there are of that, which become more. ErrPending while it is waiting or not yet under a final
// checkpoint, ErrNotFound if it was never accepted, *Refusal if it was refused.
func (s *Service) Receipt(ctx context.Context, ref Ref) (receipt.Evidence, error) {
	o, err := s.outcome(ctx, ref)
	if err != nil {
		return receipt.Evidence{}, err
	}
	if o.Refused != "" {
		return receipt.Evidence{}, &Refusal{o.Refused}
	}
	if err := s.awaitPublished(ctx, o.Batch); err != nil {
		return receipt.Evidence{}, err
	}
	v, err := s.store.GetRows(ctx, []Row{batchKey(o.Batch)})
	if err != nil {
		return receipt.Evidence{}, err
	}
	if v[0] == nil {
		return receipt.Evidence{}, fmt.Errorf("batch %d: %w", o.Batch, ErrPending)
	}
	b, err := parseBatchRow(v[0])
	if err != nil {
		return receipt.Evidence{}, err
	}
	if b.Final == 0 {
		return receipt.Evidence{}, fmt.Errorf("batch %d is sealed but has no final checkpoint: %w", o.Batch, ErrPending)
	}
	e := entry.Entry{Index: o.Index, Batch: o.Batch, Time: b.Time, Stream: ref.Stream, Seq: o.Seq, Statement: ref.Statement}
	ev, err := s.prove(ctx, e.Append(nil), o.Index, b.Final)
	if err == nil {
		ev.Timestamps = s.timestamps(ctx, b.Final)
	}
	return ev, err
}

// prove builds the proof of a leaf in the final checkpoint of a size, and checks
// it before it is handed out.
func (s *Service) prove(ctx context.Context, leaf []byte, index, size uint64) (receipt.Evidence, error) {
	final, err := s.store.Get(ctx, checkpoint.FinalName(size))
	if err != nil {
		return receipt.Evidence{}, fmt.Errorf("final checkpoint of size %d: %w", size, hide(err))
	}
	cp, err := checkpoint.Parse(final)
	if err != nil {
		return receipt.Evidence{}, fmt.Errorf("final checkpoint of size %d: %w", size, err)
	}
	hashes, err := tile.Inclusion(index, size, func(name string) ([]byte, error) { return s.store.Get(ctx, name) })
	if err == nil {
		err = tile.VerifyInclusion(tile.LeafHash(leaf), index, size, hashes, cp.Root)
	}
	if err != nil {
		s.Alarm("unreadable", checkpoint.FinalName(size))
		return receipt.Evidence{}, fmt.Errorf("prove index %d at size %d: %w", index, size, hide(err))
	}
	return receipt.Evidence{Entry: leaf, Proof: checkpoint.Proof{Index: index, Hashes: hashes, Checkpoint: final}.Bytes()}, nil
}

// hide keeps a missing internal object from looking like an unknown statement.
func hide(err error) error {
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("missing: %v", err)
	}
	return err
}

// outcome finds what became of an accepted statement. The row is looked for
// again after the inbox, because it is written before the inbox is cleared.
func (s *Service) outcome(ctx context.Context, ref Ref) (outcome, error) {
	for look := 0; ; look++ {
		v, err := s.store.GetRows(ctx, []Row{statementKey(ref)})
		if err != nil {
			return outcome{}, err
		}
		if v[0] != nil {
			return parseOutcome(v[0])
		}
		if look == 1 {
			return outcome{}, fmt.Errorf("statement %s: %w", ref.Statement, ErrNotFound)
		}
		waiting, err := s.store.Waiting(ctx, []Ref{ref})
		if err != nil {
			return outcome{}, err
		}
		if waiting[0] {
			return outcome{}, fmt.Errorf("statement %s: %w", ref.Statement, ErrPending)
		}
	}
}

// awaitPublished returns ErrPending until the batch is published whole, so that
// who holds a grant's receipt can use the grant.
func (s *Service) awaitPublished(ctx context.Context, batch uint64) error {
	if batch <= s.published.Load() {
		return nil
	}
	h, err := s.readHead(ctx)
	if err != nil {
		return err
	}
	if batch > h.Published {
		return fmt.Errorf("batch %d is being published: %w", batch, ErrPending)
	}
	s.published.Store(max(s.published.Load(), h.Published))
	return nil
}

package client

import (
	"context"
	"fmt"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/tile"
)

// Stands returns nil if the statement stands in the log, in its own stream, under a
// final checkpoint that the trust file accepts at now; [*NotYet] while it has none. Of
// other errors [*Unreachable] and [*Refused] say that nothing was learned.
func (s *Service) Stands(ctx context.Context, n *statement.Note, trust *receipt.Trust, now time.Time) error {
	e, err := s.Evidence(ctx, RefOf(n))
	if err != nil {
		return err
	}
	p, err := checkpoint.ParseProof(e.Proof)
	if err != nil {
		return fmt.Errorf("statement %.8s… has no proof: %w", n.ID.String(), err)
	}
	c, err := checkpoint.Parse(p.Checkpoint)
	if err == nil {
		_, err = trust.Meets(c, now)
	}
	if err == nil {
		err = tile.VerifyInclusion(tile.LeafHash(e.Entry), p.Index, c.Size, p.Hashes, c.Root)
	}
	var leaf entry.Entry
	if err == nil {
		leaf, err = entry.Parse(e.Entry)
	}
	if err == nil && (leaf.Statement != n.ID || leaf.Stream != n.Stream() || leaf.Index != p.Index) {
		err = fmt.Errorf("the entry is another statement's")
	}
	if err != nil {
		return fmt.Errorf("statement %.8s… does not stand in the log: %w", n.ID.String(), err)
	}
	return nil
}

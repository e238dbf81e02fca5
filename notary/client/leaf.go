package client

import (
	"context"
	"fmt"

	"trialnotary/notary/tile"
)

// Leaf returns the leaf at an index, as the log of that size shows it, unverified.
func (s *Service) Leaf(ctx context.Context, index, size uint64) ([]byte, error) {
	if index >= size {
		return nil, fmt.Errorf("no leaf %d in a log of size %d", index, size)
	}
	n := index / tile.Width
	b, err := s.Object(ctx, tile.BundlePath(n, int(min(size-n*tile.Width, tile.Width))))
	if err != nil {
		return nil, err
	}
	leaves, err := tile.ParseBundle(b)
	if err != nil || uint64(len(leaves)) <= index%tile.Width {
		return nil, &Unreachable{URL: s.base, Err: fmt.Errorf("its answer is no bundle of leaves: %v", err)}
	}
	return leaves[index%tile.Width], nil
}

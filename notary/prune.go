package notary

import (
	"context"
	"fmt"
	"time"
)

// StagingAge is how long staging objects are kept: longer than any copy of the
// database that one may have to go back to.
const StagingAge = 36 * 24 * time.Hour

// Prune deletes the staging objects of batches sealed longer than age ago, those
// of abandoned tries at the same batches among them, and returns how many. It
// never touches the newest batch, nor one that the database does not know. A crash
// leaves some undeleted; it can run at any time, beside anything but Repair, which
// reads faster from the objects that it deletes.
func (s *Service) Prune(ctx context.Context, age time.Duration) (int, error) {
	h, err := s.readHead(ctx)
	if err != nil {
		return 0, fmt.Errorf("prune: %w", err)
	}
	names, err := s.store.ListState(ctx, "staging/")
	if err != nil {
		return 0, fmt.Errorf("prune: %w", err)
	}
	deleted := 0
	for _, name := range names { // in order of batch
		n, ok := stagedBatch(name)
		if !ok {
			continue
		}
		if n >= h.Published {
			break
		}
		v, err := s.store.GetRows(ctx, []Row{batchKey(n)})
		if err != nil {
			return deleted, fmt.Errorf("prune %s: %w", name, err)
		}
		if v[0] == nil {
			continue
		}
		b, err := parseBatchRow(v[0])
		if err != nil {
			return deleted, fmt.Errorf("prune %s: %w", name, err)
		}
		if s.Now().Sub(b.Time) < age {
			break // and so are all after it, for the time never decreases
		}
		if err := s.store.DeleteState(ctx, name); err != nil {
			return deleted, fmt.Errorf("prune %s: %w", name, err)
		}
		deleted++
	}
	return deleted, nil
}

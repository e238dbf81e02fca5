package notary

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"trialnotary/notary/access"
	"trialnotary/notary/entry"
	"trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/text"
)

// StreamVersion is the comment of the archive that StreamAt returns.
const StreamVersion = "trialnotary/stream@v1"

// StreamAt returns what shows how many entries a stream had after a batch, and which:
// an archive of `batch` (the batch leaf), `batch.tlog-proof` (of that leaf in the
// first final checkpoint that covers it) and `map-proof` (of the stream under the
// batch's map root). batch 0 is the newest one under a final checkpoint. ErrNotFound
// if there is no such batch, or not yet; other errors as for Entries.
func (s *Service) StreamAt(ctx context.Context, ask *request.Read, stream statement.StreamID, batch uint64) ([]byte, error) {
	r, err := s.mayRead(ctx, ask, stream)
	if err != nil {
		return nil, err
	}
	if batch == 0 {
		if batch, err = s.newestFinal(ctx, r.head.Published); err != nil {
			return nil, err
		}
	}
	if batch == 0 || batch > r.head.Published {
		return nil, fmt.Errorf("batch %d: %w", batch, ErrNotFound)
	}
	b, first, err := s.batchAt(ctx, batch)
	if err != nil {
		return nil, fmt.Errorf("batch %d: %w", batch, hide(err))
	}
	if b.Final == 0 {
		return nil, fmt.Errorf("batch %d has no final checkpoint yet: %w", batch, ErrNotFound)
	}
	leaf := entry.Batch{Index: b.Size - 1, Number: b.Number, Time: b.Time, First: first, Streams: b.Map.Streams, MapRoot: b.Map.Hash}.Append(nil)
	evidence, err := s.prove(ctx, leaf, b.Size-1, b.Final)
	if err != nil {
		return nil, err
	}
	p, err := streammap.Prove(s.mapNodes(ctx), b.Map, stream)
	if err != nil {
		return nil, hide(err)
	}
	body, err := text.Archive{Version: StreamVersion, Parts: []text.Part{
		{Name: "batch", Data: evidence.Entry},
		{Name: "batch.tlog-proof", Data: evidence.Proof},
		{Name: "map-proof", Data: p.Bytes()},
	}}.Bytes()
	if err != nil {
		return nil, err
	}
	if err := s.record(ctx, r, access.History, batch, batch); err != nil {
		return nil, err
	}
	return body, nil
}

// batchAt returns a published batch's row and the index of its first leaf.
func (s *Service) batchAt(ctx context.Context, n uint64) (b batchRow, first uint64, err error) {
	keys := []Row{batchKey(n)}
	if n > 1 {
		keys = append(keys, batchKey(n-1))
	}
	v, err := s.store.GetRows(ctx, keys)
	if err != nil {
		return batchRow{}, 0, err
	}
	for i := len(v) - 1; i >= 0; i-- {
		if v[i] == nil {
			return batchRow{}, 0, errors.New("its row is missing")
		}
		first = b.Size
		if b, err = parseBatchRow(v[i]); err != nil {
			return batchRow{}, 0, err
		}
	}
	return b, first, nil
}

// newestFinal returns the newest of the published batches that a final checkpoint
// covers, 0 if there is none. All before it are covered too.
func (s *Service) newestFinal(ctx context.Context, published uint64) (uint64, error) {
	var failed error
	final := func(back int) bool {
		b, _, err := s.batchAt(ctx, published-uint64(back))
		if err != nil {
			failed = err
		}
		return b.Final != 0
	}
	if published == 0 || final(0) {
		return published, failed
	}
	back := sort.Search(int(published), final)
	if failed != nil {
		return 0, fmt.Errorf("newest final batch: %w", failed)
	}
	return published - uint64(back), nil
}

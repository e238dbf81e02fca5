package history

import (
	"cmp"
	"fmt"
	"slices"

	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
)

// maps: each stream's value is in the map that the batch commits to.
func (t *verification) maps() error {
	var wrong problems
	seen := map[statement.StreamID]int{}
	for _, s := range t.streams {
		id := s.proof.Stream
		if first, twice := seen[id]; twice {
			wrong.add("stream %d is the same as stream %d", s.n, first)
			continue
		}
		seen[id] = s.n
		if err := s.proof.Verify(t.v.Batch.MapRoot); err != nil {
			wrong.add("%s: batch %d does not commit to it", mapProofName(s.n), t.v.Batch.Number)
		}
	}
	return wrong.failure(StepMap)
}

// entries: the entries here are all that the map counts, in order, and those that
// it folded.
func (t *verification) entries() error {
	var wrong problems
	for _, s := range t.streams {
		if err := s.complete(t.v.Batch); err != nil {
			wrong.add("%s: %v", entriesName(s.n), err)
		}
	}
	return wrong.failure(StepEntries)
}

func (s *stream) complete(batch entry.Batch) error {
	count, here := s.proof.Count, uint64(len(s.entries))
	switch {
	case here < count:
		return fmt.Errorf("by batch %d the stream had %d entries, of which %d are here: %d missing", batch.Number, count, here, count-here)
	case here > count:
		return fmt.Errorf("by batch %d the stream had %d entries, and %d are here: the log does not have as many", batch.Number, count, here)
	}
	var head [32]byte
	distinct := make(map[statement.ID]bool, here)
	for i, e := range s.entries {
		switch {
		case e.Stream != s.proof.Stream:
			return fmt.Errorf("entry %d is of another stream", i+1)
		case e.Seq != uint64(i)+1:
			return fmt.Errorf("entry %d has seq %d", i+1, e.Seq)
		case i > 0 && e.Index <= s.entries[i-1].Index:
			return fmt.Errorf("entry %d, of index %d, stands after one of index %d", i+1, e.Index, s.entries[i-1].Index)
		case distinct[e.Statement]:
			return fmt.Errorf("entry %d is of a statement that the stream has already", i+1)
		}
		distinct[e.Statement] = true
		head = streammap.Fold(head, s.leaves[i])
	}
	if head != s.proof.Head {
		return fmt.Errorf("they are not the %d entries that the log holds: one was changed, or stands in for another", count)
	}
	return nil
}

// onelog: entries of different streams, and the batch leaf, can be of one log.
// Who moves an entry to an earlier batch to hide that it came late is seen here,
// where its index is larger than that of an entry of a later batch.
func (t *verification) onelog() error {
	var all []entry.Entry
	for _, s := range t.streams {
		all = append(all, s.entries...)
	}
	slices.SortFunc(all, func(a, b entry.Entry) int { return cmp.Compare(a.Index, b.Index) })
	for i, b := range all {
		if err := inBatch(b, t.v.Batch); err != nil {
			return err
		}
		if i == 0 {
			continue
		}
		switch a := all[i-1]; {
		case a.Index == b.Index:
			return fail(StepEntries, "two entries have the index %d", b.Index)
		case a.Batch > b.Batch, a.Time.After(b.Time), a.Batch == b.Batch && !a.Time.Equal(b.Time):
			return fail(StepEntries, "the batches of the log run backwards between index %d and index %d", a.Index, b.Index)
		case b.Batch-a.Batch > b.Index-a.Index:
			// Every batch has a leaf of its own.
			return fail(StepEntries, "between index %d and index %d there is no room for the batches from %d to %d", a.Index, b.Index, a.Batch, b.Batch)
		}
	}
	return nil
}

// inBatch: an entry is of the batch or of one before, as its index says.
func inBatch(e entry.Entry, b entry.Batch) error {
	same := e.Batch == b.Number
	switch {
	case e.Index >= b.Index, e.Batch > b.Number:
		return fail(StepEntries, "index %d, in batch %d, is after batch %d", e.Index, e.Batch, b.Number)
	case same != (e.Index >= b.First), same && !e.Time.Equal(b.Time), e.Time.After(b.Time):
		return fail(StepEntries, "index %d is not in batch %d: batch %d begins at index %d", e.Index, e.Batch, b.Number, b.First)
	}
	return nil
}

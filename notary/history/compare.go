package history

import (
	"fmt"
	"slices"

	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
)

// Holds reports whether an entry that a verified receipt of the same log shows
// stands in the history; false and no error if the history does not say, because
// it ends before or does not hold the stream. An error means that the log signed
// the one as well as the other, and they contradict: its operator left the entry
// out of the map, or shows two logs.
func (v *Verdict) Holds(e entry.Entry) (bool, error) {
	s := v.stream(e.Stream)
	if s == nil || e.Batch > v.Batch.Number {
		return false, nil
	}
	if e.Seq > uint64(len(s.Items)) {
		return false, fmt.Errorf("the entry at log index %d, of batch %d, is number %d of %s, and the history, of batch %d, has only %d: it was left out", e.Index, e.Batch, e.Seq, s.Title(), v.Batch.Number, len(s.Items))
	}
	if i := s.Items[e.Seq-1]; i.Entry != e {
		return false, fmt.Errorf("number %d of %s is the entry at log index %d, and in the history another one, at index %d: two entries in one place", e.Seq, s.Title(), e.Index, i.Entry.Index)
	}
	return true, nil
}

// Agrees reports, as an error, that two histories of one log contradict each
// other: its operator shows different logs, or different maps, to different
// people. Histories of different logs always agree.
func (v *Verdict) Agrees(w *Verdict) error {
	if v.Origin != w.Origin {
		return nil
	}
	if v.Batch.Number > w.Batch.Number {
		v, w = w, v
	}
	switch {
	case v.FinalSize == w.FinalSize && v.Root != w.Root:
		return fmt.Errorf("the log signed two different roots at size %d", v.FinalSize)
	case v.Batch.Number == w.Batch.Number && v.Batch != w.Batch:
		return fmt.Errorf("there are two different batches %d: two maps are shown to different people", v.Batch.Number)
	}
	for _, s := range v.Streams {
		later := w.stream(s.ID)
		if later == nil {
			continue
		}
		for n, i := range s.Items {
			if n >= len(later.Items) {
				return fmt.Errorf("%s had %d entries by batch %d, and %d by batch %d: an entry was taken out", s.Title(), len(s.Items), v.Batch.Number, len(later.Items), w.Batch.Number)
			}
			if later.Items[n].Entry != i.Entry {
				return fmt.Errorf("entry %d of %s is another one by batch %d than by batch %d", n+1, s.Title(), v.Batch.Number, w.Batch.Number)
			}
		}
		if n := len(s.Items); n < len(later.Items) && later.Items[n].Entry.Batch <= v.Batch.Number {
			return fmt.Errorf("entry %d of %s is of batch %d, and the history of batch %d did not have it: it was put in later, or left out then", n+1, s.Title(), later.Items[n].Entry.Batch, v.Batch.Number)
		}
	}
	return nil
}

// KeyEnd returns the revocation or succession that ended the key of a valid
// statement for its stream, nil if none is shown. It says nothing against a
// statement that was entered before.
func (v *Verdict) KeyEnd(i *Item) *Item {
	if i.State != Valid || v.grants == nil {
		return nil
	}
	at := slices.IndexFunc(v.grants.Items, func(g *Item) bool {
		if g.State != Valid || len(g.Note.Keys) != 1 {
			return false
		}
		k := g.Note.Keys[0]
		switch g.Note.Kind {
		case statement.KindRevocation:
			return k.Key == i.Grant.Key.Key && k.Stream == i.Grant.Stream
		case statement.KindSuccession:
			return slices.Contains(g.Note.About, i.Grant.Statement) && k.Role == i.Grant.Role
		}
		return false
	})
	if at < 0 {
		return nil
	}
	return v.grants.Items[at]
}

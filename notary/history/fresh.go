package history

import "time"

// Between returns between which times a statement was made, by the log's clock, if
// it names an earlier log: after the last entry shown of that log, and before its
// own. Both are claims of the operator, whose order the log fixes; the statement's
// receipt proves the times where the log has witnesses.
func (v *Verdict) Between(i *Item) (from, to time.Time, ok bool) {
	if i.State != Valid || i.Note.After == nil {
		return from, to, false
	}
	for _, e := range v.Items() {
		if e.Entry.Index >= i.Note.After.Size {
			break
		}
		from, ok = e.Entry.Time, true
	}
	return from, i.Entry.Time, ok
}

package onaws

import (
	"bytes"
	"cmp"
	"slices"

	"trialnotary/notary"
)

// waiting is a statement of the inbox, as far as its turn depends on it.
type waiting struct {
	notary.Ref
	received int64
	lane     uint64
	item     attributes // with the note, nil where it is to be read again
}

// compare orders by (Received, Statement, Stream).
func (w *waiting) compare(v *waiting) int {
	return cmp.Or(cmp.Compare(w.received, v.received),
		bytes.Compare(w.Statement[:], v.Statement[:]),
		bytes.Compare(w.Stream[:], v.Stream[:]))
}

// turns returns the statements whose turn it is, at most max, in order: one of
// each lane in every round, the lanes whose oldest is oldest first. It sorts all.
func turns(all []waiting, max int) []waiting {
	order := func(a, b waiting) int { return a.compare(&b) }
	slices.SortFunc(all, order)
	if len(all) <= max {
		return all
	}
	number := map[uint64]int{}
	var lanes [][]int // indexes into all, lanes by their oldest
	for i := range all {
		n, ok := number[all[i].lane]
		if !ok {
			n = len(lanes)
			number[all[i].lane] = n
			lanes = append(lanes, nil)
		}
		lanes[n] = append(lanes[n], i)
	}
	chosen := make([]waiting, 0, max)
	for len(chosen) < max {
		more := lanes[:0]
		for _, lane := range lanes {
			if len(chosen) == max {
				break
			}
			chosen = append(chosen, all[lane[0]])
			if len(lane) > 1 {
				more = append(more, lane[1:])
			}
		}
		lanes = more
	}
	slices.SortFunc(chosen, order)
	return chosen
}

package kit

import (
	"cmp"
	"slices"

	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
)

// Sealed is a statement with its entry.
type Sealed struct {
	Note  *statement.Note
	Entry entry.Entry
}

// Why a statement is not for those who must not learn who gets which treatment.
type Why string

// The reasons, in words that go on after a number of statements.
const (
	ClosedStream Why = "of closed streams, those of a safety board or a laboratory"
	OfKind       Why = "of kind randomisation-list or unblinding"
	Names        Why = "naming one of these: corrections, approvals, withdrawals, notes"
)

// Reasons returns them in the order in which they are told.
func Reasons() []Why { return []Why{ClosedStream, OfKind, Names} }

// Unblinding returns which of the statements someone blinded must not see, and why:
// all of closed streams, all of the two kinds, and what names one of them in `about` or
// `supersedes`, for its reason and label may tell what that was. What grants and ends
// keys stays, in the trial stream and the registration stream: without it nothing
// verifies, and it tells no more than that such a stream is there.
func Unblinding(all []Sealed, closed func(statement.StreamID) bool) map[statement.ID]Why {
	order := slices.SortedFunc(slices.Values(all), func(x, y Sealed) int { return cmp.Compare(x.Entry.Index, y.Entry.Index) })
	out := map[statement.ID]Why{}
	for _, s := range order {
		n := s.Note
		switch {
		case closed(s.Entry.Stream):
			out[n.ID] = ClosedStream
		case n.Kind == statement.KindRandomisationList, n.Kind == statement.KindUnblinding:
			out[n.ID] = OfKind
		case len(n.Keys) > 0:
		case n.Supersedes != nil && out[*n.Supersedes] != "",
			slices.ContainsFunc(n.About, func(id statement.ID) bool { return out[id] != "" }):
			out[n.ID] = Names
		}
	}
	return out
}

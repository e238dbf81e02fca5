package kit

import (
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
	Names        Why = "naming one of these, or one that is not known here: corrections, approvals, notes"
)

// Reasons returns them in the order in which they are told.
func Reasons() []Why { return []Why{ClosedStream, OfKind, Names} }

// Unblinding returns which of the statements someone blinded must not see, and why:
// all of closed streams, all of the two kinds, and what names one of them in `about` or
// `supersedes`, for its reason and label may tell what that was. So may what names a
// statement that is not among all, unless open reports that it is of an open stream.
// What grants and ends keys stays, in the trial stream and the registration stream:
// without it nothing verifies, and it tells no more than that such a stream is there.
func Unblinding(all []Sealed, closed func(statement.StreamID) bool, open func(statement.ID) bool) map[statement.ID]Why {
	out, here := map[statement.ID]Why{}, map[statement.ID]bool{}
	for _, s := range all {
		here[s.Note.ID] = true
		switch {
		case closed(s.Entry.Stream):
			out[s.Note.ID] = ClosedStream
		case out[s.Note.ID] == "" && (s.Note.Kind == statement.KindRandomisationList || s.Note.Kind == statement.KindUnblinding):
			out[s.Note.ID] = OfKind
		}
	}
	hidden := func(id statement.ID) bool { return out[id] != "" || !here[id] && !open(id) }
	// One may name another that was sealed after it, so that one look is not enough.
	for more := true; more; {
		more = false
		for _, s := range all {
			n := s.Note
			if out[n.ID] == "" && len(n.Keys) == 0 && (n.Supersedes != nil && hidden(*n.Supersedes) || slices.ContainsFunc(n.About, hidden)) {
				out[n.ID], more = Names, true
			}
		}
	}
	return out
}

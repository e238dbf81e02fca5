package access

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"trialnotary/notary/statement"
)

// Anchor fills in what a statement of kind access says about a file.
func Anchor(s *statement.Statement, f File, previous *statement.ID) {
	s.Kind = statement.KindAccess
	s.Label = label(f)
	s.Reason = reason(f.Bytes())
	if previous != nil {
		s.About = []statement.ID{*previous}
	}
}

func label(f File) string { return fmt.Sprintf("%d reads", len(f.Records)) }

func reason(file []byte) string {
	h := sha256.Sum256(file)
	return "records sha256 " + hex.EncodeToString(h[:])
}

// Anchored is a statement of kind access and the file it is about, as a service
// shows them.
type Anchored struct {
	Statement []byte
	Records   []byte // nil: the service no longer has the file
}

// Verify checks files of one trial and kind of streams, from the first one on,
// against the statements that anchor them: each is signed by the service's key, is
// about the statement before it, and names count and hash of a file that is whole,
// of that trial and the next in number. It returns the files' records; an error names
// the first file that is missing or was changed. That the statements stand in the log,
// their receipts show.
func Verify(log string, trial statement.StreamID, closed bool, service statement.PublicKey, anchored []Anchored) ([]Record, error) {
	var records []Record
	var previous *statement.ID
	for i, a := range anchored {
		n, err := statement.Parse(a.Statement)
		if err != nil {
			return records, fmt.Errorf("access statement %d: %w", i+1, err)
		}
		switch {
		case n.Kind != statement.KindAccess || n.Log != log || !n.VerifiedBy(service):
			return records, fmt.Errorf("access statement %d is not one of this service's", i+1)
		case previous == nil && len(n.About) != 0 || previous != nil && (len(n.About) != 1 || n.About[0] != *previous):
			return records, fmt.Errorf("access statement %d does not follow the one before it: one or more are missing", i+1)
		case len(a.Records) == 0:
			return records, fmt.Errorf("the records of access statement %d (%s) are missing: they were deleted", i+1, n.Label)
		case n.Reason != reason(a.Records):
			return records, fmt.Errorf("the records of access statement %d (%s) were changed after it was sealed", i+1, n.Label)
		}
		f, err := Parse(a.Records)
		if err != nil {
			return records, fmt.Errorf("the records of access statement %d: %w", i+1, err)
		}
		if f.Log != log || f.Trial != trial || f.Closed != closed || f.Number != uint64(i+1) || n.Label != label(f) {
			return records, fmt.Errorf("the records of access statement %d are of another trial or place in the trail", i+1)
		}
		records = append(records, f.Records...)
		id := n.ID
		previous = &id
	}
	return records, nil
}

// ServiceKey returns the key that a service signs access statements with, from the
// registration of its own trial.
func ServiceKey(registration []byte) (statement.PublicKey, error) {
	n, err := statement.Parse(bytes.Clone(registration))
	if err == nil {
		_, err = statement.NewAuthority(n, 0)
	}
	if err != nil {
		return statement.PublicKey{}, fmt.Errorf("the service's registration: %w", err)
	}
	return n.Keys[0].Key, nil
}

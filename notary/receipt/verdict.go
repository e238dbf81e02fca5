package receipt

import (
	"slices"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
)

// Options are what the visitor brings.
type Options struct {
	// Trust is the trust file; nil: none at all. Then no log signature is checked
	// and the verdict is Unsigned.
	Trust *Trust
	// Confirmed: the trust file is the visitor's own. One that came with the
	// evidence is none.
	Confirmed bool
	// Trial is the fingerprint that pins the trial's registration, "" for no pin.
	Trial string
	// Now judges algorithms where neither witnesses nor a renewal prove a time; zero:
	// the machine's clock.
	Now time.Time
	// Hint is a sentence for a failure's end, such as what was undone to the file
	// on arrival; "" for none.
	Hint string
}

// Verdict is what a verified receipt shows. Every field rests on signatures that
// verified, but for the log's (see Unsigned) and what is called a claim.
type Verdict struct {
	Note  *statement.Note
	Entry entry.Entry // its Time is the log's clock: a claim

	Grant      statement.Grant // that let the key sign
	Enroller   string          // name of the key that granted it
	EnrolledAt time.Time       // the log's clock at that grant: a claim

	Registered // the statement itself where it is a registration

	Confirmed bool // by a trust file of the visitor's own
	Unsigned  bool // no trust file: whose log this is was not checked at all

	Origin    string         // of the log
	FinalSize uint64         // of the checkpoint that covers the entry
	Met       checkpoint.Met // how that checkpoint meets the policy
	Doubtful  uint64         // up to that size the unwitnessed keys counted, see [checkpoint.Policy.Doubtful]; or 0
	After     *AfterVerdict  // nil if the statement names no checkpoint
	Stamps    []Stamped      // the RFC 3161 tokens, also those that do not count
	Renewals  []Stamped      // the same, each over the receipt before it
}

// AfterVerdict is what the statement's `after` shows: its signer knew a
// checkpoint that was made before.
type AfterVerdict struct {
	Size      uint64
	NotBefore time.Time // zero where no witness proves a time
	Met       checkpoint.Met
}

// Before reports whether a is shown to come before b: the checkpoint that covers
// a is not larger than b's index, or b names a. Otherwise nothing is shown; they
// may have been sealed together.
func Before(a, b *Verdict) bool {
	if a.Origin == b.Origin && a.FinalSize <= b.Entry.Index {
		return true
	}
	s := b.Note.Supersedes
	return s != nil && *s == a.Note.ID || slices.Contains(b.Note.About, a.Note.ID)
}

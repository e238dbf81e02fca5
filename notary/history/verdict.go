package history

import (
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// Verdict is what a verified history shows.
type Verdict struct {
	Batch     entry.Batch // as of which: its Time is the log's clock, a claim
	Origin    string      // of the log
	FinalSize uint64      // of the checkpoint that covers the batch
	Root      [32]byte    // of the log at that size
	Met       checkpoint.Met
	Auditors  []Auditor // of the trust file, who vouch for the map; none: the operator alone does
	Confirmed bool      // by a trust file of the visitor's own
	Unsigned  bool      // no trust file: whose log this is was not checked at all

	receipt.Registered                  // Registration is nil where none is shown by which the trial could be judged
	NoRegistration     string           // then why, in words
	Rivals             []*Item          // other registrations under the trial's ids, shown to everyone who looks
	Streams            []*StreamVerdict // in the order of the file
	Missing            []string         // streams that registration and grants name and the file does not hold, in words

	authority *statement.Authority
	grants    *StreamVerdict    // the trial stream, nil if it is not here
	shut      *Item             // its first closed entry, nil if there is none
	bound     map[string]uint64 // by which index a stream's name was first granted
}

// Auditor is who signed that they recomputed every map up to the checkpoint.
type Auditor struct {
	Name, Key string
	At        time.Time // by its own clock; zero where its key gives no time
}

// StreamKind says what a stream is.
type StreamKind int

const (
	Unnamed      StreamKind = iota // no grant that is shown names it
	Registration                   // of a trial id
	Grants                         // the trial stream
	Named                          // by a grant
)

// StreamVerdict is what a history shows of one stream: Items are all its entries.
type StreamVerdict struct {
	ID    statement.StreamID
	Kind  StreamKind
	Name  string // "" if neither a grant nor a statement says
	Trial string // the trial id whose stream it is, "" if nothing says
	// Wrong says in words why the stream is none of the trial's; "" if it is one.
	Wrong string
	Items []*Item
}

// State of a statement.
type State int

const (
	// Closed: the statement is not here. Its entry is counted.
	Closed State = iota
	// Valid: a key in force made it.
	Valid
	// Invalid: no key in force made it; Why says in words.
	Invalid
	// Undecided: no grant that is shown lets its key sign, and others are closed.
	Undecided
	// Rival: another registration than the trial's, signed by the sponsor it names.
	Rival
)

// String returns the state in a word.
func (s State) String() string {
	return [...]string{"closed", "valid", "invalid", "undecided", "another registration"}[s]
}

// Item is one entry of a stream and, where it was opened, its statement.
type Item struct {
	Entry  entry.Entry
	State  State
	Note   *statement.Note // nil: closed, or no statement at all
	Grant  statement.Grant // that let the key sign, if Valid and no registration
	Why    string          // of Invalid and Undecided; and of Closed where an erasure says
	Stream *StreamVerdict
}

// Shown returns the items of the stream in a state.
func (s *StreamVerdict) Shown(state State) (items []*Item) {
	for _, i := range s.Items {
		if i.State == state {
			items = append(items, i)
		}
	}
	return items
}

// Whole reports whether the history is of the whole trial: every stream that its
// registration and its grants name, and no grant that is closed.
func (v *Verdict) Whole() bool {
	return v.Registration != nil && len(v.Missing) == 0 && v.grants != nil && len(v.grants.Shown(Closed)) == 0
}

// Audited reports whether an auditor of the trust file vouches for the map.
// Without one, what is shown to be complete is so according to the operator only.
func (v *Verdict) Audited() bool { return len(v.Auditors) > 0 }

// Stream returns what the history shows of the stream that a grant, or its own
// statements, give that name, nil if it is not there.
func (v *Verdict) Stream(name string) *StreamVerdict {
	for _, s := range v.Streams {
		if s.Name == name && s.Wrong == "" && s.Kind != Registration {
			return s
		}
	}
	return nil
}

func (v *Verdict) stream(id statement.StreamID) *StreamVerdict {
	for _, s := range v.Streams {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// Items returns all entries of all streams in the order of the log. A registration
// that stands under several ids is there once for each.
func (v *Verdict) Items() []*Item {
	var all []*Item
	for _, s := range v.Streams {
		all = append(all, s.Items...)
	}
	sortItems(all)
	return all
}

// Find returns the entry of a statement, closed or not. Of several it is the one in
// the stream that the statement was made for; if none is shown to be that, the last.
// Anyone can have another's id sealed in their own stream, even before the other does.
func (v *Verdict) Find(id statement.ID) (found *Item) {
	for _, i := range v.Items() {
		switch {
		case i.Entry.Statement != id:
		case i.atHome():
			return i
		default:
			found = i
		}
	}
	return found
}

// atHome reports whether an entry is shown to stand in the stream that its statement
// was made for.
func (i *Item) atHome() bool { return i.Note != nil && i.Note.Stream() == i.Entry.Stream }

// Bound is a stream that a grant names.
type Bound struct {
	Name string
	ID   statement.StreamID
}

// Named returns the streams that registration and grants name, the trial stream
// among them, by name; whether the history holds them or not.
func (v *Verdict) Named() (all []Bound) {
	if v.Registration == nil {
		return nil
	}
	for _, name := range v.authority.Streams() {
		id, _ := v.authority.Stream(name)
		all = append(all, Bound{name, id})
	}
	return all
}

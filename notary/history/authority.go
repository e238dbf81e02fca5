package history

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

func sortItems(all []*Item) {
	slices.SortFunc(all, func(a, b *Item) int { return cmp.Compare(a.Entry.Index, b.Entry.Index) })
}

// registration chooses the trial's registration, replays its grants, and says of
// every statement whether a key in force made it.
func (t *verification) registration() error {
	for _, s := range t.streams {
		v := &StreamVerdict{ID: s.proof.Stream, Items: s.items}
		for _, i := range s.items {
			i.Stream = v
			// A name that gives the stream's id with its salt is its name, whoever says so.
			if i.Note != nil && i.Note.Stream() == v.ID && v.Name == "" {
				v.Name, v.Trial = i.Note.StreamName, i.Note.Trial
			}
		}
		t.v.Streams = append(t.v.Streams, v)
	}
	if err := t.choose(); err != nil {
		return err
	}
	if t.v.Registration == nil {
		t.withoutRegistration()
		return nil
	}
	if err := t.grants(); err != nil {
		return err
	}
	t.name()
	t.judge()
	t.missing()
	t.erased()
	return nil
}

// choose finds the registration: the one with the visitor's fingerprint, or else
// the first of the first stream.
func (t *verification) choose() error {
	first := t.v.Streams[0]
	if t.o.Trial != "" {
		pin, err := statement.ParseFingerprint(t.o.Trial)
		if err != nil {
			return fail(receipt.StepRegistration, "the given trial fingerprint is none: %v", err)
		}
		for _, s := range t.v.Streams {
			for _, i := range s.Items {
				// Entered under its own id, it counts with the index it has there.
				if i.Note != nil && i.Note.Kind == statement.KindRegistration && i.Note.Stream() == s.ID && statement.TrialFingerprint(i.Note.ID) == pin {
					return t.believe(i)
				}
			}
		}
		return fail(receipt.StepRegistration, "no registration with the fingerprint %s is shown in this history", pin)
	}
	switch {
	case len(first.Items) == 0:
		t.v.NoRegistration = "its first stream is empty: if that is a trial's registration stream, the trial is not registered"
	case first.Items[0].State == Closed && first.Items[0].Note == nil:
		t.v.NoRegistration = "the first entry of its first stream is closed"
	case first.Items[0].Note == nil || first.Items[0].Note.Kind != statement.KindRegistration:
		t.v.NoRegistration = "its first stream is no registration stream"
	default:
		return t.believe(first.Items[0])
	}
	return nil
}

func (t *verification) believe(i *Item) (err error) {
	if i.Note.Log != t.v.Origin {
		return fail(receipt.StepRegistration, "the registration was made for another log")
	}
	if !slices.Contains(i.Note.RegistrationStreams(), i.Entry.Stream) {
		return fail(receipt.StepRegistration, "the registration stands in a stream that is none of its own")
	}
	if t.v.Registered, err = t.o.Believe(i.Note, i.Entry, false); err != nil {
		var f *receipt.Failure
		if n := len(i.Stream.Items); n > 1 && errors.As(err, &f) {
			f.Reason += fmt.Sprintf("; %d registrations stand under this id", n)
		}
		return err
	}
	t.v.authority, err = statement.NewAuthority(i.Note, i.Entry.Index)
	switch {
	case errors.Is(err, statement.ErrSignature):
		return fail(receipt.StepRegistration, "the registration is not signed by the sponsor key it names")
	case err != nil:
		return fail(receipt.StepRegistration, "the registration cannot be the root of a trial")
	}
	return nil
}

// withoutRegistration: the entries are complete, and nothing says by whose right
// the statements were made.
func (t *verification) withoutRegistration() {
	for _, s := range t.v.Streams {
		for _, i := range s.Items {
			if i.Note != nil {
				i.State, i.Why = Undecided, "no registration is shown by which its key could be judged"
			}
		}
	}
}

// grants replays the trial stream.
func (t *verification) grants() error {
	a := t.v.authority
	if t.v.grants = t.v.stream(a.TrialStream()); t.v.grants == nil {
		return nil
	}
	t.v.bound = map[string]uint64{statement.TrialStream: 0}
	for _, i := range t.v.grants.Items {
		if i.Note == nil {
			if t.v.shut == nil && i.State == Closed {
				t.v.shut = i
			}
			continue
		}
		err := a.Add(i.Note, i.Entry.Index, i.Entry.Time)
		if err != nil {
			t.refuse(i, err)
			continue
		}
		for _, k := range i.Note.Keys {
			if _, ok := t.v.bound[k.Name]; !ok {
				t.v.bound[k.Name] = i.Entry.Index
			}
		}
	}
	return nil
}

// refuse says why a statement is not shown to be made by a key in force.
func (t *verification) refuse(i *Item, err error) {
	i.State, i.Why = Invalid, sentence(err)
	if t.mayRestOn(i, err) {
		i.State = Undecided
		i.Why += ", by the grants that are shown; others are closed or not here"
	}
}

// mayRestOn reports whether a grant that is closed could be what i lacks: to its key,
// to the person it says signed, or to another key of the same name and hash.
func (t *verification) mayRestOn(i *Item, err error) bool {
	if !errors.Is(err, statement.ErrNotInForce) && !errors.Is(err, statement.ErrPerson) && !errors.Is(err, statement.ErrSignature) {
		return false
	}
	a := t.v.authority
	if id, bound := a.Stream(i.Note.StreamName); i.Note.Log != t.v.Origin || i.Note.Trial != t.v.Registration.Trial ||
		i.Note.Stream() != i.Entry.Stream || i.Note.Kind == statement.KindRegistration || bound && id != i.Entry.Stream && t.v.firm(i.Note.StreamName) {
		return false
	}
	return t.v.grants == nil || t.v.shut != nil && t.v.shut.Entry.Index < i.Entry.Index
}

// firm reports whether no closed grant can have given a name to another stream before
// the grant that is shown did.
func (v *Verdict) firm(name string) bool {
	at, bound := v.bound[name]
	return v.shut == nil || bound && at < v.shut.Entry.Index
}

// name says of each stream what it is.
func (t *verification) name() {
	reg, a := t.v.Registration, t.v.authority
	ids := reg.RegistrationStreams()
	for _, s := range t.v.Streams {
		name, owned := a.Name(s.ID)
		switch i := slices.Index(ids, s.ID); {
		case i >= 0:
			s.Kind, s.Name, s.Trial = Registration, statement.RegistrationStream, reg.Trial
			if i < len(reg.Also) {
				s.Trial = reg.Also[i].Trial
			}
		case s == t.v.grants:
			s.Kind, s.Name, s.Trial = Grants, name, reg.Trial
		case owned:
			s.Kind, s.Name, s.Trial = Named, name, reg.Trial
		case s.Trial != "" && s.Trial != reg.Trial:
			s.Wrong = "its statements say it is of another trial"
		default:
			if id, bound := a.Stream(s.Name); s.Name != "" && bound && id != s.ID && t.v.firm(s.Name) {
				s.Wrong = fmt.Sprintf("the name %s stands for another stream of this trial: a second stream under one name counts for nothing", s.Name)
			}
		}
	}
}

// judge says of every opened statement whether a key in force made it.
func (t *verification) judge() {
	for _, s := range t.v.Streams {
		for _, i := range s.Items {
			if i.Note == nil || i.State != Closed {
				continue // closed, or judged as a grant
			}
			if s.Kind == Registration {
				t.judgeRegistration(i)
				continue
			}
			if i.Note.Stream() != i.Entry.Stream {
				i.State, i.Why = Invalid, "it was made for another stream than the one it stands in"
				continue
			}
			g, err := t.v.authority.Check(i.Note, i.Entry.Index, i.Entry.Time)
			if err != nil {
				t.refuse(i, err)
				continue
			}
			i.State, i.Grant = Valid, g
		}
	}
	sortItems(t.v.Rivals)
}

func (t *verification) judgeRegistration(i *Item) {
	n := i.Note
	switch {
	case n.Kind != statement.KindRegistration:
		i.State, i.Why = Invalid, "it is no registration, and a registration stream holds nothing else"
	case n.Log != t.v.Origin || !slices.Contains(n.RegistrationStreams(), i.Entry.Stream):
		i.State, i.Why = Invalid, "it was made for another stream than the one it stands in"
	case !n.VerifiedBy(n.Keys[0].Key):
		i.State, i.Why = Invalid, "it is not signed by the sponsor key it names"
	case n.ID == t.v.Registration.ID:
		i.State = Valid
	default:
		i.State = Rival
		t.v.Rivals = append(t.v.Rivals, i)
	}
}

// sentence drops what an error says a second time.
func sentence(err error) string {
	s := err.Error()
	for _, e := range []error{statement.ErrNotInForce, statement.ErrSignature, statement.ErrPerson, statement.ErrAfter} {
		s = strings.TrimSuffix(s, ": "+e.Error())
	}
	return s
}

// missing: the streams that registration and grants name and that are not here.
func (t *verification) missing() {
	reg := t.v.Registration
	for i, id := range reg.RegistrationStreams() {
		trial := reg.Trial
		if i < len(reg.Also) {
			trial = reg.Also[i].Trial
		}
		switch s := t.v.stream(id); {
		case s == nil:
			t.v.Missing = append(t.v.Missing, "the registration stream of "+trial)
		case !slices.ContainsFunc(s.Items, func(i *Item) bool { return i.Entry.Statement == reg.ID }):
			t.v.Missing = append(t.v.Missing, "the registration itself, under "+trial)
		}
	}
	for _, name := range t.v.authority.Streams() {
		if id, _ := t.v.authority.Stream(name); t.v.stream(id) == nil {
			t.v.Missing = append(t.v.Missing, name)
		}
	}
}

// erased says of closed entries which erasure tells why: a later one in the same
// stream, or in the trial stream by a key that grants. What others say of what is not
// their own is no reason.
func (t *verification) erased() {
	erasures := func(s *StreamVerdict, counts func(*Item) bool) map[statement.ID]*Item {
		by := map[statement.ID]*Item{}
		for _, i := range s.Shown(Valid) {
			if i.Note.Kind == statement.KindErasure && counts(i) {
				for _, id := range i.Note.About {
					by[id] = i
				}
			}
		}
		return by
	}
	var sponsor map[statement.ID]*Item
	if t.v.grants != nil {
		sponsor = erasures(t.v.grants, func(i *Item) bool { return i.Grant.Role.Grants() })
	}
	for _, s := range t.v.Streams {
		own := erasures(s, func(*Item) bool { return true })
		for _, i := range s.Shown(Closed) {
			for _, by := range []*Item{sponsor[i.Entry.Statement], own[i.Entry.Statement]} {
				if by != nil && by.Entry.Index > i.Entry.Index {
					i.Why = "erased: " + by.Note.Reason
				}
			}
		}
	}
}

// order: the streams stand as the format says.
func (t *verification) order() error {
	if t.v.Registration == nil {
		return nil
	}
	ids := t.v.Registration.RegistrationStreams()
	place := func(s *StreamVerdict) (rank, nth int) {
		switch i := slices.Index(ids, s.ID); {
		case i == len(ids)-1:
			return 0, 0 // of the trial itself
		case i >= 0:
			return 0, i + 1
		case s.Kind == Grants:
			return 1, 0
		}
		return 2, 0
	}
	for i, s := range t.v.Streams[1:] {
		before := t.v.Streams[i]
		r, n := place(before)
		rank, nth := place(s)
		if c := cmp.Or(cmp.Compare(r, rank), cmp.Compare(n, nth)); c > 0 || r == 2 && rank == 2 && before.Name != "" && s.Name != "" && before.Name > s.Name {
			return fail(receipt.StepContainer, "stream %d is out of order", i+2)
		}
	}
	return nil
}

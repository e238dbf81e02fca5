package history

import (
	"strings"
	"testing"

	"trialnotary/notary/statement"
)

func TestAbsence(t *testing.T) {
	w := newWorld(t)
	w.trial() // 3: protocol; 4: a dataset of each site
	plan := w.put(w.content(statement.KindAnalysisPlan, "trial"), "acme")
	w.put(w.content(statement.KindAnalysis, "trial"), "acme")
	w.seal() // 5
	w.put(w.content(statement.KindUnblinding, "trial"), "stranger")
	w.seal() // 6

	open := w.history(6, all()...)
	shut := w.history(6, all()...)
	shut.close(4)
	grants := w.history(6, all()...)
	grants.close(2, 1)
	part := w.history(6, all()[:3]...)
	for _, c := range []struct {
		what   string
		h      *History
		q      Question
		before *statement.ID
		want   Reply
		words  string
	}{
		{"no report at all", open, Question{Kind: statement.KindReport}, nil, Absent,
			"no statement of kind report stood in any of the 4 streams of NCT01234567 up to batch 6 (22 Nov 2026 12:05 UTC)"},
		{"datasets", open, Question{Kind: statement.KindDataset}, nil, Present, "2 statements of kind dataset stood in any of the 4 streams of NCT01234567 up to batch 6 (22 Nov 2026 12:05 UTC); the first is log index 7, batch 4"},
		{"datasets before the plan", open, Question{Kind: statement.KindDataset}, &plan.ID, Present, "2 statements of kind dataset"},
		{"an analysis before the plan", open, Question{Kind: statement.KindAnalysis}, &plan.ID, Absent,
			"no statement of kind analysis stood in any of the 4 streams of NCT01234567 up to batch 4, the last before log index 10"},
		{"an unblinding by nobody's key", open, Question{Kind: statement.KindUnblinding}, nil, Absent, "1 that says so was made by no key in force and counts for nothing"},
		{"a report, with a stream closed", shut, Question{Kind: statement.KindReport}, nil, Unknown, "it cannot be known: 1 entry is closed"},
		{"datasets, with a stream closed", shut, Question{Kind: statement.KindDataset}, nil, Present, "1 statement of kind dataset"},
		{"a report, with a grant closed", grants, Question{Kind: statement.KindReport}, nil, Unknown, "cannot be known"},
		{"a report, with a stream missing", part, Question{Kind: statement.KindReport}, nil, Unknown, "not here are site-002"},
		{"a stream that is not empty", open, Question{Stream: "site-001"}, nil, Present, "1 entry stood in stream site-001 of NCT01234567 up to batch 6"},
		{"a stream before the plan", open, Question{Stream: "site-001"}, &plan.ID, Present, "1 entry"},
		{"that statement", open, Question{Statement: &plan.ID}, nil, Present, "1 entry of statement " + plan.ID.String()},
		{"that statement before itself", open, Question{Statement: &plan.ID}, &plan.ID, Absent, "no entry of statement"},
		{"another statement", open, Question{Statement: &statement.ID{1}}, nil, Absent, "no entry of statement 01"},
		{"another statement, with a grant closed", grants, Question{Statement: &statement.ID{1}}, nil, Unknown, "cannot be known"},
		{"another statement, with a site closed", shut, Question{Statement: &statement.ID{1}}, nil, Absent, "no entry"},
	} {
		t.Run(c.what, func(t *testing.T) {
			v := w.verified(c.h)
			before := v.Find(statement.ID{})
			if c.before != nil {
				before = v.Find(*c.before)
			}
			var a Answer
			var err error
			if before != nil {
				a, err = v.Absent(c.q, &before.Entry)
			} else {
				a, err = v.Absent(c.q, nil)
			}
			if err != nil || a.Reply != c.want || !strings.Contains(a.Words, c.words) {
				t.Errorf("%v, %d: %s", err, a.Reply, a.Words)
			}
		})
	}

	// As of the last batch wholly before it, the history need not hold the statement.
	at := w.verified(open).Find(plan.ID).Entry
	if a, err := w.verified(w.history(4, all()...)).Absent(Question{Kind: statement.KindAnalysis}, &at); err != nil || a.Reply != Absent {
		t.Error(a.Words, err)
	}
	if _, err := w.verified(w.history(3, all()...)).Absent(Question{Kind: statement.KindAnalysis}, &at); err == nil || !strings.Contains(err.Error(), "a later history is needed") {
		t.Error("a history that ends too early:", err)
	}
	early := w.verified(w.history(3, all()...))
	if a, err := early.Absent(Question{Stream: "site-001"}, nil); err != nil || a.Reply != Absent || a.Words != "no entry stood in stream site-001 of NCT01234567 up to batch 3 (22 Nov 2026 12:02 UTC)" {
		t.Error(a.Words, err)
	}
	if _, err := early.Absent(Question{Stream: "site-003"}, nil); err == nil {
		t.Error("a stream that is not there is absent")
	}
}

// A stream of that name is empty, and an older grant, which is closed, may have given
// the name to another one.
func TestANameIsAbsentOnlyIfItIsTheStreams(t *testing.T) {
	w := newWorld(t)
	w.put(w.registration("acme"), "acme")
	w.put(w.enrolment("jdoe", "site-001"), "acme")
	second := w.enrolment("roe", "site-001")
	second.Keys[0].Stream = streamOf("site-001", 1)
	w.put(second, "acme")
	w.put(w.content(statement.KindDataset, "site-001"), "jdoe")
	w.seal()
	reg, trial, other := streamOf("registration", 0), streamOf("trial", 0), streamOf("site-001", 1)
	h := w.history(1, reg, trial, other)
	h.close(2, 1)
	v := w.verified(h)
	if a, err := v.Absent(Question{Stream: "site-001"}, nil); err != nil || a.Reply != Unknown {
		t.Error(a.Words, err)
	}
	if a, err := v.Absent(Question{Stream: other.String()}, nil); err != nil || a.Reply != Absent {
		t.Error("that stream is empty, whatever its name:", a.Words, err)
	}
	if a, err := w.verified(w.history(1, reg, trial, streamOf("site-001", 0))).Absent(Question{Stream: "site-001"}, nil); err != nil || a.Reply != Present {
		t.Error(a.Words, err)
	}
	h = w.history(1, reg, trial, streamOf("site-001", 0))
	h.close(2, 1)
	if i := w.verified(h).Streams[2].Items[0]; i.State != Undecided {
		t.Errorf("the closed grant may be its own: %s: %s", i.State, i.Why)
	}
}

// A key that was granted twice signs for either person: where one grant is closed,
// nobody can say that the signer is none.
func TestAClosedGrantMayBeThePersons(t *testing.T) {
	w := newWorld(t)
	w.put(w.registration("acme"), "acme")
	for _, person := range []string{"Jane Doe", "John Doe"} {
		s := w.enrolment("doe", "site-001")
		s.Person = person
		w.put(s, "acme")
	}
	s := w.content(statement.KindUnblinding, "site-001")
	s.Signer, s.Meaning = "Jane Doe", statement.MeaningAuthorship
	w.put(s, "doe")
	w.seal()
	h := w.history(1, all()[:3]...)
	if i := w.verified(h).Streams[2].Items[0]; i.State != Valid {
		t.Fatal(i.Why)
	}
	h.close(2, 1)
	v := w.verified(h)
	a, err := v.Absent(Question{Kind: statement.KindUnblinding}, nil)
	if i := v.Streams[2].Items[0]; err != nil || i.State != Undecided || len(a.Invalid) != 0 || a.Reply != Unknown {
		t.Errorf("%s: %s; %s, %v", i.State, i.Why, a.Words, err)
	}
}

// A site can have another's statement id sealed in its own stream, and before the
// other does: that is not where the statement stands.
func TestACopyIsNotTheStatement(t *testing.T) {
	w := newWorld(t)
	w.trial()
	plan := w.sign(w.content(statement.KindAnalysisPlan, "trial"), "acme")
	w.enter(streamOf("site-001", 0), plan.ID) // blind, batch 5
	w.seal()
	w.put(w.content(statement.KindUnblinding, "site-002"), "roe")
	w.seal()
	w.enter(plan.Stream(), plan.ID) // batch 7
	w.seal()
	s := w.statement(statement.KindWithdrawal, "trial")
	s.About, s.Reason = []statement.ID{plan.ID}, "a wrong version"
	w.put(s, "acme")
	w.seal()
	for _, open := range []bool{true, false} {
		h := w.history(8, all()...)
		if !open {
			h.close(3, 2)
		}
		v := w.verified(h)
		if i := v.Find(plan.ID); i.Entry.Stream != plan.Stream() {
			t.Errorf("open %v: found in %s", open, i.Stream.Title())
		}
		for _, e := range v.Timeline().Events {
			if e.Entry.Statement == plan.ID && (e.Entry.Stream == plan.Stream()) != (len(e.Ends) == 1) {
				t.Errorf("open %v: in %s it is withdrawn by %d", open, e.Stream.Title(), len(e.Ends))
			}
		}
	}
	h := w.history(8, all()...)
	h.close(3, 2)
	h.close(2, 4)
	if i := w.verified(h).Find(plan.ID); i.Entry.Batch != 7 {
		t.Error("of two that are closed the first is believed, which may stand for anything")
	}
}

// One is before another by the checkpoint that covers it, or because the other
// names it; never by the operator's word alone.
func TestBefore(t *testing.T) {
	w := newWorld(t)
	w.trial()
	size := len(w.leaves)
	names := w.content(statement.KindAmendment, "trial")
	protocol := w.entriesOf(streamOf("trial", 0), w.batches[3].leaf)[2].Statement
	names.About = []statement.ID{protocol}
	n := w.put(names, "acme")
	w.put(w.content(statement.KindDataset, "site-001"), "jdoe")
	w.seal()
	early, late := w.verified(w.historyIn(4, size, all()...)), w.verified(w.history(5, all()...))
	one, two := early.Stream("site-001").Items[0], late.Stream("site-001").Items[1]
	if !early.Before(one, late, two) {
		t.Error("the checkpoint that covers the one is not larger than the other's index")
	}
	if late.Before(late.Stream("site-001").Items[0], late, two) {
		t.Error("both are covered by one checkpoint, which shows no order")
	}
	if !late.Before(late.Find(protocol), late, late.Find(n.ID)) || late.Before(late.Find(n.ID), late, late.Find(protocol)) {
		t.Error("what is named is before what names it")
	}
	w2 := newWorld(t)
	w2.trial()
	other := w2.verified(w2.history(4, all()...))
	other.Origin = "log.example/other"
	if early.Before(one, other, two) {
		t.Error("two logs have no order")
	}
}

// A statement that names an earlier log was made after it, and before its own entry.
func TestBetween(t *testing.T) {
	w := newWorld(t)
	w.trial() // of size 10
	s := w.content(statement.KindDataset, "site-001")
	s.After = &statement.After{Size: 7, Hash: [32]byte{1}} // batches 1 to 3
	n := w.put(s, "jdoe")
	late := w.content(statement.KindDataset, "site-001")
	late.After = &statement.After{Size: 100}
	w.put(late, "jdoe")
	w.seal()
	v := w.verified(w.history(5, all()...))
	from, to, ok := v.Between(v.Find(n.ID))
	if !ok || Moment(from) != "22 Nov 2026 12:02 UTC" || Moment(to) != "22 Nov 2026 12:04 UTC" {
		t.Errorf("%v, %v, %t", from, to, ok)
	}
	if _, _, ok := v.Between(v.Stream("site-001").Items[0]); ok {
		t.Error("it names no log")
	}
	if i := v.Stream("site-001").Items[2]; i.State != Invalid || !strings.Contains(i.Why, "it names a log of size 100, its index is 11") {
		t.Errorf("a log that was not there yet: %s: %s", i.State, i.Why)
	}
}

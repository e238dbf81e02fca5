package history

import (
	"strings"
	"testing"

	"trialnotary/notary/statement"
)

func rule(first, then statement.Kind) statement.Rule { return statement.Rule{First: first, Then: then} }

func TestRulesAreEvaluated(t *testing.T) {
	const protocol, dataset, plan, lock, report, analysis, unblinding = statement.KindProtocol, statement.KindDataset,
		statement.KindAnalysisPlan, statement.KindDatabaseLock, statement.KindReport, statement.KindAnalysis, statement.KindUnblinding
	w := newWorld(t)
	w.trial(rule(protocol, dataset), rule(plan, dataset), rule(lock, analysis), rule(dataset, report), rule(statement.KindConsentForm, dataset), rule(lock, unblinding), rule(plan, analysis))
	w.put(w.content(plan, "trial"), "acme") // index 10, batch 5
	w.seal()
	lockNote := w.put(w.content(lock, "trial"), "acme") // index 12, batch 6
	w.put(w.content(analysis, "trial"), "acme")
	u := w.content(unblinding, "trial")
	u.About = []statement.ID{lockNote.ID}
	w.put(u, "acme")
	w.seal()

	open := w.history(6, all()...)
	v := w.verified(open)
	tl := v.Timeline()
	want := []struct {
		state RuleState
		why   string
		then  int
	}{
		{Kept, "protocol at index 5 (batch 3), first dataset at index 7 (batch 4)", 1},
		{OutOfOrder, "dataset at index 7 (batch 4), before the first analysis-plan at index 10 (batch 5)", 2},
		{Together, "database-lock and analysis were sealed in one batch, 6: which was first is not shown", 1},
		{Open, "no report is there", 0},
		{FirstMissing, "dataset at index 7 (batch 4), and no consent-form", 2},
		{Kept, "database-lock at index 12 (batch 6), first unblinding at index 14 (batch 6)", 1}, // it names it
		{Kept, "analysis-plan at index 10 (batch 5), first analysis at index 13 (batch 6)", 1},
	}
	for n, r := range tl.Rules {
		if r.State != want[n].state || r.Why != want[n].why || len(r.By) != want[n].then {
			t.Errorf("%s before %s: %s: %s (%d)", r.First, r.Then, r.State, r.Why, len(r.By))
		}
	}
	if !tl.Violation() {
		t.Error("a broken rule is no violation")
	}

	// What is closed could decide it; what comes after could not.
	shut := w.history(6, all()...)
	shut.close(4) // site-002, index 8
	states := func(h *History) (s []string) {
		for _, r := range w.verified(h).Timeline().Rules {
			s = append(s, r.State.String())
		}
		return s
	}
	if got := strings.Join(states(shut), "|"); got != "ok|out of order|sealed together|cannot be known|cannot be known|cannot be known|cannot be known" {
		t.Error(got)
	}
	if got := strings.Join(states(w.history(6, all()[:3]...)), "|"); got != "cannot be known|out of order|sealed together|cannot be known|cannot be known|cannot be known|cannot be known" {
		t.Error(got)
	}
	// What no key in force said counts for nothing.
	forged := newWorld(t)
	forged.put(forged.registration("acme", rule(plan, dataset)), "acme")
	forged.put(forged.enrolment("jdoe", "site-001"), "acme")
	forged.seal()
	forged.put(forged.content(plan, "trial"), "stranger")
	forged.seal()
	forged.put(forged.content(dataset, "site-001"), "jdoe")
	forged.seal()
	tl = forged.verified(forged.history(3, all()[:3]...)).Timeline()
	if tl.Rules[0].State != FirstMissing || tl.Events[2].State != Invalid {
		t.Errorf("a plan by nobody's key keeps the rule: %s", tl.Rules[0].Why)
	}
}

// That the first of the second kind names what was sealed later excuses no other, and
// one that names a later version of the first kind was made after that.
func TestEachOfTheSecondKindIsLookedAt(t *testing.T) {
	const protocol, dataset = statement.KindProtocol, statement.KindDataset
	for _, c := range []struct {
		what  string
		names []int // of the datasets of batches 2, 3, and together with the first protocol: which protocol each names, from 1
		state RuleState
		by    int
	}{
		{"nobody names it", []int{0, 0, 0}, OutOfOrder, 3},
		{"the first names it", []int{1, 0, 0}, OutOfOrder, 2},
		{"the first two name it", []int{1, 1, 0}, Together, 1},
		{"all name it", []int{1, 1, 1}, Kept, 1},
		{"the first names a later one", []int{2, 1, 1}, Kept, 1},
	} {
		w := newWorld(t)
		w.put(w.registration("acme", rule(protocol, dataset)), "acme")
		w.put(w.enrolment("jdoe", "site-001"), "acme")
		w.seal()
		var protocols []*statement.Note
		for range 2 {
			protocols = append(protocols, w.sign(w.content(protocol, "trial"), "acme"))
		}
		for n, names := range c.names {
			s := w.content(dataset, "site-001")
			if names > 0 {
				s.About = []statement.ID{protocols[names-1].ID}
			}
			w.put(s, "jdoe")
			if n < 2 {
				w.seal()
			}
		}
		w.enter(protocols[0].Stream(), protocols[0].ID)
		w.seal()
		w.enter(protocols[1].Stream(), protocols[1].ID)
		w.seal()
		tl := w.verified(w.history(5, all()[:3]...)).Timeline()
		if r := tl.Rules[0]; r.State != c.state || len(r.By) != c.by || tl.Violation() != (c.state == OutOfOrder) {
			t.Errorf("%s: %s: %s (%d)", c.what, r.State, r.Why, len(r.By))
		}
	}
}

func TestTimelineLinksWhatNamesWhat(t *testing.T) {
	w := newWorld(t)
	w.trial()
	first := w.entriesOf(streamOf("site-001", 0), w.batches[3].leaf)[0].Statement
	second := w.content(statement.KindDataset, "site-001")
	second.Supersedes, second.Reason = &first, "a typing error"
	two := w.put(second, "jdoe")
	third := w.content(statement.KindDataset, "site-001")
	third.Supersedes, third.Reason = &two.ID, "another one"
	w.put(third, "jdoe")
	about := func(kind statement.Kind, reason string, id statement.ID) *statement.Statement {
		s := w.statement(kind, "site-001")
		s.About, s.Reason = []statement.ID{id}, reason
		return s
	}
	w.put(about(statement.KindWithdrawal, "it was a test", first), "jdoe")
	w.put(about(statement.KindWithdrawal, "I say so", two.ID), "stranger")
	w.seal()
	h := w.history(5, all()...)
	tl := w.verified(h).Timeline()
	var site []*Event
	for n, e := range tl.Events {
		if e.Number != n+1 || n > 0 && e.Entry.Index <= tl.Events[n-1].Entry.Index {
			t.Errorf("event %d has number %d, index %d", n, e.Number, e.Entry.Index)
		}
		if e.Stream.Name == "site-001" {
			site = append(site, e)
		}
	}
	for n, e := range site[:3] {
		if e.Version != n+1 || n > 0 && e.Of != site[n-1] || n < 2 && e.SupersededBy[0] != site[n+1] {
			t.Errorf("version %d: %+v", n+1, e)
		}
	}
	if len(site[0].Ends) != 1 || site[0].Ends[0] != site[3] || site[3].About[0] != site[0] {
		t.Errorf("the withdrawal is not linked: %+v", site[0].Ends)
	}
	if len(site[1].Ends) != 0 || site[4].State != Invalid {
		t.Error("a withdrawal by nobody's key withdraws")
	}
}

// Where the grants are closed, a withdrawal is linked all the same: nobody can say
// that it is none.
func TestTimelineLinksWhatIsUndecided(t *testing.T) {
	w := newWorld(t)
	w.trial()
	s := w.statement(statement.KindWithdrawal, "site-001")
	s.About, s.Reason = []statement.ID{w.entriesOf(streamOf("site-001", 0), w.batches[3].leaf)[0].Statement}, "it was a test"
	w.put(s, "jdoe")
	w.seal()
	tl := w.verified(w.history(5, streamOf("registration", 0), streamOf("site-001", 0))).Timeline()
	if e := tl.Events[1]; e.State != Undecided || len(e.Ends) != 1 || e.Ends[0].State != Undecided {
		t.Errorf("%+v", e)
	}
}

// A registration under two ids is one event; two registrations are two.
func TestTimelineShowsEachRegistrationOnce(t *testing.T) {
	v, err := sampleHistory(t, "whole").Verify(sampleOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	tl := v.Timeline()
	if len(tl.Events) != 11 || tl.Events[0].Stream.Trial != "NCT01234567" || tl.Rules[0].State != Kept {
		t.Errorf("%d events, %+v", len(tl.Events), tl.Rules)
	}
	w := newWorld(t)
	w.trial()
	w.put(w.registration("mallory"), "mallory")
	w.seal()
	tl = w.verified(w.history(5, all()...)).Timeline()
	if last := tl.Events[len(tl.Events)-1]; last.State != Rival {
		t.Errorf("the second registration is %s", last.State)
	}
}

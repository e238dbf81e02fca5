package history

import (
	"os"
	"testing"
	"time"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

const storyFile = "testdata/story/trial.history"

// story is a trial in which much went wrong, for those who draw it: see
// cmd/trialnotary.
func story(t *testing.T) (*world, *History, receipt.Options) {
	w := newWorld(t)
	day := func(n int) { w.now = w.now.Add(time.Duration(n) * 24 * time.Hour) }
	content := func(kind statement.Kind, stream, label, key string) *statement.Note {
		s := w.content(kind, stream)
		s.Label = label
		if key == "ada" {
			s.Signer, s.Meaning = "Ada Novák", statement.MeaningAuthorship
		}
		return w.put(s, key)
	}
	again := func(old *statement.Note, reason, key string) *statement.Note {
		s := w.content(old.Kind, old.StreamName)
		s.Label, s.Supersedes, s.Reason, s.Signer, s.Meaning = old.Label, &old.ID, reason, old.Signer, old.Meaning
		return w.put(s, key)
	}
	about := func(kind statement.Kind, old *statement.Note, reason, key string) {
		s := w.statement(kind, old.StreamName)
		s.About, s.Reason = []statement.ID{old.ID}, reason
		w.put(s, key)
	}
	enrol := func(key, stream, person string) {
		s := w.enrolment(key, stream)
		s.Person = person
		w.put(s, "acme")
	}
	w.put(w.registration("acme", rule(statement.KindProtocol, statement.KindDataset), rule(statement.KindAnalysisPlan, statement.KindDatabaseLock),
		rule(statement.KindDatabaseLock, statement.KindUnblinding), rule(statement.KindUnblinding, statement.KindAnalysis), rule(statement.KindApproval, statement.KindDataset),
		rule(statement.KindAnalysis, statement.KindReport)), "acme")
	w.seal()
	day(3)
	protocol := content(statement.KindProtocol, "trial", "Protocol 1.0", "acme")
	enrol("ada", "site-001", "Ada Novák")
	enrol("bob", "site-002", "Bob Okafor")
	w.seal()
	day(30)
	one := content(statement.KindDataset, "site-001", "Week 12", "ada")
	content(statement.KindDataset, "site-002", "Week 12", "bob")
	w.seal()
	day(4)
	again(protocol, "amended after the first visits", "acme")
	two := again(one, "two visits were missing", "ada")
	w.seal()
	day(20)
	enrol("cyd", "laboratory", "Cyd Lindqvist")
	wrong := content(statement.KindDataset, "site-002", "Week 24, another trial's export", "bob")
	w.seal()
	day(1)
	about(statement.KindWithdrawal, wrong, "the wrong export was sealed", "bob")
	content(statement.KindDataset, "laboratory", "Samples, batch A", "cyd")
	w.seal()
	day(10)
	w.put(w.revocation("bob", "site-002"), "acme")
	w.put(w.registration("mallory"), "mallory")
	w.seal()
	content(statement.KindDataset, "site-002", "after the key was revoked", "bob")
	erased := content(statement.KindDataset, "laboratory", "Samples, batch B", "cyd")
	w.seal()
	day(2)
	about(statement.KindErasure, erased, "the participant asked for it", "cyd")
	again(two, "a value was corrected <b>after query 17</b>", "ada")
	w.seal()
	day(6)
	content(statement.KindUnblinding, "trial", "Treatment codes", "acme")
	w.seal()
	day(1)
	content(statement.KindDatabaseLock, "trial", "Database lock", "acme")
	w.seal()
	day(5)
	content(statement.KindAnalysisPlan, "trial", "Statistical analysis plan 1.0", "acme")
	w.seal()
	content(statement.KindAnalysis, "trial", "Primary endpoint", "acme")
	last := w.seal()
	delete(w.notes, erased.ID)
	h := w.audited(w.history(last, streamOf("registration", 0), streamOf("trial", 0), streamOf("laboratory", 0), streamOf("site-001", 0), streamOf("site-002", 0)))
	return w, h, w.options()
}

func TestStory(t *testing.T) {
	if *update {
		_, h, o := story(t)
		b, err := h.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		trust, err := o.Trust.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		for name, b := range map[string][]byte{storyFile: b, "testdata/story/story.trust": trust} {
			if err := os.WriteFile(name, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	b, err := os.ReadFile(storyFile)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("testdata/story/story.trust")
	if err != nil {
		t.Fatal(err)
	}
	trust, err := receipt.ParseTrust(raw)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	v, err := h.Verify(receipt.Options{Trust: trust, Confirmed: true, Now: sampleNow})
	if err != nil {
		t.Fatal(err)
	}
	states := map[RuleState]int{}
	for _, r := range v.Timeline().Rules {
		states[r.State]++
	}
	if states[OutOfOrder] != 2 || states[FirstMissing] != 1 || states[Kept] != 1 || states[NotKnown] != 2 || len(v.Rivals) != 1 || !v.Timeline().Violation() {
		t.Errorf("%v, %d other registrations", states, len(v.Rivals))
	}
}

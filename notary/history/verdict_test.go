package history

import (
	"strings"
	"testing"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// close takes the statements of a stream out, all or those given.
func (h *History) close(stream int, seqs ...uint64) {
	s := &h.Streams[stream-1]
	var kept []Opened
	for _, o := range s.Statements {
		taken := len(seqs) == 0
		for _, q := range seqs {
			taken = taken || q == o.Seq
		}
		if !taken {
			kept = append(kept, o)
		}
	}
	s.Statements = kept
}

func TestLinesSayWhatIsComplete(t *testing.T) {
	w := newWorld(t)
	w.trial()
	h := w.history(4, all()...)
	h.close(4)
	v := w.verified(h)
	for n, want := range []string{
		"this 1 entry is all that the registration stream of NCT01234567 held up to batch 4 (22 Nov 2026 12:03 UTC)",
		"these 3 entries are all that stream trial of NCT01234567 held up to batch 4 (22 Nov 2026 12:03 UTC)",
		"this 1 entry is all that stream site-001 of NCT01234567 held up to batch 4 (22 Nov 2026 12:03 UTC)",
		"this 1 entry is all that stream site-002 of NCT01234567 held up to batch 4 (22 Nov 2026 12:03 UTC); 1 closed: counted, not shown",
	} {
		if got := v.Line(v.Streams[n]); got != want {
			t.Errorf("stream %d: %s", n+1, got)
		}
	}
	early := w.verified(w.history(2, all()...))
	if got := early.Line(early.Streams[3]); got != "stream site-002 of NCT01234567 held no entry up to batch 2 (22 Nov 2026 12:01 UTC)" {
		t.Error(got)
	}
}

// What the trust file's auditor signed is vouched for; what anyone else signed is
// so according to the operator only.
func TestOnlyListedAuditorsVouch(t *testing.T) {
	w := newWorld(t)
	w.trial()
	if v := w.verified(w.history(4, all()...)); v.Audited() || !strings.Contains(v.ByWhom(), "according to the operator only") {
		t.Errorf("without an auditor: %s", v.ByWhom())
	}
	good := w.audited(w.history(4, all()...))
	if v := w.verified(good); !v.Audited() || v.ByWhom() != "auditor.example recomputed the log and every map up to here" || !v.Auditors[0].At.Equal(w.now) {
		t.Errorf("with one: %+v", v.Auditors)
	}
	twice := *good
	twice.Auditors = append(twice.Auditors, good.Auditors[0])
	if v := w.verified(&twice); len(v.Auditors) != 1 {
		t.Errorf("one auditor who is there twice counts %d times", len(v.Auditors))
	}
	o := w.options()
	o.Trust.Auditors = nil
	if v, err := good.Verify(o); err != nil || v.Audited() {
		t.Errorf("an auditor of nobody's: %v", err)
	}
	o = w.options()
	o.Trust.Algorithms = map[string]time.Time{"ed25519": w.now.Add(time.Hour)}
	if v, err := good.Verify(o); err != nil || !v.Audited() {
		t.Errorf("an algorithm still accepted: %v", err)
	}
	// Of another size, or of a root that only the auditor was shown.
	other := *good
	other.Auditors = w.audited(w.historyIn(3, 7, all()...)).Auditors
	w.refused(&other, StepAuditors, "another checkpoint")
	// Its line, on other text.
	forged := w.audited(w.history(4, all()...))
	c, err := checkpoint.Parse(forged.Auditors[0])
	w.check(err)
	c.Lines[0].Sig[20] ^= 1
	forged.Auditors[0] = []byte(string(c.Text()) + "\n" + c.Lines[0].String())
	w.refused(forged, StepAuditors, "does not verify")
}

func TestKeysNotInForceAreShownAsInvalid(t *testing.T) {
	w := newWorld(t)
	w.trial()
	w.put(w.revocation("jdoe", "site-001"), "acme")
	w.seal()
	w.put(w.content(statement.KindDataset, "site-001"), "jdoe")     // revoked
	w.put(w.content(statement.KindDataset, "site-001"), "stranger") // never granted
	w.put(w.content(statement.KindDataset, "site-002"), "jdoe")     // for another stream
	w.put(w.enrolment("crony", "site-002"), "roe")                  // a site's key grants nothing
	misplaced := w.sign(w.content(statement.KindDataset, "site-002"), "roe")
	w.enter(streamOf("site-001", 0), misplaced.ID)
	w.enter(streamOf("registration", 0), misplaced.ID)
	w.seal()
	v := w.verified(w.history(6, all()...))
	for _, c := range []struct {
		stream, seq int
		why         string
	}{
		{3, 2, "it was revoked at index 10"},
		{3, 3, "never granted"},
		{4, 2, "never granted"},
		{2, 5, "never granted"},
		{3, 4, "another stream than the one it stands in"},
		{1, 2, "it is no registration"},
	} {
		i := v.Streams[c.stream-1].Items[c.seq-1]
		if i.State != Invalid || !strings.Contains(i.Why, c.why) {
			t.Errorf("%d/%d is %s: %s; want %s", c.stream, c.seq, i.State, i.Why, c.why)
		}
	}
	if i := v.Streams[2].Items[0]; i.State != Valid || v.KeyEnd(i) == nil || v.KeyEnd(i).Entry.Index != 10 {
		t.Error("what was made before the revocation stays, and the revocation is known now")
	}
	if line := v.Line(v.Streams[2]); !strings.Contains(line, "these 4 entries") || !strings.HasSuffix(line, "; 3 INVALID") {
		t.Error(line)
	}
}

// What a site had sealed unseen need not be a statement.
func TestWhatIsNoStatementIsInvalid(t *testing.T) {
	w := newWorld(t)
	w.trial()
	raw := []byte("anything\n")
	w.enter(streamOf("site-001", 0), statement.IDOf(raw))
	w.seal()
	h := w.history(5, all()...)
	h.Streams[2].Statements = append(h.Streams[2].Statements, Opened{2, raw})
	if i := w.verified(h).Streams[2].Items[1]; i.State != Invalid || i.Note != nil || !strings.Contains(i.Why, "no statement") {
		t.Errorf("%+v", i)
	}
}

// Where grants are closed, or the trial stream is not here, nobody can say whether
// a key was in force; what is revoked for all to see stays invalid.
func TestClosedGrantsLeaveItUndecided(t *testing.T) {
	w := newWorld(t)
	w.trial()
	h := w.history(4, all()...)
	h.close(2, 1)
	v := w.verified(h)
	site1, site2 := v.Streams[2].Items[0], v.Streams[3].Items[0]
	if site1.State != Undecided || site2.State != Valid || v.Whole() {
		t.Errorf("site-001 %s: %s; site-002 %s", site1.State, site1.Why, site2.State)
	}
	if all := v.NotShown(); len(all) != 1 || !strings.Contains(all[0], "1 of 3 entries of the trial stream are closed") {
		t.Error(all)
	}
	own := w.verified(w.history(4, streamOf("registration", 0), streamOf("site-001", 0)))
	if i := own.Streams[1].Items[0]; i.State != Undecided || own.Streams[1].Name != "site-001" || own.Whole() || len(own.Missing) != 1 || own.Missing[0] != "trial" {
		t.Errorf("a site's own history: %+v, missing %q", i, own.Missing)
	}
	// A closed entry after it grants nothing to it.
	w.put(w.enrolment("poe", "site-002"), "acme")
	w.seal()
	w.put(w.content(statement.KindDataset, "site-002"), "stranger")
	w.put(w.enrolment("late", "site-002"), "acme")
	w.seal()
	h = w.history(6, all()...)
	h.close(2, 5)
	if i := w.verified(h).Streams[3].Items[1]; i.State != Invalid {
		t.Errorf("%s: %s", i.State, i.Why)
	}
}

// An erased statement is closed and counted, and the reason is known.
func TestErasureIsKnown(t *testing.T) {
	w := newWorld(t)
	w.trial()
	var id statement.ID
	for _, e := range w.entriesOf(streamOf("site-001", 0), w.batches[3].leaf) {
		id = e.Statement
	}
	s := w.statement(statement.KindErasure, "site-001")
	s.About, s.Reason = []statement.ID{id}, "the participant asked"
	w.put(s, "jdoe")
	w.seal()
	delete(w.notes, id)
	v := w.verified(w.history(5, all()...))
	if i := v.Streams[2].Items[0]; i.State != Closed || i.Why != "erased: the participant asked" {
		t.Errorf("%s: %s", i.State, i.Why)
	}
}

// What another site says of it is no reason, nor what was said before.
func TestErasureByOthersIsNone(t *testing.T) {
	w := newWorld(t)
	w.trial()
	hidden := w.sign(w.content(statement.KindDataset, "site-001"), "jdoe")
	erasure := func(stream, key, reason string) {
		s := w.statement(statement.KindErasure, stream)
		s.About, s.Reason = []statement.ID{hidden.ID}, reason
		w.put(s, key)
	}
	erasure("site-001", "jdoe", "early")
	w.enter(hidden.Stream(), hidden.ID)
	erasure("site-002", "roe", "jealousy")
	w.seal()
	delete(w.notes, hidden.ID)
	if i := w.verified(w.history(5, all()...)).Streams[2].Items[2]; i.State != Closed || i.Why != "" {
		t.Errorf("%s: %s", i.State, i.Why)
	}
	erasure("trial", "acme", "the participant asked")
	w.seal()
	if i := w.verified(w.history(6, all()...)).Streams[2].Items[2]; i.Why != "erased: the participant asked" {
		t.Errorf("%s: %s", i.State, i.Why)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	w := newWorld(t)
	also := w.registration("acme")
	also.Also = []statement.Also{{Trial: "ISRCTN01234567"}}
	n := w.sign(also, "acme")
	other := statement.StreamIDOf(worldOrigin, "ISRCTN01234567", "registration", [32]byte{})
	w.enter(streamOf("registration", 0), n.ID)
	w.enter(other, n.ID)
	w.put(w.enrolment("jdoe", "site-001"), "acme")
	w.seal()
	reg, trial, site := streamOf("registration", 0), streamOf("trial", 0), streamOf("site-001", 0)
	if v := w.verified(w.history(1, reg, other, trial, site)); !v.Whole() {
		t.Errorf("missing %q", v.Missing)
	}
	v := w.verified(w.history(1, reg, trial))
	if v.Whole() || strings.Join(v.Missing, ", ") != "the registration stream of ISRCTN01234567, site-001" {
		t.Errorf("missing %q", v.Missing)
	}
	w.refused(w.history(1, reg, trial, other, site), receipt.StepContainer, "stream 3 is out of order")
	w.refused(w.history(1, other, reg, trial, site), receipt.StepRegistration, "under another id of the trial")
	w.refused(w.history(1, reg, other, trial, site, site), StepMap, "stream 5 is the same as stream 4")
	if v := w.verified(w.history(1, trial, reg)); v.Registration != nil || v.NoRegistration == "" || v.Streams[0].Items[0].State != Undecided {
		t.Errorf("no registration in the first stream: %+v", v)
	}
}

func TestFailuresNameWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	w.trial()
	h := w.history(4, all()...)
	w.refused(w.withhold(h, 2, 2), StepEntries, "2/entries: by batch 4 the stream had 3 entries, of which 2 are here: 1 missing")
	h = w.history(4, all()...)
	w.withhold(h, 3, 0)
	w.refused(w.withhold(h, 2, 2), StepEntries, "2/entries: by batch 4 the stream had 3 entries, of which 2 are here: 1 missing; 3/entries: by batch 4 the stream had 1 entries")
	h = w.history(4, all()...)
	h.Streams[2].Statements[0].Note = h.Streams[3].Statements[0].Note
	w.refused(h, StepStatements, "3/statement-1 is not the statement that its log entry commits to")
	h = w.history(4, all()...)
	h.Streams[2].Statements[0].Seq = 2
	w.refused(h, StepStatements, "3/statement-2 is of an entry that the stream does not have")
	// The log's own signatures, and the witness's.
	other := newWorld(t)
	other.trial()
	if _, err := w.history(4, all()...).Verify(other.options()); err == nil || !strings.Contains(err.Error(), receipt.StepCheckpoints) {
		t.Error("another log's trust file:", err)
	}
	o := w.options()
	o.Trust.Algorithms = map[string]time.Time{"sha-256": w.now.Add(-time.Hour)}
	if _, err := w.history(4, all()...).Verify(o); err == nil || !strings.Contains(err.Error(), "the algorithm sha-256 is no longer accepted") {
		t.Error("an algorithm that fell:", err)
	}
	o = w.options()
	o.Trial = "0000-0000-0000-0000-0000-0000-0000-0000-0000-0000"
	if _, err := w.history(4, all()...).Verify(o); err == nil || !strings.Contains(err.Error(), "no registration with the fingerprint 0000") {
		t.Error("another trial's fingerprint:", err)
	}
	if v, err := w.history(4, all()...).Verify(receipt.Options{}); err != nil || !v.Unsigned || v.Confirmed {
		t.Error("without a trust file:", err)
	}
}

// A registration stream that is empty shows that the trial is not registered.
func TestATrialThatIsNotRegistered(t *testing.T) {
	w := newWorld(t)
	w.trial()
	id := statement.StreamIDOf(worldOrigin, "NCT99999999", "registration", [32]byte{})
	v := w.verified(w.history(4, id))
	if v.Registration != nil || !strings.Contains(v.NoRegistration, "not registered") || len(v.Streams[0].Items) != 0 || v.Whole() {
		t.Errorf("%+v", v)
	}
	a, err := v.Absent(Question{Stream: id.String()}, nil)
	if err != nil || a.Reply != Absent {
		t.Error(a, err)
	}
	if a, err := v.Absent(Question{Kind: statement.KindDataset}, nil); err != nil || a.Reply != Unknown {
		t.Error("nothing says what other streams there are:", a, err)
	}
}

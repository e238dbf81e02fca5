package history

import (
	"strings"
	"testing"

	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
)

// What an operator can try who signs whatever they like. Each test says who
// catches it. What only the auditor catches, because everything a reader is shown
// fits together, functions/audit finds: see TestALyingOperatorIsFound there.

// An entry is in the log and not in the map. Whoever reads the history sees a
// complete one: it is so according to the operator only, and no auditor signs it.
// Whoever holds the receipt of the entry catches it alone.
func TestLiarDropsAnEntryFromTheMap(t *testing.T) {
	w := newWorld(t)
	w.trial()
	site := streamOf("site-001", 0)
	before := w.values[site]
	late := w.sign(w.content(statement.KindDataset, "site-001"), "jdoe")
	e := w.enter(site, late.ID)
	w.seal(func(m map[statement.StreamID]streammap.Value) { m[site] = before })

	h := w.history(5, all()...)
	w.refused(h, StepEntries, "the stream had 1 entries, and 2 are here")
	h = w.withhold(h, 3, 1)
	v := w.verified(h)
	if v.Audited() || !strings.Contains(v.ByWhom(), "according to the operator only") {
		t.Error("nobody recomputed the map, and it is not said")
	}
	if held, err := v.Holds(e); held || err == nil || !strings.Contains(err.Error(), "it was left out") {
		t.Errorf("the receipt's holder does not catch it: %t, %v", held, err)
	}
}

// withhold leaves out all but the first n entries of a stream.
func (w *world) withhold(h *History, stream, n int) *History {
	s := &h.Streams[stream-1]
	lines := strings.SplitAfter(string(s.Entries), "\n")
	s.Entries = []byte(strings.Join(lines[:n*entryLines], ""))
	for len(s.Statements) > 0 && s.Statements[len(s.Statements)-1].Seq > uint64(n) {
		s.Statements = s.Statements[:len(s.Statements)-1]
	}
	return h
}

// A seq stands twice, or one is left out: the reader of the history catches it,
// though the map folds the entries as they are.
func TestLiarRepeatsOrSkipsASeq(t *testing.T) {
	for _, seq := range []uint64{1, 3} {
		w := newWorld(t)
		w.trial()
		n := w.sign(w.content(statement.KindDataset, "site-001"), "jdoe")
		w.enter(n.Stream(), n.ID, func(e *entry.Entry) { e.Seq = seq })
		w.seal()
		w.refused(w.history(5, all()...), StepEntries, "entry 2 has seq "+string(rune('0'+seq)))
	}
}

// Two entries have one seq, and the map folds only one. A reader who is shown that
// one sees nothing; the holder of the other's receipt catches it, and the auditor.
func TestLiarPutsTwoEntriesUnderOneSeq(t *testing.T) {
	w := newWorld(t)
	w.trial()
	site := streamOf("site-001", 0)
	before := w.values[site]
	hidden := w.enter(site, w.sign(w.content(statement.KindDataset, "site-001"), "jdoe").ID)
	w.values[site] = before
	shown := w.enter(site, w.sign(w.content(statement.KindDataset, "site-001"), "jdoe").ID)
	if hidden.Seq != shown.Seq {
		t.Fatal("the lie is not told")
	}
	w.seal()
	h := w.history(5, all()...)
	w.refused(h, StepEntries, "3 are here")
	h.Streams[2].Entries = append([]byte(strings.Join(strings.SplitAfter(string(h.Streams[2].Entries), "\n")[:entryLines], "")), shown.Append(nil)...)
	h.Streams[2].Statements = h.Streams[2].Statements[:1]
	v := w.verified(h)
	if held, err := v.Holds(shown); !held || err != nil {
		t.Error("what is shown is held:", held, err)
	}
	if _, err := v.Holds(hidden); err == nil || !strings.Contains(err.Error(), "two entries in one place") {
		t.Errorf("the receipt's holder does not catch it: %v", err)
	}
}

// An old batch is passed off as the newest. Its verdict says which it is, and of
// when; whoever holds anything newer sees that it is old. The client compares it
// with the public checkpoint.
func TestLiarShowsAnOldBatchAsTheNewest(t *testing.T) {
	w := newWorld(t)
	w.trial()
	old := w.verified(w.history(2, all()...))
	for _, s := range old.Streams {
		if line := old.Line(s); !strings.Contains(line, "up to batch 2 (22 Nov 2026 12:01 UTC)") {
			t.Errorf("the verdict does not say as of when: %s", line)
		}
	}
	// It is true of its batch: a later history agrees with it.
	if err := old.Agrees(w.verified(w.history(4, all()...))); err != nil {
		t.Error(err)
	}
	// And it cannot be made to look newer.
	h := w.history(2, all()...)
	h.Batch = w.batches[3].leaf.Append(nil)
	w.refused(h, receipt.StepInclusion, "the batch leaf says index")
	h.Proof = w.history(4, all()...).Proof
	w.refused(h, StepMap, "batch 4 does not commit to it")
}

// Two maps for one batch, for different people: each history verifies by itself.
// Who compares two of them catches it; a witness or an auditor signs only one.
func TestLiarServesDifferentMaps(t *testing.T) {
	w := newWorld(t)
	w.trial()
	n := w.sign(w.content(statement.KindDataset, "site-001"), "jdoe")
	fork := *w
	fork.leaves, fork.batches = append([][]byte(nil), w.leaves...), append([]batch(nil), w.batches...)
	fork.heads = map[int][]byte{}
	w.enter(n.Stream(), n.ID)
	w.seal()
	fork.values[streamOf("site-001", 0)] = w.batches[3].values[streamOf("site-001", 0)]
	fork.enter(streamOf("site-002", 0), w.sign(w.content(statement.KindDataset, "site-002"), "roe").ID)
	fork.seal()
	one, other := w.verified(w.history(5, all()...)), fork.verified(fork.history(5, all()...))
	if err := one.Agrees(other); err == nil || !strings.Contains(err.Error(), "two different roots at size") {
		t.Errorf("nobody catches it: %v", err)
	}
	// Later, with other sizes signed, the batches still differ.
	w.seal()
	w.seal()
	if err := w.verified(w.history(5, all()...)).Agrees(other); err == nil || !strings.Contains(err.Error(), "two different batches 5") {
		t.Errorf("nobody catches it: %v", err)
	}
	if err := other.Agrees(w.verified(w.history(6, all()...))); err == nil || !strings.Contains(err.Error(), "another one by batch") && !strings.Contains(err.Error(), "taken out") && !strings.Contains(err.Error(), "left out then") {
		t.Errorf("nobody catches it: %v", err)
	}
}

// A site was late, and its entry is written as if it had been of an earlier batch,
// or the streams are proved as of different batches: the reader catches both.
func TestLiarMixesBatchesToHideALateSite(t *testing.T) {
	w := newWorld(t)
	w.trial()
	w.put(w.content(statement.KindDatabaseLock, "trial"), "acme")
	w.seal()
	n := w.sign(w.content(statement.KindDataset, "site-002"), "roe")
	w.enter(n.Stream(), n.ID, func(e *entry.Entry) { e.Batch, e.Time = 4, w.batches[3].leaf.Time })
	w.seal()
	w.refused(w.history(6, all()...), StepEntries, "index 12 is not in batch 4: batch 6 begins at index 12")
	// By a later batch its own is over, and the other streams tell.
	w.seal()
	w.refused(w.history(7, all()...), StepEntries, "the batches of the log run backwards between index 10 and index 12")

	h := w.history(6, all()...)
	h.Streams[3] = w.history(4, all()...).Streams[3]
	w.refused(h, StepMap, "4/map-proof: batch 6 does not commit to it")
}

// A site has two streams under one name, one of them for what is to be hidden: the
// second enrolment counts for nothing, and neither does what stands there. Every
// reader of the trial stream sees both.
func TestLiarGivesOneNameTwoStreams(t *testing.T) {
	w := newWorld(t)
	w.trial()
	second := w.enrolment("jdoe", "site-001")
	second.Keys[0].Stream = streamOf("site-001", 1)
	w.put(second, "acme")
	w.seal()
	hidden := w.content(statement.KindDataset, "site-001")
	hidden.StreamSalt = saltOf("site-001", 1)
	w.put(hidden, "jdoe")
	w.seal()
	ids := all(streamOf("site-001", 1))
	ids[3], ids[4] = ids[4], ids[3] // by name
	v := w.verified(w.history(6, ids...))
	grant := v.Streams[1].Items[3]
	if grant.State != Invalid || !strings.Contains(grant.Why, "already stands for another stream id") {
		t.Errorf("the second enrolment is %s: %s", grant.State, grant.Why)
	}
	s := v.Streams[3]
	if s.Wrong == "" || s.Items[0].State != Invalid || v.Stream("site-001") != v.Streams[2] {
		t.Errorf("the second stream: %q, %s", s.Wrong, s.Items[0].State)
	}
	// What does not hold the second stream is whole without it: no grant names it.
	if v := w.verified(w.history(6, all()...)); !v.Whole() || len(v.Streams[1].Shown(Invalid)) != 1 {
		t.Errorf("whole %t, missing %q", v.Whole(), v.Missing)
	}
}

// A second trial stream can only come by a second registration, which stands in
// the same registration stream: every reader is shown both, and a fingerprint or a
// list of sponsors says which is the trial's.
func TestLiarMakesASecondTrialStream(t *testing.T) {
	w := newWorld(t)
	rival := w.registration("mallory")
	for i := range rival.Keys {
		rival.Keys[i].Stream = streamOf("trial", 1)
	}
	first := w.put(rival, "mallory")
	w.seal()
	reg := w.trial()
	hidden := w.content(statement.KindProtocol, "trial")
	hidden.StreamSalt = saltOf("trial", 1)
	w.put(hidden, "mallory")
	w.seal()

	h := w.history(6, all(streamOf("trial", 1))...)
	w.refused(h, receipt.StepContainer, "out of order") // it is of mallory's trial, whose stream would stand second
	o := w.options()
	o.Trial = statement.TrialFingerprint(reg.ID)
	v, err := h.Verify(o)
	w.check(err)
	if len(v.Rivals) != 1 || v.Rivals[0].Note.ID != first.ID || v.Rivals[0].State != Rival || v.Registration.ID != reg.ID || !v.Pinned {
		t.Errorf("two registrations: %+v", v)
	}
	if s := v.Streams[4]; s.Wrong == "" || s.Items[0].State != Invalid {
		t.Errorf("the second trial stream: %q, %s", s.Wrong, s.Items[0].State)
	}
	o.Trust.HasSponsors, o.Trust.Sponsors = true, []statement.PublicKey{w.key("acme").Public()}
	o.Trial = ""
	if _, err := h.Verify(o); err == nil || !strings.Contains(err.Error(), "not by a sponsor that the trust file lists; 2 registrations stand under this id") {
		t.Errorf("mallory's registration is believed: %v", err)
	}
}

// The leaf that is proved must be a batch leaf, of the log, as it stands there.
func TestLiarProvesSomethingElse(t *testing.T) {
	w := newWorld(t)
	w.trial()
	h := w.history(4, all()...)
	b := w.batches[3].leaf
	b.MapRoot[0] ^= 1
	h.Batch = b.Append(nil)
	w.refused(h, receipt.StepInclusion, "not in the log that the checkpoint signs")
	h = w.history(4, all()...)
	h.Batch = w.leaves[0]
	w.refused(h, receipt.StepParts, "the batch leaf")
	// An entry changed to be another statement's has another hash.
	h = w.history(4, all()...)
	e, err := entry.Parse(h.Streams[2].Entries)
	w.check(err)
	e.Statement[0] ^= 1
	h.Streams[2].Entries = e.Append(nil)
	w.refused(h, StepEntries, "one was changed, or stands in for another")
}

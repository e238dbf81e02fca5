package audit

import (
	"errors"
	"strings"
	"testing"

	"trialnotary/notary/checkpoint"
)

// What an auditor saw and did not come to is remembered: a log that was rewritten
// beyond where it was stopped is found, and proved.
func TestWhatAStoppedAuditSawIsRemembered(t *testing.T) {
	w := newWorld(t)
	w.seal(3, lie{})
	f := w.fork()
	k := newKeeper(t)
	f.clean(k, 4)
	w.seal(9, lie{})
	s, err := ParseState(k.state)
	w.check(err)
	s.Final = w.log.all["checkpoint"] // as an audit up to there leaves it that was stopped
	k.state = s.Bytes()
	f.now = f.now.Add(1e9)
	f.seal(20, lie{})
	r, err := f.audit(k, f.auditor())
	wantFinding(t, err, "checkpoint", "past was rewritten")
	if r.Proof == nil {
		t.Fatal("no proof")
	}
	w.check(r.Proof.Verify(w.auditor().Own))
}

// What was signed and not final is remembered also where nothing else was new, until
// the log has come that far.
func TestWhatWasSignedIsRemembered(t *testing.T) {
	w := village(t)
	k := newKeeper(t)
	w.clean(k, 729)
	f := w.fork()
	for range 3 {
		w.seal(5, lie{noneOf: "final"})
	}
	w.clean(k, w.edge.Size())
	f.now = f.now.Add(1e9)
	f.seal(2, lie{})
	f.seal(2, lie{noneOf: "final"}) // still below what was signed
	f.clean(k, f.edge.Size())
	f.seal(40, lie{})
	r, err := f.audit(k, f.auditor())
	if _, found := errors.AsType[*Finding](err); !found || r.Proof == nil {
		t.Errorf("%+v, %v; want a proof of two histories", r, err)
	}
}

// A log that is known to have had another root, or more leaves, when its keys were
// changed is not it, though its old keys signed every checkpoint.
func TestALogIsWhatItWasWhenItsKeysWereChanged(t *testing.T) {
	w := village(t)
	at := func(size uint64, root [32]byte) []checkpoint.Checkpoint {
		return []checkpoint.Checkpoint{{Origin: origin, Size: size, Root: root}}
	}
	true4, err := checkpoint.Parse(w.log.all[checkpoint.FinalName(4)])
	w.check(err)
	for _, c := range []struct {
		what  string
		heads []checkpoint.Checkpoint
		words string
	}{
		{"the same", at(4, true4.Root), ""},
		{"its size alone", at(4, [32]byte{}), ""},
		{"another root", at(4, [32]byte{1}), "its root is not the one"},
		{"shorter than it was", at(730, [32]byte{1}), "it had size 730 when its keys were changed"},
	} {
		a := w.auditor()
		a.Heads = c.heads
		_, err := w.audit(newKeeper(t), a)
		_, found := errors.AsType[*Finding](err)
		if found != (c.words != "") || found && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v; want %q", c.what, err, c.words)
		}
	}
}

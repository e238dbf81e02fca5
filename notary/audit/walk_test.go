package audit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
)

// village is a log of several batches: small ones, one over the ends of bundles, an
// empty one, one without a quorum.
func village(t testing.TB) *world {
	w := newWorld(t)
	w.seal(3, lie{})
	w.seal(0, lie{})
	w.seal(1, lie{noneOf: "final"})
	w.seal(700, lie{})
	w.seal(20, lie{})
	return w
}

func TestAnHonestLog(t *testing.T) {
	w := village(t)
	k := newKeeper(t)
	r := w.clean(k, 729)
	if !r.Whole || r.To.Batch != 5 || r.Final.Size != 729 {
		t.Errorf("%+v", r)
	}
	// Every object was read, but for partial ones under the name they had before.
	for name := range w.log.all {
		if w.log.reads[name] == 0 {
			t.Errorf("nobody read %s", name)
		}
	}
	w.log.reads = map[string]int{}
	w.clean(k, 729) // nothing is new
	if n := len(w.log.reads); n > 12 {
		t.Errorf("%d objects were read although nothing is new: %v", n, w.log.reads)
	}
	w.seal(300, lie{})
	if r := w.clean(k, 1030); r.From.Size != 729 {
		t.Errorf("it did not go on: %+v", r)
	}
}

// What is legitimate is no finding.
func TestWhatIsNoFinding(t *testing.T) {
	t.Run("no log yet", func(t *testing.T) {
		w := newWorld(t)
		if r, err := w.audit(newKeeper(t), w.auditor()); err != nil || r.Final != nil {
			t.Error(r, err)
		}
	})
	t.Run("signed and not final yet", func(t *testing.T) {
		w := village(t)
		w.seal(5, lie{noneOf: "final"})
		k := newKeeper(t)
		r := w.clean(k, 735)
		if r.Final.Size != 729 {
			t.Errorf("final at %d", r.Final.Size)
		}
		w.seal(1, lie{})
		w.clean(k, 737)
	})
	t.Run("being published", func(t *testing.T) {
		w := village(t)
		w.seal(5, lie{noneOf: "signed"})
		w.clean(newKeeper(t), 729)
	})
	t.Run("today's quorum on old checkpoints", func(t *testing.T) {
		w := village(t)
		a := w.auditor()
		a.Final = func(c checkpoint.Signed) error {
			if c.Size < 729 {
				return checkpoint.ErrQuorum
			}
			return a.Own(c)
		}
		if _, err := w.audit(newKeeper(t), a); err != nil {
			t.Error(err)
		}
		a.Final = func(checkpoint.Signed) error { return checkpoint.ErrQuorum }
		_, err := w.audit(newKeeper(t), a)
		wantFinding(t, err, "checkpoint", "the next batch ends this")
	})
}

// Whatever single object is changed, cut or taken away, the audit finds it and says
// so of that object or of the one that contradicts it.
func TestEveryChangedObjectIsFound(t *testing.T) {
	w := village(t)
	changes := map[string]func([]byte) []byte{
		"a bit flipped at its end":    func(b []byte) []byte { b[len(b)-2] ^= 1; return b },
		"a bit flipped in its middle": func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
		"a bit flipped at its start":  func(b []byte) []byte { b[0] ^= 1; return b },
		"cut off":                     func(b []byte) []byte { return b[:len(b)-1] },
		"cut in half":                 func(b []byte) []byte { return b[:len(b)/2] },
		"emptied":                     func(b []byte) []byte { return nil },
		"a byte more":                 func(b []byte) []byte { return append(b, 'x') },
		"a line more":                 func(b []byte) []byte { return append(b, '\n') },
		"far too long":                func(b []byte) []byte { return append(b, make([]byte, maxObject)...) },
		"gone":                        nil,
	}
	for name, good := range w.log.all {
		for what, change := range changes {
			if change == nil {
				delete(w.log.all, name)
			} else {
				w.log.all[name] = change(bytes.Clone(good))
			}
			_, err := w.audit(newKeeper(t), w.auditor())
			w.log.all[name] = good
			var all Findings
			if strings.HasPrefix(name, "checkpoints/") && change == nil && !strings.HasSuffix(name, "729") || name == "checkpoint" && change == nil {
				if err != nil {
					t.Errorf("%s %s, which is as if it never was: %v", name, what, err)
				}
				continue
			}
			if !errors.As(err, &all) {
				t.Errorf("%s %s: %v", name, what, err)
				continue
			}
			about := all.Error()
			for of, also := range map[string]string{
				"tile/entries/":                    "tile/0/",       // an entry that was changed does not hash to its tile
				"heads/":                           "tile/entries/", // a head of another size has other bundles
				"checkpoints/00000000000000000729": "checkpoint: ",
			} {
				if strings.HasPrefix(name, of) && strings.Contains(about, also) {
					about = name
				}
			}
			if !strings.Contains(about, name) {
				t.Errorf("%s %s: %v", name, what, err)
			}
		}
	}
	w.clean(newKeeper(t), 729)
}

// What an operator who signs anything can put into a batch so that its objects fit
// together.
func TestEveryLieIsFound(t *testing.T) {
	const bundle, name = "tile/entries/002.p/230", "heads/00000000000000000006"
	at := func(n int, f func(*entry.Entry)) func(int, *entry.Entry) {
		return func(i int, e *entry.Entry) {
			if i == n {
				f(e)
			}
		}
	}
	for _, c := range []struct {
		what          string
		lie           lie
		object, words string
	}{
		{"a seq twice", lie{entry: at(2, func(e *entry.Entry) { e.Seq-- })}, bundle, "has seq "},
		{"a seq left out", lie{entry: at(2, func(e *entry.Entry) { e.Seq++ })}, bundle, "has seq "},
		{"an index twice", lie{entry: at(2, func(e *entry.Entry) { e.Index-- })}, bundle, "entry 731 says that it has index 730"},
		{"an entry of the batch before", lie{entry: at(2, func(e *entry.Entry) { e.Batch-- })}, bundle, "entry 731 says batch 5 of"},
		{"the first entry of the batch before", lie{entry: at(0, func(e *entry.Entry) { e.Batch-- })}, bundle, "entry 729 says batch 5 and stands in batch 6"},
		{"an entry of another time", lie{entry: at(2, func(e *entry.Entry) { e.Time = e.Time.Add(time.Second) })}, bundle, "entry 731 says batch 6 of"},
		{"an entry that the map does not know", lie{unseen: func(i int) bool { return i == 11 }}, bundle, "stream map that is not that of the entries"},
		{"another map root", lie{leaf: func(b *entry.Batch) { b.MapRoot[0] ^= 1 }}, bundle, "stream map that is not that of the entries"},
		{"a stream not counted", lie{leaf: func(b *entry.Batch) { b.Streams-- }}, bundle, "stream map that is not that of the entries"},
		{"the batch claims an older entry", lie{leaf: func(b *entry.Batch) { b.First-- }}, bundle, "says that the batch begins at entry 728; it begins at 729"},
		{"the batch disowns an entry", lie{leaf: func(b *entry.Batch) { b.First++ }}, bundle, "says that the batch begins at entry 730; it begins at 729"},
		{"the leaf of another batch", lie{leaf: func(b *entry.Batch) { b.Number++ }}, bundle, "is the leaf of batch 7 and stands where batch 6 ends"},
		{"a leaf of another index", lie{leaf: func(b *entry.Batch) { b.Index++ }}, bundle, "says index 742 and has index 741"},
		{"a leaf of another time", lie{leaf: func(b *entry.Batch) { b.Time = b.Time.Add(time.Second) }}, bundle, "has another time than its entries"},
		{"a head of another root", lie{head: func(h *checkpoint.Head) { h.Root[3] ^= 1 }}, name, "its root is not that of its entries"},
		{"a head of the batch before", lie{head: func(h *checkpoint.Head) { h.Batch-- }}, name, "it is of batch 5"},
		{"a head that ends too early", lie{head: func(h *checkpoint.Head) { h.Size-- }}, "tile/entries/002.p/229", "is missing"},
		{"a head that goes back", lie{head: func(h *checkpoint.Head) { h.Size = 700 }}, name, "after batch 5, size 729"},
		{"a signed checkpoint of another root", lie{signed: func(c *checkpoint.Checkpoint) { c.Root[3] ^= 1 }}, "signed/00000000000000000006", "another root"},
		{"a signed checkpoint of another size", lie{signed: func(c *checkpoint.Checkpoint) { c.Size++ }}, "signed/00000000000000000006", "it is of size 743"},
		{"a final checkpoint of another root", lie{final: func(c *checkpoint.Checkpoint) { c.Root[3] ^= 1 }}, "checkpoints/00000000000000000742", "another root"},
		{"a statement sealed again", lie{entry: at(4, func(e *entry.Entry) {
			e.Stream, e.Statement = stream(0), id(23*4) // entry 92 is it
			e.Seq = 0
		})}, bundle, "entry 733 is a statement that its stream has already, as entry 92"},
		{"a statement twice in a batch", lie{entry: at(9, func(e *entry.Entry) { e.Stream, e.Statement = stream(731*7%23), id(731); e.Seq = 0 })}, bundle, "entry 738 is a statement that its stream has already, as entry 731"},
		{"a time before that of the batch before", lie{entry: func(_ int, e *entry.Entry) { e.Time = e.Time.Add(-time.Hour) },
			leaf: func(b *entry.Batch) { b.Time = b.Time.Add(-time.Hour) }}, bundle, "has a time before that of batch 5"},
	} {
		t.Run(c.what, func(t *testing.T) {
			w := village(t)
			k := newKeeper(t)
			w.clean(k, 729)
			told := c.lie
			if f := c.lie.entry; f != nil {
				told.entry = func(i int, e *entry.Entry) {
					if f(i, e); e.Seq == 0 { // the next one of wherever it goes
						e.Seq = w.values[e.Stream].Count + 1
					}
				}
			}
			w.seal(12, told)
			for _, from := range []*keeper{k, newKeeper(t)} {
				before := bytes.Clone(from.state)
				r, err := w.audit(from, w.auditor())
				wantFinding(t, err, c.object, c.words)
				if !bytes.Equal(from.state, before) || r.To.Size > 729 {
					t.Errorf("the state went on to %d", r.To.Size)
				}
			}
		})
	}
}

// Objects that no batch published are found where they can be listed.
func TestSurplusObjectsAreFound(t *testing.T) {
	for name, want := range map[string]string{
		"tile/0/000.p/77":                  "no batch",
		"tile/entries/002.p/9":             "no batch",
		"tile/1/000.p/1":                   "no batch",
		"tile/entries/0002":                "no batch",
		"tile/0/000.bak":                   "no batch",
		"heads/7":                          "no batch",
		"signed/00000000000000000000":      "no batch",
		"checkpoints/00000000000000000009": "no batch",
		"tile/0/.DS_Store":                 "",
		"tile/0/004.p/9":                   "", // beyond what is signed: being published
		"heads/00000000000000000006":       "",
	} {
		w := village(t)
		if _, there := w.log.all[name]; there {
			t.Fatalf("%s is there already", name)
		}
		w.log.all[name] = []byte("x\n")
		_, err := w.audit(newKeeper(t), w.auditor())
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		wantFinding(t, err, name, want)
	}
}

// A bundle that holds more, or less, than its name says.
func TestBundlesOfAnotherWidth(t *testing.T) {
	w := village(t)
	name := "tile/entries/001"
	good := w.log.all[name]
	first := 2 + int(binary.BigEndian.Uint16(good))
	for what, bad := range map[string][]byte{
		"after its 256 entries": append(bytes.Clone(good), good[:first]...),
		"ends after 255 of 256": good[first:],
	} {
		w.log.all[name] = bad
		_, err := w.audit(newKeeper(t), w.auditor())
		var all Findings
		if !errors.As(err, &all) || all[0].Object != name {
			t.Errorf("%s: %v", what, err)
		}
	}
}

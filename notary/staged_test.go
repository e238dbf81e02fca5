package notary

import (
	"reflect"
	"testing"
	"time"

	"trialnotary/notary/statement"
)

func TestStagedObjectIsReadWholeOrNotAtAll(t *testing.T) {
	g := &staged{Number: 7, First: 300, Time: time.Unix(1_800_000_000, 0).UTC(), Edge: []byte("edge"), Map: "0 map", Pack: []byte("pack"),
		Items: []stagedItem{
			{Stream: statement.StreamID{1}, Statement: statement.ID{2}, Seq: 3, Note: []byte("a note\n"), Trial: statement.StreamID{4},
				Owns: []stagedOwner{{statement.StreamID{5}, owner{statement.StreamID{6}, statement.ID{7}}}}},
			{Stream: statement.StreamID{8}, Statement: statement.ID{9}, Seq: 1, Note: []byte{}},
		},
		Refused: []stagedRefusal{{statement.StreamID{10}, statement.ID{11}, "its key was revoked", []byte("another\n")}},
		Rebuilt: true}
	b := g.bytes()
	back, err := parseStaged(b)
	if err != nil || !reflect.DeepEqual(back, g) {
		t.Fatalf("%+v became %+v (%v)", g, back, err)
	}
	for n := range b {
		if _, err := parseStaged(b[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes were read as a whole", n, len(b))
		}
	}
	if _, err := parseStaged(append(b, 0)); err == nil {
		t.Fatal("more than a whole was read")
	}
}

func FuzzParseStaged(f *testing.F) {
	f.Add((&staged{Time: time.Unix(0, 0)}).bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if g, err := parseStaged(b); err == nil {
			if _, err := parseStaged(g.bytes()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

package statement

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/text"
)

// What a writer is given must not become other lines of the statement.
func TestTextRefusesWhatNoReaderWould(t *testing.T) {
	for what, change := range map[string]func(*Statement){
		"a line feed in the label":       func(s *Statement) { s.Label = "x\nkind note" },
		"a blank at the end of a label":  func(s *Statement) { s.Label = "x " },
		"a no-break space at the start":  func(s *Statement) { s.Label = "\u00a0x" },
		"invalid UTF-8":                  func(s *Statement) { s.Label = "\xff" },
		"a line feed in the origin":      func(s *Statement) { s.Log = "a\nb" },
		"no origin":                      func(s *Statement) { s.Log = "" },
		"a line feed in the trial":       func(s *Statement) { s.Trial = "A\nB" },
		"a line feed in the stream name": func(s *Statement) { s.StreamName = "a\nb" },
		"a line feed in the reason":      func(s *Statement) { s.Reason = "a\nb" },
		"a line feed in the signer":      func(s *Statement) { s.Meaning, s.Signer = MeaningReview, "a\nb" },
		"an unknown meaning":             func(s *Statement) { s.Meaning, s.Signer = "regret", "a" },
		"no kind":                        func(s *Statement) { s.Kind = "" },
		"a fraction of a second":         func(s *Statement) { s.Time = s.Time.Add(1) },
		"no time":                        func(s *Statement) { s.Time = time.Time{} },
		"a year of five digits":          func(s *Statement) { s.Time = s.Time.AddDate(9000, 0, 0) },
		"a year before year 1":           func(s *Statement) { s.Time = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) },
		"a key":                          func(s *Statement) { s.Keys = make([]Key, 1) },
		"until":                          func(s *Statement) { s.Until = noon },
	} {
		s := dataset("site-001")
		change(&s)
		if b, err := s.Text(); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %v\n%s", what, err, b)
		}
	}
	s := granting(KindEnrolment, RoleSite, "site-001", "jdoe")
	s.Keys[0].Key.Name = "a b"
	if _, err := s.Text(); err == nil {
		t.Error("a blank in a key name")
	}
	s = granting(KindEnrolment, RoleSite, "site-001", "jdoe")
	s.Until = noon.Add(1)
	if _, err := s.Text(); err == nil {
		t.Error("a fraction of a second in until")
	}
}

func TestTimesAreWrittenInUTC(t *testing.T) {
	s := said("site-001", KindNote)
	s.Time = noon.In(time.FixedZone("", 3600))
	b, err := s.Text()
	if err != nil || !strings.Contains(string(b), "\ntime 2026-11-22T12:00:00Z\n") {
		t.Errorf("%v\n%s", err, b)
	}
}

func TestNoteIsIndependentOfWhatWasSigned(t *testing.T) {
	s := dataset("site-001")
	n := sign(t, s, "jdoe")
	s.Dataset.Files = 99
	if n.Dataset.Files != 3 {
		t.Error("the note changed")
	}
}

// A registration is entered once per id of the trial: the other ids' streams
// first, salted where the id is private.
func TestRegistrationStreams(t *testing.T) {
	s, salt := registration(), testSalt("also")
	s.Also = []Also{{"ACME-7", &salt}, {Trial: "NCT00000001"}}
	ids := sign(t, s, "acme").RegistrationStreams()
	want := []StreamID{
		StreamIDOf(origin, "ACME-7", RegistrationStream, salt),
		StreamIDOf(origin, "NCT00000001", RegistrationStream, [32]byte{}),
		StreamIDOf(origin, "NCT01234567", RegistrationStream, [32]byte{}),
	}
	if !slices.Equal(ids, want) {
		t.Errorf("%s, want %s", ids, want)
	}
	if n := sign(t, dataset("site-001"), "jdoe"); n.RegistrationStreams() != nil {
		t.Error("a dataset has registration streams")
	}
}

func TestLargestNote(t *testing.T) {
	s := registration()
	for _, first := range Kinds()[:MaxRules/8] {
		for _, then := range Kinds()[:8] {
			s.Rules = append(s.Rules, Rule{first, then})
		}
	}
	s.Label, s.Reason = strings.Repeat("x", MaxLabel), strings.Repeat("x", MaxReason)
	n := sign(t, s, "acme")
	if len(n.Raw) > MaxSize/2 {
		t.Errorf("%d bytes", len(n.Raw))
	}
	if _, err := Parse(append(n.Raw, make([]byte, MaxSize)...)); !errors.Is(err, text.ErrFormat) {
		t.Errorf("more than %d bytes: %v", MaxSize, err)
	}
}

// FuzzSign: whatever Text accepts, Parse accepts, and reads the same.
func FuzzSign(f *testing.F) {
	f.Add("label", "Jane Doe", "reason", "Jane Doe", int64(0), uint64(3))
	f.Add("a\nb", " x", "\u2028", "\ufeff", int64(1<<40), uint64(0))
	f.Fuzz(func(t *testing.T, label, signer, reason, person string, at int64, n uint64) {
		for _, s := range []Statement{dataset("site-001"), granting(KindEnrolment, RoleSite, "site-001", "jdoe"), registration()} {
			s.Label, s.Reason, s.Signer, s.Time = label, reason, signer, time.Unix(at, 0)
			if signer != "" {
				s.Meaning = MeaningReview
			}
			if s.Kind == KindEnrolment {
				s.Person, s.Until = person, time.Unix(at, 0)
			}
			s.After = &After{Size: n}
			if _, err := s.Text(); err != nil {
				continue
			}
			read, err := Sign(&s, testKey("acme"))
			if err != nil {
				t.Fatalf("written, not read: %v", err)
			}
			if read.Label != label || read.Signer != signer || read.Reason != reason || read.Person != s.Person || !read.Time.Equal(s.Time) || !read.Until.Equal(s.Until) {
				t.Fatalf("%+v read as %+v", s, read.Statement)
			}
		}
	})
}

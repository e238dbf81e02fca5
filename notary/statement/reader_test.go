package statement

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// team is a story with a key of every role, each in a stream of its own.
func team(t *testing.T) *story {
	s := tell(t)
	for _, role := range []Role{RoleSite, RoleMonitor, RoleBoard, RoleInspector, RoleLaboratory, RoleDSMB} {
		s.add(granting(KindEnrolment, role, string(role), string(role)+".key"), "acme")
	}
	return s
}

// reads returns the names of the streams that a key reads, in order.
func (s *story) reads(key string, at time.Time) []string {
	s.Helper()
	asked, err := ParseSigned(SignText([]byte("a request\n"), testKey(key)))
	if err != nil {
		s.Fatal(err)
	}
	r, ok := s.a.Reader(asked, math.MaxUint64, at)
	if !ok {
		return nil
	}
	if r.Key != testKey(key).Public() {
		s.Errorf("%s is taken for %s", key, r.Key.Name)
	}
	if _, ok := r.Reads(StreamID{9}); ok {
		s.Errorf("%s reads a stream of no trial", key)
	}
	var names []string
	for id, name := range s.a.names {
		if role, ok := r.Reads(id); ok {
			names = append(names, name)
			if !strings.HasPrefix(key, string(role)) && !strings.HasPrefix(key, "acme") {
				s.Errorf("%s reads %s as %s", key, name, role)
			}
		}
	}
	slices.Sort(names)
	return names
}

func (s *story) wantReads(key string, at time.Time, want string) {
	s.Helper()
	if got := strings.Join(s.reads(key, at), " "); got != want {
		s.Errorf("%s reads %q, want %q", key, got, want)
	}
}

const (
	open = "board inspector monitor registration site trial"
	all  = "board dsmb inspector laboratory monitor registration site trial"
)

func TestWhoReadsWhat(t *testing.T) {
	s := team(t)
	for key, want := range map[string]string{
		"acme": open, "acme.recovery": open, "monitor.key": open, "board.key": open,
		"inspector.key": all, "dsmb.key": all,
		"site.key": "registration site", "laboratory.key": "laboratory registration",
		"stranger": "", "acme2": "",
	} {
		s.wantReads(key, noon, want)
		_, ok := s.a.Reader(Signed{}, math.MaxUint64, noon)
		if ok {
			t.Error("who signed nothing reads")
		}
	}
}

// The twins: the same keys a moment after their right ended.
func TestWhoReadsNoMore(t *testing.T) {
	s := team(t)
	s.add(granting(KindRevocation, RoleMonitor, "monitor", "monitor.key"), "acme")
	s.wantReads("monitor.key", noon, "")
	s.wantReads("board.key", noon, open)

	limited := granting(KindEnrolment, RoleInspector, "inspector", "inspector.two")
	limited.Until = noon.Add(time.Hour)
	s.add(limited, "acme")
	s.wantReads("inspector.two", noon.Add(time.Hour), all)
	s.wantReads("inspector.two", noon.Add(time.Hour+time.Second), "")

	// A key of the right name that is another's.
	asked, err := ParseSigned(SignText([]byte("a request\n"), testKey("stranger")))
	if err != nil {
		t.Fatal(err)
	}
	asked.KeyName, asked.KeyHash = "board.key", testKey("board.key").Public().Hash()
	if _, ok := s.a.Reader(asked, math.MaxUint64, noon); ok {
		t.Error("a signature of another key's is good enough")
	}
	// An old request changed after it was signed.
	asked, err = ParseSigned(SignText([]byte("a request\n"), testKey("board.key")))
	if err != nil {
		t.Fatal(err)
	}
	asked.Text = []byte("another request\n")
	if _, ok := s.a.Reader(asked, math.MaxUint64, noon); ok {
		t.Error("a signature of another text is good enough")
	}
}

// A laboratory's stream is closed for good, whoever else is granted there; the
// trial stream is not closed by a grant, or nobody could see who granted it.
func TestClosedStreams(t *testing.T) {
	s := team(t)
	s.add(granting(KindEnrolment, RoleSite, "laboratory", "site.two"), "acme")
	s.add(granting(KindEnrolment, RoleDSMB, TrialStream, "dsmb.chair"), "acme")
	s.add(granting(KindRevocation, RoleLaboratory, "laboratory", "laboratory.key"), "acme")
	s.wantReads("acme", noon, open)
	s.wantReads("site.two", noon, "laboratory registration")
	s.wantReads("laboratory.key", noon, "")
	if s.a.Closed(streamID(TrialStream)) || !s.a.Closed(streamID("laboratory")) || s.a.Closed(streamID("site")) {
		t.Error("the wrong streams are closed")
	}
	before := s.a.Clone()
	s.add(granting(KindEnrolment, RoleLaboratory, "site", "laboratory.two"), "acme")
	if before.Closed(streamID("site")) || !s.a.Closed(streamID("site")) {
		t.Error("a copy is closed with the original")
	}
}

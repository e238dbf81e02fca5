package checkpoint

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// The sample log was made by an implementation written independently from the
// text of the formats.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/sample/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func samplePolicy(t testing.TB) *Policy {
	t.Helper()
	p, err := ParsePolicy(sample(t, "policy"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSampleCheckpointsMeetThePolicy(t *testing.T) {
	p := samplePolicy(t)
	if got := p.Origin(); got != "log.example/trials" {
		t.Errorf("origin %q", got)
	}
	for name, witnesses := range map[string]int{
		"00000000000000000003": 3, "00000000000000000007": 2, "00000000000000000011": 3, "00000000000000000018": 3,
	} {
		b := sample(t, name)
		s, err := Parse(b)
		if err != nil {
			t.Fatal(name, err)
		}
		if FinalName(s.Size) != "checkpoints/"+name {
			t.Errorf("%s has size %d", name, s.Size)
		}
		if !bytes.Equal(s.format(), b) {
			t.Errorf("%s: other bytes come back", name)
		}
		m, err := p.Verify(s, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		if !m.Witnessed || m.Witnesses != witnesses || m.Of != 3 || len(m.Names) != witnesses {
			t.Errorf("%s: %+v", name, m)
		}
		if m.NoLaterThan.Before(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)) || m.NotBefore.After(m.NoLaterThan) {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestSampleHeadComesBack(t *testing.T) {
	b := sample(t, "head")
	h, err := ParseHead(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(h.Bytes(), b) || HeadName(h.Batch) != "heads/00000000000000000001" || SignedName(h.Batch) != "signed/00000000000000000001" {
		t.Errorf("%+v", h)
	}
}

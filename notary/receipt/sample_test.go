package receipt

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"trialnotary/notary/statement"
)

// The sample log was made by an implementation written independently from the
// text of the formats.
func sampleFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/sample/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sampleTrust(t testing.TB) *Trust {
	t.Helper()
	trust, err := ParseTrust(sampleFile(t, "acme.trust"))
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

func sampleReceipt(t testing.TB, name string) *Receipt {
	t.Helper()
	r, err := Parse(sampleFile(t, name+".receipt"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var sampleNames = []string{"registration", "enrolment", "protocol", "succession", "site1", "site1b", "site2", "site3"}

var sampleNow = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

func sampleOptions(t testing.TB) Options {
	return Options{Trust: sampleTrust(t), Confirmed: true, Now: sampleNow}
}

func TestSampleReceiptsVerify(t *testing.T) {
	for _, name := range sampleNames {
		t.Run(name, func(t *testing.T) {
			r := sampleReceipt(t, name)
			v, err := r.Verify(sampleOptions(t))
			if err != nil {
				t.Fatal(err)
			}
			if !v.Confirmed || v.Unsigned || v.Pinned || !v.SponsorListed || v.FirstToRegister() {
				t.Errorf("trust: %+v", v)
			}
			if !v.Met.Witnessed || v.Met.Of != 3 || v.Origin != "log.example/trials" || v.RegisteredAs != "NCT01234567" {
				t.Errorf("log: %+v", v)
			}
			if back, err := r.Bytes(); err != nil || !bytes.Equal(back, sampleFile(t, name+".receipt")) {
				t.Errorf("other bytes come back: %v", err)
			}
			if (v.After != nil) != (name == "site1b") {
				t.Errorf("after: %+v", v.After)
			}
			t.Log(summary(v))
		})
	}
}

// summary is everything a verdict says but the number of witnesses.
func summary(v *Verdict) string {
	s := fmt.Sprintf("%s %s index %d of %d, registered %s %s", v.Note.ID, v.Note.Kind, v.Entry.Index, v.FinalSize, v.RegisteredAs, v.TrialFingerprint)
	s += fmt.Sprintf(", %s by %s at %s, listed %t pinned %t unsigned %t", v.Grant.Key.Key.Name, v.Enroller, v.EnrolledAt, v.SponsorListed, v.Pinned, v.Unsigned)
	if v.After != nil {
		s += fmt.Sprintf(", after %d not before %s", v.After.Size, v.After.NotBefore)
	}
	return s
}

func TestSampleTrustFile(t *testing.T) {
	trust := sampleTrust(t)
	b := sampleFile(t, "acme.trust")
	if back, err := trust.Bytes(); err != nil || !bytes.Equal(back, b) || !bytes.Equal(trust.Raw, b) {
		t.Errorf("other bytes come back: %v", err)
	}
	if len(trust.Auditors) != 1 || len(trust.Sponsors) != 1 || !trust.HasSponsors || trust.TSA == nil || len(trust.Algorithms) != 1 {
		t.Errorf("%+v", trust)
	}
}

func TestOneStatementIsBeforeAnother(t *testing.T) {
	verdict := func(name string) *Verdict {
		v, err := sampleReceipt(t, name).Verify(sampleOptions(t))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	site1, site2, site1b := verdict("site1"), verdict("site2"), verdict("site1b")
	if Before(site1, site2) || Before(site2, site1) {
		t.Error("sealed in one batch, yet one is before the other")
	}
	if !Before(site1, site1b) || Before(site1b, site1) {
		t.Error("site1 comes before site1b")
	}
	named := *site2
	note := *site2.Note
	note.About = []statement.ID{site1.Note.ID}
	named.Note = &note
	if !Before(site1, &named) {
		t.Error("what is named comes before what names it")
	}
}

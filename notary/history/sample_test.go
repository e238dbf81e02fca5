package history

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/receipt"
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

var sampleNow = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

func sampleOptions(t testing.TB) receipt.Options {
	t.Helper()
	trust, err := receipt.ParseTrust(sampleFile(t, "acme.trust"))
	if err != nil {
		t.Fatal(err)
	}
	return receipt.Options{Trust: trust, Confirmed: true, Now: sampleNow}
}

func sampleHistory(t testing.TB, name string) *History {
	t.Helper()
	h, err := Parse(sampleFile(t, name+".history"))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var update = flag.Bool("update", false, "write the golden summaries anew")

// summary is everything a verdict says but who signed the checkpoint.
func summary(v *Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "batch %d of %s, %s registered %s, whole %t", v.Batch.Number, v.Origin, v.TrialFingerprint, v.RegisteredAs, v.Whole())
	fmt.Fprintf(&b, ", missing %q, rivals %d, %s\n", v.Missing, len(v.Rivals), v.NoRegistration)
	for _, s := range v.Streams {
		fmt.Fprintf(&b, "  %d %s %s %s\n", s.Kind, s.Name, s.Trial, s.Wrong)
		for _, i := range s.Items {
			fmt.Fprintf(&b, "    %d %d %s", i.Entry.Seq, i.Entry.Index, i.State)
			if i.Note != nil {
				fmt.Fprintf(&b, " %s by %s", i.Note.Kind, i.Note.KeyName)
			}
			b.WriteString(" " + i.Why + "\n")
		}
	}
	return b.String()
}

func TestSampleHistoriesVerify(t *testing.T) {
	for _, name := range []string{"whole", "early", "shut"} {
		t.Run(name, func(t *testing.T) {
			h := sampleHistory(t, name)
			v, err := h.Verify(sampleOptions(t))
			if err != nil {
				t.Fatal(err)
			}
			if back, err := h.Bytes(); err != nil || !bytes.Equal(back, sampleFile(t, name+".history")) {
				t.Errorf("other bytes come back: %v", err)
			}
			if !v.Audited() || !v.Met.Witnessed || !v.Confirmed || !v.SponsorListed {
				t.Errorf("trust: %+v", v)
			}
			if *update {
				if err := os.WriteFile("testdata/sample/"+name+".txt", []byte(summary(v)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := string(sampleFile(t, name+".txt"))
			if got := summary(v); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			o := sampleOptions(t)
			o.Trial = v.TrialFingerprint
			if v, err := h.Verify(o); err != nil || !v.Pinned {
				t.Errorf("with the fingerprint: %v", err)
			}
		})
	}
	early, err := sampleHistory(t, "early").Verify(sampleOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := sampleHistory(t, "whole").Verify(sampleOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := early.Agrees(whole); err != nil {
		t.Error(err)
	}
	if a, err := early.Absent(Question{Kind: "dataset"}, nil); err != nil || a.Reply != Absent {
		t.Error(a.Words, err)
	}
	// The receipts of the same log stand in it.
	for _, name := range []string{"site1", "site1b", "site2", "site3", "protocol", "succession", "enrolment", "registration"} {
		r, err := receipt.Parse(receiptFile(t, name))
		if err != nil {
			t.Fatal(err)
		}
		rv, err := r.Verify(sampleOptions(t))
		if err != nil {
			t.Fatal(err)
		}
		if held, err := whole.Holds(rv.Entry); !held || err != nil {
			t.Errorf("%s: %t, %v", name, held, err)
		}
		held, err := early.Holds(rv.Entry)
		if err != nil || held != (rv.Entry.Batch <= 2) {
			t.Errorf("%s in the early one: %t, %v", name, held, err)
		}
	}
}

func receiptFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../receipt/testdata/sample/" + name + ".receipt")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

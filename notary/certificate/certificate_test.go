package certificate

import (
	"os"
	"testing"
	"time"

	"trialnotary/notary/receipt"
)

// The sample log was made by an implementation written independently from the text of
// the formats.
func sample(t testing.TB, name string) (*receipt.Verdict, []byte, *receipt.Trust) {
	t.Helper()
	read := func(file string) []byte {
		b, err := os.ReadFile("../receipt/testdata/sample/" + file)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	trust, err := receipt.ParseTrust(read("acme.trust"))
	if err != nil {
		t.Fatal(err)
	}
	b := read(name + ".receipt")
	r, err := receipt.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Verify(receipt.Options{Trust: trust, Confirmed: true, Now: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	return v, b, trust
}

func TestLook(t *testing.T) {
	for _, n := range []string{"registration", "enrolment", "protocol", "succession", "site1", "site1b", "site2", "site3"} {
		v, b, trust := sample(t, n)
		for _, p := range []Paper{A4, Letter} {
			pdf, err := Print(v, b, trust.Fingerprint, Options{Paper: p})
			if err != nil {
				t.Fatal(err)
			}
			os.WriteFile("/tmp/t7c/look/"+n+"."+string(p)+".pdf", pdf, 0o644)
			if got, err := Receipt(pdf); err != nil || string(got) != string(b) {
				t.Fatal(err)
			}
		}
	}
}

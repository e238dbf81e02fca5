package receipt

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
)

// Which receipts of the sample verify under which trust file: keys that were retired,
// and algorithms that were accepted until a time. The page reads the same cases.
func TestJudgedByTheTrustFile(t *testing.T) {
	var cases []struct{ Trust, Receipt, Step, Why string }
	b, err := os.ReadFile("testdata/judged/cases.json")
	if err == nil {
		err = json.Unmarshal(b, &cases)
	}
	if err != nil || len(cases) == 0 {
		t.Fatal(len(cases), err)
	}
	for _, c := range cases {
		b, err := os.ReadFile("testdata/judged/" + c.Trust)
		if err != nil {
			t.Fatal(err)
		}
		trust, err := ParseTrust(b)
		if err != nil {
			t.Fatalf("%s: %v", c.Trust, err)
		}
		r, err := Parse(sampleFile(t, c.Receipt))
		if err != nil {
			t.Fatal(err)
		}
		step := "verified"
		var f *Failure
		if _, err := r.Verify(Options{Trust: trust, Confirmed: true, Now: sampleNow}); errors.As(err, &f) {
			step = f.Step
		}
		if step != c.Step {
			t.Errorf("%s (%s): %s, want %s", c.Trust, c.Why, step, c.Step)
		}
	}
}

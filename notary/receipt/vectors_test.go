package receipt

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trialnotary/notary/text"
)

// Vectors: receipt-* and trust-* are read by Parse and ParseTrust alone; verify-*
// parse, and are refused under the sample's acme.trust at the step with which
// their reason starts.

func TestGoodVectors(t *testing.T) {
	for name, b := range vectors(t, "good") {
		var back []byte
		var err error
		if strings.HasPrefix(name, "trust-") {
			var trust *Trust
			if trust, err = ParseTrust(b); err == nil {
				back, err = trust.Bytes()
			}
		} else {
			var r *Receipt
			if r, err = Parse(b); err == nil {
				back, err = r.Bytes()
			}
			if _, err := r.Verify(sampleOptions(t)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err != nil || !bytes.Equal(back, b) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadVectors(t *testing.T) {
	var reasons map[string]string
	b, err := os.ReadFile("testdata/vectors/bad.json")
	if err == nil {
		err = json.Unmarshal(b, &reasons)
	}
	if err != nil {
		t.Fatal(err)
	}
	files := vectors(t, "bad")
	if len(files) != len(reasons) {
		t.Errorf("%d files, %d reasons", len(files), len(reasons))
	}
	for name, reason := range reasons {
		b := files[name]
		switch {
		case strings.HasPrefix(name, "trust-"):
			_, err = ParseTrust(b)
		case strings.HasPrefix(name, "receipt-"):
			_, err = Parse(b)
		default:
			r, perr := Parse(b)
			if perr != nil {
				t.Errorf("%s does not parse: %v", name, perr)
				continue
			}
			step, _, _ := strings.Cut(reason, ":")
			if got := refused(t, r, sampleOptions(t), step); got == "" {
				t.Errorf("%s: no reason", name)
			}
			continue
		}
		if !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s (%s): %v", name, reason, err)
		}
	}
}

func TestOuterDamageIsUndoneOnlyWhereAsked(t *testing.T) {
	for _, name := range []string{"receipt-bom.txt", "receipt-crlf.txt"} {
		r, undone, err := ParseOuter(vectors(t, "bad")[name])
		if err != nil || undone == "" {
			t.Fatalf("%s: %q, %v", name, undone, err)
		}
		if back, err := r.Bytes(); err != nil || !bytes.Equal(back, sampleFile(t, "site1.receipt")) {
			t.Errorf("%s: other bytes: %v", name, err)
		}
	}
}

func TestEvidenceComesBack(t *testing.T) {
	r := sampleReceipt(t, "site1")
	for _, e := range []Evidence{{Entry: r.Entry, Proof: r.Proof}, {Entry: r.Entry, Proof: r.Proof, Timestamps: [][]byte{{0x30, 0}}}} {
		b, err := e.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseEvidence(b)
		if err != nil || !bytes.Equal(back.Entry, e.Entry) || !bytes.Equal(back.Proof, e.Proof) || len(back.Timestamps) != len(e.Timestamps) {
			t.Errorf("%+v, %v", back, err)
		}
		if _, err := ParseEvidence(append(b, "-- statement --\nx\n"...)); err == nil {
			t.Error("a part too many is accepted")
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, dir := range []string{"good", "bad"} {
		for name, b := range vectors(f, dir) {
			if !strings.HasPrefix(name, "trust-") {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Parse(b)
		if err != nil {
			return
		}
		if back, err := r.Bytes(); err != nil || !bytes.Equal(back, b) {
			t.Errorf("other bytes come back: %v", err)
		}
		r.Verify(Options{Now: sampleNow})
	})
}

func FuzzParseTrust(f *testing.F) {
	for _, dir := range []string{"good", "bad"} {
		for name, b := range vectors(f, dir) {
			if strings.HasPrefix(name, "trust-") {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		trust, err := ParseTrust(b)
		if err != nil {
			return
		}
		if back, err := trust.Bytes(); err != nil || !bytes.Equal(back, b) {
			t.Errorf("other bytes come back: %v", err)
		}
	})
}

func vectors(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/vectors/" + dir + "/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("no vectors", err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = b
	}
	return files
}

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trialnotary/notary/checkpoint"
)

// A witness named in DIR/witnesses.txt stands in the trust file without its
// address, and its cosignature in every receipt.
func TestServeAsksWitnesses(t *testing.T) {
	k, err := checkpoint.GenerateCosignature("w.example")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, note, _ := strings.Cut(string(body), "\n\n")
		c, err := checkpoint.Parse([]byte(note))
		if err != nil {
			t.Error(err)
		}
		sig, err := k.Sign(c.Text())
		if err != nil {
			t.Error(err)
		}
		io.WriteString(w, checkpoint.Line{Name: k.Name(), Hash: k.KeyHash(), Sig: sig}.String())
	}))
	defer server.Close()
	c := newCohort(t, 1)
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(c.dir, witnesses)
	if err := os.WriteFile(file, []byte("witness w1 "+k.VerifierKey()+" "+server.URL+"\nquorum w1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := c.start("--every", "50ms")
	c.enrol(p.url) // verifies its receipts under the trust file
	if w := c.policy().Witnesses(); len(w) != 1 || w[0].Key != k.VerifierKey() || strings.Contains(string(c.policy().Bytes()), server.URL) {
		t.Errorf("the policy is\n%s", c.policy().Bytes())
	}
	b, err := os.ReadFile(filepath.Join(c.dir, "log", "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	cp, err := checkpoint.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := c.policy().Verify(cp, nil); err != nil || m.Witnesses != 1 || m.NoLaterThan.IsZero() {
		t.Errorf("%+v, %v", m, err)
	}
	p.terminate()

	if err := os.WriteFile(file, []byte("witness w1 "+k.VerifierKey()+"\nquorum w1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openLog(t.Context(), c.dir, "", false); err == nil || !strings.Contains(err.Error(), "witnesses.txt: witnesses: line 1 has no address") {
		t.Errorf("a witness without an address: %v", err)
	}
}

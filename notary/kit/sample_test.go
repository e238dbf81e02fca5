package kit

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

// The sample is a kit of the receipts that all implementations verify; the page's tests
// read it too. UPDATE_SAMPLE=1 writes it anew.
func TestSample(t *testing.T) {
	read := func(name ...string) []byte {
		b, err := os.ReadFile(filepath.Join(append([]string{".."}, name...)...))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	k := &Kit{Note: []byte("A sample.\n"), Formats: []byte("See FORMATS.txt of a real one.\n"), Page: []byte("<!doctype html><title>a sample</title>\n"),
		Trust: read("receipt", "testdata", "sample", "acme.trust")}
	names, err := filepath.Glob("../receipt/testdata/sample/*.receipt")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		b := read("receipt", "testdata", "sample", filepath.Base(name))
		r, err := receipt.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		n, err := statement.Parse(r.Statement)
		if err != nil {
			t.Fatal(err)
		}
		e, err := entry.Parse(r.Entry)
		if err != nil {
			t.Fatal(err)
		}
		in, note := ReceiptName(n.StreamName, e.Index, n.Kind)
		k.Receipts = append(k.Receipts, File{Name: in, Data: b})
		k.Statements = append(k.Statements, File{Name: note, Data: n.Raw})
	}
	k.Histories = []File{{Name: HistoryName("batch-00000009"), Data: read("history", "testdata", "sample", "whole.history")}}
	got, err := k.Bytes(noon)
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/sample/kit.zip"
	if os.Getenv("UPDATE_SAMPLE") != "" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the bytes of a kit have changed: %v", err)
	}
}

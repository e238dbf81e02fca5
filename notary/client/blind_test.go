package client

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	requests "trialnotary/notary/request"
	"trialnotary/notary/statement"
)

// A blind pending file carries the statement for its receipt and submits nothing of it.
func TestBlindPending(t *testing.T) {
	p, evidence := samplePending(t, "site1.receipt")
	if !bytes.Equal(p.Submission(), p.Note.Raw) {
		t.Error("what is not blind is not submitted whole")
	}
	k := testKey(t, "site-001.jdoe")
	if err := p.SubmitBlind(k); err != nil {
		t.Fatal(err)
	}
	b, err := p.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParsePending(b)
	if err != nil {
		t.Fatal(err)
	}
	n, err := requests.ParseBlind(back.Submission())
	if err != nil || n.Statement != p.Note.ID || n.Stream != p.Note.Stream() || !n.VerifiedBy(k.Public()) {
		t.Fatalf("%+v, %v", n, err)
	}
	if _, _, err := back.Complete(evidence, sampleNow); err != nil {
		t.Errorf("its receipt: %v", err)
	}
	// The blind note of another statement is not taken along.
	other, err := requests.Blind{Log: n.Log, Stream: n.Stream, Statement: statement.ID{1}}.Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParsePending(bytes.Replace(b, back.Blind, other, 1)); err == nil || !strings.Contains(err.Error(), "part blind") {
		t.Errorf("with another's blind note: %v", err)
	}

	s, _ := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, `{"statements":[{"statement":"%s"}]}`, p.Note.ID)
	})
	if _, err := s.Submit(context.Background(), back.Submission()); err != nil {
		t.Errorf("submitted: %v", err)
	}
	if _, err := s.Submit(context.Background(), other); err == nil {
		t.Error("an answer for another statement is taken")
	}
}

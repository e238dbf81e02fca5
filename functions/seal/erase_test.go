package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/statement"
)

// A rule's event seals; an operator's erases and seals nothing.
func TestInvoked(t *testing.T) {
	stream, id := statement.StreamID{1}, statement.ID{2}
	order := `{"erase":{"stream":"` + stream.String() + `","statement":"` + id.String() + `"}}`
	var got notary.Ref
	answer := notary.Erasure{Statement: statement.ID{3}, Index: 7}
	var fails error
	s := &script{erase: func(r notary.Ref) (notary.Erasure, error) { got = r; return answer, fails }}
	sealer, _, _ := newTest(s)
	invoke := func(raw string) (string, error) {
		var e event
		if err := json.Unmarshal([]byte(raw), &e); err != nil {
			t.Fatal(err)
		}
		a, err := sealer.handle(context.Background(), e)
		b, _ := json.Marshal(a)
		return string(b), err
	}
	if a, err := invoke(order); err != nil || got != (notary.Ref{Stream: stream, Statement: id}) || s.calls != 0 ||
		a != `{"erased":true,"before":false,"erasure":"`+(statement.ID{3}).String()+`","index":7}` {
		t.Errorf("%s, %v: %v, sealed %d times", a, err, got, s.calls)
	}
	fails = notary.ErrNoErasure
	if a, err := invoke(order); !errors.Is(err, notary.ErrNoErasure) || a != "null" {
		t.Errorf("%s, %v", a, err)
	}
	if _, err := invoke(strings.Replace(order, "01", "0", 1)); err == nil || s.calls != 0 {
		t.Errorf("a broken id: %v", err)
	}
	s.steps = append(s.steps, gives(notary.Sealed{}, nil))
	if a, err := invoke(`{"version":"0","source":"aws.events","detail":{}}`); err != nil || a != "null" || s.calls != 1 {
		t.Errorf("a rule's event: %s, %v, sealed %d times", a, err, s.calls)
	}
}

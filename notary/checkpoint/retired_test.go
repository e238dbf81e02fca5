package checkpoint

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"trialnotary/notary/text"
)

// reign is the keys of a log for a time, and their policy.
type reign struct {
	signers []Signer
	policy  *Policy
}

func newReign(t *testing.T) reign {
	t.Helper()
	ed, err := GenerateEd25519(origin)
	if err != nil {
		t.Fatal(err)
	}
	pq, err := GenerateMLDSA44(origin)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewLogPolicy(ed.VerifierKey(), pq.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	return reign{[]Signer{ed, pq}, p}
}

func (r reign) sign(t *testing.T, size uint64) Signed {
	t.Helper()
	b, err := Sign(Checkpoint{Origin: origin, Size: size, Root: [32]byte{1}}, r.signers)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// to hands the log over at a size; without crossed the old keys do not sign.
func (r reign) to(t *testing.T, next reign, size uint64, crossed bool) Retired {
	t.Helper()
	k := Retired{Until: size, Policy: r.policy}
	k.Handover = &Handover{Size: size, Root: [32]byte{1}, Retired: k.sum(), New: next.policy.LogKeys()}
	by := next.signers
	if crossed {
		by = append(append([]Signer{}, r.signers...), next.signers...)
	}
	if err := k.Handover.Sign(by); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestRetiredKeysCountUpToTheirSize(t *testing.T) {
	first, second, third := newReign(t), newReign(t), newReign(t)
	p, err := third.policy.WithRetired([]Retired{first.to(t, second, 10, true), second.to(t, third, 20, false)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		of   reign
		size uint64
		want error
	}{
		{first, 1, nil}, {first, 10, nil}, {first, 11, ErrRetired}, {first, 20, ErrRetired},
		{second, 5, nil}, {second, 20, nil}, {second, 21, ErrRetired},
		{third, 5, nil}, {third, 21, nil}, {newReign(t), 5, ErrNotSigned},
	} {
		if _, err := p.Verify(c.of.sign(t, c.size), nil); !errors.Is(err, c.want) {
			t.Errorf("size %d: %v, want %v", c.size, err, c.want)
		}
	}
	// Those that did not sign the change are doubtful, and so are all of no handover.
	bare := first.to(t, second, 10, true)
	bare.Handover = nil
	q, err := third.policy.WithRetired([]Retired{bare, second.to(t, third, 20, true)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		policy *Policy
		of     reign
		want   uint64
	}{{p, first, 0}, {p, second, 20}, {p, third, 0}, {q, first, 10}, {q, second, 0}, {q, third, 0}, {p, newReign(t), 0}} {
		if got := c.policy.Doubtful(c.of.sign(t, 5)); got != c.want {
			t.Errorf("doubtful up to %d, want %d", got, c.want)
		}
	}
	// The older key's second line is not made up for by another time's.
	old := first.sign(t, 5)
	half, err := Parse(Signed{Checkpoint: old.Checkpoint, Lines: []Line{old.Lines[0], second.sign(t, 5).Lines[1]}}.format())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Verify(half, nil); !errors.Is(err, ErrQuorum) {
		t.Errorf("keys of two times together: %v", err)
	}
	// A line of a newer key decides by whom it is judged, and must verify.
	forged := third.sign(t, 6).Lines[0]
	both, err := old.With(forged)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Verify(both, nil); !errors.Is(err, ErrSignature) {
		t.Errorf("a false line of the newest key: %v", err)
	}
	for _, vkey := range append(first.policy.LogKeys(), third.policy.LogKeys()...) {
		if !p.Has(vkey) {
			t.Error("a key of the log is not known")
		}
	}
}

func TestRetiredKeysAreOfOneLogAndEndInOrder(t *testing.T) {
	first, second, third := newReign(t), newReign(t), newReign(t)
	a, b := first.to(t, second, 10, true), second.to(t, third, 20, true)
	other, err := NewLogPolicy(strange(t, GenerateEd25519), strange(t, GenerateMLDSA44))
	if err != nil {
		t.Fatal(err)
	}
	for name, all := range map[string][]Retired{
		"in the wrong order":      {b, a},
		"twice":                   {a, a},
		"sizes do not grow":       {{Until: 20, Policy: first.policy}, {Until: 20, Policy: second.policy}},
		"still in use":            {{Until: 5, Policy: third.policy}},
		"of another log":          {{Until: 5, Policy: other}},
		"handed to another":       {a},
		"the handover of another": {{Until: 10, Policy: first.policy, Handover: b.Handover}},
		"the handover is later":   {{Until: 9, Policy: first.policy, Handover: a.Handover}, b},
	} {
		if _, err := third.policy.WithRetired(all); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	many := make([]Retired, MaxRetired+1)
	if _, err := third.policy.WithRetired(many); !errors.Is(err, text.ErrFormat) {
		t.Error(err)
	}
}

func strange(t *testing.T, make func(string) (Key, error)) string {
	t.Helper()
	k, err := make("other.example")
	if err != nil {
		t.Fatal(err)
	}
	return k.VerifierKey()
}

func TestAHandoverShowsWhoSignedIt(t *testing.T) {
	first, second, third := newReign(t), newReign(t), newReign(t)
	for _, want := range []bool{true, false} {
		k := first.to(t, second, 10, want)
		b, err := k.HandoverBytes()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseHandoverObject(b)
		if err != nil || !bytes.Equal(back.Bytes(), k.Bytes()) || !bytes.Equal(back.Handover.Bytes(), k.Handover.Bytes()) {
			t.Fatalf("comes back: %v", err)
		}
		if crossed, err := back.Handover.Verify(back); err != nil || crossed != want {
			t.Errorf("crossed %v, %v", crossed, err)
		}
	}
	good := first.to(t, second, 10, true)
	change := func(f func(h *Handover)) *Handover {
		h := *good.Handover
		h.Lines = append([]Line{}, h.Lines...)
		f(&h)
		return &h
	}
	for name, h := range map[string]*Handover{
		"another root":         change(func(h *Handover) { h.Root[0]++ }),
		"another new key":      change(func(h *Handover) { h.New = third.policy.LogKeys() }),
		"one old key alone":    change(func(h *Handover) { h.Lines = h.Lines[1:] }),
		"one new key alone":    change(func(h *Handover) { h.Lines = h.Lines[:3] }),
		"old keys alone":       change(func(h *Handover) { h.Lines = h.Lines[:2] }),
		"a signature of other": change(func(h *Handover) { h.Lines[0].Sig = first.sign(t, 10).Lines[0].Sig }),
		"a size of another":    change(func(h *Handover) { h.Size++ }),
	} {
		if _, err := h.Verify(good); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	s := string(good.Handover.Bytes())
	for name, bad := range map[string]string{
		"nothing":           "",
		"no signature":      s[:strings.Index(s, "\n\n")+2],
		"another version":   strings.Replace(s, "@v1", "@v2", 1),
		"a leading zero":    strings.Replace(s, "size 10", "size 010", 1),
		"one new key":       strings.Replace(s, "new "+good.Handover.New[1]+"\n", "", 1),
		"keys out of order": strings.NewReplacer(good.Handover.New[0], good.Handover.New[1], good.Handover.New[1], good.Handover.New[0]).Replace(s),
		"a line twice":      s + s[strings.Index(s, "—"):],
		"a blank line more": s + "\n",
	} {
		if _, err := ParseHandover([]byte(bad)); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTrustFollowsTheKeysStepByStep(t *testing.T) {
	first, second, third := newReign(t), newReign(t), newReign(t)
	for _, c := range []struct {
		a, b    bool
		from    reign
		crossed bool
	}{
		{true, true, first, true}, {true, true, second, true}, {true, true, third, true},
		{false, true, first, false}, {false, true, second, true}, {true, false, first, false},
		{true, true, newReign(t), false},
	} {
		p, err := third.policy.WithRetired([]Retired{first.to(t, second, 10, c.a), second.to(t, third, 20, c.b)})
		if err != nil {
			t.Fatal(err)
		}
		if sizes, crossed := p.HandedOver(c.from.policy.LogKeys()); crossed != c.crossed {
			t.Errorf("%+v: %v at %v", c, crossed, sizes)
		}
	}
	// Without a handover, nothing shows that the old keys agreed.
	p, err := second.policy.WithRetired([]Retired{{Until: 10, Policy: first.policy}})
	if err != nil {
		t.Fatal(err)
	}
	if sizes, crossed := p.HandedOver(first.policy.LogKeys()); crossed || len(sizes) != 1 {
		t.Errorf("%v, %v", sizes, crossed)
	}
}

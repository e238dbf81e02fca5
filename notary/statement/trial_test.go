package statement

import (
	"strings"
	"testing"
)

func TestPublicTrial(t *testing.T) {
	for _, id := range []string{"NCT01234567", "ISRCTN01234567", "2004-000446-20", "2022-500123-12-00"} {
		if !PublicTrial(id) {
			t.Errorf("%s is a public id", id)
		}
	}
	for _, id := range []string{
		"", "NCT0123456", "NCT012345678", "nct01234567", "NCT0123456X", "XNCT01234567", "NCT01234567-", "ISRCTN1234567",
		"2004-000446-2", "2004-000446-20-", "2004-000446-20-0", "2022-500123-12-000", "2004/000446-20", "ACME-1", "NCT0123456٣",
	} {
		if PublicTrial(id) {
			t.Errorf("%q is no public id", id)
		}
	}
}

func TestNormalizeTrial(t *testing.T) {
	for in, want := range map[string]string{
		"nct01234567": "NCT01234567", " NCT 0123 4567 ": "NCT01234567", "isrctn 12345678": "ISRCTN12345678",
		"2004\u2013000446\u201120": "2004-000446-20", "acme-7/b": "ACME-7/B", "X": "X", strings.Repeat("a", 64): strings.Repeat("A", 64),
	} {
		if got, err := NormalizeTrial(in); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", " ", "acme 7", "-1", ".x", "ä1", "ACME+7", strings.Repeat("a", 65), "a\nb", "\u017fx"} {
		if got, err := NormalizeTrial(in); err == nil {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestFingerprint(t *testing.T) {
	f := TrialFingerprint(ID{0xab, 0xcd, 0x01})
	if want := "ABCD-0100-0000-0000-0000-0000-0000-0000-0000-0000"; f != want {
		t.Fatalf("%s, want %s", f, want)
	}
	for _, typed := range []string{f, strings.ToLower(f), strings.ReplaceAll(f, "-", ""), strings.ReplaceAll(f, "-", " "), " " + f + " "} {
		if got, err := ParseFingerprint(typed); err != nil || got != f {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	for _, typed := range []string{"", f[1:], f + "0", "G" + f[1:], strings.Replace(f, "-", "–", 1), strings.Replace(f, "0", "O", 1)} {
		if got, err := ParseFingerprint(typed); err == nil {
			t.Errorf("%q: %q", typed, got)
		}
	}
}

func TestKindsAreKnownAndSplit(t *testing.T) {
	with := 0
	for _, k := range Kinds() {
		allowed, required := k.Content()
		if !k.Known() || required && !allowed || allowed == k.bare() {
			t.Errorf("%s: known %t, content allowed %t, required %t", k, k.Known(), allowed, required)
		}
		if allowed {
			with++
		}
	}
	if len(Kinds()) != 22 || with != 13 {
		t.Errorf("%d kinds, %d with content; want 22, 13", len(Kinds()), with)
	}
	if Kind("").Known() || Role("").Known() || Meaning("").Known() {
		t.Error("the empty word is known")
	}
	for _, m := range Meanings() {
		if !m.Known() {
			t.Errorf("%s is a meaning", m)
		}
	}
}

package certificate

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func armenian(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/NotoSerifArmenian.ttf")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNamesOfManyScripts(t *testing.T) {
	v, b, trust := sample(t, "site1b", true)
	for _, name := range []string{"Zoë Łukasz Ørsted-Šimůnek", "Ζωή Παπαδοπούλου, ὠδή", "Щедрина Ольга, Ґалаґан", "Nguyễn Thị Hồng", "e\u0301te\u0301"} {
		v.Note.Signer = name
		got := tool(t, must(t)(Print(v, b, trust, Options{})), "pdftotext", "-raw", "PAGE", "-")
		want := strings.ReplaceAll(name, "e\u0301", "é")
		if !strings.Contains(got, "\nWho "+want+"\n") && !strings.Contains(got, "\nWho\n"+want+"\n") {
			t.Errorf("%s is not on the page:\n%s", name, got)
		}
	}
}

func TestAFontForOtherScripts(t *testing.T) {
	v, b, trust := sample(t, "site1b", true)
	v.Note.Signer = "Անի Հակոբյան (Ani Hakobyan)"
	_, err := Print(v, b, trust, Options{})
	var unshown *UnshownError
	if !errors.As(err, &unshown) || !slices.Contains(unshown.Missing, 'Հ') || len(unshown.Unset) != 0 {
		t.Fatalf("without a font: %v", err)
	}
	if !strings.Contains(err.Error(), "Հ (U+0540)") || !strings.Contains(err.Error(), "more") {
		t.Errorf("it does not name them: %v", err)
	}
	pdf := must(t)(Print(v, b, trust, Options{Font: armenian(t)}))
	if got := tool(t, pdf, "pdftotext", "-raw", "PAGE", "-"); !strings.Contains(got, v.Note.Signer) {
		t.Errorf("the name is not on the page:\n%s", got)
	}
	v.Note.Signer = "李明"
	if _, err := Print(v, b, trust, Options{Font: armenian(t)}); !errors.As(err, &unshown) || len(unshown.Missing) != 2 {
		t.Errorf("in a font that has them not: %v", err)
	}
}

// What would come out wrong is never printed.
func TestWhatIsNotSet(t *testing.T) {
	v, b, trust := sample(t, "site1b", true)
	for what, name := range map[string]string{"Arabic": "ليلى", "Hebrew": "רחל", "Devanagari": "आशा की", "a lone mark": "x\u0323y\u0308\u0331", "a joiner": "a\u200db"} {
		v.Note.Signer = name
		var unshown *UnshownError
		if _, err := Print(v, b, trust, Options{Font: armenian(t)}); !errors.As(err, &unshown) || len(unshown.Unset) == 0 {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, name := range map[string]string{"beyond two bytes": "\U00020BB7田", "blank of no width": "a\u200bb", "a private character": "\ue000"} {
		v.Note.Signer = name
		var unshown *UnshownError
		if _, err := Print(v, b, trust, Options{}); !errors.As(err, &unshown) || len(unshown.Missing) == 0 {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestFontsThatAreNone(t *testing.T) {
	v, b, trust := sample(t, "site1b", true)
	good := armenian(t)
	for what, font := range map[string][]byte{
		"empty": {}, "text": []byte("a font"), "OpenType with other outlines": append([]byte("OTTO"), good[4:]...),
		"a collection": append([]byte("ttcf"), good[4:]...), "cut off": good[:200], "cut off later": good[:len(good)*2/3], "too large": make([]byte, maxFont+1),
	} {
		if _, err := Print(v, b, trust, Options{Font: font}); !errors.Is(err, ErrFont) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

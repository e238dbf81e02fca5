package certificate

import (
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// fill returns n bytes of words.
func fill(n int, word string) string {
	s := strings.Repeat(word+" ", n/(len(word)+1)+1)
	s = s[:n]
	for !strings.HasSuffix(s, word) && len(s) > 0 {
		s = s[:len(s)-1]
	}
	return s
}

// largest are statements as full as the format lets them be.
func largest() map[string]func(*receipt.Verdict) {
	id := statement.ID{1, 2, 3}
	most := func(v *receipt.Verdict) {
		v.Note.Trial = strings.Repeat("W", 64)
		v.Note.StreamName, v.Note.KeyName, v.Enroller = strings.Repeat("m", 64), strings.Repeat("w", 64), strings.Repeat("m", 64)
		v.Note.Label, v.Note.Reason = fill(statement.MaxLabel, "Wm"), strings.Repeat("W", statement.MaxReason)
		v.Note.Signer, v.Grant.Person = strings.Repeat("W", statement.MaxPerson), strings.Repeat("W", statement.MaxPerson)
		v.Note.Supersedes = &id
		for i := range statement.MaxAbout {
			v.Note.About = append(v.Note.About, statement.ID{byte(i)})
		}
		v.Origin, v.Entry.Index, v.Entry.Seq = strings.Repeat("m", statement.MaxOrigin), 1<<63, 1<<63
		if v.Note.Dataset != nil {
			v.Note.Dataset.Files, v.Note.Dataset.Bytes = 1<<63, 1<<63
		}
	}
	return map[string]func(*receipt.Verdict){
		"site1b": most,
		"registration": func(v *receipt.Verdict) {
			most(v)
			v.Note.About, v.Note.Supersedes = nil, nil // not in a registration
			for i := range statement.MaxAlso {
				v.Note.Also = append(v.Note.Also, statement.Also{Trial: strings.Repeat("W", 63) + strconv.Itoa(i)})
			}
			for range statement.MaxRules {
				v.Note.Rules = append(v.Note.Rules, statement.Rule{First: statement.KindRandomisationList, Then: statement.KindRandomisationList})
			}
		},
		"enrolment": func(v *receipt.Verdict) {
			most(v)
			v.Note.Person, v.Note.Until = strings.Repeat("W", statement.MaxPerson), v.Note.Time
			v.Note.Keys[0].Name, v.Note.Keys[0].Key.Name = strings.Repeat("m", 64), strings.Repeat("w", 64)
		},
	}
}

// box is one line of text where it stands.
var box = regexp.MustCompile(`<line xMin="([0-9.]+)" yMin="([0-9.]+)" xMax="([0-9.]+)" yMax="([0-9.]+)">`)

// TestOnePageAndNothingOnAnother: however much a statement says, it stands on one page,
// within its margins, and no line of text touches another or the code.
func TestOnePageAndNothingOnAnother(t *testing.T) {
	for name, change := range largest() {
		for _, paper := range []Paper{A4, Letter} {
			for _, confirmed := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/%t", name, paper, confirmed), func(t *testing.T) {
					v, b, trust := sample(t, name, confirmed)
					change(v)
					pdf := must(t)(Print(v, b, trust, Options{Paper: paper}))
					if info := tool(t, pdf, "pdfinfo", "PAGE"); !strings.Contains(info, "Pages:           1\n") {
						t.Fatal(info)
					}
					width, height := 595.28, 841.89
					if paper == Letter {
						width, height = 612.0, 792.0
					}
					type rect struct{ x0, y0, x1, y1 float64 }
					var all []rect
					for _, m := range box.FindAllStringSubmatch(tool(t, pdf, "pdftotext", "-bbox-layout", "PAGE", "-"), -1) {
						var f [4]float64
						for i := range f {
							f[i], _ = strconv.ParseFloat(m[i+1], 64)
						}
						// The box of a line is of its font's ascent and descent: its letters take less.
						inset := (f[3] - f[1]) * .2
						all = append(all, rect{f[0], f[1] + inset, f[2], f[3] - inset})
					}
					if len(all) < 25 {
						t.Fatalf("only %d lines were found", len(all))
					}
					for i, a := range all {
						if a.x0 < 40 || a.y0 < 30 || a.x1 > width-40 || a.y1 > height-30 {
							t.Errorf("a line stands in the margin: %v", a)
						}
						for _, b := range all[i+1:] {
							if a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1 {
								t.Errorf("a line stands on another: %v and %v", a, b)
							}
						}
					}
				})
			}
		}
	}
}

func TestWhatCannotFitIsAnError(t *testing.T) {
	v, b, trust := sample(t, "site1b", true)
	v.Note.Reason = strings.Repeat("W", 5_000)
	if _, err := Print(v, b, trust, Options{}); !errors.Is(err, ErrTooMuch) {
		t.Errorf("more than any statement may say: %v", err)
	}
}

// TestHostileText: what no format allows is shown by its number, on the page too.
func TestHostileText(t *testing.T) {
	v, b, trust := sample(t, "site1b", true)
	v.Note.Label = "a\x1b[31m\u202egnp.exe\n%%EOF\nendstream (x) \\ "
	got := tool(t, must(t)(Print(v, b, trust, Options{})), "pdftotext", "-raw", "PAGE", "-")
	if !strings.Contains(strings.ReplaceAll(got, "\n", " "), `“a<U+001B>[31m<U+202E>gnp.exe<U+000A>%%EOF<U+000A>endstream (x) \ ”`) {
		t.Errorf("the label is not escaped:\n%s", got)
	}
}

// TestTheCodeIsReadFromThePaper renders the page and reads its code as a camera would.
func TestTheCodeIsReadFromThePaper(t *testing.T) {
	for _, c := range []struct {
		name   string
		paper  Paper
		origin string
	}{{"site1b", A4, ""}, {"registration", Letter, ""}, {"site2", A4, strings.Repeat("log.example/", 21)}} {
		v, b, trust := sample(t, c.name, true)
		if c.origin != "" {
			v.Origin = c.origin
		}
		r, err := receipt.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		root := "-"
		if v.Note.Dataset != nil {
			root = text.Base64(v.Note.Dataset.Root[:])
		}
		want := fmt.Sprintf("TRIALNOTARY1 %s %d %s %s", v.Origin, v.Entry.Index, leafOf(r.Entry), root)
		to := filepath.Join(t.TempDir(), "page")
		tool(t, must(t)(Print(v, b, trust, Options{Paper: c.paper})), "pdftoppm", "-r", "300", "-png", "-singlefile", "PAGE", to)
		f, err := os.Open(to + ".png")
		if err != nil {
			t.Fatal(err)
		}
		image, err := png.Decode(f)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		bits, err := gozxing.NewBinaryBitmapFromImage(image)
		if err != nil {
			t.Fatal(err)
		}
		got, err := qrcode.NewQRCodeReader().Decode(bits, nil)
		if err != nil || got.GetText() != want {
			t.Errorf("%s: the code says %v, want %s (%v)", c.name, got, want, err)
		}
		all := strings.Join(strings.Fields(tool(t, must(t)(Print(v, b, trust, Options{Paper: c.paper})), "pdftotext", "-raw", "PAGE", "-")), "")
		if !strings.Contains(all, strings.ReplaceAll(want, " ", "")) {
			t.Errorf("%s: the text of the code is not beside it", c.name)
		}
	}
}

package certificate

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/receipt"
	"trialnotary/notary/share"
	"trialnotary/notary/statement"
	"trialnotary/notary/timestamp"
)

// The sample log was made by an implementation written independently from the text of
// the formats.
func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile("../receipt/testdata/sample/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sample verifies a receipt of the sample log; confirmed: by a trust file of one's own.
func sample(t testing.TB, name string, confirmed bool) (*receipt.Verdict, []byte, string) {
	t.Helper()
	trust, err := receipt.ParseTrust(read(t, "acme.trust"))
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, name+".receipt")
	r, err := receipt.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Verify(receipt.Options{Trust: trust, Confirmed: confirmed, Now: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	n := *v.Note // so that a test may change what it says
	v.Note = &n
	return v, b, trust.Fingerprint
}

func must(t testing.TB) func(pdf []byte, err error) []byte {
	return func(pdf []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return pdf
	}
}

// tool runs one of the PDF tools on a page and returns what it prints.
func tool(t testing.TB, pdf []byte, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing: apt-get install poppler-utils", name)
		}
		t.Skipf("%s is not here: apt-get install poppler-utils", name)
	}
	file := filepath.Join(t.TempDir(), "page.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "PAGE", file)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// TestWhatStandsOnThePage compares the text of whole pages; with UPDATE set it is
// written anew.
func TestWhatStandsOnThePage(t *testing.T) {
	for _, c := range []struct {
		name      string
		confirmed bool
	}{{"site1b", true}, {"site2", false}, {"registration", true}, {"enrolment", true}, {"succession", true}, {"protocol", true}} {
		t.Run(c.name, func(t *testing.T) {
			v, b, trust := sample(t, c.name, c.confirmed)
			got := tool(t, must(t)(Print(v, b, trust, Options{})), "pdftotext", "-raw", "PAGE", "-")
			golden := "testdata/" + c.name + ".txt"
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the page says\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestEveryStampIsTold: a renewal alone proves a time, too; what does not count, or is
// not known of what does, stands on the page.
func TestEveryStampIsTold(t *testing.T) {
	counts := receipt.Stamped{Stamp: timestamp.Stamp{Time: time.Date(2031, 1, 2, 3, 4, 0, 0, time.UTC), Authority: "A. Stamper", RevocationUnknown: true}}
	refused := receipt.Stamped{Err: receipt.ErrEnded}
	for _, c := range []struct {
		name             string
		stamps, renewals []receipt.Stamped
		want             []string
	}{
		{"renewal alone", []receipt.Stamped{refused}, []receipt.Stamped{counts}, []string{
			"No later than 2 January 2031, 03:04 UTC", "by the time-stamp of A. Stamper; whether its certificate was revoked is not known", "1 attached time-stamp not counted"}},
		{"none counts", []receipt.Stamped{refused}, []receipt.Stamped{refused}, []string{"No time is proved", "2 attached time-stamps not counted"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, b, trust := sample(t, "site1b", true)
			v.Met, v.After, v.Stamps, v.Renewals = checkpoint.Met{}, nil, c.stamps, c.renewals
			page := strings.Join(strings.Fields(tool(t, must(t)(Print(v, b, trust, Options{})), "pdftotext", "-raw", "PAGE", "-")), " ")
			for _, want := range c.want {
				if !strings.Contains(page, want) {
					t.Errorf("%q does not stand on the page:\n%s", want, page)
				}
			}
		})
	}
}

func TestTheSamePageTwice(t *testing.T) {
	v, b, trust := sample(t, "site1b", true)
	first := must(t)(Print(v, b, trust, Options{}))
	letter := must(t)(Print(v, b, trust, Options{Paper: Letter}))
	zone := time.Local
	defer func() { time.Local = zone }()
	time.Local = time.FixedZone("elsewhere", -11*3600)
	v.Entry.Time, v.Note.Time = v.Entry.Time.Local(), v.Note.Time.Local()
	if !bytes.Equal(first, must(t)(Print(v, b, trust, Options{}))) || !bytes.Equal(letter, must(t)(Print(v, b, trust, Options{Paper: Letter}))) {
		t.Error("the same certificate has other bytes the second time, in another zone")
	}
	if bytes.Equal(first, letter) {
		t.Error("A4 and Letter are the same")
	}
	if !share.IsCertificate(first, v.Note.ID) || share.IsCertificate(first, statement.ID{}) {
		t.Error("share does not take it for this statement's certificate, or for any")
	}
	if _, err := Print(v, b, trust, Options{Paper: "a5"}); !errors.Is(err, ErrPaper) {
		t.Errorf("on A5: %v", err)
	}
}

// TestPDFTools asks programs that nobody here wrote.
func TestPDFTools(t *testing.T) {
	v, b, trust := sample(t, "site1b", true)
	pdf := must(t)(Print(v, b, trust, Options{}))
	info := tool(t, pdf, "pdfinfo", "PAGE")
	for _, want := range []string{"Title:           Certificate: Dataset · site-001 · NCT01234567\n", "Pages:           1\n", "(A4)\n"} {
		if !strings.Contains(info, want) {
			t.Errorf("pdfinfo does not say %q:\n%s", want, info)
		}
	}
	for _, not := range []string{"Jane", "Author", "Creator:"} {
		if strings.Contains(info, not) {
			t.Errorf("what stands about the file tells %q:\n%s", not, info)
		}
	}
	if info := tool(t, must(t)(Print(v, b, trust, Options{Paper: Letter})), "pdfinfo", "PAGE"); !strings.Contains(info, "(letter)") {
		t.Errorf("no Letter page:\n%s", info)
	}
	out := filepath.Join(t.TempDir(), "saved.receipt")
	tool(t, pdf, "pdfdetach", "-save", "1", "-o", out, "PAGE")
	if saved, err := os.ReadFile(out); err != nil || !bytes.Equal(saved, b) {
		t.Errorf("a PDF reader saves another receipt: %v", err)
	}
	if list := tool(t, pdf, "pdfdetach", "-list", "PAGE"); !strings.Contains(list, "1 embedded files") || !strings.Contains(list, share.ReceiptName) {
		t.Errorf("attached: %s", list)
	}
	if fonts := tool(t, pdf, "pdffonts", "PAGE"); strings.Count(fonts, "yes yes") != 3 && strings.Count(fonts, "yes no  yes") != 3 {
		t.Errorf("not every font is embedded with its characters:\n%s", fonts)
	}
}

// TestFontsHaveTheirLicence: what is handed out with a font is its licence.
func TestFontsHaveTheirLicence(t *testing.T) {
	if l := FontLicence(); !strings.Contains(l, "SIL OPEN FONT LICENSE Version 1.1") || !strings.Contains(l, "Google LLC") {
		t.Errorf("licence of the fonts: %q", l)
	}
	if n := len(regularFont) + len(boldFont) + len(monoFont); n > 300<<10 {
		t.Errorf("the fonts have %d bytes: the program that people download grows", n)
	}
}

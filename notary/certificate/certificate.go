// Package certificate prints what a receipt shows on one page, A4 or Letter, for
// people who decide and have no terminal: a PDF with the receipt attached.
//
// From above: the standing, the trial and its fingerprint, what was sealed, who
// signed and with which meaning, when, the place in the log; the fingerprints in
// groups of four with a code; how to check it; what it proves and what it does not.
// No file's name is on it. The code is a QR code of exactly this text, no link:
//
//	TRIALNOTARY1 <origin> <index> <leaf hash> <dataset root>
//
// the hashes in base64, as a receipt has them. Where the statement has no dataset, a
// single - stands for the root:
//
//	TRIALNOTARY1 log.example/trials 1 2VLu…= -
//
// The bytes follow from the verdict, the receipt and the options alone: no clock, no
// machine, no random id. So whoever has the receipt can print the page again and see
// whether a page was changed. Among the bytes, within the page's content, stands the
// line of [share.CertificateMark], by which a certificate is told from any other PDF.
//
// The receipt is the one embedded file. [Receipt] takes it out of what this package
// wrote and of nothing else: a PDF that was saved anew is none of ours. What it
// returns is as good as any receipt that arrives: it is verified, and the printed
// text is not evidence.
package certificate

import (
	"bytes"
	"errors"
	"fmt"

	"codeberg.org/go-pdf/fpdf"

	"trialnotary/notary/receipt"
	"trialnotary/notary/share"
)

// Paper is a size of paper.
type Paper string

// The sizes that are printed.
const (
	A4     Paper = "a4"
	Letter Paper = "letter"
)

// Options are how the page is printed.
type Options struct {
	Paper Paper  // A4 where empty
	Font  []byte // a TrueType font for characters that the built-in one lacks; nil for none
}

// Errors of [Print].
var (
	// ErrPaper: the size of paper is not one that is printed.
	ErrPaper = errors.New("the paper is a4 or letter")
	// ErrFont: the font given cannot be used.
	ErrFont = errors.New("this is no TrueType font that can be used")
	// ErrTooMuch: the page does not hold what the statement says.
	ErrTooMuch = errors.New("what the statement says does not fit on one page")
)

// Print returns the certificate of a verified receipt, whose file is b; trust is the
// fingerprint of the trust file it was verified with, "" for none. The error wraps
// one of this package or is a [*UnshownError].
func Print(v *receipt.Verdict, b []byte, trust string, o Options) (page []byte, err error) {
	size, ok := map[Paper]string{"": "A4", A4: "A4", Letter: "Letter"}[o.Paper]
	if !ok {
		return nil, fmt.Errorf("%w, not %q", ErrPaper, string(o.Paper))
	}
	r, err := receipt.Parse(b)
	if err != nil {
		return nil, err
	}
	s := newSheet(v, r.Entry, trust)
	fonts, err := newFonts(o.Font)
	if err != nil {
		return nil, err
	}
	if err := fonts.canShow(s.texts()); err != nil {
		return nil, err
	}
	if o.Font != nil {
		// fpdf takes a font's tables at their word.
		defer func() {
			if recover() != nil {
				page, err = nil, fmt.Errorf("%w: it is damaged", ErrFont)
			}
		}()
	}
	pdf := fpdf.New("P", "mm", size, "")
	pdf.SetCompression(false) // so that the mark stands in the page as it is
	pdf.SetCatalogSort(true)
	pdf.SetCreationDate(v.Entry.Time.UTC())
	pdf.SetModificationDate(v.Entry.Time.UTC())
	pdf.SetProducer("trialnotary/certificate@v1", false)
	pdf.SetTitle(s.title+": "+s.subject, true)
	pdf.SetLang("en")
	pdf.SetMargins(0, 0, 0)
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetAttachments([]fpdf.Attachment{{Content: b, Filename: share.ReceiptName, Description: "The receipt: what counts"}})
	fonts.addTo(pdf)
	pdf.AddPage()
	pdf.RawWriteStr(string(bytes.TrimSuffix(share.CertificateMark(v.Note.ID), []byte("\n"))))
	if err := newPage(pdf, fonts).print(s); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return out.Bytes(), nil
}

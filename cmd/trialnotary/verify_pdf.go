package main

import (
	"bytes"
	"errors"
	"fmt"

	"trialnotary/notary/certificate"
	"trialnotary/notary/client"
)

// printedPage is what became of a certificate's printed text, besides the receipt
// attached to it.
type printedPage struct {
	paper certificate.Paper // that it is byte for byte what this program prints on; "" if it is not
	font  string            // that could not be done without this
}

// openCertificate verifies the receipt that is attached to a certificate, and prints
// the page again to compare it.
func (a *app) openCertificate(name string, v *verifying) (*checked, error) {
	pdf, err := client.ReadFile(name, certificate.MaxSize)
	if err != nil {
		return nil, &fault{code: exitUsage, err: err}
	}
	b, err := certificate.Receipt(pdf)
	if err != nil {
		f := &fault{code: exitUsage, err: fmt.Errorf("%s: %w", name, err), safe: "Nothing in it was checked.",
			do: "To check that a PDF was sealed, name its receipt first: trialnotary verify NAME.receipt " + quote(name)}
		if certificate.IsOne(pdf) {
			f.do = "Save the attached receipt with a PDF reader, and verify that; or ask for the certificate as it was made."
		}
		return nil, f
	}
	font, err := readFont(v.font)
	if err != nil {
		return nil, err
	}
	r, err := a.checkBytes(name, b, *v)
	if err != nil || r.failure != nil {
		return r, err
	}
	r.page = &printedPage{}
	for _, paper := range []certificate.Paper{certificate.A4, certificate.Letter} {
		again, err := certificate.Print(r.verdict, b, r.trust.fingerprint(), certificate.Options{Paper: paper, Font: font})
		var unshown *certificate.UnshownError
		switch {
		case errors.As(err, &unshown):
			r.page.font = "its text needs a font of its own: give it with --font FILE"
		case err != nil:
			return nil, unprinted(err, "The receipt itself verifies.")
		case bytes.Equal(again, pdf):
			r.page.paper = paper
		}
	}
	return r, nil
}

// addPage says how far the printed text can be believed.
func addPage(s *sheet, p *printedPage) {
	switch {
	case p.paper != "":
		s.add("page", "its printed text is what this program prints for the receipt attached: byte for byte")
	case p.font != "":
		s.add("page", "only the receipt attached to it was verified; the printed text was not compared")
		s.more("%s", p.font)
	default:
		s.add("page", "only the receipt attached to it was verified: believe these lines, not the printed text")
		s.more("that is not what this program prints for it with this trust file: it was made with another")
		s.more("trust file, font or version, or it was changed")
	}
}

// word is the result for machines.
func (p *printedPage) word() string {
	switch {
	case p == nil:
		return ""
	case p.paper != "":
		return "same"
	case p.font != "":
		return "not compared"
	}
	return "differs"
}

package certificate

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/bidi"
)

// The built-in fonts have Latin, Greek and Cyrillic; font/README.md says how they
// were made.
var (
	//go:embed font/NotoSerif-Regular.ttf
	regularFont []byte
	//go:embed font/NotoSerif-Bold.ttf
	boldFont []byte
	//go:embed font/NotoSansMono-Regular.ttf
	monoFont []byte
	//go:embed font/LICENSE
	fontLicence string
)

// FontLicence returns the licence of the built-in fonts, to be handed out with them.
func FontLicence() string { return fontLicence }

// face is one of the fonts.
type face int

const (
	regular face = iota
	bold
	mono
	other // the font given
)

// fonts are the fonts of a page.
type fonts struct {
	parsed [4]*sfnt.Font // other: nil where none was given
	files  [4][]byte
}

// UnshownError lists what the fonts cannot show.
type UnshownError struct {
	Missing []rune // no font has them
	Unset   []rune // marks, and what runs from right to left: never set here
}

func (e *UnshownError) Error() string {
	var all []string
	if len(e.Missing) > 0 {
		all = append(all, "the font has no "+named(e.Missing))
	}
	if len(e.Unset) > 0 {
		all = append(all, "letters that join, carry marks or run from right to left cannot be printed here: "+named(e.Unset))
	}
	return strings.Join(all, "; ")
}

// named lists characters with their numbers.
func named(all []rune) string {
	var s []string
	for i, r := range all {
		if i == 8 {
			s = append(s, fmt.Sprintf("and %d more", len(all)-i))
			break
		}
		if unicode.IsGraphic(r) && !unicode.IsMark(r) && !unicode.IsSpace(r) {
			s = append(s, fmt.Sprintf("%c (U+%04X)", r, r))
		} else {
			s = append(s, fmt.Sprintf("U+%04X", r))
		}
	}
	return strings.Join(s, ", ")
}

// maxFont is the size in bytes of the largest font taken.
const maxFont = 64 << 20

// newFonts returns the built-in fonts and, where b is not nil, that one.
func newFonts(b []byte) (*fonts, error) {
	f := &fonts{files: [4][]byte{regularFont, boldFont, monoFont, b}}
	for i, b := range f.files {
		if b == nil {
			continue
		}
		var err error
		if f.parsed[i], err = parseFont(b); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// parseFont reads a font that the PDF can take in: outlines of TrueType, one font in
// the file.
func parseFont(b []byte) (*sfnt.Font, error) {
	if len(b) > maxFont {
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrFont, maxFont)
	}
	if len(b) < 4 || string(b[:4]) != "\x00\x01\x00\x00" && string(b[:4]) != "true" {
		return nil, fmt.Errorf("%w: it does not begin as one", ErrFont)
	}
	p, err := sfnt.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFont, err)
	}
	return p, nil
}

func (f *fonts) has(c face, r rune) bool {
	if f.parsed[c] == nil || r > 0xffff { // the PDF's text has two bytes a character
		return false
	}
	i, err := f.parsed[c].GlyphIndex(nil, r)
	return err == nil && i != 0
}

// canShow reports with an [*UnshownError] what in the texts cannot be shown. Letters
// are set one after the other: what must be joined or placed would come out wrong.
func (f *fonts) canShow(texts []string) error {
	missing, unset := map[rune]bool{}, map[rune]bool{}
	for _, s := range texts {
		for _, r := range s {
			p, _ := bidi.LookupRune(r)
			switch c := p.Class(); {
			case unicode.IsMark(r) || c == bidi.R || c == bidi.AL || unicode.Is(unicode.Join_Control, r):
				unset[r] = true
			case !f.has(regular, r) && !f.has(other, r):
				missing[r] = true
			}
		}
	}
	if len(missing)+len(unset) == 0 {
		return nil
	}
	return &UnshownError{slices.Sorted(maps.Keys(missing)), slices.Sorted(maps.Keys(unset))}
}

// run is a piece of text in one font.
type run struct {
	face face
	text string
}

// in returns the font that shows a character of a text in c.
func (f *fonts) in(c face, r rune) face {
	switch {
	case f.has(c, r):
		return c
	case f.has(regular, r):
		return regular
	}
	return other
}

// runs divides a text so that each piece's font has its characters.
func (f *fonts) runs(c face, s string) (all []run) {
	from, last := 0, face(-1)
	for i, r := range s {
		if in := f.in(c, r); in != last {
			if i > from {
				all = append(all, run{last, s[from:i]})
			}
			from, last = i, in
		}
	}
	if from < len(s) {
		all = append(all, run{last, s[from:]})
	}
	return all
}

// family names a face within the PDF.
func (c face) family() string { return [...]string{"serif", "serifbold", "mono", "other"}[c] }

// addTo gives the fonts to the PDF, which writes into what it is given.
func (f *fonts) addTo(pdf *fpdf.Fpdf) {
	for i, b := range f.files {
		if b != nil {
			pdf.AddUTF8FontFromBytes(face(i).family(), "", bytes.Clone(b))
		}
	}
}

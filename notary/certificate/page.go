package certificate

import (
	"strings"

	"codeberg.org/go-pdf/fpdf"
)

// Lengths in millimetres, sizes of type in points.
const (
	side, top, bottom = 22.0, 17.0, 15.0
	wordColumn        = 19.0
	codeSize          = 37.0
	point             = 25.4 / 72
	leading           = 1.4
	minScale          = 0.44 // of the type in the rows
	minRest           = 0.75 // of the other type
)

// ink is a colour.
type ink [3]int

func inkOf(r, g, b int) ink { return ink{r, g, b} }

// page sets a sheet on a page of the PDF. Measuring and drawing are the same code:
// what is measured is what is drawn.
type page struct {
	pdf           *fpdf.Fpdf
	fonts         *fonts
	width, height float64
	scale, rest   float64 // of the type in the rows, and of the other
	draw          bool
	black, grey   ink
	tone, rule    ink
	widths        map[glyph]float64 // of 1 point
}

type glyph struct {
	face face
	r    rune
}

func newPage(pdf *fpdf.Fpdf, f *fonts) *page {
	w, h := pdf.GetPageSize()
	return &page{pdf: pdf, fonts: f, width: w, height: h, scale: 1, rest: 1, widths: map[glyph]float64{},
		black: inkOf(26, 25, 23), grey: inkOf(92, 87, 78), rule: inkOf(200, 194, 180), tone: inkOf(29, 91, 58)}
}

// print draws the sheet: the rows in the largest type with which all of it stands on
// the page.
func (p *page) print(s *sheet) error {
	if !s.confirmed {
		p.tone = inkOf(138, 82, 0)
	}
	qr, err := code(s.code)
	if err != nil {
		return err
	}
	room := p.height - bottom
	for p.upper(s, qr)+4+p.lower(s, 0) > room {
		if p.scale -= 0.02; p.scale < minScale {
			return ErrTooMuch
		}
		p.rest = max(p.scale, minRest)
	}
	low := p.lower(s, 0)
	p.draw = true
	p.upper(s, qr)
	p.lower(s, room-low)
	return p.pdf.Error()
}

// upper sets the head, the rows and the fingerprints; it returns where they end.
func (p *page) upper(s *sheet, qr [][]bool) float64 {
	right := p.width - side
	y := top
	p.set(side, y+3.2, "trialnotary", bold, 10.5, p.grey)
	y += 6.2
	p.line(side, y, right, .35, p.black)
	p.line(side, y+.9, right, .15, p.black)
	y += 11.5
	p.set(side, y, s.title, bold, 25, p.black)
	word := strings.ToUpper(s.standing)
	w := p.measure(word, bold, 11) + 9
	p.frame(right-w, y-6.6, w, 8.2)
	p.set(right-w+4.5, y-1.15, word, bold, 11, p.tone)
	y += 3.4
	y += p.para(side, y, right-side, s.lead, regular, 9*p.rest, p.grey)
	y += 2.6
	y += p.para(side, y, right-side, s.subject, bold, 12.5*p.scale, p.black)
	y += 1.6
	for _, r := range s.rows {
		p.line(side, y, right, .15, p.rule)
		y += 1.5 * p.scale
		p.set(side, y+9.6*p.scale*point*1.12, r.word, regular, 9*p.scale, p.grey)
		for _, l := range r.lines {
			y += p.value(side+wordColumn, y, right-side-wordColumn, l, p.scale)
		}
		y += 1.5 * p.scale
	}
	p.line(side, y, right, .15, p.rule)
	y += 3
	p.code(right-codeSize, y, qr)
	end := y + codeSize
	wide := right - side - codeSize - 7
	for _, r := range s.prints {
		y += p.para(side, y, wide, r.word, regular, 8.5*p.rest, p.grey)
		for _, l := range r.lines {
			y += p.value(side, y, wide, l, 1.06*p.rest)
		}
		y += 1.8
	}
	y += p.para(side, y, wide, "The code holds this text and no link:", regular, 8.5*p.rest, p.grey)
	y += p.para(side, y, wide, s.code, mono, 6.6*p.rest, p.black)
	return max(y, end)
}

// lower sets what stands on every certificate, from y on; it returns its height.
func (p *page) lower(s *sheet, y float64) float64 {
	from, right := y, p.width-side
	y += p.para(side, y, right-side, "How to check this, in three steps", bold, 10.5*p.rest, p.black) + .8
	for i, step := range s.steps {
		p.set(side+1, y+8.8*p.rest*point*1.06, string(rune('1'+i)), bold, 8.8*p.rest, p.tone)
		y += p.para(side+6, y, right-side-6, step, regular, 8.8*p.rest, p.black) + .5
	}
	y += 2.6
	gap := 8.0
	wide := (right - side - gap) / 2
	left := p.list(side, y, wide, s.provesHead, s.proves)
	y += max(left, p.list(side+wide+gap, y, wide, "What this does not prove", s.provesNot))
	y += 2.6
	p.line(side, y, right, .15, p.rule)
	y += 1.2
	y += p.para(side, y, right-side, s.foot, regular, 7.4*p.rest, p.grey)
	return y - from
}

// list sets a column with a heading; it returns its height.
func (p *page) list(x, y, w float64, head string, items []string) float64 {
	from := y
	p.line(x, y, x+w, .5, p.tone)
	y += 1.4
	y += p.para(x, y, w, head, bold, 9.6*p.rest, p.black) + .6
	for _, s := range items {
		p.set(x, y+8.4*p.rest*point*1.06, "–", regular, 8.4*p.rest, p.grey)
		y += p.para(x+3.6, y, w-3.6, s, regular, 8.4*p.rest, p.black) + .4
	}
	return y - from
}

// value sets a line of a row.
func (p *page) value(x, y, w float64, l line, scale float64) float64 {
	switch l.kind {
	case strong:
		return p.para(x, y, w, l.text, bold, 10.4*scale, p.black)
	case soft:
		return p.para(x, y, w, l.text, regular, 8.6*scale, p.grey)
	case print:
		return p.para(x, y, w, l.text, mono, 9*scale, p.black)
	}
	return p.para(x, y, w, l.text, regular, 9.6*scale, p.black)
}

// para sets a paragraph whose first line's top is at y; it returns its height.
func (p *page) para(x, y, w float64, s string, c face, size float64, of ink) float64 {
	height := size * point * leading
	lines := p.wrap(s, w, c, size)
	for i, l := range lines {
		p.set(x, y+float64(i)*height+size*point*1.06, l, c, size, of)
	}
	return float64(len(lines)) * height
}

// wrap divides a text into lines of at most that width, at blanks or, where a word is
// too wide by itself, within it.
func (p *page) wrap(s string, w float64, c face, size float64) (lines []string) {
	current := ""
	for _, word := range strings.Split(s, " ") {
		next := word
		if current != "" {
			next = current + " " + word
		}
		if p.measure(next, c, size) <= w {
			current = next
			continue
		}
		if current != "" {
			lines = append(lines, current)
		}
		for n := p.fitting(word, w, c, size); n < len(word); n = p.fitting(word, w, c, size) {
			lines, word = append(lines, word[:n]), word[n:]
		}
		current = word
	}
	return append(lines, current)
}

// fitting returns how many bytes of a word fit into that width: of one character at
// least.
func (p *page) fitting(word string, w float64, c face, size float64) int {
	wide := 0.0
	for i, r := range word {
		if wide += p.measure(string(r), c, size); wide > w && i > 0 {
			return i
		}
	}
	return len(word)
}

// measure returns the width of a text.
func (p *page) measure(s string, c face, size float64) (w float64) {
	for _, r := range s {
		g := glyph{c, r}
		one, ok := p.widths[g]
		if !ok {
			p.pdf.SetFont(p.fonts.in(c, r).family(), "", 100)
			one = p.pdf.GetStringWidth(string(r)) / 100
			p.widths[g] = one
		}
		w += one
	}
	return w * size
}

// set draws a text on one line, from x on, its baseline at y.
func (p *page) set(x, y float64, s string, c face, size float64, of ink) {
	if !p.draw {
		return
	}
	p.pdf.SetTextColor(of[0], of[1], of[2])
	for _, r := range p.fonts.runs(c, s) {
		p.pdf.SetFont(r.face.family(), "", size)
		p.pdf.Text(x, y, r.text)
		x += p.measure(r.text, c, size)
	}
}

func (p *page) line(x, y, to, thick float64, of ink) {
	if p.draw {
		p.pdf.SetDrawColor(of[0], of[1], of[2])
		p.pdf.SetLineWidth(thick)
		p.pdf.Line(x, y, to, y)
	}
}

func (p *page) frame(x, y, w, h float64) {
	if p.draw {
		p.pdf.SetDrawColor(p.tone[0], p.tone[1], p.tone[2])
		p.pdf.SetLineWidth(.5)
		p.pdf.Rect(x, y, w, h, "D")
		p.pdf.SetLineWidth(.15)
		p.pdf.Rect(x+.8, y+.8, w-1.6, h-1.6, "D")
	}
}

// code draws the dark modules of a QR code, those beside each other as one: no gap
// shows between them. The paper around is its margin.
func (p *page) code(x, y float64, rows [][]bool) {
	if !p.draw {
		return
	}
	p.pdf.SetFillColor(0, 0, 0)
	m := codeSize / float64(len(rows))
	for i, row := range rows {
		for j := 0; j < len(row); j++ {
			from := j
			for j < len(row) && row[j] {
				j++
			}
			if j > from {
				p.pdf.Rect(x+float64(from)*m, y+float64(i)*m, float64(j-from)*m, m+.02, "F")
			}
		}
	}
}

package explain

import (
	"context"
	"io"

	"golang.org/x/text/unicode/norm"
)

// maxNewlines is how many line ends at the end may have been taken away.
const maxNewlines = 16

// rewrite is one way to make the bytes sealed out of those at hand.
type rewrite struct {
	ends    Change // ToLF or ToCRLF, "" for neither
	mark    int    // 1: put one there, -1: take it away
	form    unicodeForm
	newline string // at the end
	count   int64  // so many times
}

// unicodeForm is a Unicode form, or none.
type unicodeForm struct {
	change Change // Composed or Decomposed, "" for none
	more   int64  // bytes than the file has
}

// candidates returns the ways that give a file of that size, the simplest first.
func (s *shape) candidates(sealed uint64) (all []rewrite) {
	forms := []unicodeForm{{}}
	if s.high && !s.zero {
		forms = append(forms, unicodeForm{Composed, int64(s.composed) - s.size}, unicodeForm{Decomposed, int64(s.decomposed) - s.size})
	}
	for _, form := range forms {
		for _, marks := range []int{0, 1} {
			size := s.body + form.more + int64(marks*len(mark))
			if marks == 1 && s.marked {
				marks, size = -1, size-int64(2*len(mark))
			}
			for _, ends := range []Change{"", ToLF, ToCRLF} {
				all = append(all, s.endings(int64(sealed)-size, rewrite{ends: ends, mark: marks, form: form})...)
			}
		}
	}
	return all
}

// endings returns a rewrite with every choice of line ends at the end that fits: left
// is what the bytes sealed have more than the body, but for the change of line ends.
func (s *shape) endings(left int64, t rewrite) (all []rewrite) {
	newlines := []string{"\n", "\r\n"}
	switch {
	case t.ends == ToLF && s.crlf+s.tailCRLF > 0:
		left, newlines = left+s.crlf, newlines[:1]
	case t.ends == ToCRLF && s.lf+s.tailLF > 0:
		left, newlines = left-s.lf, newlines[1:]
	case t.ends != "":
		return nil // it has none of them
	}
	tail := s.tailLF + s.tailCRLF
	for _, n := range newlines {
		t.newline, t.count = n, left/int64(len(n))
		if left >= 0 && left%int64(len(n)) == 0 && t.count <= tail+maxNewlines {
			all = append(all, t)
		}
	}
	return all
}

// changes says what happened, which is the other way round.
func (t rewrite) changes(s *shape) (all []Change) {
	switch t.ends {
	case ToLF:
		all = append(all, ToCRLF)
	case ToCRLF:
		all = append(all, ToLF)
	}
	switch t.mark {
	case -1:
		all = append(all, MarkAdded)
	case 1:
		all = append(all, MarkRemoved)
	}
	tail := s.tailLF + s.tailCRLF
	switch stayed := min(t.count, tail); { // more than are of that kind: some were of the other
	case t.ends == "" && t.newline == "\n" && s.tailLF < stayed:
		all = append(all, ToCRLF)
	case t.ends == "" && t.newline == "\r\n" && s.tailCRLF < stayed:
		all = append(all, ToLF)
	}
	switch {
	case t.count < tail:
		all = append(all, NewlineAdded)
	case t.count > tail:
		all = append(all, NewlineRemoved)
	}
	switch t.form.change {
	case Composed:
		all = append(all, Decomposed)
	case Decomposed:
		all = append(all, Composed)
	}
	return all
}

// undo reads the body at hand and writes what it makes of it.
func (t rewrite) undo(ctx context.Context, open Open, body int64, to io.Writer) error {
	if t.mark > 0 {
		io.WriteString(to, mark) // to digests: never fails
	}
	out := to
	var form io.WriteCloser
	switch t.form.change {
	case Composed:
		form = norm.NFC.Writer(to)
	case Decomposed:
		form = norm.NFD.Writer(to)
	}
	if form != nil {
		out = form
	}
	w := &rewriter{to: out, ends: t.ends}
	if t.mark < 0 {
		w.skip = len(mark)
	}
	if err := pass(ctx, open, body, w); err != nil {
		return err
	}
	if w.cr {
		w.put("\r")
	}
	out.Write(w.buf)
	if form != nil {
		form.Close()
	}
	for range t.count {
		io.WriteString(to, t.newline)
	}
	return nil
}

// rewriter changes line ends as bytes come by.
type rewriter struct {
	to   io.Writer
	ends Change
	skip int // bytes at the beginning
	cr   bool
	buf  []byte
}

func (w *rewriter) put(s string) { w.buf = append(w.buf, s...) }

func (w *rewriter) Write(b []byte) (int, error) {
	n := len(b)
	if w.skip > 0 {
		k := min(w.skip, len(b))
		w.skip, b = w.skip-k, b[k:]
	}
	if w.ends == "" {
		_, err := w.to.Write(b)
		return n, err
	}
	for _, c := range b {
		if w.cr && c != '\n' {
			w.put("\r")
		}
		switch {
		case c == '\r':
			w.cr = true
			continue
		case c == '\n' && w.ends == ToCRLF:
			w.put("\r\n")
		default:
			w.buf = append(w.buf, c)
		}
		w.cr = false
	}
	_, err := w.to.Write(w.buf)
	w.buf = w.buf[:0]
	return n, err
}

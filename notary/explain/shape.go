package explain

import (
	"io"

	"golang.org/x/text/unicode/norm"
)

const mark = "\xef\xbb\xbf"

// shape is what of a file decides its size after a change: which changes can have made
// it out of one of the size that was sealed is then a matter of arithmetic.
type shape struct {
	size             int64
	body             int64 // without the line ends at the end
	lf, crlf         int64 // line ends in the body
	tailLF, tailCRLF int64 // and at the end
	marked           bool
	zero, high       bool // a byte is 0; one is above 127
	cr               bool // the byte before was a CR
	last             byte
	head             []byte

	// The sizes in a Unicode form, counted from the first byte above 127 on.
	composed, decomposed counter
	forms                [2]io.WriteCloser
}

type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

func (s *shape) take(b []byte) {
	if n := len(mark) - len(s.head); n > 0 {
		s.head = append(s.head, b[:min(len(b), n)]...)
		s.marked = string(s.head) == mark
	}
	s.reform(b)
	for i, c := range b {
		at := s.size + int64(i)
		if s.cr {
			if s.cr = false; c == '\n' {
				s.tailCRLF++
				continue
			}
			s.inBody(at) // that CR alone is data
		}
		switch c {
		case '\r':
			s.cr = true
		case '\n':
			s.tailLF++
		default:
			s.zero = s.zero || c == 0
			s.inBody(at + 1)
		}
	}
	s.size += int64(len(b))
	if len(b) > 0 {
		s.last = b[len(b)-1]
	}
}

// reform counts the bytes in the Unicode forms. What stands before the first byte
// above 127 is the same in all, but for the letter right before it.
func (s *shape) reform(b []byte) {
	for i := 0; i < len(b) && !s.high; i++ {
		s.high = b[i] > 127
	}
	if !s.high {
		return
	}
	if s.forms[0] == nil {
		s.composed, s.decomposed = counter(s.size), counter(s.size)
		s.forms = [2]io.WriteCloser{norm.NFC.Writer(&s.composed), norm.NFD.Writer(&s.decomposed)}
		if s.size > 0 {
			s.composed, s.decomposed = s.composed-1, s.decomposed-1
			b = append([]byte{s.last}, b...)
		}
	}
	for _, w := range s.forms {
		w.Write(b) // never fails
	}
}

// inBody says that the body reaches to there: the line ends before are not the last.
func (s *shape) inBody(end int64) {
	s.lf, s.crlf = s.lf+s.tailLF, s.crlf+s.tailCRLF
	s.tailLF, s.tailCRLF, s.body = 0, 0, end
}

// end takes the end of the file.
func (s *shape) end() {
	if s.cr {
		s.inBody(s.size)
	}
	for _, w := range s.forms {
		if w != nil {
			w.Close()
		}
	}
}

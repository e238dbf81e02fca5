package certificate

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"trialnotary/notary/receipt"
)

// MaxSize is the size in bytes of the largest certificate that is read.
const MaxSize = 16 << 20

// ErrCertificate is wrapped by the error of a PDF that is no certificate as [Print]
// writes them.
var ErrCertificate = errors.New("not a certificate as trialnotary prints them")

// mark is how the line of share.CertificateMark begins.
var mark = []byte("\n%trialnotary/certificate@v1 ")

// eof is how a PDF ends, and begins what is added to it later.
var eof = []byte("%%EOF\n")

// embedded is how the object of the attached receipt begins, as fpdf writes it; a
// receipt's size has at most seven digits.
var embedded = regexp.MustCompile(`<< /Type /EmbeddedFile /Length ([1-9][0-9]{0,6}) /Filter /FlateDecode /Params << /CheckSum <[0-9a-f]{32}> /Size ([1-9][0-9]{0,6}) >> >>\n\nstream\n`)

// IsPDF reports whether a file that begins with b is a PDF.
func IsPDF(b []byte) bool { return bytes.HasPrefix(b, []byte("%PDF-")) }

// IsOne reports whether b says that it is a certificate; any PDF may say so.
func IsOne(b []byte) bool { return IsPDF(b) && bytes.Contains(b, mark) }

// Receipt returns the receipt attached to a certificate: nothing is verified. It reads
// what [Print] wrote, at most [MaxSize] bytes, exactly one embedded file of at most
// [receipt.MaxSize], and no PDF in general. Errors wrap [ErrCertificate].
func Receipt(pdf []byte) ([]byte, error) {
	fail := func(format string, a ...any) ([]byte, error) {
		return nil, fmt.Errorf("%w: %w", fmt.Errorf(format, a...), ErrCertificate)
	}
	switch {
	case len(pdf) > MaxSize:
		return fail("it has %d bytes, at most %d are read", len(pdf), MaxSize)
	case !IsOne(pdf):
		return fail("it is another PDF, or was saved anew by another program")
	case !bytes.HasSuffix(pdf, eof) || bytes.Count(pdf, eof) != 1:
		return fail("it is cut off, or was saved anew by another program")
	case bytes.Count(pdf, []byte("/EmbeddedFile ")) != 1:
		return fail("it does not have one attached file")
	}
	at := embedded.FindSubmatchIndex(pdf)
	if at == nil {
		return fail("its attachment was written by another program")
	}
	number := func(i int) int {
		n, _ := strconv.Atoi(string(pdf[at[2*i]:at[2*i+1]])) // at most seven digits
		return n
	}
	length, size, rest := number(1), number(2), pdf[at[1]:]
	if size > receipt.MaxSize {
		return fail("its attachment has %d bytes, at most %d are allowed", size, receipt.MaxSize)
	}
	if length > len(rest) || !bytes.HasPrefix(rest[length:], []byte("\nendstream\n")) {
		return fail("its attachment is cut off")
	}
	packed := bytes.NewReader(rest[:length])
	z, err := zlib.NewReader(packed)
	if err != nil {
		return fail("its attachment cannot be unpacked: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(z, int64(size)+1))
	switch {
	case err != nil:
		return fail("its attachment cannot be unpacked: %w", err)
	case len(b) != size || packed.Len() != 0:
		return fail("its attachment has another size than it says")
	}
	return b, nil
}

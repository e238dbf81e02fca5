package certificate

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"trialnotary/notary/receipt"
)

// leafOf is the leaf hash of RFC 6962, written from its text.
func leafOf(entry []byte) string {
	sum := sha256.Sum256(append([]byte{0}, entry...))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// object is an embedded file as fpdf writes it, its numbers as given.
func object(length, size int, packed []byte) string {
	return fmt.Sprintf("<< /Type /EmbeddedFile /Length %d /Filter /FlateDecode /Params << /CheckSum <%032x> /Size %d >> >>\n\nstream\n%s\nendstream\n%%%%EOF\n", length, 0, size, packed)
}

func packed(b []byte) []byte {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return z.Bytes()
}

func TestTheReceiptIsTakenOut(t *testing.T) {
	for _, name := range []string{"registration", "enrolment", "protocol", "succession", "site1", "site1b", "site2", "site3"} {
		v, b, trust := sample(t, name, true)
		got, err := Receipt(must(t)(Print(v, b, trust, Options{Paper: Letter})))
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The golden certificate is one that was printed once: those stay readable, by the page
// too.
func TestTheReceiptOfTheGoldenCertificate(t *testing.T) {
	pdf, err := os.ReadFile("testdata/site1b.pdf")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Receipt(pdf); err != nil || !bytes.Equal(got, read(t, "site1b.receipt")) {
		t.Errorf("another receipt, or %v", err)
	}
}

func TestHostilePDFs(t *testing.T) {
	v, b, trust := sample(t, "site1b", true)
	good := string(must(t)(Print(v, b, trust, Options{})))
	const head = "%PDF-1.3\n%trialnotary/certificate@v1 00\n"
	z := packed(b)
	if got, err := Receipt([]byte(head + object(len(z), len(b), z))); err != nil || !bytes.Equal(got, b) {
		t.Fatalf("the smallest that is read: %v", err)
	}
	bomb := packed(make([]byte, 64<<20))
	for what, pdf := range map[string]string{
		"no PDF":                  "hello",
		"another PDF":             strings.Replace(good, "%trialnotary/certificate@v1", "%trialnotary/certificate@v2", 1),
		"no attachment":           head,
		"two attachments":         head + strings.Replace(object(len(z), len(b), z), "%%EOF\n", "", 1) + object(len(z), len(b), z),
		"another filter":          strings.Replace(good, "/Filter /FlateDecode /Params", "/Filter /LZWDecode /Params", 1),
		"cut off":                 good[:len(good)/3],
		"longer than it says":     head + object(len(z)-1, len(b), z),
		"shorter than it says":    head + object(len(z)+1, len(b), z),
		"beyond its end":          head + object(9999999, len(b), z),
		"larger than it says":     head + object(len(z), len(b)-1, z),
		"smaller than it says":    head + object(len(z), len(b)+1, z),
		"larger than any receipt": head + object(len(z), receipt.MaxSize+1, z),
		"a bomb":                  head + object(len(bomb), receipt.MaxSize, bomb),
		"not packed":              head + object(len(b), len(b), b),
		"two in one":              head + object(2*len(z), len(b), append(bytes.Clone(z), z...)),
		"a number with a zero":    head + strings.Replace(object(len(z), len(b), z), "/Length ", "/Length 0", 1),
		"too large":               head + strings.Repeat(" ", MaxSize) + object(len(z), len(b), z),
		"something added":         good + "1 0 obj\n<<>>\nendobj\n%%EOF\n",
	} {
		if got, err := Receipt([]byte(pdf)); !errors.Is(err, ErrCertificate) || got != nil {
			t.Errorf("%s: %d bytes, %v", what, len(got), err)
		}
	}
}

func FuzzReceipt(f *testing.F) {
	v, b, trust := sample(f, "site1b", true)
	f.Add(must(f)(Print(v, b, trust, Options{})))
	z := packed([]byte("x"))
	f.Add([]byte("%PDF-1.3\n%trialnotary/certificate@v1 00\n" + object(len(z), 1, z)))
	f.Fuzz(func(t *testing.T, pdf []byte) {
		if got, err := Receipt(pdf); err == nil && (len(got) == 0 || len(got) > receipt.MaxSize) || err != nil && got != nil {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

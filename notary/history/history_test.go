package history

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"trialnotary/notary/receipt"
	"trialnotary/notary/text"
)

// small is a container of the smallest form; its parts hold nothing true.
const small = Version + "\n-- batch --\nb\n-- batch.tlog-proof --\np\n-- auditor-1.checkpoint --\na\n-- 1/map-proof --\nm\n-- 1/entries --\ne\n-- 1/statement-2 --\ns\n-- 1/statement-10 --\nt\n-- 2/map-proof --\nm\n-- 2/entries --\n"

func TestContainer(t *testing.T) {
	h, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Auditors) != 1 || len(h.Streams) != 2 || h.Streams[0].Statements[1].Seq != 10 || len(h.Streams[1].Entries) != 0 {
		t.Errorf("%+v", h)
	}
	if b, err := h.Bytes(); err != nil || string(b) != small {
		t.Errorf("other bytes come back: %v", err)
	}
	change := func(old, new string) string {
		if !strings.Contains(small, old) {
			t.Fatalf("%q is not there", old)
		}
		return strings.Replace(small, old, new, 1)
	}
	for what, bad := range map[string]string{
		"empty":                       "",
		"another version":             change("@v1", "@v2"),
		"CR LF":                       strings.ReplaceAll(small, "\n", "\r\n"),
		"a comment":                   change("@v1\n", "@v1\nhello\n"),
		"no batch":                    change("-- batch --\nb\n", ""),
		"an empty batch":              change("-- batch --\nb\n", "-- batch --\n"),
		"no proof":                    change("-- batch.tlog-proof --\np\n", ""),
		"auditors from 2":             change("auditor-1", "auditor-2"),
		"an auditor after a stream":   change("-- 2/map-proof --", "-- auditor-2.checkpoint --\na\n-- 2/map-proof --"),
		"no stream":                   small[:strings.Index(small, "-- 1/map-proof")],
		"streams from 2":              change("-- 1/map-proof --\nm\n-- 1/entries --\ne\n-- 1/statement-2 --\ns\n-- 1/statement-10 --\nt\n", ""),
		"no entries":                  change("-- 1/entries --\ne\n", ""),
		"entries before the proof":    change("-- 1/map-proof --\nm\n-- 1/entries --\ne\n", "-- 1/entries --\ne\n-- 1/map-proof --\nm\n"),
		"an empty map proof":          change("-- 1/map-proof --\nm\n", "-- 1/map-proof --\n"),
		"an empty statement":          change("-- 1/statement-2 --\ns\n", "-- 1/statement-2 --\n"),
		"statement 0":                 change("1/statement-2", "1/statement-0"),
		"a leading zero":              change("1/statement-2", "1/statement-02"),
		"statements backwards":        change("1/statement-10", "1/statement-1"),
		"a statement twice":           change("1/statement-10", "1/statement-2"),
		"a statement of another":      change("1/statement-10", "2/statement-10"),
		"a number that is none":       change("1/statement-10", "1/statement-x"),
		"a number too large":          change("1/statement-10", "1/statement-18446744073709551616"),
		"an unknown part":             change("-- 2/map-proof --", "-- note --\nn\n-- 2/map-proof --"),
		"a part after the end":        small + "-- 4/map-proof --\nm\n-- 4/entries --\n",
		"a bidirectional control":     change("\ns\n", "\ns\u202e\n"),
		"no line feed at the end":     strings.TrimSuffix(small, "\n"),
		"a blank in a name":           change("2/entries", "2/ entries"),
		"a directory that is another": change("2/entries", "3/entries"),
	} {
		if _, err := Parse([]byte(bad)); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
	mailed := append([]byte("\ufeff"), bytes.ReplaceAll([]byte(small), []byte("\n"), []byte("\r\n"))...)
	if _, undone, err := ParseOuter(mailed); err != nil || undone != "a byte order mark and CR LF line ends" {
		t.Errorf("%q, %v", undone, err)
	}
	if _, err := Parse(make([]byte, MaxSize+1)); !errors.Is(err, text.ErrFormat) || !strings.Contains(err.Error(), "67108865 bytes") {
		t.Errorf("too large: %v", err)
	}
	h.Streams[0].Statements[0].Note = []byte("x\n-- y --\n")
	if _, err := h.Bytes(); err == nil {
		t.Error("a part that ends the part is written")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	for _, n := range []string{"whole", "early", "shut"} {
		f.Add(sampleFile(f, n+".history"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := Parse(b)
		if err != nil {
			return
		}
		if back, err := h.Bytes(); err != nil || !bytes.Equal(back, b) {
			t.Errorf("other bytes come back: %v", err)
		}
		if v, err := h.Verify(receipt.Options{}); err == nil && (v.Confirmed || v.Audited()) {
			t.Error("confirmed without a trust file")
		}
	})
}

package notary

import (
	"bytes"
	"testing"
)

func FuzzParseStamps(f *testing.F) {
	f.Add(formatStamps([]stamp{{"office", []byte("a token")}, {"second", []byte{0}}}))
	f.Add([]byte("trialnotary/stamps@v1\nstamp a QQ==\nstamp a QQ==\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := parseStamps(b)
		if err != nil {
			return
		}
		if back := formatStamps(all); !bytes.Equal(back, b) {
			t.Errorf("other bytes come back: %q", back)
		}
	})
}

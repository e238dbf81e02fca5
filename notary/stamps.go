package notary

import (
	"fmt"
	"strings"

	"trialnotary/notary/text"
	"trialnotary/notary/timestamp"
)

// maxStamps bounds how many tokens are kept for one checkpoint: of the authorities
// that are asked, and of some that were before.
const maxStamps = 2 * timestamp.MaxListed

// stampsName is the private object of the tokens over the final checkpoint of a size.
// It can be lost: tokens are kept with receipts, and the newest are asked for again.
func stampsName(size uint64) string { return fmt.Sprintf("stamps/%020d", size) }

// stamp is a token as it is kept: under the operator's name for who gave it.
//
//	trialnotary/stamps@v1
//	stamp office MIIHVAYJKoZIhvcNAQcCoIIHRTCCB0ECAQMx…
type stamp struct {
	name  string
	token []byte
}

const stampsVersion = "trialnotary/stamps@v1"

func formatStamps(all []stamp) []byte {
	var b strings.Builder
	b.WriteString(stampsVersion + "\n")
	for _, s := range all {
		b.WriteString("stamp " + s.name + " " + text.Base64(s.token) + "\n")
	}
	return []byte(b.String())
}

func parseStamps(b []byte) ([]stamp, error) {
	r := text.NewReader(b)
	r.Exact(stampsVersion)
	var all []stamp
	for r.More() {
		f := r.Fields("stamp", 2, 2)
		if r.Err() != nil {
			break
		}
		token, err := text.ParseBase64(f[1])
		switch {
		case err != nil:
			r.Fail("%v", err)
		case len(token) == 0 || len(token) > timestamp.MaxToken || len(all) == maxStamps:
			r.Fail("is more than is kept")
		}
		for _, s := range all {
			if s.name == f[0] {
				r.Fail("names %s again", f[0])
			}
		}
		all = append(all, stamp{f[0], token})
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("stamps: %w", err)
	}
	return all, nil
}

package kit

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"trialnotary/notary/text"
)

// Formats is FORMATS.txt: every format in words, for who writes a verifier when no
// program of today runs any more.
//
//go:embed FORMATS.txt
var Formats []byte

// About is what README.txt tells of a kit.
type About struct {
	Trial, Fingerprint, Log string
	TrustFingerprint        string
	Streams                 []string // asked for; none: all
	Receipts, Histories     int
	AsOf                    uint64 // the newest batch of its histories; 0: there is none
	AsOfTime                time.Time
	Blinded                 bool
	LeftOut                 map[Why]int
	Unread                  []string // streams that the maker's key may not read
	Erased                  int      // entries whose statement nobody holds
}

// Note returns README.txt.
func (a About) Note() []byte {
	var b strings.Builder
	line := func(format string, v ...any) { fmt.Fprintf(&b, format+"\n", v...) }
	line("What this is")
	line("")
	line("All that is needed to check, without any network and without the company that ran the")
	line("service, what a clinical trial sealed, when and in which order:")
	line("")
	line("  trial    %s", a.Trial)
	line("  log      %s", a.Log)
	line("  trial fingerprint")
	line("  %s", a.Fingerprint)
	if len(a.Streams) > 0 {
		line("  streams  %s", text.Visible(strings.Join(a.Streams, ", ")))
	}
	line("")
	line("  receipts/     %d receipts, one a statement: who sealed, and its place in the log", a.Receipts)
	line("  statements/   the same statements alone, as text to read")
	if a.AsOf > 0 {
		line("  histories/    %d: that no entry was left out up to batch %d of %s", a.Histories, a.AsOf, a.AsOfTime.UTC().Format("2 Jan 2006"))
	} else {
		line("  histories/    none: so nothing here shows that no entry was left out")
	}
	line("  log.trust     the keys of the log as whoever made this kit had them")
	line("  tsa.pem       the authorities whose time-stamps count, where the log has any")
	line("  verify.html   a page for any browser: open it, and drop this zip on it")
	line("  FORMATS.txt   every format, complete, should no program of today run any more")
	line("  SHA256SUMS    against accidents: sha256sum -c SHA256SUMS")
	line("")
	line("How to check it")
	line("")
	line("  1. Get the program trialnotary, or a verification page, from where you trust it: the")
	line("     page in this kit came with the evidence, as a seal may come with a forgery.")
	line("  2. Get the trust file of the log from its operator, or from anyone who kept it, by")
	line("     another way than this kit, and compare its fingerprint. Here it is")
	line("         %s", a.TrustFingerprint)
	line("     then:  trialnotary trust FILE.trust")
	line("  3. trialnotary verify THIS.zip --trial %s", short(a.Fingerprint))
	line("     with the whole fingerprint as the protocol or the public registry has it.")
	line("  4. Read the verdict. Without step 2 it can say no more than that all of this fits")
	line("     together; it then ends with exit code 5.")
	line("")
	line("What it proves, if the verdict is VERIFIED")
	line("")
	line("  - each statement was sealed at its place of the log, by the key named, which had been")
	line("    enrolled by a chain that ends at the trial's registration;")
	line("  - what stands later in the log was sealed later; and a time, where the verdict says")
	line("    that witnesses or an authority vouch for it;")
	line("  - with a history: that these are all entries up to its batch.")
	line("")
	line("What it does not prove: that the data are true, that consent was given, or anything")
	line("clinical. The data themselves are not here, nor their names: they are checked with the")
	line("manifests that the sites keep, receipt by receipt.")
	line("")
	line("What was left out")
	line("")
	if a.Blinded {
		line("This kit is for readers who are blinded. Left out are the statements, and their")
		line("receipts,")
		for _, why := range Reasons() {
			line("  - %s: %d", why, a.LeftOut[why])
		}
		line("In the histories their entries are there and counted, and closed.")
	} else {
		line("Nothing for the sake of blinding: THIS KIT MAY UNBLIND ITS READERS. It holds what")
		line("closed streams say, and statements of kind randomisation-list and unblinding.")
	}
	if len(a.Unread) > 0 {
		line("The key with which this was made may not read, and so it does not hold: %s.", text.Visible(strings.Join(a.Unread, ", ")))
	}
	if a.Erased > 0 {
		line("Of %d more entries the statement was erased, or never shown to the service.", a.Erased)
	}
	line("No kit holds keys, manifests, secrets, or the names of files. What people wrote into a")
	line("label or a reason stands in the statement as they wrote it.")
	return []byte(b.String())
}

// short is the beginning of a fingerprint.
func short(fingerprint string) string {
	if len(fingerprint) > 9 {
		return fingerprint[:9] + "-..."
	}
	return fingerprint
}

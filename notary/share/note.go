package share

import (
	"fmt"
	"strings"

	"trialnotary/notary/receipt"
	"trialnotary/notary/text"
)

// Note returns the README.txt of a share of a verified receipt. opened are the paths
// that the share opens; whole: it holds the manifest.
func Note(v *receipt.Verdict, opened []string, whole bool) []byte {
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	n := v.Note
	line("What this is")
	line("")
	line("Evidence about something that a clinical trial sealed:")
	line("")
	line("  trial    %s", n.Trial)
	line("  stream   %s", n.StreamName)
	line("  kind     %s", n.Kind)
	if n.Label != "" {
		line("  label    %s", text.Visible(n.Label))
	}
	line("  trial fingerprint")
	line("  %s", v.TrialFingerprint)
	line("")
	line("  %s   the receipt: who sealed, and its place in the log", ReceiptName)
	switch {
	case n.Dataset == nil:
		line("")
		line("It is about no files.")
	case whole:
		line("  %s  the names and checksums of all files sealed", ManifestName)
		line("")
		line("Whoever has the manifest knows the names of all files, and can test guesses about")
		line("what is in them. The files themselves are not here: they come to you separately.")
	case len(opened) == 0:
		line("")
		line("%d files were sealed, and this opens none of them.", n.Dataset.Files)
	default:
		line("  %s   the checksums of the files named here, and no others", OpeningName)
		line("")
		line("Of %d files sealed, these can be checked with it:", n.Dataset.Files)
		line("")
		for _, p := range opened {
			line("  %s", text.Visible(p))
		}
		line("")
		line("The files themselves are not here: they come to you separately.")
	}
	line("")
	line("How to check it, in three steps")
	line("")
	line("  1. Get the program trialnotary, from where you trust it, and the trust file of the")
	line("     log %s from its operator. Compare the trust file's", v.Origin)
	line("     fingerprint with the one that the operator publishes, then:")
	line("         trialnotary trust FILE.trust")
	line("  2. Put this zip and the files you were sent into one directory, as they are, then:")
	line("         trialnotary verify THIS.zip FILE...")
	line("  3. Read the verdict. Compare its trial fingerprint with the one in the protocol or")
	line("     in the registry. It needs no network and no account, and nothing leaves your machine.")
	line("")
	line("What it proves, if the verdict is VERIFIED")
	line("")
	line("  - exactly these bytes were committed to, by the key named, in this stream of this trial;")
	line("  - at this place of the log: what stands later in the log was sealed later;")
	line("  - that key had been enrolled, by a chain that ends at the trial's registration;")
	line("  - a time, where the verdict says that witnesses vouch for it.")
	line("")
	line("What it does not prove")
	line("")
	line("  - that the data are true, that consent was given, or anything clinical;")
	line("  - that nothing came later: a correction, a withdrawal, the end of a key. Ask the sponsor")
	line("    for a history;")
	line("  - anything by this note or a certificate: what counts is the verdict on your machine.")
	return []byte(b.String())
}

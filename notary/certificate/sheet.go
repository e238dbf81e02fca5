package certificate

import (
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"

	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// sheet is what the page says, in its order.
type sheet struct {
	title, subject    string
	confirmed         bool
	standing, lead    string
	rows              []row
	prints            []row // fingerprints
	code              string
	steps             []string
	provesHead        string
	proves, provesNot []string // what it proves, what it does not
	foot              string
}

// row is a word and the lines beside it.
type row struct {
	word  string
	lines []line
}

type line struct {
	kind kind
	text string
}

// kind is how a line is set.
type kind int

const (
	plain  kind = iota
	strong      // what is looked for first
	soft        // claims, and what to do
	print       // a fingerprint
)

// The lists of a statement of which only the beginning is printed.
const (
	maxAbout = 2
	maxRules = 4
)

// newSheet returns the sheet of a verdict and its entry's bytes.
func newSheet(v *receipt.Verdict, entry []byte, trust string) *sheet {
	n := v.Note
	s := &sheet{
		title: "Certificate", confirmed: v.Confirmed, code: codeText(v, entry),
		subject: subject(n),
		rows:    []row{trialRow(v), whatRow(n), whoRow(v), whenRow(v), placeRow(v)},
		prints:  []row{{"Fingerprint of the statement", printed(n.ID)}},
	}
	if d := n.Dataset; d != nil {
		s.prints = append(s.prints, row{"Fingerprint of the data: the dataset root", printed(d.Root)})
	} else {
		s.prints = append(s.prints, row{"Fingerprint of the data", []line{{soft, "none: the statement is about no files"}}})
	}
	s.words(v.Origin)
	switch {
	case v.Confirmed:
		s.standing, s.lead = "Verified", "The attached receipt verifies: signatures show what stands here, except what is called a claim."
		s.provesHead = "What this proves"
		s.foot = "Verified with the trust file " + trust + "."
	case v.Unsigned:
		s.standing, s.lead = "Unconfirmed", "Nothing in the receipt contradicts itself, but whose log this is is unconfirmed, and its signatures were not checked: where this was printed, no trust file of the log was known. Anyone could have made all of it."
		s.foot = "Checked without a trust file."
	default:
		s.standing, s.lead = "Unconfirmed", "Nothing in the receipt contradicts itself, but whose log this is is unconfirmed: the trust file came with the evidence and had not been accepted where this was printed. Anyone could have made all of it."
		s.foot = "Checked with the trust file " + trust + ", which came with the evidence."
	}
	if !v.Confirmed {
		s.provesHead = "What this proves, once the log is confirmed"
	}
	s.foot += " trialnotary/certificate@v1"
	return s
}

// printed writes a hash on two lines.
func printed(h [32]byte) []line {
	g := grouped(h)
	return []line{{print, g[:39]}, {print, g[40:]}}
}

// subject is what the page is about; a registration stands in the stream of that name.
func subject(n *statement.Note) string {
	all := []string{kindName(n.Kind), n.StreamName, n.Trial}
	if n.StreamName == string(n.Kind) {
		all = []string{all[0], all[2]}
	}
	return strings.Join(all, " · ")
}

// kindName writes a kind for people: database-lock as Database lock.
func kindName(k statement.Kind) string {
	w := strings.ReplaceAll(string(k), "-", " ")
	return strings.ToUpper(w[:1]) + w[1:]
}

func trialRow(v *receipt.Verdict) row {
	r := row{"Trial", []line{{strong, v.Note.Trial}, {print, v.TrialFingerprint}}}
	compare := "Trial fingerprint: compare it with the protocol or the registry record."
	if v.Confirmed && v.SponsorListed {
		return row{r.word, append(r.lines, line{soft, compare}, line{soft, "The trial was registered by a sponsor whom the trust file lists."})}
	}
	return row{r.word, append(r.lines, line{soft, compare + " Nothing else here shows that whoever registered the trial is its sponsor."})}
}

func whatRow(n *statement.Note) row {
	r := row{word: "What"}
	add := func(k kind, format string, a ...any) { r.lines = append(r.lines, line{k, fmt.Sprintf(format, a...)}) }
	add(strong, "%s", kindName(n.Kind))
	if n.Label != "" {
		r.lines[0].text += ": “" + n.Label + "”"
	}
	if d := n.Dataset; d != nil {
		add(plain, "%s, %s", count(d.Files, "file"), count(d.Bytes, "byte"))
	}
	for _, k := range n.Keys {
		s := fmt.Sprintf("Key %s, role %s, in stream %s", k.Key.Name, k.Role, k.Name)
		if n.Person != "" {
			s += ", of " + n.Person
		}
		if !n.Until.IsZero() {
			s += ", until " + moment(n.Until)
		}
		add(plain, "%s", s)
	}
	var also, rules []string
	for _, a := range n.Also {
		also = append(also, a.Trial)
	}
	if len(also) > 0 {
		add(plain, "The trial is also called %s", strings.Join(also, ", "))
	}
	for _, p := range n.Rules {
		rules = append(rules, fmt.Sprintf("%s before %s", p.First, p.Then))
	}
	if len(rules) > 0 {
		add(plain, "It promises: %s", some(rules, maxRules))
	}
	if n.Reason != "" {
		add(plain, "Reason: %s", n.Reason)
	}
	if n.Supersedes != nil {
		add(soft, "Replaces statement %s", n.Supersedes)
	}
	var about []string
	for _, id := range n.About {
		about = append(about, id.String())
	}
	if len(about) > 0 {
		add(soft, "About statement %s", some(about, maxAbout))
	}
	return r
}

func whoRow(v *receipt.Verdict) row {
	n := v.Note
	r := row{word: "Who"}
	key := "Key " + n.KeyName
	switch {
	case n.Signer != "":
		r.lines = append(r.lines, line{strong, n.Signer}, line{plain, "Meaning of the signature: " + string(n.Meaning)})
	case v.Grant.Person != "":
		r.lines = append(r.lines, line{strong, v.Grant.Person})
	}
	if v.Grant.Registration {
		key += fmt.Sprintf(", the trial’s %s key by its registration", v.Grant.Role)
	} else {
		key += fmt.Sprintf(", role %s, enrolled by %s", v.Grant.Role, v.Enroller)
	}
	r.lines = append(r.lines, line{plain, key}, line{soft, "Claim, not proof: that was on " + day(v.EnrolledAt) + ", by the log’s clock"})
	return r
}

// whenRow tells the proved times first, the claimed ones as claims.
func whenRow(v *receipt.Verdict) row {
	r := row{word: "When"}
	if t := v.Vouched(); t != nil {
		by := "by the time-stamp of " + t.Authority
		if t.RevocationUnknown {
			by += "; whether its certificate was revoked is not known"
		}
		r.lines = append(r.lines, line{strong, "No later than " + moment(t.Time)}, line{soft, by})
	} else if v.Met.Witnessed {
		r.lines = append(r.lines, line{strong, "No later than " + moment(v.Met.NoLaterThan)}, line{soft, fmt.Sprintf("by the signatures of %d of %d witnesses", v.Met.Witnesses, v.Met.Of)})
	}
	if v.After != nil && !v.After.NotBefore.IsZero() {
		r.lines = append(r.lines, line{plain, "Not before " + moment(v.After.NotBefore)})
	}
	if len(r.lines) == 0 {
		why := "this log has no witnesses"
		if v.Unsigned {
			why = "without a trust file no witness is known"
		}
		r.lines = []line{{plain, "No time is proved: " + why}}
	}
	if n := refused(v.Stamps) + refused(v.Renewals); n > 0 {
		r.lines = append(r.lines, line{soft, count(n, "attached time-stamp") + " not counted: the program says why"})
	}
	signer := moment(v.Note.Time)
	if day(v.Note.Time) == day(v.Entry.Time) {
		signer = clock(v.Note.Time) // the day was just said
	}
	return row{r.word, append(r.lines, line{soft, fmt.Sprintf("Claims, not proof: the log’s clock %s; the signer’s clock %s", moment(v.Entry.Time), signer)})}
}

// refused returns how many of the time-stamps do not count.
func refused(all []receipt.Stamped) (n uint64) {
	for _, t := range all {
		if t.Err != nil {
			n++
		}
	}
	return n
}

func placeRow(v *receipt.Verdict) row {
	return row{"Place", []line{{plain, fmt.Sprintf("Entry %s of the log %s, entry %s of its stream", number(v.Entry.Index), v.Origin, number(v.Entry.Seq))}}}
}

// words are what stands on every certificate.
func (s *sheet) words(origin string) {
	log := "the log " + origin
	if len(origin) > 64 {
		log = "the log named here"
	}
	s.steps = []string{
		"Get the program trialnotary, or its verification page, and the trust file of " + log + ", each by a way you trust. Compare the trust file’s fingerprint with the one its operator publishes, and accept it.",
		"Open this PDF with it, and the files you were sent. It needs no network: the receipt is attached to this PDF, and what matches files to it came with them. In a terminal: trialnotary verify CERTIFICATE.pdf FILE…",
		"Read the verdict on your own screen. Compare its trial fingerprint with the protocol or the public registry, and what it says with this page.",
	}
	s.proves = []string{
		"Exactly what has these fingerprints was committed to, by the key named, in this stream of this trial.",
		"It stands at this place of the log: what stands later was sealed later.",
		"The key had been enrolled, by a chain that ends at the trial’s registration.",
		"A time, where this page says “no later than” or “not before”.",
	}
	s.provesNot = []string{
		"That the data are true, that consent was given, or anything clinical.",
		"That nothing came later: a correction, a withdrawal, the end of a key. That needs a history.",
		"Anything by this paper alone: what counts is the verdict on your own machine.",
	}
}

// texts returns everything that is set, for the fonts to be asked.
func (s *sheet) texts() []string {
	all := []string{s.subject}
	for _, rows := range [][]row{s.rows, s.prints} {
		for i := range rows {
			for j := range rows[i].lines {
				l := &rows[i].lines[j]
				l.text = norm.NFC.String(text.Visible(l.text))
				all = append(all, l.text)
			}
		}
	}
	return all
}

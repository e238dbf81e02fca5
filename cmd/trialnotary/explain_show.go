package main

import (
	"fmt"
	"os"
	"strings"

	"trialnotary/notary/content"
	"trialnotary/notary/explain"
)

// The heads of an explanation.
const (
	asSealed  = "AS SEALED"
	sameData  = "SAME DATA, but not the bytes that were sealed"
	notSealed = "NOT AS SEALED"
)

// mostShown is how many files are explained in words; machines get all.
const mostShown = 50

// explainOut is an explanation for machines.
type explainOut struct {
	Verdict string       `json:"verdict"` // as sealed, same data, not as sealed
	File    string       `json:"file"`
	Trust   bool         `json:"trust_confirmed"`
	Matched []string     `json:"matched,omitempty"`
	Files   []explainOne `json:"different,omitempty"`
	Renamed []renamedOut `json:"renamed,omitempty"`
	Missing []string     `json:"missing,omitempty"`
	Extra   []string     `json:"not_sealed,omitempty"`
}

type explainOne struct {
	Path    string           `json:"path"`
	Given   string           `json:"given,omitempty"` // its name at hand, if another
	Cause   explain.Cause    `json:"cause"`
	Proved  bool             `json:"proved"`
	Same    bool             `json:"same_data"`
	Changes []explain.Change `json:"changes,omitempty"`
	Profile string           `json:"profile,omitempty"`
	Words   string           `json:"words"`
	Where   []string         `json:"where,omitempty"`
}

type renamedOut struct {
	Path  string `json:"path"`
	Given string `json:"given"`
}

// showReasons prints why the files differ, and returns the exit code.
func (a *app) showReasons(r *checked, all []reason, e explaining) error {
	c := r.bytes
	o := explainOut{File: r.file, Trust: r.verdict.Confirmed, Matched: c.Matched}
	s := &sheet{word: asSealed, head: headOf(r.verdict.Note)}
	gone, given := map[string]bool{}, map[string]bool{}
	same := true
	for i, x := range all {
		gone[x.path], given[x.given] = true, true
		same = same && x.same()
		word := x.path
		if x.given != "" {
			word = x.given + " (sealed as " + x.path + ")"
		}
		words := causeWords(x)
		if i < mostShown {
			s.add("differs", "%s: %s", word, words)
			for _, w := range x.where {
				s.more("%s", w)
			}
		}
		o.Files = append(o.Files, explainOne{x.path, x.given, x.Cause, x.fault == "" && (x.repacked || x.Cause.Proved()), x.same(), x.Changes, x.Profile, words, x.where})
	}
	if len(all) > mostShown {
		s.more("and %s more; --json lists all", number(uint64(len(all)-mostShown)))
	}
	for _, x := range c.Extra {
		switch {
		case x.SameAs != "":
			gone[x.SameAs] = true
			s.add("renamed", "proved: %s has the very bytes that were sealed as %s", x.Path, x.SameAs)
			o.Renamed = append(o.Renamed, renamedOut{x.SameAs, x.Path})
		case !given[x.Path]:
			o.Extra = append(o.Extra, x.Path)
		}
	}
	for _, p := range c.Missing {
		if !gone[p] {
			o.Missing = append(o.Missing, p)
		}
	}
	if !c.partial && len(o.Missing) > 0 {
		same = false
		s.add("missing", "%s: %s", count(len(o.Missing), "sealed file"), names(o.Missing))
	}
	if len(o.Extra) > 0 {
		same = same && !c.partial
		s.add("not sealed", "%s; nothing is known of %s", names(o.Extra), theirNumber(len(o.Extra), "it", "them"))
	}
	s.add("as sealed", "%s of %s", number(uint64(len(c.Matched))), count(c.listed, "file"))
	switch {
	case r.failure == nil && len(all) == 0:
	case same:
		s.word = sameData
		s.add("so", "whoever needs the very bytes asks for the file as it was sealed")
	default:
		s.word = notSealed
	}
	if s.word == notSealed && e.original == "" && len(all) > 0 {
		s.add("where", "if you have what was sealed: %s --original PATH", a.commandOf("explain", r.file, e.verifying))
	}
	s.add("receipt", "it verifies by itself; to see it: %s", a.commandOf("verify", r.file, verifying{}))
	if !r.verdict.Confirmed {
		s.add("trust", "%s", "whose log this is is unconfirmed: you have accepted no trust file of it")
	}
	o.Verdict = map[string]string{asSealed: "as sealed", sameData: "same data", notSealed: "not as sealed"}[s.word]
	if err := a.print(s, o); err != nil {
		return err
	}
	switch {
	case s.word != asSealed:
		return shown{exitNotVerified}
	case !r.verdict.Confirmed:
		return shown{exitUnconfirmed}
	}
	return nil
}

func theirNumber(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// commandOf writes the command anew for a verb that takes the same.
func (a *app) commandOf(verb, file string, v verifying) string {
	words := append([]string{"trialnotary", verb, quote(file)}, quoted(v.paths)...)
	if v.manifest != "" {
		words = append(words, "--manifest", quote(v.manifest))
	}
	if v.opening != "" {
		words = append(words, "--opening", quote(v.opening))
	}
	if a.trust != "" && a.trust != os.Getenv("TRIALNOTARY_TRUST") {
		words = append(words, "--trust", quote(a.trust))
	}
	return strings.Join(words, " ")
}

// changeWords says what happened to a text.
var changeWords = map[explain.Change]string{
	explain.ToCRLF:         "its line ends were LF and are CR LF",
	explain.ToLF:           "its line ends were CR LF and are LF",
	explain.MarkAdded:      "a byte order mark was put before it",
	explain.MarkRemoved:    "its byte order mark was taken away",
	explain.NewlineAdded:   "line ends were added at its end",
	explain.NewlineRemoved: "line ends were taken away at its end",
	explain.Composed:       "its letters were in another Unicode form and are in NFC",
	explain.Decomposed:     "its letters were in another Unicode form and are in NFD",
}

// profileWords says of each profile what equal digests prove, what other digests prove,
// and what it reads. That values differ is proved only where nothing else counts.
var profileWords = map[string][3]string{
	content.XPT5: {"only times of export differ",
		"not only times of export differ: values do, or what describes them, or the SAS that wrote it", "a SAS transport file"},
	content.DatasetJSON: {"only the time of export, or how the JSON is spelled, differs",
		"not only the time of export differs: values do, or how numbers or letters are written, or what describes them", "Dataset-JSON 1.1"},
	content.CSV: {"only quotes or line ends are written otherwise",
		"not only quotes and line ends differ: fields do, be it in how their letters are encoded", "CSV by RFC 4180"},
}

// causeWords says why a file differs, and whether that is proved.
func causeWords(x reason) string {
	if x.fault != "" {
		return "not known why: it " + x.fault
	}
	if x.repacked {
		return "proved, by the original: a zip with the same members, packed in another way"
	}
	if x.misstated {
		return "not known why: as the original shows, the digest of what it says was wrong when it was sealed, and proves nothing"
	}
	p := profileWords[x.Profile]
	switch x.Cause {
	case explain.AsSealed:
		return "it is as sealed by now: it changed while it was looked at"
	case explain.Rewritten:
		var all []string
		for _, c := range x.Changes {
			all = append(all, changeWords[c])
		}
		what := strings.Join(all, ", ")
		if x.Binary {
			return "proved: it was damaged on the way, where it was taken for a text: " + what + ". That undone, it is what was sealed; use no copy but one sent as it is"
		}
		return "proved: " + what + "; all else is what was sealed"
	case explain.SameData:
		return fmt.Sprintf("proved: the data are the same; %s (%s)", p[0], x.Profile)
	case explain.Longer:
		return fmt.Sprintf("proved: it begins with all that was sealed, and %s more follow%s", count(int(x.More), "byte"), theirNumber(int(x.More), "s", ""))
	case explain.OtherData:
		return fmt.Sprintf("proved: %s (%s)", p[1], x.Profile)
	case explain.Unreadable:
		return fmt.Sprintf("proved: what was sealed was %s, and this cannot be read as such (%s)", p[2], x.Profile)
	case explain.CutOff:
		return "looks cut off: it is shorter than what was sealed, and breaks off"
	case explain.Zip:
		return "not known why: files packed again give another zip. What is in it was not sealed one by one"
	}
	return "not known why: it is not its line ends, a byte order mark or a Unicode form alone"
}

// whereWords says where the first difference is; values only on demand.
func whereWords(w content.Where, values bool) (all []string) {
	if len(w.Keys) > 0 {
		all = append(all, "differing in "+names(w.Keys))
	}
	at := ""
	switch {
	case w.Header && w.Member != "":
		at = "in the headers of member " + w.Member + ": its label, or the description of a variable"
	case w.Header:
		at = "in the header of the file"
	case w.Member != "" && w.Ends == "":
		at = fmt.Sprintf("member %s, record %s, variable %s", w.Member, number(w.Row), w.Name)
	case w.Member != "":
		at = fmt.Sprintf("member %s, at record %s", w.Member, number(w.Row))
	case w.Row > 0:
		at = fmt.Sprintf("row %s, column %s", number(w.Row), number(w.Column))
		if w.Name != "" {
			at += " (" + w.Name + ")"
		}
	default:
		return all
	}
	switch w.Ends {
	case "sealed":
		at += ", where what was sealed has no more"
	case "given":
		at += ", where what is here has no more"
	}
	all = append(all, "first difference: "+at)
	if values && w.HasValue {
		all = append(all, fmt.Sprintf("sealed: %s", w.Sealed), fmt.Sprintf("here: %s", w.Given))
	}
	return all
}

// zipWords says how the members of two zips relate, and whether all are the same.
func zipWords(m explain.Members) (all []string, same bool) {
	if len(m.Changed)+len(m.Missing)+len(m.Added) == 0 {
		return nil, true
	}
	all = []string{fmt.Sprintf("compared with the original: %s the same", count(m.Same, "member"))}
	for _, x := range []struct {
		word string
		of   []string
	}{{"changed", m.Changed}, {"missing", m.Missing}, {"added", m.Added}} {
		if len(x.of) > 0 {
			all = append(all, x.word+": "+names(x.of))
		}
	}
	return all, false
}

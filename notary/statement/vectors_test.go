package statement

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trialnotary/notary/text"
)

var update = flag.Bool("update", false, "write testdata/vectors anew from the tables of this file")

const vectors = "testdata/vectors/"

// goodNotes are the vectors made here; those named sample-* come from another
// implementation and are never written.
func goodNotes(t testing.TB) map[string][]byte {
	full := registration()
	full.Trial, full.StreamSalt = "ACME/2026-001_B.2", testSalt("private")
	salt := testSalt("also")
	full.Also = []Also{{Trial: "2026-512345-12-00"}, {Trial: "2026-000123-12"}, {Trial: "ISRCTN12345678"}, {"ACME-7", &salt}}
	full.Rules = []Rule{{KindProtocol, KindDataset}, {KindAnalysisPlan, KindUnblinding}}
	full.Label = "phase III — été"

	everything := said("site-001", KindApproval)
	everything.Label = strings.Repeat("é", MaxLabel/2)
	everything.Dataset = &Dataset{testSalt("root"), 1, 0}
	everything.Meaning, everything.Signer = MeaningApproval, strings.Repeat("x", MaxPerson)
	everything.Supersedes = &ID{1}
	for i := range MaxAbout {
		everything.About = append(everything.About, ID{byte(i)})
	}
	everything.Reason = "a  text may hold two blanks, and key trial or — too"
	everything.After = &After{1 << 63, testSalt("checkpoint")}

	limited := granting(KindEnrolment, RoleSite, "site-001", "site-001.jdoe")
	limited.Person, limited.Until = "Jane Doe", noon.AddDate(1, 0, 0)
	succession := granting(KindSuccession, RoleSponsor, TrialStream, "acme-2")
	succession.About = []ID{{7}}

	early := said("site-001", KindNote)
	early.Time = early.Time.AddDate(-2000, 0, 0)

	good := map[string][]byte{
		"registration-private.txt":      sign(t, full, "acme").Raw,
		"registration-public.txt":       sign(t, registration(), "acme").Raw,
		"approval-every-line.txt":       sign(t, everything, "site-001.jdoe").Raw,
		"enrolment-person-until.txt":    sign(t, limited, "acme").Raw,
		"enrolment-plain.txt":           sign(t, granting(KindEnrolment, RoleDSMB, "dsmb", "chair"), "acme").Raw,
		"revocation.txt":                sign(t, granting(KindRevocation, RoleSite, "site-001", "site-001.jdoe"), "acme.recovery").Raw,
		"succession.txt":                sign(t, succession, "acme.recovery").Raw,
		"approval-without-dataset.txt":  sign(t, said("board", KindApproval), "board.chair").Raw,
		"lock-without-dataset.txt":      sign(t, said(TrialStream, KindDatabaseLock), "acme").Raw,
		"unblind-without-dataset.txt":   sign(t, said("dsmb", KindUnblinding), "chair").Raw,
		"name-of-64-bytes.txt":          sign(t, said(strings.Repeat("s", 64), KindNote), strings.Repeat("k", 64)).Raw,
		"time-before-common-epochs.txt": sign(t, early, "site-001.jdoe").Raw,
	}
	for _, k := range Kinds() {
		if k.keys() > 0 {
			continue // above
		}
		s := said("site-001", k)
		if _, required := k.Content(); required {
			s.Dataset = &Dataset{testSalt("root"), 3, 35}
		}
		good["kind-"+string(k)+".txt"] = sign(t, s, "site-001.jdoe").Raw
	}
	return good
}

// a badNote is a good one changed; the text is signed again unless raw is set, so
// that nothing else is wrong with it.
type badNote struct {
	file   string
	from   string // a good note
	change func(string) string
	raw    bool   // change the note, not the text
	want   string // in our error
	reason string // in words, for bad.json
}

// replace exchanges the one occurrence of from.
func replace(from, to string) func(string) string {
	return func(s string) string {
		if strings.Count(s, from) != 1 {
			panic(fmt.Sprintf("%d occurrences of %q in\n%s", strings.Count(s, from), from, s))
		}
		return strings.Replace(s, from, to, 1)
	}
}

// line replaces the first line that begins with key, line feed included.
func line(key, to string) func(string) string {
	return func(s string) string {
		i := strings.Index(s, "\n"+key+" ") + 1
		j := i + strings.Index(s[i:], "\n") + 1
		if i == 0 {
			panic("no line " + key)
		}
		return s[:i] + to + s[j:]
	}
}

// before inserts lines before the first line that begins with key.
func before(key, lines string) func(string) string {
	return replace("\n"+key+" ", "\n"+lines+key+" ")
}

func b64(b [32]byte) string { return text.Base64(b[:]) }

func many(n int, line string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, line+"\n", i)
	}
	return b.String()
}

func badNotes() []badNote {
	const (
		data, reg, private  = "kind-dataset.txt", "registration-public.txt", "registration-private.txt"
		enrol, lim          = "enrolment-plain.txt", "enrolment-person-until.txt"
		every, note, succ   = "approval-every-line.txt", "kind-note.txt", "succession.txt"
		correction, withdrw = "kind-correction.txt", "kind-withdrawal.txt"
	)
	zero := "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	id := func(b byte) string { return ID{b}.String() }
	vkey := testKey("acme").Public().String()
	trial := streamID(TrialStream).String()
	twice := func(key string) func(string) string {
		return func(s string) string {
			i := strings.Index(s, "\n"+key+" ") + 1
			j := i + strings.Index(s[i:], "\n") + 1
			return s[:j] + s[i:j] + s[j:]
		}
	}
	return []badNote{
		// the container
		{"note-crlf.txt", data, func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }, true, "not a signed note", "CRLF line ends"},
		{"note-bom.txt", data, func(s string) string { return "\ufeff" + s }, true, "line 1", "a byte order mark"},
		{"note-cut.txt", data, func(s string) string { return strings.TrimSuffix(s, "\n") }, true, "line feed", "no line feed at the end"},
		{"note-unsigned.txt", data, func(s string) string { return s[:strings.Index(s, "\n\n")+1] }, true, "not a signed note", "no signature"},
		{"note-no-signature-line.txt", data, func(s string) string { return s[:strings.Index(s, "\n\n")+2] }, true, "line feed", "an empty line and no signature after it"},
		{"note-two-signatures.txt", data, func(s string) string { return s + s[strings.Index(s, "— "):] }, true, "line 11 follows the signature", "two signature lines"},
		{"note-hyphen.txt", data, replace("— ", "- "), true, "line 10 is not a signature line", "a signature line that begins with a hyphen"},
		{"note-trailing-line.txt", data, func(s string) string { return s + "\n" }, true, "", "an empty line after the signature"},
		{"note-key-name-upper.txt", data, replace("— site", "— Site"), true, "name a key", "an upper case letter in the key name of the signature"},
		{"note-key-name-empty.txt", data, replace("— site-001.jdoe ", "—  "), true, "name a key", "no key name in the signature line"},
		{"note-signature-unpadded.txt", data, func(s string) string { return strings.TrimSuffix(s, "=\n") + "\n" }, true, "64 bytes", "a signature without its base64 padding"},
		{"note-signature-short.txt", data, func(s string) string { return s[:len(s)-5] + "\n" }, true, "64 bytes", "a signature of 63 bytes"},
		{"note-signature-bits.txt", data, func(s string) string { return trailingBits(s) }, true, "canonical base64", "unused bits set in the base64 of the signature"},
		{"note-signature-blank.txt", data, func(s string) string { return s[:len(s)-1] + " \n" }, true, "", "a blank after the signature"},
		{"note-too-large.txt", note, before("time", "reason "+strings.Repeat("x", MaxSize)+"\n"), false, "at most 8192", "more than 8192 bytes"},
		// the style
		{"style-empty-line.txt", data, before("kind", "\n"), false, "line 5", "an empty line in the text"},
		{"style-blank-at-end.txt", data, replace("kind dataset", "kind dataset "), false, "line 5 has leading or trailing blanks", "a blank at the end of a line"},
		{"style-two-blanks.txt", data, replace("kind dataset", "kind  dataset"), false, "line 5", "two blanks between key and value"},
		{"style-tab.txt", note, before("time", "label a\tb\n"), false, "line 6 has the forbidden character U+0009", "a tab"},
		{"style-nul.txt", note, before("time", "label a\x00b\n"), false, "U+0000", "a NUL"},
		{"style-delete.txt", note, before("time", "label a\x7fb\n"), false, "U+007F", "U+007F"},
		{"style-c1.txt", note, before("time", "label a\u0085b\n"), false, "U+0085", "a C1 control character, U+0085"},
		{"style-line-separator.txt", note, before("time", "label a\u2028b\n"), false, "U+2028", "U+2028, which some viewers show as a new line"},
		{"style-bidi.txt", note, before("time", "label a\u202eb\n"), false, "U+202E", "U+202E, which shows the text after it backwards"},
		{"style-bidi-isolate.txt", note, before("time", "label a\u2066b\n"), false, "U+2066", "U+2066, a bidirectional isolate"},
		{"style-bidi-arabic-mark.txt", note, before("time", "label a\u061cb\n"), false, "U+061C", "U+061C, the Arabic letter mark"},
		{"style-utf8.txt", note, before("time", "label a\xffb\n"), false, "not valid UTF-8", "invalid UTF-8"},
		{"style-utf8-surrogate.txt", note, before("time", "label a\xed\xa0\x80b\n"), false, "not valid UTF-8", "a surrogate half, which is not UTF-8"},
		// lines and their order
		{"version-2.txt", data, replace("statement@v1", "statement@v2"), false, "line 1", "another version"},
		{"order-trial-before-log.txt", data, swap("log", "trial"), false, "line 2", "trial before log"},
		{"order-signer-before-meaning.txt", every, swap("meaning", "signer"), false, "line ", "signer before meaning"},
		{"order-salt-before-time.txt", data, swap("time", "salt"), false, "line 7", "salt before time"},
		{"order-about-before-supersedes.txt", every, swap("supersedes", "about"), false, "line ", "about before supersedes"},
		{"unknown-line.txt", data, before("time", "comment hello\n"), false, `line 7 is "comment hello"`, "an unknown line"},
		{"line-after-salt.txt", data, func(s string) string { return s + "note x\n" }, false, "line 9 is unexpected", "a line after salt"},
		{"label-twice.txt", every, twice("label"), false, "line 7", "two label lines"},
		{"label-empty.txt", note, before("time", "label\n"), false, "line 6", "a label line without a value"},
		{"no-log.txt", data, line("log", ""), false, "line 2", "no log line"},
		{"no-time.txt", data, line("time", ""), false, "line 7", "no time line"},
		{"no-salt.txt", data, line("salt", ""), false, "line 8 is missing", "no salt line"},
		// where it stands
		{"log-blank.txt", data, replace("log.example/trials", "log.example/my trials"), false, `line 2, "log"`, "a blank in the origin"},
		{"log-plus.txt", data, replace("log.example/trials", "log.example+trials"), false, `line 2, "log"`, "a plus in the origin"},
		{"log-too-long.txt", data, line("log", "log "+strings.Repeat("x", 256)+"\n"), false, `line 2, "log"`, "an origin of 256 bytes"},
		{"trial-lower-case.txt", data, replace("NCT01234567", "nct01234567"), false, `line 3, "trial"`, "a trial id in lower case"},
		{"trial-too-long.txt", data, replace("NCT01234567", strings.Repeat("A", 65)), false, `line 3, "trial"`, "a trial id of 65 bytes"},
		{"trial-first-character.txt", data, replace("NCT01234567", "-1"), false, `line 3, "trial"`, "a trial id that begins with a hyphen"},
		{"trial-blank.txt", data, replace("NCT01234567", "NCT 01234567"), false, `line 3, "trial"`, "a blank in a trial id"},
		{"stream-upper-case.txt", data, replace("stream site", "stream Site"), false, `line 4, "stream"`, "an upper case letter in a stream name"},
		{"stream-too-long.txt", data, replace("stream site-001", "stream "+strings.Repeat("s", 65)), false, `line 4, "stream"`, "a stream name of 65 bytes"},
		{"stream-first-character.txt", data, replace("stream site-001", "stream .site"), false, `line 4, "stream"`, "a stream name that begins with a dot"},
		{"stream-without-salt.txt", data, line("stream", "stream site-001\n"), false, "line 4", "a stream line without its salt"},
		{"stream-salt-zero.txt", data, line("stream", "stream site-001 "+zero+"\n"), false, `line 4, "stream"`, "a stream salt of zero bytes outside the registration stream of a public id"},
		{"stream-salt-short.txt", data, line("stream", "stream site-001 AAAA\n"), false, "line 4", "a stream salt of 3 bytes"},
		{"stream-salt-unpadded.txt", data, line("stream", "stream site-001 "+strings.TrimSuffix(b64(testSalt("x")), "=")+"\n"), false, "line 4", "a stream salt without its base64 padding"},
		{"stream-salt-hex.txt", data, line("stream", "stream site-001 "+id(9)+"\n"), false, "line 4", "a stream salt in hex"},
		{"stream-salt-url.txt", data, line("stream", "stream site-001 "+strings.Repeat("_", 43)+"=\n"), false, "line 4", "a stream salt in the URL alphabet of base64"},
		{"stream-salt-bits.txt", data, line("stream", "stream site-001 "+strings.Repeat("A", 42)+"B=\n"), false, "line 4", "unused bits set in the base64 of the stream salt"},
		{"registration-public-salted.txt", reg, line("stream", "stream registration "+b64(testSalt("x"))+"\n"), false, `line 4, "stream"`, "a salt in the registration stream of a public id"},
		{"registration-private-unsalted.txt", private, line("stream", "stream registration "+zero+"\n"), false, `line 4, "stream"`, "no salt in the registration stream of a private id"},
		{"registration-elsewhere.txt", reg, line("stream", "stream trial "+b64(testSalt("trial"))+"\n"), false, `line 4, "stream"`, "a registration outside the registration stream"},
		{"dataset-in-registration-stream.txt", data, line("stream", "stream registration "+zero+"\n"), false, `line 4, "stream"`, "a dataset in the registration stream"},
		{"enrolment-elsewhere.txt", enrol, line("stream", "stream site-001 "+b64(testSalt("site-001"))+"\n"), false, `line 4, "stream"`, "an enrolment outside the trial stream"},
		{"revocation-elsewhere.txt", "revocation.txt", line("stream", "stream site-001 "+b64(testSalt("site-001"))+"\n"), false, `line 4, "stream"`, "a revocation outside the trial stream"},
		{"succession-elsewhere.txt", succ, line("stream", "stream site-001 "+b64(testSalt("site-001"))+"\n"), false, `line 4, "stream"`, "a succession outside the trial stream"},
		{"kind-unknown.txt", note, replace("kind note", "kind gossip"), false, `line 5, "kind"`, "an unknown kind"},
		{"kind-upper-case.txt", note, replace("kind note", "kind Note"), false, `line 5, "kind"`, "a kind in upper case"},
		// content
		{"label-too-long.txt", every, replace("\nlabel é", "\nlabel xé"), false, `line 6, "label"`, "a label of 201 bytes"},
		{"dataset-missing.txt", data, line("dataset", ""), false, `"dataset" is missing`, "a kind that requires a dataset line without one"},
		{"dataset-not-allowed.txt", note, before("time", "dataset "+b64(testSalt("root"))+" 3 35\n"), false, `line 6, "dataset"`, "a dataset line in a kind without content"},
		{"dataset-no-files.txt", data, replace(" 3 35\n", " 0 0\n"), false, `line 6, "dataset"`, "a dataset of no files"},
		{"dataset-leading-zero.txt", data, replace(" 3 35\n", " 03 35\n"), false, "line 6", "a leading zero"},
		{"dataset-sign.txt", data, replace(" 3 35\n", " +3 35\n"), false, "line 6", "a sign before a number"},
		{"dataset-overflow.txt", data, replace(" 3 35\n", " 3 18446744073709551616\n"), false, "line 6", "a number of more than 64 bits"},
		{"dataset-extra-field.txt", data, replace(" 3 35\n", " 3 35 1\n"), false, "line 6", "a dataset line with a field too many"},
		{"dataset-root-hex.txt", data, line("dataset", "dataset "+id(1)+" 3 35\n"), false, "line 6", "a dataset root in hex"},
		{"meaning-without-signer.txt", every, line("signer", ""), false, `"signer" is missing`, "meaning without signer"},
		{"signer-without-meaning.txt", every, line("meaning", ""), false, `"meaning" is missing`, "signer without meaning"},
		{"meaning-unknown.txt", every, line("meaning", "meaning regret\n"), false, `line 8, "meaning"`, "an unknown meaning"},
		{"signer-too-long.txt", every, line("signer", "signer "+strings.Repeat("x", 101)+"\n"), false, `line 9, "signer"`, "a signer of 101 bytes"},
		// references
		{"supersedes-upper-case.txt", every, line("supersedes", "supersedes "+strings.ToUpper(id(0xab))+"\n"), false, "line 10", "an id in upper case hex"},
		{"supersedes-base64.txt", every, line("supersedes", "supersedes "+b64(testSalt("x"))+"\n"), false, "line 10", "an id in base64"},
		{"supersedes-short.txt", every, line("supersedes", "supersedes "+id(1)[2:]+"\n"), false, "line 10", "an id of 62 hex digits"},
		{"supersedes-long.txt", every, line("supersedes", "supersedes "+id(1)+"00\n"), false, "line 10", "an id of 66 hex digits"},
		{"supersedes-without-reason.txt", every, line("reason", ""), false, `"reason" is missing`, "supersedes without reason"},
		{"correction-without-reason.txt", correction, line("reason", ""), false, `"reason" is missing`, "a correction without reason"},
		{"withdrawal-without-reason.txt", withdrw, line("reason", ""), false, `"reason" is missing`, "a withdrawal without reason"},
		{"erasure-without-reason.txt", "kind-erasure.txt", line("reason", ""), false, `"reason" is missing`, "an erasure without reason"},
		{"revocation-without-reason.txt", "revocation.txt", line("reason", ""), false, `"reason" is missing`, "a revocation without reason"},
		{"succession-without-reason.txt", succ, line("reason", ""), false, `"reason" is missing`, "a succession without reason"},
		{"reason-too-long.txt", correction, line("reason", "reason "+strings.Repeat("x", 201)+"\n"), false, `line 6, "reason"`, "a reason of 201 bytes"},
		{"about-17.txt", every, before("reason", "about "+id(0xff)+"\n"), false, `line 27, "about"`, "17 about lines"},
		{"about-twice.txt", note, before("time", "about "+id(1)+"\nabout "+id(1)+"\n"), false, `line 7, "about"`, "two equal about lines"},
		{"succession-about-nothing.txt", succ, line("about", ""), false, `"about" is missing`, "a succession that names no statement"},
		{"succession-about-two.txt", succ, before("reason", "about "+id(8)+"\n"), false, `line 7, "about"`, "a succession that names two statements"},
		// keys
		{"key-not-allowed.txt", note, before("time", "key site trial "+trial+" "+vkey+"\n"), false, `line 6, "key"`, "a key line in a kind that carries none"},
		{"enrolment-no-key.txt", enrol, line("key", ""), false, `"key" is missing`, "an enrolment without a key line"},
		{"enrolment-two-keys.txt", enrol, before("time", "key site trial "+trial+" "+vkey+"\n"), false, `line 7, "key"`, "an enrolment with two key lines"},
		{"key-role-unknown.txt", enrol, replace("key dsmb dsmb", "key king dsmb"), false, `line 6, "key"`, "an unknown role"},
		{"key-stream-upper-case.txt", enrol, replace("key dsmb dsmb", "key dsmb Dsmb"), false, `line 6, "key"`, "an upper case letter in a key line's stream name"},
		{"key-stream-id-upper-case.txt", enrol, replace(streamID("dsmb").String(), strings.ToUpper(streamID("dsmb").String())), false, "line 6", "a stream id in upper case hex"},
		{"key-stream-id-long.txt", enrol, replace(streamID("dsmb").String(), streamID("dsmb").String()+"00"), false, "line 6", "a stream id of 66 hex digits"},
		{"key-hash-wrong.txt", lim, changeHash, false, "line 6", "a verifier key whose hash is not that of its name and key"},
		{"key-hash-upper-case.txt", reg, upperHash, false, "line 7", "a verifier key whose hash is in upper case hex"},
		{"key-name-upper-case.txt", enrol, replace(" chair+", " Chair+"), false, "line 6", "an upper case letter in a key name"},
		{"key-other-type.txt", enrol, otherType, false, "line 6", "a verifier key of another type than Ed25519"},
		{"key-cut.txt", enrol, func(s string) string { return line("key", keyLine(s)[:len(keyLine(s))-5]+"\n")(s) }, false, "line 6", "a verifier key that is cut short"},
		{"key-without-stream.txt", enrol, replace("key dsmb dsmb ", "key dsmb "), false, "line 6", "a key line without its stream name"},
		{"person-in-revocation.txt", "revocation.txt", before("time", "person Jane Doe\n"), false, `line 8, "person"`, "person outside an enrolment"},
		{"person-in-succession.txt", succ, before("time", "person Jane Doe\n"), false, `line 9, "person"`, "person in a succession, which keeps the old one's"},
		{"person-too-long.txt", lim, line("person", "person "+strings.Repeat("x", 101)+"\n"), false, `line 7, "person"`, "a person of 101 bytes"},
		{"until-in-succession.txt", succ, before("time", "until 2027-01-01T00:00:00Z\n"), false, `line 9, "until"`, "until in a succession, which keeps the old one's"},
		{"until-date.txt", lim, line("until", "until 2027-11-22\n"), false, "line 8", "a date for a time"},
		{"until-zone.txt", lim, line("until", "until 2027-11-22T12:00:00+01:00\n"), false, "line 8", "a time with a zone"},
		{"until-zero-time.txt", lim, line("until", "until 0001-01-01T00:00:00Z\n"), false, "line 8", "the first second of the year 1, which no clock shows"},
		// registration
		{"registration-one-key.txt", reg, line("key", ""), false, `"key" is missing`, "a registration with one key"},
		{"registration-three-keys.txt", reg, before("time", "key sponsor trial "+trial+" "+testKey("x").Public().String()+"\n"), false, `line 8, "key"`, "a registration with three keys"},
		{"registration-keys-swapped.txt", reg, swap("key sponsor", "key recovery"), false, `line 6, "key"`, "the recovery key before the sponsor's"},
		{"registration-two-sponsors.txt", reg, replace("key recovery", "key sponsor"), false, `line 7, "key"`, "two sponsor keys"},
		{"registration-other-stream.txt", reg, replace("key recovery trial", "key recovery site-001"), false, `line 7, "key"`, "a registration's key for another stream than trial"},
		{"registration-two-stream-ids.txt", reg, replace("key recovery trial "+trial, "key recovery trial "+id(3)), false, `line 7, "key"`, "two ids of the trial stream"},
		{"registration-person.txt", reg, before("time", "person Jane Doe\n"), false, `line 8, "person"`, "person in a registration"},
		{"also-9.txt", reg, before("time", many(9, "also NCT1000000%d")), false, `line 16, "also"`, "nine other trial ids"},
		{"also-own-id.txt", reg, before("time", "also NCT01234567\n"), false, `line 8, "also"`, "the trial's own id among its other ids"},
		{"also-twice.txt", reg, before("time", "also NCT00000001\nalso NCT00000001\n"), false, `line 9, "also"`, "two equal other ids"},
		{"also-twice-salted.txt", reg, before("time", "also X "+b64(testSalt("1"))+"\nalso X "+b64(testSalt("2"))+"\n"), false, `line 9, "also"`, "one other id twice, with two salts"},
		{"also-public-salted.txt", reg, before("time", "also NCT00000001 "+b64(testSalt("1"))+"\n"), false, `line 8, "also"`, "a public other id with a salt"},
		{"also-private-unsalted.txt", reg, before("time", "also ACME-7\n"), false, `line 8, "also"`, "a private other id without its salt"},
		{"also-salt-zero.txt", reg, before("time", "also ACME-7 "+zero+"\n"), false, `line 8, "also"`, "a private other id with a salt of zero bytes"},
		{"also-lower-case.txt", reg, before("time", "also nct00000001\n"), false, `line 8, "also"`, "another id in lower case"},
		{"also-in-dataset.txt", data, before("time", "also NCT00000001\n"), false, `line 7, "also"`, "also outside a registration"},
		{"rule-33.txt", reg, before("time", rules(33)), false, `line 40, "rule"`, "33 rules"},
		{"rule-twice.txt", reg, before("time", "rule protocol before dataset\nrule protocol before dataset\n"), false, `line 9, "rule"`, "two equal rules"},
		{"rule-kind-unknown.txt", reg, before("time", "rule protocol before gossip\n"), false, `line 8, "rule"`, "a rule about an unknown kind"},
		{"rule-after.txt", reg, before("time", "rule dataset after protocol\n"), false, "line 8", "a rule with after for before"},
		{"rule-in-dataset.txt", data, before("time", "rule protocol before dataset\n"), false, `line 7, "rule"`, "a rule outside a registration"},
		// times and salts
		{"after-hex.txt", data, before("time", "after 3 "+id(1)+"\n"), false, "line 7", "a checkpoint hash in hex"},
		{"after-without-hash.txt", data, before("time", "after 3\n"), false, "line 7", "after without a hash"},
		{"time-fraction.txt", data, replace("12:00:00Z", "12:00:00.5Z"), false, "line 7", "a fraction of a second"},
		{"time-lower-case.txt", data, replace("T12:00:00Z", "t12:00:00z"), false, "line 7", "a time in lower case"},
		{"time-zone.txt", data, replace("12:00:00Z", "12:00:00+00:00"), false, "line 7", "UTC written as +00:00"},
		{"time-leap.txt", data, replace("12:00:00Z", "23:59:60Z"), false, "line 7", "a leap second"},
		{"time-no-such-day.txt", data, replace("2026-11-22", "2026-02-30"), false, "line 7", "a day that does not exist"},
		{"salt-short.txt", data, line("salt", "salt AAAA\n"), false, "line 8", "a salt of 3 bytes"},
		{"salt-33-bytes.txt", data, line("salt", "salt "+strings.Repeat("A", 44)+"\n"), false, "line 8", "a salt of 33 bytes"},
	}
}

// swap exchanges the first line that begins with a and the one that begins with b.
func swap(a, b string) func(string) string {
	return func(s string) string {
		lines := strings.SplitAfter(s, "\n")
		i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, a+" ") })
		j := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, b+" ") })
		lines[i], lines[j] = lines[j], lines[i]
		return strings.Join(lines, "")
	}
}

func rules(n int) string {
	var b strings.Builder
	for _, first := range Kinds() {
		for _, then := range Kinds() {
			if n--; n >= 0 {
				fmt.Fprintf(&b, "rule %s before %s\n", first, then)
			}
		}
	}
	return b.String()
}

// trailingBits sets the two unused bits of the signature's base64.
func trailingBits(s string) string {
	i := strings.LastIndex(s, "=")
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	c := strings.IndexByte(alphabet, s[i-1])
	return s[:i-1] + string(alphabet[c|1]) + s[i:]
}

func keyLine(s string) string {
	s = s[strings.Index(s, "\nkey ")+1:]
	return s[:strings.Index(s, "\n")+1]
}

// changeHash changes the last digit of the hash in the first key line.
func changeHash(s string) string {
	f := strings.Split(keyLine(s), "+")
	digit := "0"
	if strings.HasSuffix(f[1], "0") {
		digit = "1"
	}
	return strings.Replace(s, "+"+f[1]+"+", "+"+f[1][:7]+digit+"+", 1)
}

// upperHash writes the hash of the recovery key in upper case.
func upperHash(s string) string {
	i := strings.Index(s, "acme.recovery+") + len("acme.recovery+")
	if s[i:i+8] == strings.ToUpper(s[i:i+8]) {
		panic("the hash has no letters")
	}
	return s[:i] + strings.ToUpper(s[i:i+8]) + s[i+8:]
}

// otherType makes the first key one of type 0x06, with the hash to match it.
func otherType(s string) string {
	k := testKey("chair").Public()
	b := append([]byte{6}, k.Key[:]...)
	sum := sha256.Sum256(append([]byte("chair\n"), b...))
	return strings.Replace(s, k.String(), "chair+"+hex.EncodeToString(sum[:4])+"+"+text.Base64(b), 1)
}

func (b badNote) bytes(good map[string][]byte, signer string) []byte {
	if b.raw {
		return []byte(b.change(string(good[b.from])))
	}
	s, err := ParseSigned(good[b.from])
	if err != nil {
		panic(err)
	}
	return SignText([]byte(b.change(string(s.Text))), testKey(signer))
}

func TestGoodVectors(t *testing.T) {
	good := goodNotes(t)
	if *update {
		for name, b := range good {
			write(t, vectors+"good/"+name, b)
		}
	}
	for name, b := range good {
		if onDisk, err := os.ReadFile(vectors + "good/" + name); err != nil || !bytes.Equal(onDisk, b) {
			t.Errorf("%s is not what this file makes; run go test -update and look at the difference: %v", name, err)
		}
	}
	files, err := filepath.Glob(vectors + "good/*.txt")
	if err != nil || len(files) < len(good)+11 {
		t.Fatalf("%d good vectors, %v; want those of this file and the sample's", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			checkRoundTrip(t, b)
			if _, err := ParseSigned(b); err != nil {
				t.Error(err)
			}
		})
	}
}

// checkRoundTrip parses b and fails unless formatting gives b again.
func checkRoundTrip(t *testing.T, b []byte) *Note {
	t.Helper()
	n, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := n.Statement.Text()
	if err != nil {
		t.Fatalf("parsed, but: %v", err)
	}
	if !bytes.Equal(lines, n.Signed.Text) {
		t.Fatalf("formatted:\n%s\nparsed:\n%s", lines, n.Signed.Text)
	}
	if again := n.appendLine(append(slices.Clone(lines), '\n')); !bytes.Equal(again, b) || !bytes.Equal(n.Raw, b) {
		t.Fatalf("rebuilt:\n%s\nparsed:\n%s", again, b)
	}
	if n.ID != IDOf(b) {
		t.Fatal("the id is not that of the note")
	}
	return n
}

func TestBadVectors(t *testing.T) {
	good := goodNotes(t)
	reasons := make(map[string]string)
	for _, bad := range badNotes() {
		t.Run(bad.file, func(t *testing.T) {
			if reasons[bad.file] != "" {
				t.Fatal("two vectors of that name")
			}
			reasons[bad.file] = bad.reason
			b := bad.bytes(good, "site-001.jdoe")
			if *update {
				write(t, vectors+"bad/"+bad.file, b)
			}
			if onDisk, err := os.ReadFile(vectors + "bad/" + bad.file); err != nil || !bytes.Equal(onDisk, b) {
				t.Errorf("the file is not what this table makes; run go test -update and look at the difference: %v", err)
			}
			_, err := Parse(b)
			switch {
			case err == nil:
				t.Errorf("accepted:\n%s", b)
			case !errors.Is(err, text.ErrFormat):
				t.Errorf("%v: not a format error", err)
			case !strings.Contains(err.Error(), bad.want):
				t.Errorf("%v: want %q", err, bad.want)
			}
		})
	}
	list, err := json.MarshalIndent(reasons, "", "  ") // sorted by file
	if err != nil {
		t.Fatal(err)
	}
	list = append(list, '\n')
	if *update {
		write(t, vectors+"bad.json", list)
	}
	if onDisk, err := os.ReadFile(vectors + "bad.json"); err != nil || !bytes.Equal(onDisk, list) {
		t.Errorf("bad.json is not what this table makes: %v", err)
	}
	files, _ := filepath.Glob(vectors + "bad/*.txt")
	if len(files) != len(slices.Collect(maps.Keys(reasons))) {
		t.Errorf("%d files, %d reasons", len(files), len(reasons))
	}
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func FuzzParse(f *testing.F) {
	good := goodNotes(f)
	for _, b := range good {
		f.Add(b)
	}
	for _, bad := range badNotes() {
		f.Add(bad.bytes(good, "site-001.jdoe"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Parse(b); err == nil {
			checkRoundTrip(t, b)
		} else if !errors.Is(err, text.ErrFormat) {
			t.Fatalf("%v: not a format error", err)
		}
	})
}

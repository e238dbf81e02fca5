// Package receipt is what people keep and may show: that one statement stands in
// the log, and by whose authority. [Receipt.Verify] needs no network, no service
// and no clock but for algorithms with an end date.
//
// A receipt is a txtar archive with these parts in this order; everything but
// the timestamps is the same bytes however often it is fetched:
//
//	trialnotary/receipt@v1
//	-- statement --                  the signed note
//	-- entry --                      its leaf in the log
//	-- proof.tlog-proof --           C2SP tlog-proof of that leaf
//	-- timestamp-1.tsr --            RFC 3161 tokens over the proof's checkpoint
//	-- renewal-1.tsr --              RFC 3161 tokens over the receipt before them
//	-- after.checkpoint --           the checkpoint that the statement's `after` names
//	-- grant-1 --                    the statement that granted the signing key …
//	-- grant-1.entry --
//	-- grant-1.tlog-proof --
//	-- grant-2 --                    … and so on upward to
//	-- registration --               (absent where the statement is it)
//	-- registration.entry --
//	-- registration.tlog-proof --
//
// A token is DER in one line of base64. The imprint of a timestamp is the SHA-256 of
// the proof's checkpoint, its file byte for byte. A renewal is made years later,
// before a certificate or an algorithm of the older tokens ends (the idea of RFC
// 4998): its imprint is the SHA-512 of this very file as it was before, which is the
// file without the part of that renewal and of those after it. So it covers the older
// tokens, the checkpoints, and the statements themselves, should SHA-256 be what
// ends. The last renewal that counts is judged as of now, each before it as of the
// time of the next that counts, the timestamps as of the first: by then their
// algorithms must not have ended. A receipt that was renewed gets no more timestamps.
//
// The only thing a verifier believes is a [Trust] file of their own. Nothing that
// stands in a statement is in an error before its signature has verified.
//
// What a receipt cannot show: that nothing came later — a correction, a
// withdrawal, a revocation or succession of a key. That needs a history.
package receipt

import (
	"fmt"
	"strconv"
	"strings"

	"trialnotary/notary/text"
)

// MaxSize bounds a receipt in bytes.
const MaxSize = 1 << 20

// Version and EvidenceVersion are the comment lines of the two containers.
const (
	Version         = "trialnotary/receipt@v1"
	EvidenceVersion = "trialnotary/evidence@v1"
)

// Logged is a statement with its place in the log.
type Logged struct {
	Statement []byte // the whole signed note
	Entry     []byte // its leaf
	Proof     []byte // C2SP tlog-proof of the leaf
}

// Receipt holds the parts of a receipt, as bytes: nothing is verified.
type Receipt struct {
	Logged
	Timestamps   [][]byte // RFC 3161 TimeStampToken, DER
	Renewals     [][]byte // the same, each over the receipt without it and those after it
	After        []byte   // signed checkpoint, nil if absent
	Grants       []Logged // from the signing key's own grant upward
	Registration *Logged  // nil if the statement is it
}

// Parse parses the container of a receipt, at most [MaxSize] bytes: exact names,
// in order, numbered from 1 without a gap. The parts' contents are not parsed
// but for the base64 of tokens. Parts alias b. Errors wrap [text.ErrFormat].
func Parse(b []byte) (*Receipt, error) {
	a, err := text.ParseArchive(b, Version, MaxSize)
	if err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	p := parts{text.NewPartReader(a.Parts)}
	r := &Receipt{}
	r.Statement = p.Take("statement")
	r.Entry = p.Take("entry")
	r.Proof = p.Take("proof.tlog-proof")
	r.Timestamps = p.tokens(timestampName)
	r.Renewals = p.tokens(renewalName)
	if p.Next("after.checkpoint") {
		r.After = p.Take("after.checkpoint")
	}
	for n := 1; p.Next("grant-" + strconv.Itoa(n)); n++ {
		r.Grants = append(r.Grants, p.logged("grant-"+strconv.Itoa(n)))
	}
	if p.Next("registration") {
		l := p.logged("registration")
		r.Registration = &l
	}
	if err := p.Done(); err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	return r, nil
}

// ParseOuter is [Parse] for a file as it arrives: a byte order mark and CR LF
// line ends are undone first. It returns what was undone, in words, or "".
func ParseOuter(b []byte) (*Receipt, string, error) {
	b, undone := text.Outer(b)
	r, err := Parse(b)
	return r, undone, err
}

// Bytes returns the receipt. It fails if a part could not be read back or the
// whole is too large.
func (r *Receipt) Bytes() ([]byte, error) {
	a := text.Archive{Version: Version, Parts: []text.Part{
		{Name: "statement", Data: r.Statement},
		{Name: "entry", Data: r.Entry},
		{Name: "proof.tlog-proof", Data: r.Proof},
	}}
	a.Parts = append(a.Parts, tokenParts(timestampName, r.Timestamps)...)
	a.Parts = append(a.Parts, tokenParts(renewalName, r.Renewals)...)
	if r.After != nil {
		a.Parts = append(a.Parts, text.Part{Name: "after.checkpoint", Data: r.After})
	}
	for i, g := range r.Grants {
		a.Parts = append(a.Parts, g.parts("grant-"+strconv.Itoa(i+1))...)
	}
	if r.Registration != nil {
		a.Parts = append(a.Parts, r.Registration.parts("registration")...)
	}
	return archive("receipt", a)
}

// Evidence is what the service hands out: the parts of a receipt that are public
// in nature. The client adds the statements it holds.
type Evidence struct {
	Entry, Proof []byte
	Timestamps   [][]byte // DER
}

// ParseEvidence parses evidence, at most [MaxSize] bytes, like [Parse].
func ParseEvidence(b []byte) (Evidence, error) {
	a, err := text.ParseArchive(b, EvidenceVersion, MaxSize)
	if err != nil {
		return Evidence{}, fmt.Errorf("evidence: %w", err)
	}
	p := parts{text.NewPartReader(a.Parts)}
	e := Evidence{Entry: p.Take("entry"), Proof: p.Take("proof.tlog-proof"), Timestamps: p.tokens(timestampName)}
	if err := p.Done(); err != nil {
		return Evidence{}, fmt.Errorf("evidence: %w", err)
	}
	return e, nil
}

// Bytes returns the evidence.
func (e Evidence) Bytes() ([]byte, error) {
	a := text.Archive{Version: EvidenceVersion, Parts: []text.Part{
		{Name: "entry", Data: e.Entry}, {Name: "proof.tlog-proof", Data: e.Proof},
	}}
	a.Parts = append(a.Parts, tokenParts(timestampName, e.Timestamps)...)
	return archive("evidence", a)
}

func archive(what string, a text.Archive) ([]byte, error) {
	b, err := a.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if len(b) > MaxSize {
		return nil, fmt.Errorf("%s: %d bytes, at most %d are allowed: %w", what, len(b), MaxSize, text.ErrFormat)
	}
	return b, nil
}

func (l Logged) parts(name string) []text.Part {
	return []text.Part{{Name: name, Data: l.Statement}, {Name: name + ".entry", Data: l.Entry}, {Name: name + ".tlog-proof", Data: l.Proof}}
}

func tokenParts(name func(int) string, tokens [][]byte) (ps []text.Part) {
	for i, t := range tokens {
		ps = append(ps, text.Part{Name: name(i + 1), Data: []byte(text.Base64(t) + "\n")})
	}
	return ps
}

func timestampName(n int) string { return "timestamp-" + strconv.Itoa(n) + ".tsr" }
func renewalName(n int) string   { return "renewal-" + strconv.Itoa(n) + ".tsr" }

// parts reads what receipts and trust files are made of.
type parts struct{ *text.PartReader }

func (p parts) logged(name string) Logged {
	return Logged{p.Take(name), p.Take(name + ".entry"), p.Take(name + ".tlog-proof")}
}

func (p parts) tokens(name func(int) string) (tokens [][]byte) {
	for n := 1; p.Next(name(n)); n++ {
		line, ok := strings.CutSuffix(string(p.Take(name(n))), "\n")
		t, err := text.ParseBase64(line)
		if !ok || err != nil || len(t) == 0 {
			p.Fail("part %q is not one line of canonical base64", name(n))
		}
		tokens = append(tokens, t)
	}
	return tokens
}

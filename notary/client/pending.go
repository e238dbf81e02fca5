package client

import (
	"fmt"
	"time"

	"trialnotary/notary/receipt"
	requests "trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// PendingVersion is the comment line of a .pending file.
const PendingVersion = "trialnotary/pending@v1"

// Pending is a signed statement and all that is needed to submit it and to finish
// its receipt, on any machine and without a key:
//
//	trialnotary/pending@v1
//	-- profile --
//	service https://notary.example
//	-- trust.policy --           and the other parts of a trust file
//	-- statement --
//	-- blind --                  where the service is not to see the statement
//	-- after.checkpoint --       where the statement has `after`
//	-- grant-1 --                from the signing key's own grant upward
//	-- grant-1.entry --
//	-- grant-1.tlog-proof --
//	-- registration --           with .entry and .tlog-proof
type Pending struct {
	Service      string
	Trust        *receipt.Trust
	Note         *statement.Note
	Blind        []byte // what is submitted in the statement's place; or nil
	After        []byte
	Grants       []Logged
	Registration Logged
}

// ParsePending parses a .pending file. Signatures are not checked.
func ParsePending(b []byte) (*Pending, error) {
	p := &Pending{}
	r := readProfile(b, PendingVersion, "pending file", func(t *text.Reader) { p.Service = service(t) })
	p.Trust = r.trust()
	raw := r.take("statement")
	if r.err == nil {
		if p.Note, r.err = statement.Parse(raw); r.err != nil {
			r.err = fmt.Errorf("part statement: %w", r.err)
		}
	}
	if r.next("blind") {
		p.Blind = r.take("blind")
		if n, err := requests.ParseBlind(p.Blind); r.err == nil && (err != nil || n.Log != p.Note.Log || n.Stream != p.Note.Stream() || n.Statement != p.Note.ID) {
			r.err = fmt.Errorf("part blind does not submit the statement: %w", text.ErrFormat)
		}
	}
	if r.next("after.checkpoint") {
		p.After = r.take("after.checkpoint")
	}
	p.Grants = r.grants(false)
	p.Registration = r.logged("registration", false)
	if r.err == nil && (p.After != nil) != (p.Note.After != nil) {
		r.err = fmt.Errorf("the statement's `after` line and the part after.checkpoint do not go together: %w", text.ErrFormat)
	}
	return p, r.done(b, p.Bytes)
}

// Bytes returns the file.
func (p *Pending) Bytes() ([]byte, error) {
	w := writeProfile(PendingVersion, "service "+p.Service)
	w.trust(p.Trust)
	w.add("statement", p.Note.Raw)
	if p.Blind != nil {
		w.add("blind", p.Blind)
	}
	if p.After != nil {
		w.add("after.checkpoint", p.After)
	}
	w.grants(p.Grants)
	w.logged("registration", p.Registration.Logged)
	return w.bytes()
}

// Submission returns what is handed in: the statement, or all of it that the service
// is to see.
func (p *Pending) Submission() []byte {
	if p.Blind != nil {
		return p.Blind
	}
	return p.Note.Raw
}

// SubmitBlind makes the submission a blind one, signed by the key of the statement.
func (p *Pending) SubmitBlind(k statement.PrivateKey) (err error) {
	p.Blind, err = requests.Blind{Log: p.Note.Log, Stream: p.Note.Stream(), Statement: p.Note.ID}.Sign(k)
	return err
}

// Complete puts the receipt together and verifies it with the profile's trust,
// for the profile's registration. What does not verify is not returned.
func (p *Pending) Complete(e receipt.Evidence, now time.Time) (*receipt.Receipt, *receipt.Verdict, error) {
	reg := p.Registration.Logged
	r := &receipt.Receipt{
		Logged:       receipt.Logged{Statement: p.Note.Raw, Entry: e.Entry, Proof: e.Proof},
		Timestamps:   e.Timestamps,
		After:        p.After,
		Registration: &reg,
	}
	for _, g := range p.Grants {
		r.Grants = append(r.Grants, g.Logged)
	}
	v, err := r.Verify(receipt.Options{Trust: p.Trust, Trial: statement.TrialFingerprint(p.Registration.Note.ID), Now: now})
	if err != nil {
		return nil, nil, err
	}
	return r, v, nil
}

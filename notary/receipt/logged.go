package receipt

import (
	"fmt"
	"regexp"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
)

// logged is a Logged with its parts parsed.
type logged struct {
	what  string // for errors
	note  *statement.Note
	raw   []byte // of the entry
	entry entry.Entry
	proof checkpoint.Proof
	head  checkpoint.Signed
	met   checkpoint.Met
}

// parse: size limits and canonical container, then every part.
func (t *verification) parse() (err error) {
	if _, err := t.r.Bytes(); err != nil {
		return fail(StepContainer, "%v", err)
	}
	if t.statement, err = parse("statement", t.r.Logged); err != nil {
		return err
	}
	for i, g := range t.r.Grants {
		l, err := parse(fmt.Sprintf("grant-%d", i+1), g)
		if err != nil {
			return err
		}
		t.grants = append(t.grants, l)
	}
	isRegistration := t.statement.note.Kind == statement.KindRegistration
	switch {
	case isRegistration && (t.r.Registration != nil || len(t.r.Grants) > 0):
		return fail(StepParts, "the statement is a registration, yet other grants come with it")
	case isRegistration:
		t.registration = t.statement
	case t.r.Registration == nil:
		return fail(StepParts, "the registration of the trial is missing")
	default:
		if t.registration, err = parse("registration", *t.r.Registration); err != nil {
			return err
		}
	}
	if t.r.After != nil {
		s, err := checkpoint.Parse(t.r.After)
		if err != nil {
			return fail(StepParts, "after.checkpoint: %v", err)
		}
		t.after = &s
	}
	return nil
}

var lineNumber = regexp.MustCompile(`\bline [0-9]+`)

func parse(what string, l Logged) (*logged, error) {
	n, err := statement.Parse(l.Statement)
	if err != nil {
		// The error quotes what no signature vouches for; its place is enough.
		where := lineNumber.FindString(err.Error())
		if where == "" {
			where = "the whole"
		}
		return nil, fail(StepParts, "%s: %s is not as a statement is written", what, where)
	}
	p := &logged{what: what, note: n, raw: l.Entry}
	if p.entry, err = entry.Parse(l.Entry); err != nil {
		return nil, fail(StepParts, "the entry of the %s: %v", what, err)
	}
	if p.proof, err = checkpoint.ParseProof(l.Proof); err != nil {
		return nil, fail(StepParts, "the proof of the %s: %v", what, err)
	}
	if p.head, err = checkpoint.Parse(p.proof.Checkpoint); err != nil {
		return nil, fail(StepParts, "the proof of the %s: %v", what, err)
	}
	return p, nil
}

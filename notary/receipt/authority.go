package receipt

import (
	"cmp"
	"errors"
	"slices"

	"trialnotary/notary/statement"
)

// authority: the registration, the grants, and that the statement's key was in
// force and made its signature.
func (t *verification) authority() error {
	if err := t.checkRegistration(); err != nil {
		return err
	}
	reg := t.registration
	a, err := statement.NewAuthority(reg.note, reg.entry.Index)
	switch {
	case errors.Is(err, statement.ErrSignature):
		return fail(StepRegistration, "the registration is not signed by the sponsor key it names")
	case errors.Is(err, statement.ErrAfter):
		return fail(StepRegistration, "the registration names a checkpoint larger than its own index")
	case err != nil:
		return fail(StepRegistration, "the registration cannot be the root of a trial")
	}
	ascending := slices.Clone(t.grants)
	slices.SortFunc(ascending, func(x, y *logged) int { return cmp.Compare(x.entry.Index, y.entry.Index) })
	for _, g := range ascending {
		if err := t.addGrant(a, g); err != nil {
			return err
		}
	}
	return t.checkSigner(a)
}

// checkRegistration: it is one, and believed by what the visitor brings.
func (t *verification) checkRegistration() (err error) {
	l := t.registration
	if l.note.Kind != statement.KindRegistration {
		return fail(StepRegistration, "the part \"registration\" holds a statement of another kind")
	}
	t.v.Registered, err = t.o.Believe(l.note, l.entry, l == t.statement)
	return err
}

func (t *verification) addGrant(a *statement.Authority, g *logged) error {
	switch g.note.Kind {
	case statement.KindEnrolment, statement.KindSuccession:
	default:
		return fail(StepAuthority, "%s grants no key", g.what)
	}
	err := a.Add(g.note, g.entry.Index, g.entry.Time)
	if err == nil {
		return nil
	}
	// What Check refused before a signature verified quotes the statement.
	var refused *statement.AuthorityError
	switch {
	case errors.Is(err, statement.ErrSignature):
		return fail(StepAuthority, "%s is not signed by the key it names", g.what)
	case errors.Is(err, statement.ErrNotInForce):
		return fail(StepAuthority, "%s is signed by a key that no grant in this receipt lets sign there and then", g.what)
	case errors.As(err, &refused):
		return fail(StepAuthority, "%s has no effect: %s", g.what, refused.Reason)
	}
	return fail(StepAuthority, "%s has no effect", g.what)
}

func (t *verification) checkSigner(a *statement.Authority) error {
	s := t.statement
	g, err := a.Check(s.note, s.entry.Index, s.entry.Time)
	switch {
	case errors.Is(err, statement.ErrNotInForce):
		return fail(StepAuthority, "no grant in this receipt lets the statement's key sign in that stream at index %d", s.entry.Index)
	case errors.Is(err, statement.ErrSignature):
		return fail(StepSignature, "the statement is not signed by the key it names: it was changed, or never made by that key")
	case errors.Is(err, statement.ErrAfter):
		return fail(StepAfter, "%v", err)
	case err != nil: // its signature verified
		return fail(StepSignature, "%v", err)
	}
	if len(s.note.Keys) > 0 && !g.Role.Grants() {
		return fail(StepAuthority, "the statement grants or ends a key, and a key of role %s may not", g.Role)
	}
	if len(s.note.Keys) > 0 && s != t.registration && s.entry.Stream != a.TrialStream() {
		return fail(StepAuthority, "the statement grants or ends a key outside the trial stream")
	}
	if s.note.Kind == statement.KindEnrolment {
		if err := t.addGrant(a, s); err != nil {
			return err
		}
	}
	if err := t.checkGrants(a, g); err != nil {
		return err
	}
	t.v.Note, t.v.Grant = s.note, g
	for _, l := range append([]*logged{t.registration}, t.grants...) {
		if l.note.ID == g.Statement {
			t.v.Enroller, t.v.EnrolledAt = l.note.KeyName, l.entry.Time
		}
	}
	return nil
}

// checkGrants: the receipt carries the signing key's own grant first and nothing
// that the verdict does not rest on, so that one statement has one receipt. Beside
// a statement that ends a key, the grant of that key may stand.
func (t *verification) checkGrants(a *statement.Authority, g statement.Grant) error {
	chain := a.Chain(g)
	if len(chain) > 0 && t.grants[0].note.ID != g.Statement {
		return fail(StepAuthority, "grant-1 is not the grant of the statement's key")
	}
	if k := t.statement.note.Kind; k == statement.KindRevocation || k == statement.KindSuccession {
		return nil
	}
	for _, l := range t.grants {
		if !slices.ContainsFunc(chain, func(c statement.Grant) bool { return c.Statement == l.note.ID }) {
			return fail(StepAuthority, "%s is no part of what lets the statement's key sign", l.what)
		}
	}
	return nil
}

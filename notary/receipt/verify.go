package receipt

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/statement"
	"trialnotary/notary/tile"
	"trialnotary/notary/timestamp"
)

// The steps of [Receipt.Verify], in their order.
const (
	StepContainer    = "container"    // size and canonical form
	StepParts        = "parts"        // every part parses
	StepCheckpoints  = "checkpoints"  // signed as the trust file asks
	StepInclusion    = "inclusion"    // the entries are in the log, at their index
	StepEntry        = "entry"        // the entries are those of the statements
	StepRegistration = "registration" // the trial's, by fingerprint or sponsor
	StepAuthority    = "authority"    // the key was in force
	StepSignature    = "signature"    // of the statement
	StepAfter        = "after"        // the checkpoint that the statement names
)

// Failure is the error of [Receipt.Verify]: NOT VERIFIED.
type Failure struct {
	Step   string // the first step that failed
	Reason string // a sentence without a full stop
	cause  error  // nil: none but the reason
}

// Error returns the step and the reason.
func (f *Failure) Error() string { return "not verified: " + f.Step + ": " + f.Reason }

// Unwrap returns what caused it, as an error of package checkpoint, or nil.
func (f *Failure) Unwrap() error { return f.cause }

func fail(step, reason string, a ...any) error {
	f := &Failure{Step: step, Reason: fmt.Sprintf(reason, a...)}
	for _, x := range a {
		if err, ok := x.(error); ok {
			f.cause = err
		}
	}
	return f
}

// verification is one run of Verify.
type verification struct {
	r            *Receipt
	o            Options
	statement    *logged
	grants       []*logged
	registration *logged // the statement itself where that is one
	after        *checkpoint.Signed
	v            *Verdict
	policy       func(s checkpoint.Signed, at time.Time) (checkpoint.Met, error)
	authorities  *timestamp.Authorities // nil: none are trusted
	renewed      time.Time              // of the first renewal that counts, over all of it; or zero
}

// Verify checks everything a receipt shows, in the order of the format. The
// error is always a [*Failure]. Files are checked by the caller, against
// Verdict.Note.Dataset, only after this. For many receipts: [Verifier].
func (r *Receipt) Verify(o Options) (*Verdict, error) {
	return newVerification(r, o).run()
}

func newVerification(r *Receipt, o Options) *verification {
	return NewVerifier(o).verification(r)
}

func (t *verification) run() (*Verdict, error) {
	for _, step := range []func() error{
		t.parse, t.stamps, t.checkpoints, t.inclusion, t.entries, t.authority, t.checkAfter,
	} {
		if err := step(); err != nil {
			var f *Failure
			if t.o.Hint != "" && errors.As(err, &f) {
				f.Reason += "; " + t.o.Hint
			}
			return nil, err
		}
	}
	return t.v, nil
}

func (t *verification) all() []*logged {
	all := append([]*logged{t.statement}, t.grants...)
	if t.registration != t.statement {
		all = append(all, t.registration)
	}
	return all
}

// checkpoints: each is signed as the visitor's policy asks; without a trust file,
// all are at least of one log. No two are of the same size with different roots.
func (t *verification) checkpoints() error {
	roots := map[uint64][32]byte{}
	at := t.o.Now
	if !t.renewed.IsZero() {
		at = t.renewed // all of the receipt was there by then
	}
	check := func(what string, s checkpoint.Signed) (m checkpoint.Met, err error) {
		if t.o.Trust != nil {
			if m, err = t.policy(s, at); err != nil {
				return m, fail(StepCheckpoints, "%s: %v", what, err)
			}
		}
		if s.Origin != t.statement.head.Origin {
			return m, fail(StepCheckpoints, "%s: it is of another log than the statement's", what)
		}
		if root, ok := roots[s.Size]; ok && root != s.Root {
			return m, fail(StepCheckpoints, "%s: the log signed two different roots at size %d", what, s.Size)
		}
		roots[s.Size] = s.Root
		return m, nil
	}
	for _, l := range t.all() {
		m, err := check("the checkpoint of the "+l.what, l.head)
		if err != nil {
			return err
		}
		l.met = m
		if t.o.Trust != nil && !m.Witnessed && t.v.Doubtful == 0 {
			t.v.Doubtful = t.o.Trust.Policy.Doubtful(l.head)
		}
	}
	if t.after != nil {
		m, err := check("after.checkpoint", *t.after)
		if err != nil {
			return err
		}
		t.v.After = &AfterVerdict{Size: t.after.Size, NotBefore: m.NotBefore, Met: m}
	}
	t.v.Origin, t.v.FinalSize, t.v.Met = t.statement.head.Origin, t.statement.head.Size, t.statement.met
	return nil
}

// inclusion: the exact entry bytes are in the log, at the entry's own index.
func (t *verification) inclusion() error {
	for _, l := range t.all() {
		if l.entry.Index != l.proof.Index {
			return fail(StepInclusion, "the %s: the entry says index %d, the proof is for index %d", l.what, l.entry.Index, l.proof.Index)
		}
		if err := tile.VerifyInclusion(tile.LeafHash(l.raw), l.proof.Index, l.head.Size, l.proof.Hashes, l.head.Root); err != nil {
			return fail(StepInclusion, "the %s: its entry is not in the log that the checkpoint signs: %v", l.what, err)
		}
	}
	return nil
}

// entries: each names its statement, its stream id recomputes, the log is the
// one the statement was made for; and together they can be of one log.
func (t *verification) entries() error {
	for _, l := range t.all() {
		switch {
		case l.entry.Statement != l.note.ID:
			return fail(StepEntry, "the %s in this receipt is not the one that its log entry commits to: one of them was changed", l.what)
		case l.note.Log != l.head.Origin:
			return fail(StepEntry, "the %s was made for another log", l.what)
		case l.note.Kind == statement.KindRegistration && !slices.Contains(l.note.RegistrationStreams(), l.entry.Stream),
			l.note.Kind != statement.KindRegistration && l.entry.Stream != l.note.Stream():
			return fail(StepEntry, "the %s: the entry stands in another stream than the statement says", l.what)
		}
	}
	order := t.all()
	slices.SortStableFunc(order, func(a, b *logged) int { return cmp.Compare(a.entry.Index, b.entry.Index) })
	for i, b := range order[1:] {
		a := order[i]
		switch {
		case a.entry.Index == b.entry.Index:
			return fail(StepEntry, "the %s and the %s are the same entry", a.what, b.what)
		case a.entry.Batch > b.entry.Batch, a.entry.Time.After(b.entry.Time),
			a.entry.Batch == b.entry.Batch && !a.entry.Time.Equal(b.entry.Time):
			return fail(StepEntry, "the batches of the log run backwards between index %d and index %d", a.entry.Index, b.entry.Index)
		}
	}
	t.v.Entry = t.statement.entry
	return nil
}

// checkAfter: the checkpoint the statement names is there, byte for byte.
func (t *verification) checkAfter() error {
	a := t.statement.note.After
	switch {
	case a == nil && t.after == nil:
		return nil
	case a == nil:
		return fail(StepAfter, "a checkpoint comes with the receipt that the statement does not name")
	case t.after == nil:
		return fail(StepAfter, "the checkpoint that the statement names is missing")
	case a.Size != t.after.Size || a.Hash != sha256.Sum256(t.after.Raw) || !bytes.Equal(t.after.Raw, t.r.After):
		return fail(StepAfter, "the checkpoint is not the one that the statement names")
	case a.Size > t.v.Entry.Index:
		return fail(StepAfter, "the statement names a checkpoint of size %d, which is not before its own index %d", a.Size, t.v.Entry.Index)
	}
	return nil
}

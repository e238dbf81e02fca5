package statement

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Errors of [Authority.Check], wrapped in sentences.
var (
	ErrNotInForce = errors.New("the key is not in force")
	ErrSignature  = errors.New("the signature is not that key's")
	ErrPerson     = errors.New("the signer is not the person the key was granted to")
	ErrAfter      = errors.New("its after names a log larger than the one it is entered in")
	ErrStranger   = errors.New("no key that was granted for such a stream made the signature")
)

// Check decides whether n may be entered in its own stream at that index of the
// log, in a batch of that time: its key is in force, its signature verifies, its
// signer is the person of the key where the grant names one, and its after is not
// ahead of the log. It returns the grant it rests on: the oldest that suffices. A
// caller that asks before an index is assigned gives [math.MaxUint64]. Errors wrap
// [ErrNotInForce], [ErrSignature], [ErrPerson] or [ErrAfter].
func (a *Authority) Check(n *Note, index uint64, batch time.Time) (Grant, error) {
	return a.check(n, index, batch, true)
}

// CheckAccepted is Check for a note whose signature was verified, with a key of
// this trial then in force, when it was accepted. It verifies the signature again
// only if several different keys were ever granted its name and hash there.
func (a *Authority) CheckAccepted(n *Note, index uint64, batch time.Time) (Grant, error) {
	return a.check(n, index, batch, false)
}

func (a *Authority) check(n *Note, index uint64, batch time.Time, verify bool) (Grant, error) {
	g, err := a.signer(n, index, batch, verify)
	if err != nil {
		return Grant{}, err
	}
	return *g, nil
}

// CheckBlind decides whether a key may have a statement entered in a stream that
// nobody but its author has seen: s is the author's word for it, of which the
// signature is verified. Never in the trial or a registration stream, where everyone
// must be able to see who granted what. Index, time and errors as for Check; to whom
// no key of the stream's signed, ErrStranger says nothing of it, since its id is public.
func (a *Authority) CheckBlind(stream StreamID, s Signed, index uint64, batch time.Time) (Grant, error) {
	k := signerKey{stream, s.KeyName, s.KeyHash}
	by := signedBy(s, a.grants[k])
	if len(by) == 0 {
		return Grant{}, ErrStranger
	}
	if name := a.names[stream]; name == TrialStream {
		return Grant{}, fmt.Errorf("nothing is sealed blind in the stream %q: %w", name, ErrNotInForce)
	}
	for _, g := range by {
		if a.lapse(g, index, batch) == "" {
			return *g, nil
		}
	}
	return Grant{}, a.notInForce(k, index, batch)
}

// signer returns the grant that n rests on.
func (a *Authority) signer(n *Note, index uint64, batch time.Time, verify bool) (*Grant, error) {
	if n.Log != a.registration.Log {
		return nil, fmt.Errorf("it is for the log %s, this trial is registered in %s: %w", n.Log, a.registration.Log, ErrNotInForce)
	}
	if n.Trial != a.registration.Trial {
		return nil, fmt.Errorf("it is for the trial %s, the registration is of %s: %w", n.Trial, a.registration.Trial, ErrNotInForce)
	}
	stream := n.Stream()
	if n.Kind == KindRegistration {
		// The registration rests on itself: NewAuthority verified its signature.
		if n.ID != a.registration.ID {
			return nil, fmt.Errorf("it is another registration than this trial's: %w", ErrNotInForce)
		}
		return a.statements[n.ID][0], nil
	}
	if name, ok := a.names[stream]; !ok || name != n.StreamName {
		return nil, fmt.Errorf("no key of this trial was granted for the stream %q with that id: %w", n.StreamName, ErrNotInForce)
	}
	k := signerKey{stream, n.KeyName, n.KeyHash}
	in := a.inForce(k, index, batch)
	if len(in) == 0 {
		return nil, a.notInForce(k, index, batch)
	}
	// Not only the keys in force now: the one that signed may have ended since, and
	// another that collides with it have come.
	if verify || slices.ContainsFunc(a.grants[k], func(g *Grant) bool { return g.Key.Key != in[0].Key.Key }) {
		if in = signedBy(n.Signed, in); len(in) == 0 {
			return nil, fmt.Errorf("it is not signed by the key %s, whose name it carries: %w", n.KeyName, ErrSignature)
		}
	}
	i := slices.IndexFunc(in, func(g *Grant) bool { return n.Signer == "" || g.Person == "" || n.Signer == g.Person })
	if i < 0 {
		return nil, fmt.Errorf("it says %q signed, the key %s was granted to %q: %w", n.Signer, n.KeyName, in[0].Person, ErrPerson)
	}
	if err := checkAfter(n, index); err != nil {
		return nil, err
	}
	return in[i], nil
}

// signedBy returns those of grants whose key signed n, verifying once per key.
func signedBy(n Signed, grants []*Grant) []*Grant {
	var by []*Grant
	var good, bad []PublicKey
	for _, g := range grants {
		k := g.Key.Key
		if !slices.Contains(good, k) && !slices.Contains(bad, k) {
			if n.VerifiedBy(k) {
				good = append(good, k)
			} else {
				bad = append(bad, k)
			}
		}
		if slices.Contains(good, k) {
			by = append(by, g)
		}
	}
	return by
}

// notInForce says why the newest grant to a key does not help.
func (a *Authority) notInForce(k signerKey, index uint64, batch time.Time) error {
	grants := a.grants[k]
	if len(grants) == 0 {
		return fmt.Errorf("the key %s was never granted for the stream %q: %w", k.name, a.names[k.stream], ErrNotInForce)
	}
	return fmt.Errorf("the key %s may not sign here, %s: %w", k.name, a.lapse(grants[len(grants)-1], index, batch), ErrNotInForce)
}

// checkAfter: the log a statement was signed after is not larger than its index.
func checkAfter(n *Note, index uint64) error {
	if n.After != nil && n.After.Size > index && index != math.MaxUint64 {
		return fmt.Errorf("it names a log of size %d, its index is %d: %w", n.After.Size, index, ErrAfter)
	}
	return nil
}

package statement

import (
	"fmt"
	"slices"
	"time"
)

// Add takes the next statement of the trial stream, in index order, sealed in a
// batch of that time. A statement that grants and ends nothing by its kind always
// succeeds. For an enrolment, a revocation or a succession Add verifies the
// signature and that the signer may grant; an error, always an [*AuthorityError],
// says why the statement has no effect, and a is unchanged.
func (a *Authority) Add(n *Note, index uint64, batch time.Time) error {
	if index <= a.last {
		return refuse(nil, "it is entered at index %d, not after index %d", index, a.last)
	}
	if n.Log != a.registration.Log || n.Trial != a.registration.Trial || n.Stream() != a.TrialStream() {
		return refuse(nil, "it does not stand in this trial's stream %q", TrialStream)
	}
	if n.Kind.keys() == 1 {
		by, err := a.signer(n, index, batch, true)
		if err != nil {
			return refuse(err, "%v", err)
		}
		if by, err = a.granting(n, by, index, batch); err != nil {
			return err
		}
		if err := a.apply(n, index, by); err != nil {
			return err
		}
	}
	a.last = index
	a.count++
	return nil
}

func refuse(err error, why string, args ...any) error {
	return &AuthorityError{fmt.Sprintf(why, args...), err}
}

// granting returns a grant to the key of by that lets it grant: by itself or,
// where the key was granted twice, another one in force.
func (a *Authority) granting(n *Note, by *Grant, index uint64, batch time.Time) (*Grant, error) {
	for _, g := range a.inForce(signerKey{by.Stream, n.KeyName, n.KeyHash}, index, batch) {
		if g.Key.Key == by.Key.Key && g.Role.Grants() && (n.Signer == "" || g.Person == "" || n.Signer == g.Person) {
			return g, nil
		}
	}
	return nil, refuse(nil, "it is signed by a key of role %s, and only sponsor and recovery keys grant and end keys", by.Role)
}

// apply lets an enrolment, revocation or succession signed by by take effect.
func (a *Authority) apply(n *Note, index uint64, by *Grant) error {
	k := n.Keys[0]
	if err := a.checkStream(k); err != nil {
		return err
	}
	at := place{k.Key, k.Stream}
	i, revoked := a.revoked[at]
	switch {
	case n.Kind == KindRevocation:
		// The first one counts. It needs no earlier grant: for ever means that the
		// key cannot come back, nor come at all.
		if !revoked {
			a.revoked[at] = index
		}
		return nil
	case revoked:
		return refuse(nil, "the key %s was revoked for the stream %q at index %d, and a revocation is for ever", k.Key.Name, k.Name, i)
	case len(a.statements[n.ID]) > 0:
		return refuse(nil, "it stands in this stream already")
	}
	switch n.Kind {
	case KindEnrolment:
		a.grant(&Grant{Key: k, Statement: n.ID, Index: index, Person: n.Person, Until: n.Until, By: by})
	case KindSuccession:
		old, err := a.predecessor(n, k)
		if err != nil {
			return err
		}
		if _, ended := a.ended[old]; !ended {
			a.ended[old] = index
		}
		a.grant(&Grant{Key: k, Statement: n.ID, Index: index, Person: old.Person, Until: old.Until, By: by, Replaces: old})
	}
	return nil
}

// checkStream: a name has one stream id for the trial, and a stream one name.
func (a *Authority) checkStream(k Key) error {
	if k.Name == RegistrationStream {
		return refuse(nil, "no key is granted for the stream %q: it holds registrations only", RegistrationStream)
	}
	if id, ok := a.streams[k.Name]; ok && id != k.Stream {
		return refuse(nil, "the stream name %q already stands for another stream id", k.Name)
	}
	if name, ok := a.names[k.Stream]; ok && name != k.Name {
		return refuse(nil, "the stream id of %q already has the name %q", k.Name, name)
	}
	return nil
}

// predecessor returns the grant that a succession ends: the one its about made.
// A registration made two, told apart by their role.
func (a *Authority) predecessor(n *Note, k Key) (*Grant, error) {
	made := a.statements[n.About[0]]
	if len(made) == 0 {
		return nil, refuse(nil, "the statement it is about granted no key in this trial before it")
	}
	i := slices.IndexFunc(made, func(g *Grant) bool { return g.Role == k.Role })
	switch {
	case i < 0:
		return nil, refuse(nil, "the new key has the role %s, and the statement it is about granted none of that role", k.Role)
	case made[i].Name != k.Name || made[i].Stream != k.Stream:
		return nil, refuse(nil, "the new key is for the stream %q, the old one for %q", k.Name, made[i].Name)
	}
	return made[i], nil
}

// Chain returns the grants whose statements a receipt must carry besides the
// registration to show that g was made by those who could: g, the grant of the key
// that signed it and, for a succession, the grant it ended, and so on upward;
// distinct statements, by descending index.
func (a *Authority) Chain(g Grant) []Grant {
	var chain []Grant
	var climb func(g *Grant)
	climb = func(g *Grant) {
		if g == nil || g.Registration || slices.ContainsFunc(chain, func(c Grant) bool { return c.Statement == g.Statement }) {
			return
		}
		chain = append(chain, *g)
		climb(g.By)
		climb(g.Replaces)
	}
	climb(&g)
	slices.SortFunc(chain, func(x, y Grant) int {
		if x.Index > y.Index {
			return -1
		}
		return 1
	})
	return chain
}

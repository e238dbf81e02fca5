package statement

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// A story is a trial's authority as its trial stream grows: the registration at
// index 0, then one entry after another.
type story struct {
	*testing.T
	a    *Authority
	next uint64
}

func tell(t *testing.T) *story {
	t.Helper()
	a, err := NewAuthority(sign(t, registration(), "acme"), 0)
	if err != nil {
		t.Fatal(err)
	}
	return &story{t, a, 1}
}

// add enters a statement that must take effect and returns it.
func (s *story) add(st Statement, key string) *Note {
	s.Helper()
	st.Salt = testSalt("entry " + time.Unix(int64(s.next), 0).String()) // distinct statements
	n := sign(s, st, key)
	if err := s.a.Add(n, s.next, noon); err != nil {
		s.Fatalf("index %d: %v", s.next, err)
	}
	s.next++
	return n
}

// refused enters a statement that must have no effect, for a reason holding want.
func (s *story) refused(st Statement, key, want string) {
	s.Helper()
	count := s.a.Count()
	err := s.a.Add(sign(s, st, key), s.next, noon)
	var why *AuthorityError
	if !errors.As(err, &why) || !strings.Contains(why.Reason, want) {
		s.Errorf("index %d: %v; want %q", s.next, err, want)
	}
	if s.a.Count() != count {
		s.Error("a refused statement was counted")
	}
	s.next++ // an entry without effect takes an index too
}

// may asserts whether key may sign a dataset in a stream at the next index.
func (s *story) may(stream, key string, want error) {
	s.Helper()
	s.mayAt(dataset(stream), key, s.next, noon, want)
}

func (s *story) mayAt(st Statement, key string, index uint64, batch time.Time, want error) {
	s.Helper()
	n := sign(s, st, key)
	g, err := s.a.Check(n, index, batch)
	if !errors.Is(err, want) {
		s.Errorf("%s in %s at index %d: %v; want %v", key, st.StreamName, index, err, want)
	}
	if err == nil && g.Key.Key != testKey(key).Public() {
		s.Errorf("rests on the key %s", g.Key.Key)
	}
	k := testKey(key).Public()
	if in := s.a.InForce(st.Stream(), k.Name, k.Hash(), index, batch); (len(in) > 0) != (err == nil || errors.Is(err, ErrPerson)) {
		s.Errorf("%d grants in force, but Check says: %v", len(in), err)
	}
}

func enrol(role Role, stream, key string) Statement {
	return granting(KindEnrolment, role, stream, key)
}
func revoke(role Role, stream, key string) Statement {
	return granting(KindRevocation, role, stream, key)
}
func succeed(about ID, role Role, stream, key string) Statement {
	s := granting(KindSuccession, role, stream, key)
	s.About = []ID{about}
	return s
}

func TestKeyIsInForceAfterItsGrantUntilItsEnd(t *testing.T) {
	s := tell(t)
	st := enrol(RoleSite, "site-001", "jdoe")
	s.add(st, "acme")                                                // 1
	s.add(said(TrialStream, KindNote), "acme")                       // 2
	s.add(revoke(RoleSite, "site-001", "jdoe"), "acme")              // 3
	s.mayAt(dataset("site-001"), "jdoe", 0, noon, ErrNotInForce)     // before the grant
	s.mayAt(dataset("site-001"), "jdoe", 1, noon, ErrNotInForce)     // at the grant's own index
	s.mayAt(dataset("site-001"), "jdoe", 2, noon, nil)               // right after it
	s.mayAt(dataset("site-001"), "jdoe", 3, noon, nil)               // at the revocation's own index
	s.mayAt(dataset("site-001"), "jdoe", 4, noon, ErrNotInForce)     // right after it
	s.mayAt(dataset("site-001"), "jdoe", 1<<63, noon, ErrNotInForce) // and for ever
	s.refused(st, "acme", "for ever")                                // the same statement again
	s.refused(enrol(RoleMonitor, "site-001", "jdoe"), "acme.recovery", "for ever")
	s.may("site-001", "jdoe", ErrNotInForce)
	s.add(revoke(RoleSite, "site-001", "jdoe"), "acme") // once more: the first counts
	s.mayAt(dataset("site-001"), "jdoe", 3, noon, nil)
	// For that stream: elsewhere the person may still sign.
	s.add(enrol(RoleSite, "site-002", "jdoe"), "acme")
	s.may("site-002", "jdoe", nil)
	if s.a.Count() != 5 {
		t.Errorf("%d statements counted, want 5", s.a.Count())
	}
}

func TestRevocationBeforeAnyGrantIsForEver(t *testing.T) {
	s := tell(t)
	s.add(revoke(RoleSite, "site-001", "jdoe"), "acme")
	s.refused(enrol(RoleSite, "site-001", "jdoe"), "acme", "for ever")
	if _, bound := s.a.Stream("site-001"); bound {
		t.Error("a revocation bound a stream name")
	}
}

func TestUntil(t *testing.T) {
	s := tell(t)
	st := enrol(RoleSite, "site-001", "jdoe")
	st.Until = noon.Add(time.Hour)
	first := s.add(st, "acme")
	check := func(key string) {
		s.mayAt(dataset("site-001"), key, s.next, noon.Add(time.Hour), nil) // the last second
		s.mayAt(dataset("site-001"), key, s.next, noon.Add(time.Hour+time.Second), ErrNotInForce)
	}
	check("jdoe")
	s.add(succeed(first.ID, RoleSite, "site-001", "jdoe-2"), "acme")
	check("jdoe-2") // inherited
	st = enrol(RoleSponsor, TrialStream, "deputy")
	st.Until = noon.Add(time.Hour)
	s.add(st, "acme")
	n := sign(t, enrol(RoleSite, "site-009", "x"), "deputy")
	if err := s.a.Clone().Add(n, s.next, noon.Add(2*time.Hour)); !errors.Is(err, ErrNotInForce) {
		t.Errorf("a deputy past until enrolled: %v", err)
	}
	if err := s.a.Clone().Add(n, s.next, noon.Add(time.Hour)); err != nil {
		t.Error(err)
	}
}

func TestPersonSignsUnderTheirName(t *testing.T) {
	s := tell(t)
	st := enrol(RoleSite, "site-001", "jdoe")
	st.Person = "Jane Doe"
	first := s.add(st, "acme")
	signed := func(as string) Statement {
		d := dataset("site-001")
		d.Meaning, d.Signer = MeaningAuthorship, as
		return d
	}
	check := func(key string) {
		s.mayAt(signed("Jane Doe"), key, s.next, noon, nil)
		s.mayAt(signed("Richard Roe"), key, s.next, noon, ErrPerson)
		s.mayAt(dataset("site-001"), key, s.next, noon, nil) // no signer named
	}
	check("jdoe")
	s.add(succeed(first.ID, RoleSite, "site-001", "jdoe-2"), "acme")
	check("jdoe-2") // inherited
	s.may("site-001", "jdoe", ErrNotInForce)

	s.add(enrol(RoleSite, "site-002", "anyone"), "acme")
	d := dataset("site-002")
	d.Meaning, d.Signer = MeaningReview, "Anyone At All"
	s.mayAt(d, "anyone", s.next, noon, nil)

	st = enrol(RoleSponsor, TrialStream, "deputy")
	st.Person = "Jane Doe"
	s.add(st, "acme")
	st = enrol(RoleSite, "site-003", "x")
	st.Meaning, st.Signer = MeaningResponsibility, "Richard Roe"
	s.refused(st, "deputy", "Richard Roe")
}

func TestSuccessionEndsTheOldGrant(t *testing.T) {
	s := tell(t)
	first := s.add(enrol(RoleSite, "site-001", "jdoe"), "acme")                // 1
	second := s.add(succeed(first.ID, RoleSite, "site-001", "jdoe-2"), "acme") // 2
	s.mayAt(dataset("site-001"), "jdoe", 2, noon, nil)                         // at its own index
	s.mayAt(dataset("site-001"), "jdoe", 3, noon, ErrNotInForce)
	s.mayAt(dataset("site-001"), "jdoe-2", 2, noon, ErrNotInForce)
	s.mayAt(dataset("site-001"), "jdoe-2", 3, noon, nil)
	s.add(succeed(second.ID, RoleSite, "site-001", "jdoe-3"), "acme.recovery")
	s.may("site-001", "jdoe-2", ErrNotInForce)
	s.may("site-001", "jdoe-3", nil)
	// The key itself may come back by a grant of its own: it was not revoked.
	s.add(enrol(RoleSite, "site-001", "jdoe"), "acme")
	s.may("site-001", "jdoe", nil)

	s.refused(succeed(ID{9}, RoleSite, "site-001", "x"), "acme", "granted no key")
	s.refused(succeed(first.ID, RoleMonitor, "site-001", "x"), "acme", "role monitor")
	s.refused(succeed(first.ID, RoleSite, "site-002", "x"), "acme", "site-002")
	s.refused(succeed(first.ID, RoleSite, TrialStream, "x"), "acme", "for the stream")
	s.refused(succeed(first.ID, RoleSite, "site-001", "x"), "jdoe-3", "never granted") // not in the trial stream
	s.add(revoke(RoleSite, "site-001", "gone"), "acme")
	s.refused(succeed(first.ID, RoleSite, "site-001", "gone"), "acme", "for ever")
}

func TestKeyGrantedTwiceSignsWhileEitherGrantLasts(t *testing.T) {
	s := tell(t)
	first := s.add(enrol(RoleSite, "site-001", "jdoe"), "acme")
	second := enrol(RoleSite, "site-001", "jdoe")
	second.Person, second.Until = "Jane Doe", noon.Add(time.Hour)
	s.add(second, "acme")
	k := testKey("jdoe").Public()
	if in := s.a.InForce(streamID("site-001"), k.Name, k.Hash(), s.next, noon); len(in) != 2 {
		t.Fatalf("%d grants in force, want 2", len(in))
	}
	d := dataset("site-001")
	d.Meaning, d.Signer = MeaningAuthorship, "Richard Roe"
	s.mayAt(d, "jdoe", s.next, noon, nil) // the first names no person
	s.add(succeed(first.ID, RoleSite, "site-001", "jdoe-2"), "acme")
	s.may("site-001", "jdoe", nil) // by the second
	s.mayAt(d, "jdoe", s.next, noon, ErrPerson)
	s.mayAt(dataset("site-001"), "jdoe", s.next, noon.Add(2*time.Hour), ErrNotInForce)
	s.add(revoke(RoleSite, "site-001", "jdoe"), "acme") // ends the key, so both
	s.may("site-001", "jdoe", ErrNotInForce)

	// A key with two roles in the trial stream grants by the one that may.
	s.add(enrol(RoleMonitor, TrialStream, "both"), "acme")
	s.refused(enrol(RoleSite, "site-003", "x"), "both", "role monitor")
	s.add(enrol(RoleSponsor, TrialStream, "both"), "acme")
	s.add(enrol(RoleSite, "site-003", "x"), "both")
	s.may("site-003", "x", nil)
}

func TestRecoveryKeyTakesOverTheLostSponsorKey(t *testing.T) {
	s := tell(t)
	reg := s.a.Registration()
	s.add(enrol(RoleSite, "site-001", "jdoe"), "acme")
	s.add(succeed(reg.ID, RoleSponsor, TrialStream, "acme-2"), "acme.recovery")
	s.refused(enrol(RoleSite, "site-002", "roe"), "acme", "another key succeeded it")
	s.may("site-001", "jdoe", nil) // what the old key granted stands
	s.add(enrol(RoleSite, "site-002", "roe"), "acme-2")
	s.may("site-002", "roe", nil)
	// Each key of the registration ends by its own role.
	s.add(enrol(RoleSite, "site-003", "poe"), "acme.recovery")
	s.add(succeed(reg.ID, RoleRecovery, TrialStream, "recovery-2"), "acme-2")
	s.refused(enrol(RoleSite, "site-004", "x"), "acme.recovery", "another key succeeded it")
	s.add(revoke(RoleSponsor, TrialStream, "acme-2"), "recovery-2")
	s.refused(enrol(RoleSite, "site-004", "x"), "acme-2", "revoked")
	s.refused(enrol(RoleSponsor, TrialStream, "acme-2"), "recovery-2", "for ever")
	s.refused(succeed(reg.ID, RoleSite, TrialStream, "x"), "recovery-2", "none of that role")
}

func TestSponsorGrantedSponsorGrantsInTurn(t *testing.T) {
	s := tell(t)
	s.add(enrol(RoleSponsor, TrialStream, "cro"), "acme")
	deep := s.add(enrol(RoleRecovery, TrialStream, "cro.recovery"), "cro")
	s.add(enrol(RoleSite, "site-001", "jdoe"), "cro.recovery")
	s.may("site-001", "jdoe", nil)
	s.add(revoke(RoleSponsor, TrialStream, "acme"), "cro.recovery")
	s.refused(enrol(RoleSite, "site-002", "x"), "acme", "revoked")
	s.may("site-001", "jdoe", nil)

	g, err := s.a.Check(sign(t, dataset("site-001"), "jdoe"), s.next, noon)
	if err != nil {
		t.Fatal(err)
	}
	chain := s.a.Chain(g)
	if len(chain) != 3 || chain[0].Index != 3 || chain[1].Statement != deep.ID || chain[2].Index != 1 {
		t.Errorf("chain: %+v", chain)
	}
	// A sponsor's role in another stream grants nothing.
	s.add(enrol(RoleSponsor, "site-001", "local"), "cro")
	s.refused(enrol(RoleSite, "site-001", "x"), "local", "never granted")
}

func TestChainCarriesWhatASuccessionReplaced(t *testing.T) {
	s := tell(t)
	s.add(enrol(RoleSponsor, TrialStream, "cro"), "acme")            // 1
	first := s.add(enrol(RoleSite, "site-001", "jdoe"), "cro")       // 2
	s.add(succeed(first.ID, RoleSite, "site-001", "jdoe-2"), "acme") // 3
	g, err := s.a.Check(sign(t, dataset("site-001"), "jdoe-2"), s.next, noon)
	if err != nil {
		t.Fatal(err)
	}
	var indexes []uint64
	for _, c := range s.a.Chain(g) {
		indexes = append(indexes, c.Index)
	}
	if len(indexes) != 3 || indexes[0] != 3 || indexes[1] != 2 || indexes[2] != 1 {
		t.Errorf("chain at indexes %d, want 3 2 1", indexes)
	}
	g, err = s.a.Check(sign(t, said(TrialStream, KindNote), "acme"), s.next, noon)
	if err != nil || len(s.a.Chain(g)) != 0 {
		t.Errorf("the registration's own key has a chain: %v", err)
	}
}

func TestStreamNameHasOneID(t *testing.T) {
	s := tell(t)
	s.add(enrol(RoleSite, "site-001", "jdoe"), "acme")
	if id, ok := s.a.Stream("site-001"); !ok || id != streamID("site-001") || !s.a.Owns(id) {
		t.Errorf("site-001 is bound to %s, %t", id, ok)
	}
	other := enrol(RoleSite, "site-001", "roe")
	other.Keys[0].Stream = StreamID{1}
	s.refused(other, "acme", "another stream id")
	if s.a.Owns(StreamID{1}) {
		t.Error("a refused enrolment bound its stream")
	}
	other = revoke(RoleSite, "site-001", "jdoe")
	other.Keys[0].Stream = StreamID{1}
	s.refused(other, "acme", "another stream id")
	other = enrol(RoleSite, "site-002", "roe")
	other.Keys[0].Stream = streamID("site-001")
	s.refused(other, "acme", "already has the name")
	other.Keys[0].Stream = s.a.TrialStream()
	s.refused(other, "acme", "already has the name")
	other.Keys[0].Stream = s.a.Registration().Stream()
	s.refused(other, "acme", "already has the name")
	other = enrol(RoleSponsor, TrialStream, "roe")
	other.Keys[0].Stream = StreamID{2}
	s.refused(other, "acme", "another stream id")
	other = enrol(RoleSite, RegistrationStream, "roe")
	s.refused(other, "acme", "registrations only")
	other.Keys[0].Stream = s.a.Registration().Stream()
	s.refused(other, "acme", "registrations only")

	// The same name with another salt is another stream, where nobody may sign.
	moved := dataset("site-001")
	moved.StreamSalt = testSalt("moved")
	s.mayAt(moved, "jdoe", s.next, noon, ErrNotInForce)
}

// Every role has a twin who should not be able to sign: a key of another trial, a
// key of another stream, a stranger of the same name, a revoked one, one past until.
func TestTwinsOfEveryRoleAreRefused(t *testing.T) {
	for _, role := range Roles() {
		t.Run(string(role), func(t *testing.T) {
			stream := "stream-1"
			if role.Grants() {
				stream = TrialStream
			}
			s := tell(t)
			st := enrol(role, stream, "real")
			st.Until = noon.Add(time.Hour)
			s.add(st, "acme")
			s.add(enrol(role, "stream-2", "neighbour"), "acme")
			s.add(enrol(role, stream, "revoked"), "acme")
			s.add(revoke(role, stream, "revoked"), "acme")
			s.may(stream, "real", nil)

			s.may(stream, "neighbour", ErrNotInForce)
			s.may(stream, "stranger", ErrNotInForce)
			s.may(stream, "revoked", ErrNotInForce)
			s.mayAt(dataset(stream), "real", s.next, noon.Add(time.Hour+time.Second), ErrNotInForce)
			for what, change := range map[string]func(*Statement){
				"another trial": func(d *Statement) { d.Trial = "NCT07654321" },
				"another log":   func(d *Statement) { d.Log = "other.example" },
			} {
				d := dataset(stream)
				change(&d)
				if _, err := s.a.Check(sign(t, d, "real"), s.next, noon); !errors.Is(err, ErrNotInForce) {
					t.Errorf("%s: %v", what, err)
				}
			}
			// The name and key id of the real one, another key's signature.
			forged := *sign(t, dataset(stream), "real")
			forged.Signature = sign(t, dataset(stream), "stranger").Signature
			if _, err := s.a.Check(&forged, s.next, noon); !errors.Is(err, ErrSignature) {
				t.Errorf("a forged signature: %v", err)
			}
			changed := *sign(t, dataset(stream), "real")
			changed.Signed.Text = append([]byte("x"), changed.Signed.Text...)
			if _, err := s.a.Check(&changed, s.next, noon); !errors.Is(err, ErrSignature) {
				t.Errorf("a changed text: %v", err)
			}
			// Only sponsor and recovery keys of the trial stream grant.
			if !role.Grants() {
				s.add(enrol(role, TrialStream, "visitor"), "acme")
				s.refused(enrol(RoleSite, "site-009", "x"), "visitor", "only sponsor and recovery")
				s.refused(revoke(role, TrialStream, "acme"), "visitor", "only sponsor and recovery")
				s.refused(succeed(s.a.Registration().ID, RoleSponsor, TrialStream, "visitor"), "visitor", "only sponsor and recovery")
			}
		})
	}
}

// Keys are compared whole: one made to collide in name and key id is another key.
func TestCollidingKeysAreToldApart(t *testing.T) {
	s := tell(t)
	s.add(enrol(RoleSite, "site-001", "jdoe"), "acme")
	real := testKey("jdoe").Public()
	at := signerKey{streamID("site-001"), real.Name, real.Hash()}
	// Nobody grinds 2³² keys in a test, so the collision is put into the index.
	twin := &Grant{Key: Key{RoleSite, "site-001", streamID("site-001"), PublicKey{real.Name, testKey("twin").Public().Key}}, Index: 1}
	n := sign(t, dataset("site-001"), "jdoe")
	forged := *n
	forged.Signature[0] ^= 1
	if _, err := s.a.CheckAccepted(&forged, s.next, noon); err != nil {
		t.Errorf("one key, verified when it was accepted, is verified again: %v", err)
	}
	s.a.grants[at] = append(s.a.grants[at], twin)
	if _, err := s.a.CheckAccepted(&forged, s.next, noon); !errors.Is(err, ErrSignature) {
		t.Errorf("two keys collide and no signature was checked: %v", err)
	}
	if g, err := s.a.CheckAccepted(n, s.next, noon); err != nil || g.Key.Key != real {
		t.Errorf("rests on %v, %v", g.Key, err)
	}
	// The real key ends; its twin does not inherit what it had signed.
	s.add(revoke(RoleSite, "site-001", "jdoe"), "acme")
	if _, err := s.a.CheckAccepted(n, s.next, noon); !errors.Is(err, ErrSignature) {
		t.Errorf("the twin took over: %v", err)
	}
}

func TestRegistration(t *testing.T) {
	reg := sign(t, registration(), "acme")
	a, err := NewAuthority(reg, 5)
	if err != nil {
		t.Fatal(err)
	}
	if g, err := a.Check(reg, 5, noon); err != nil || !g.Registration || g.Role != RoleSponsor {
		t.Errorf("the registration rests on %+v, %v", g, err)
	}
	second := registration()
	second.Salt = testSalt("second")
	if _, err := a.Check(sign(t, second, "acme"), 9, noon); !errors.Is(err, ErrNotInForce) {
		t.Errorf("a second registration: %v", err)
	}
	for _, key := range []string{"acme.recovery", "stranger"} {
		if _, err := NewAuthority(sign(t, registration(), key), 0); !errors.Is(err, ErrSignature) {
			t.Errorf("signed by %s: %v", key, err)
		}
	}
	if _, err := NewAuthority(sign(t, dataset("site-001"), "acme"), 0); err == nil {
		t.Error("a dataset was taken for a registration")
	}
	own := registration()
	for i := range own.Keys {
		own.Keys[i].Stream = own.Stream()
	}
	if _, err := NewAuthority(sign(t, own, "acme"), 0); err == nil {
		t.Error("the registration stream was taken for the trial stream")
	}
	n := sign(t, enrol(RoleSite, "site-001", "jdoe"), "acme")
	if err := a.Add(n, 5, noon); err == nil {
		t.Error("an enrolment at the registration's own index")
	}
	if err := a.Add(sign(t, dataset("site-001"), "acme"), 6, noon); err == nil {
		t.Error("a statement of another stream was added")
	}
	if err := a.Add(n, 6, noon); err != nil {
		t.Error(err)
	}
	if err := a.Add(n, 7, noon); err == nil {
		t.Error("one statement granted twice")
	}
}

func TestAfterIsNotAheadOfTheLog(t *testing.T) {
	s := tell(t)
	d := said(TrialStream, KindNote)
	d.After = &After{Size: 7}
	s.mayAt(d, "acme", 7, noon, nil)
	n := sign(t, d, "acme")
	if _, err := s.a.Check(n, 6, noon); !errors.Is(err, ErrAfter) {
		t.Errorf("a log of size 7 before index 6: %v", err)
	}
}

func TestClonesAreIndependent(t *testing.T) {
	s := tell(t)
	s.add(enrol(RoleSite, "site-001", "jdoe"), "acme")
	copies := []*Authority{s.a.Clone(), s.a.Clone()}
	for i, c := range copies {
		st := enrol(RoleSite, "site-001", "jdoe")
		st.Until = noon.Add(time.Duration(i) * time.Hour)
		if err := c.Add(sign(t, st, "acme"), 2, noon); err != nil {
			t.Fatal(err)
		}
	}
	if err := copies[0].Add(sign(t, revoke(RoleSite, "site-001", "jdoe"), "acme"), 3, noon); err != nil {
		t.Fatal(err)
	}
	k := testKey("jdoe").Public()
	for i, want := range []int{0, 2} {
		if in := copies[i].InForce(streamID("site-001"), k.Name, k.Hash(), 9, noon); len(in) != want {
			t.Errorf("copy %d has %d grants, want %d", i, len(in), want)
		}
	}
	s.may("site-001", "jdoe", nil)
	if s.a.Count() != 1 {
		t.Errorf("the original counts %d", s.a.Count())
	}
}

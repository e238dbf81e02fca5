package receipt

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
)

// refused requires that r fails at that step and returns the reason.
func refused(t *testing.T, r *Receipt, o Options, step string) string {
	t.Helper()
	v, err := r.Verify(o)
	var f *Failure
	if !errors.As(err, &f) {
		t.Fatalf("it verifies: %+v, %v", v, err)
	}
	if v != nil || f.Step != step {
		t.Fatalf("refused at %q, want %q: %s", f.Step, step, f.Reason)
	}
	return f.Reason
}

func verified(t *testing.T, r *Receipt, o Options) *Verdict {
	t.Helper()
	v, err := r.Verify(o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sponsors(keys ...statement.PrivateKey) string {
	s := "-- sponsors --\n"
	for _, k := range keys {
		s += k.Public().String() + "\n"
	}
	return s
}

func TestWhoRegisteredTheTrial(t *testing.T) {
	w := newWorld(t)
	reg, grant, data := w.honest()
	r := w.receipt(data, reg, grant)

	v := verified(t, r, w.options(w.trust()))
	if !v.FirstToRegister() || v.SponsorListed || v.Pinned || v.Enroller != "acme" || !v.Confirmed {
		t.Errorf("without a list of sponsors: %+v", v)
	}
	v = verified(t, r, w.options(w.trust(sponsors(w.key("other"), w.key("acme")))))
	if v.FirstToRegister() || !v.SponsorListed {
		t.Errorf("the sponsor is listed: %+v", v)
	}
	refused(t, r, w.options(w.trust(sponsors(w.key("other")))), StepRegistration)
	refused(t, r, w.options(w.trust(sponsors())), StepRegistration)

	pinned := w.options(w.trust(sponsors(w.key("other"))))
	pinned.Trial = strings.ToLower(v.TrialFingerprint)
	if v = verified(t, r, pinned); !v.Pinned || v.SponsorListed || v.FirstToRegister() {
		t.Errorf("pinned: %+v", v)
	}
	pinned.Trial = "0000" + v.TrialFingerprint[4:]
	refused(t, r, pinned, StepRegistration)
	pinned.Trial = "0000"
	refused(t, r, pinned, StepRegistration)
}

func TestASecondRegistrationNeedsAFingerprint(t *testing.T) {
	w := newWorld(t)
	w.put(w.registration("squatter"), "squatter")
	reg, grant, data := w.honest()
	r := w.receipt(data, reg, grant)
	for _, trust := range []*Trust{w.trust(), w.trust(sponsors(w.key("acme")))} {
		refused(t, r, w.options(trust), StepRegistration)
	}
	o := w.options(w.trust())
	o.Trial = statement.TrialFingerprint(reg.note.ID)
	verified(t, r, o)
}

func TestBeingFirstUnderAnotherIdOfTheTrialProvesNothing(t *testing.T) {
	w := newWorld(t)
	w.put(w.registration("acme"), "acme")
	s := w.registration("mallory")
	s.Also = []statement.Also{{Trial: "PRIVATE-1", Salt: &[32]byte{3}}}
	also := statement.StreamIDOf(worldOrigin, "PRIVATE-1", "registration", [32]byte{3})
	reg := w.put(s, "mallory", also)
	e := w.enrolment("mallory.site")
	grant := w.put(e, "mallory")
	data := w.put(w.dataset(), "mallory.site")
	refused(t, w.receipt(data, reg, grant), w.options(w.trust()), StepRegistration)

	if v := verified(t, w.receipt(reg, reg), w.options(w.trust())); v.RegisteredAs != "PRIVATE-1" {
		t.Errorf("registered as %s", v.RegisteredAs)
	}
}

func TestAuthorityIsNeeded(t *testing.T) {
	w := newWorld(t)
	reg, grant, data := w.honest()
	o := w.options(w.trust())

	t.Run("no grant", func(t *testing.T) {
		reason := refused(t, w.receipt(data, reg), o, StepAuthority)
		for _, secret := range []string{"site-001", "jdoe", "NCT01234567"} {
			if strings.Contains(reason, secret) {
				t.Errorf("%q shows %q, whose signature nobody verified", reason, secret)
			}
		}
	})
	t.Run("granted by a site", func(t *testing.T) {
		bad := w.put(w.enrolment("friend"), "site-001.jdoe")
		d := w.put(w.dataset(), "friend")
		refused(t, w.receipt(d, reg, bad, grant), o, StepAuthority)
	})
	t.Run("granted by nobody known", func(t *testing.T) {
		bad := w.put(w.enrolment("friend2"), "nobody")
		d := w.put(w.dataset(), "friend2")
		refused(t, w.receipt(d, reg, bad), o, StepAuthority)
	})
	t.Run("granted later", func(t *testing.T) {
		d := w.put(w.dataset(), "late")
		g := w.put(w.enrolment("late"), "acme")
		refused(t, w.receipt(d, reg, g), o, StepAuthority)
	})
	t.Run("granted until", func(t *testing.T) {
		s := w.enrolment("guest")
		s.Until = w.now.Add(2 * time.Minute)
		g := w.put(s, "acme")
		in := w.put(w.dataset(), "guest")
		w.now = w.now.Add(time.Hour)
		out := w.put(w.dataset(), "guest")
		verified(t, w.receipt(in, reg, g), o)
		refused(t, w.receipt(out, reg, g), o, StepAuthority)
	})
	t.Run("another person", func(t *testing.T) {
		s := w.enrolment("person")
		s.Person = "Jane Doe"
		g := w.put(s, "acme")
		d := w.dataset()
		d.Signer, d.Meaning = "John Roe", "approval"
		refused(t, w.receipt(w.put(d, "person"), reg, g), o, StepSignature)
	})
	t.Run("a grant too many", func(t *testing.T) {
		other := w.put(w.enrolment("site-001.other"), "acme")
		d := w.put(w.dataset(), "site-001.jdoe")
		verified(t, w.receipt(d, reg, grant), o)
		refused(t, w.receipt(d, reg, grant, other), o, StepAuthority)
		refused(t, w.receipt(d, reg, other, grant), o, StepAuthority)
	})
	t.Run("the same grant twice", func(t *testing.T) {
		refused(t, w.receipt(data, reg, grant, grant), o, StepEntry)
	})
	t.Run("a monitor enrols", func(t *testing.T) {
		s := w.enrolment("monitor")
		s.Keys[0] = statement.Key{Role: statement.RoleMonitor, Name: "trial", Stream: streamID("trial", trialSalt), Key: w.key("monitor").Public()}
		monitor := w.put(s, "acme")
		note := w.base(statement.KindNote, "trial", trialSalt)
		note.Reason = "monitoring visit"
		verified(t, w.receipt(w.put(note, "monitor"), reg, monitor), o)
		refused(t, w.receipt(w.put(w.enrolment("x"), "monitor"), reg, monitor), o, StepAuthority)
	})
	t.Run("a registration that is none", func(t *testing.T) {
		refused(t, w.receipt(data, grant, grant), o, StepEntry)
		r := w.receipt(data, grant)
		refused(t, r, o, StepRegistration)
	})
	t.Run("a registration by another key", func(t *testing.T) {
		w := newWorld(t)
		reg := w.put(w.registration("acme"), "mallory")
		grant := w.put(w.enrolment("site-001.jdoe"), "acme")
		data := w.put(w.dataset(), "site-001.jdoe")
		refused(t, w.receipt(data, reg, grant), w.options(w.trust()), StepRegistration)
	})
}

func TestReplay(t *testing.T) {
	w := newWorld(t)
	reg, grant, data := w.honest()
	o := w.options(w.trust())
	t.Run("into another stream", func(t *testing.T) {
		p := w.put(w.dataset(), "site-001.jdoe", streamID("site-002", [32]byte{2}))
		refused(t, w.receipt(p, reg, grant), o, StepEntry)
	})
	t.Run("from another log", func(t *testing.T) {
		s := w.dataset()
		s.Log = "log.example/other"
		refused(t, w.receipt(w.put(s, "site-001.jdoe"), reg, grant), o, StepEntry)
	})
	t.Run("another log's checkpoint", func(t *testing.T) {
		other := newWorld(t)
		reg, grant, data := other.honest()
		refused(t, other.receipt(data, reg, grant), o, StepCheckpoints)
	})
	t.Run("another statement's entry", func(t *testing.T) {
		again := w.put(w.dataset(), "site-001.jdoe")
		r := w.receipt(data, reg, grant)
		r.Statement = again.note.Raw
		refused(t, r, o, StepEntry)
	})
}

func TestThePlaceInTheLog(t *testing.T) {
	w := newWorld(t)
	reg, grant, data := w.honest()
	o := w.options(w.trust())
	r := w.receipt(data, reg, grant)
	verified(t, r, o)
	p, err := checkpoint.ParseProof(r.Proof)
	w.check(err)

	t.Run("another index in the proof", func(t *testing.T) {
		bad, p := *r, p
		p.Index--
		bad.Proof = p.Bytes()
		refused(t, &bad, o, StepInclusion)
	})
	t.Run("another index in the entry", func(t *testing.T) {
		// The log itself holds an entry that lies about its index.
		e, err := entry.Parse(w.leaves[data.index])
		w.check(err)
		e.Index = 1
		old := w.leaves[data.index]
		w.leaves[data.index] = e.Append(nil)
		defer func() { w.leaves[data.index] = old }()
		refused(t, w.receipt(data, reg, grant), o, StepInclusion)
	})
	t.Run("two roots of one size", func(t *testing.T) {
		old := w.leaves[0]
		w.leaves[0] = []byte("another log\n")
		l := w.logged(reg, w.checkpoint())
		w.leaves[0] = old
		bad := *r
		bad.Registration = &l
		refused(t, &bad, o, StepCheckpoints)
	})
	t.Run("time runs backwards", func(t *testing.T) {
		w := newWorld(t)
		reg, grant, _ := w.honest()
		w.now = w.now.Add(-24 * time.Hour)
		data := w.put(w.dataset(), "site-001.jdoe")
		refused(t, w.receipt(data, reg, grant), w.options(w.trust()), StepEntry)
	})
	t.Run("an entry that the log does not hold", func(t *testing.T) {
		e, err := entry.Parse(r.Entry)
		w.check(err)
		e.Seq++
		bad := *r
		bad.Entry = e.Append(nil)
		refused(t, &bad, o, StepInclusion)
	})
}

func TestWithoutATrustFileTheLogIsUnconfirmed(t *testing.T) {
	w := newWorld(t)
	reg, grant, data := w.honest()
	r := w.receipt(data, reg, grant)
	v := verified(t, r, Options{Now: w.now, Confirmed: true})
	if !v.Unsigned || v.Confirmed || v.Met.Witnessed || v.SponsorListed {
		t.Errorf("%+v", v)
	}
	if v = verified(t, r, Options{Trust: w.trust(), Now: w.now}); v.Unsigned || v.Confirmed || !v.Met.Witnessed {
		t.Errorf("a trust file that came along: %+v", v)
	}
	// Everything else still holds.
	refused(t, w.receipt(data, reg), Options{Now: w.now}, StepAuthority)
	bad := w.receipt(w.put(w.dataset(), "nobody"), reg, grant)
	refused(t, bad, Options{Now: w.now}, StepAuthority)
}

func TestAfter(t *testing.T) {
	w := newWorld(t)
	reg, grant, _ := w.honest()
	cp := w.checkpoint()
	seen := w.now
	w.now = w.now.Add(time.Hour)
	s := w.dataset()
	s.After = &statement.After{Size: uint64(len(w.leaves)), Hash: sha256.Sum256(cp)}
	data := w.put(s, "site-001.jdoe")
	o := w.options(w.trust())
	r := w.receipt(data, reg, grant)
	refused(t, r, o, StepAfter) // it is missing
	r.After = cp
	v := verified(t, r, o)
	if v.After == nil || !v.After.NotBefore.Equal(seen) || !v.Met.NoLaterThan.Equal(w.now) {
		t.Errorf("after %+v, met %+v", v.After, v.Met)
	}
	r.After = w.checkpoint()
	refused(t, r, o, StepAfter) // it is another
	unwitnessed, err := checkpoint.Parse(cp)
	w.check(err)
	lines := unwitnessed.Lines[:2]
	unwitnessed.Lines = nil
	less, err := unwitnessed.With(lines...)
	w.check(err)
	r.After = less.Raw
	refused(t, r, o, StepCheckpoints)

	plain := w.receipt(w.put(w.dataset(), "site-001.jdoe"), reg, grant)
	plain.After = cp
	refused(t, plain, o, StepAfter) // nothing names it

	ahead := w.dataset()
	ahead.After = &statement.After{Size: 1000, Hash: sha256.Sum256(cp)}
	r = w.receipt(w.put(ahead, "site-001.jdoe"), reg, grant)
	r.After = cp
	refused(t, r, o, StepAfter)
}

// A token that is none, or by nobody trusted, does not count and spoils nothing.
func TestBadTimestampsSpoilNothing(t *testing.T) {
	w := newWorld(t)
	reg, grant, data := w.honest()
	r := w.receipt(data, reg, grant)
	want := summary(verified(t, r, w.options(w.trust())))
	for range MaxStamps {
		r.Timestamps = append(r.Timestamps, bytes.Repeat([]byte{0x30}, 1+len(r.Timestamps)))
	}
	r.Timestamps = append(r.Timestamps, []byte{1})
	v := verified(t, r, w.options(w.trust()))
	if len(v.Stamps) != MaxStamps+1 || v.Stamp() != nil || !v.NoLaterThan().Equal(v.Met.NoLaterThan) || summary(v) != want {
		t.Errorf("%+v", v)
	}
	for i, s := range v.Stamps {
		if want := map[bool]error{true: ErrTooManyStamps, false: ErrNoAuthority}[i == MaxStamps]; s.Err != want {
			t.Errorf("token %d: %v", i+1, s.Err)
		}
	}
}

func TestAlgorithmsEnd(t *testing.T) {
	w := newWorld(t)
	reg, grant, data := w.honest()
	r := w.receipt(data, reg, grant)
	sealed := w.now
	for _, alg := range []string{"ed25519", "ml-dsa-44", "sha-256"} {
		past := "-- algorithms --\n" + alg + " " + sealed.Add(-time.Hour).Format(time.RFC3339) + "\n"
		refused(t, r, w.options(w.trust(past)), StepCheckpoints)
		// Witnessed before the end, read long after.
		o := w.options(w.trust("-- algorithms --\n" + alg + " " + sealed.Format(time.RFC3339) + "\n"))
		o.Now = sealed.AddDate(50, 0, 0)
		verified(t, r, o)
	}
	// Without witnesses it is the visitor's clock that counts.
	alone, err := checkpoint.NewLogPolicy(w.log[0].VerifierKey(), w.log[1].VerifierKey())
	w.check(err)
	o := Options{Trust: &Trust{Policy: alone, Algorithms: map[string]time.Time{"ml-dsa-44": sealed}}, Now: sealed}
	if v := verified(t, r, o); v.Met.Witnessed || !v.Met.NoLaterThan.IsZero() {
		t.Errorf("%+v", v.Met)
	}
	o.Now = sealed.Add(time.Second)
	refused(t, r, o, StepCheckpoints)
}

func TestOversized(t *testing.T) {
	w := newWorld(t)
	reg, grant, data := w.honest()
	r := w.receipt(data, reg, grant)
	r.Timestamps = [][]byte{make([]byte, MaxSize)}
	refused(t, r, w.options(w.trust()), StepContainer)
	if _, err := Parse(make([]byte, MaxSize+1)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Error(err)
	}
}

func TestAHintEndsTheReason(t *testing.T) {
	w := newWorld(t)
	reg, grant, data := w.honest()
	_ = grant
	o := w.options(w.trust())
	o.Hint = "the file had CR LF line ends"
	if reason := refused(t, w.receipt(data, reg), o, StepAuthority); !strings.HasSuffix(reason, "; "+o.Hint) {
		t.Error(reason)
	}
}

// What a file from outside says is quoted in errors, but never whole.
func TestErrorsAreShort(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("x", 200<<10)
	trust := func(s string) error {
		_, err := ParseTrust([]byte(TrustVersion + "\n-- policy --\n" + w.policy + s))
		return err
	}
	policy := func(s string) error { _, err := checkpoint.ParsePolicy([]byte(s)); return err }
	_, partErr := Parse([]byte(Version + "\n-- " + long + " --\n"))
	for name, err := range map[string]error{
		"part":      partErr,
		"sponsor":   trust("-- sponsors --\n" + long + "\n"),
		"auditor":   trust("-- auditors --\n" + long + "+00000000+AAAA\n"),
		"algorithm": trust("-- algorithms --\n" + long + " 2\n"),
		"member":    policy("group a all " + long + " b\n"),
		"quorum":    policy("quorum " + long + "\n"),
		"log":       policy("log " + long + "+00000000+AAAA\n"),
	} {
		if err == nil || len(err.Error()) > 600 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
}

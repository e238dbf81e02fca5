package checkpoint

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/text"
)

const origin = "log.example/x"

// cast is a log with its two keys and five witnesses, w1 to w5.
type cast struct {
	t       *testing.T
	ed, pq  Key
	witness [5]Key
	at      time.Time
}

func newCast(t *testing.T) *cast {
	t.Helper()
	c := &cast{t: t, at: time.Unix(1_800_000_000, 0)}
	clock := func() time.Time { return c.at }
	c.ed = c.key(GenerateEd25519(origin))
	c.pq = c.key(GenerateMLDSA44(origin)).WithClock(clock)
	for i := range c.witness {
		make := GenerateCosignature
		if i == 4 {
			make = GenerateMLDSA44
		}
		c.witness[i] = c.key(make(fmt.Sprintf("witness%d.example", i+1))).WithClock(clock)
	}
	return c
}

func (c *cast) key(k Key, err error) Key {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	return k
}

// preamble defines the log and all witnesses.
func (c *cast) preamble() string {
	s := "log " + c.ed.VerifierKey() + "\nwitness " + origin + " " + c.pq.VerifierKey() + "\n"
	for i, w := range c.witness {
		s += fmt.Sprintf("witness w%d %s\n", i+1, w.VerifierKey())
	}
	return s
}

func (c *cast) policy(rest string) *Policy {
	c.t.Helper()
	p, err := ParsePolicy([]byte(c.preamble() + rest))
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

// signed is a checkpoint of the log, cosigned by witnesses at those seconds after
// a base; -1 leaves one out.
func (c *cast) signed(seconds ...int64) Signed {
	c.t.Helper()
	cp := Checkpoint{Origin: origin, Size: 5, Root: [32]byte{1}}
	b, err := Sign(cp, []Signer{c.ed, c.pq})
	if err != nil {
		c.t.Fatal(err)
	}
	s, err := Parse(b)
	for i, sec := range seconds {
		if sec < 0 {
			continue
		}
		k := c.witness[i].WithClock(func() time.Time { return time.Unix(base+sec, 0) })
		sig, serr := k.Sign(cp.Text())
		if serr != nil {
			c.t.Fatal(serr)
		}
		if s, err = s.With(Line{k.Name(), k.KeyHash(), sig}); err != nil {
			c.t.Fatal(err)
		}
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

const base = 1_700_000_000

func TestTimesAreThoseOfTheBestQuorum(t *testing.T) {
	c := newCast(t)
	for _, tt := range []struct {
		rule          string
		seconds       []int64
		late, early   int64 // -1: no quorum
		witnesses, of int
	}{
		{"group ws 2 w1 w2 w3\n", []int64{10, 20, 30}, 20, 20, 3, 3},
		{"group ws 2 w1 w2 w3\n", []int64{30, 10, 20}, 20, 20, 3, 3},
		{"group ws 2 w1 w2 w3\n", []int64{10, -1, 30}, 30, 10, 2, 3},
		{"group ws 2 w1 w2 w3\n", []int64{-1, -1, 30}, -1, -1, 0, 0},
		{"group ws any w1 w2 w3\n", []int64{10, 20, 30}, 10, 30, 3, 3},
		{"group ws all w1 w2 w3\n", []int64{10, 20, 30}, 30, 10, 3, 3},
		{"group ws all w1 w2 w3\n", []int64{10, 20}, -1, -1, 0, 0},
		// A group of groups: the best of each, then the best of those.
		{"group a all w1 w2\ngroup b any w3 w4\ngroup ws any a b\n", []int64{10, 40, 50, 60}, 40, 60, 4, 4},
		{"group a all w1 w2\ngroup b any w3 w4\ngroup ws all a b\n", []int64{10, 40, 5, 60}, 40, 10, 4, 4},
		{"group a all w1 w2\ngroup b any w3 w4\ngroup ws any a b\n", []int64{10, -1, -1, 60}, 60, 60, 2, 4},
		// w4 and w5 are known but outside the quorum.
		{"group ws any w1 w2\n", []int64{10, 20, -1, 1, 1}, 10, 20, 2, 2},
		{"group ws any w5\n", []int64{-1, -1, -1, -1, 7}, 7, 7, 1, 1},
		// 0 seconds since 1970 is no time at all.
		{"group ws 2 w1 w2 w3\n", []int64{10, 20, 1 - base}, 20, 10, 2, 3},
	} {
		p := c.policy(tt.rule + "group both all " + origin + " ws\nquorum both\n")
		m, err := p.Verify(c.signed(tt.seconds...), nil)
		if tt.late < 0 {
			if !errors.Is(err, ErrQuorum) {
				t.Errorf("%q %v: %+v, %v", tt.rule, tt.seconds, m, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q %v: %v", tt.rule, tt.seconds, err)
			continue
		}
		if m.NoLaterThan.Unix() != base+tt.late || m.NotBefore.Unix() != base+tt.early || m.Witnesses != tt.witnesses || m.Of != tt.of || len(m.Names) != tt.witnesses || !m.Witnessed {
			t.Errorf("%q %v: %+v", tt.rule, tt.seconds, m)
		}
	}
}

func TestTheLogsOwnKeysProveNoTime(t *testing.T) {
	c := newCast(t)
	p, err := NewLogPolicy(c.ed.VerifierKey(), c.pq.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.Verify(c.signed(), nil)
	if err != nil || m.Witnessed || !m.NoLaterThan.IsZero() || !m.NotBefore.IsZero() || m.Of != 0 || m.Names != nil {
		t.Errorf("%+v, %v", m, err)
	}
	if k := p.LogKeys(); len(k) != 2 || k[0] != c.ed.VerifierKey() || k[1] != c.pq.VerifierKey() || len(p.Witnesses()) != 0 {
		t.Errorf("%v", k)
	}
	if _, err := NewLogPolicy(c.ed.VerifierKey(), c.witness[4].VerifierKey()); err == nil {
		t.Error("a key of another name is the log's")
	}
}

func TestACosignatureWithoutATimeDoesNotCount(t *testing.T) {
	c := newCast(t)
	p := c.policy("group ws any w1 w2\ngroup both all " + origin + " ws\nquorum both\n")
	for _, at := range []uint64{0, 1 << 63, lastSecond + 1} {
		s := c.signed()
		k := c.witness[0]
		sig, err := k.raw(fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, s.Text()))
		if err != nil {
			t.Fatal(err)
		}
		stamp := []byte{byte(at >> 56), byte(at >> 48), byte(at >> 40), byte(at >> 32), byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at)}
		if s, err = s.With(Line{k.Name(), k.KeyHash(), append(stamp, sig...)}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Verify(s, nil); !errors.Is(err, ErrQuorum) {
			t.Errorf("time %d: %v", at, err)
		}
	}
}

func TestSignaturesThatMakeACheckpointInvalid(t *testing.T) {
	c := newCast(t)
	p := c.policy("group ws any w1 w2\ngroup both all " + origin + " ws\nquorum both\n")
	good := c.signed(1, 2)
	if _, err := p.Verify(good, nil); err != nil {
		t.Fatal(err)
	}
	with := func(f func(lines []Line) []Line) Signed {
		t.Helper()
		lines := f(append([]Line(nil), good.Lines...))
		s, err := Signed{Checkpoint: good.Checkpoint}.With(lines...)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	flip := func(i int) func([]Line) []Line {
		return func(l []Line) []Line {
			l[i].Sig = append([]byte(nil), l[i].Sig...)
			l[i].Sig[9] ^= 1
			return l
		}
	}
	for name, tt := range map[string]struct {
		s    Signed
		want error
	}{
		"the log's Ed25519 signature is wrong":   {with(flip(0)), ErrSignature},
		"the log's ML-DSA signature is wrong":    {with(flip(1)), ErrSignature},
		"a witness's signature is wrong":         {with(flip(3)), ErrSignature},
		"a witness's signature is cut":           {with(func(l []Line) []Line { l[3].Sig = l[3].Sig[:20]; return l }), ErrSignature},
		"only ML-DSA: no downgrade":              {with(func(l []Line) []Line { return l[1:] }), ErrNotSigned},
		"only Ed25519: no downgrade":             {with(func(l []Line) []Line { return append(l[:1:1], l[2:]...) }), ErrQuorum},
		"no witness":                             {with(func(l []Line) []Line { return l[:2] }), ErrQuorum},
		"nothing but witnesses":                  {with(func(l []Line) []Line { return l[2:] }), ErrNotSigned},
		"nothing known":                          {with(func(l []Line) []Line { return []Line{{"x.example", 1, []byte{1}}} }), ErrNotSigned},
		"the log's name with an unknown key id":  {with(func(l []Line) []Line { l[0].Hash++; return l }), ErrNotSigned},
		"the log's key id under an unknown name": {with(func(l []Line) []Line { l[0].Name = "y.example"; return l }), ErrNotSigned},
	} {
		if _, err := p.Verify(tt.s, nil); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	secret := "secret.example"
	unknown := with(func(l []Line) []Line { return append(l, Line{secret, 7, []byte{1, 2, 3}}) })
	m, err := p.Verify(unknown, nil)
	if err != nil || m.Witnesses != 2 || strings.Contains(fmt.Sprint(m), secret) {
		t.Errorf("an unknown key's line changes something: %+v, %v", m, err)
	}
	other := good.Checkpoint
	other.Origin = "log.example/y"
	s, err := Signed{Checkpoint: other}.With(good.Lines...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Verify(s, nil); !errors.Is(err, ErrOrigin) {
		t.Error(err)
	}
	moved := good
	moved.Size++ // not what its bytes say
	if _, err := p.Verify(moved, nil); err == nil {
		t.Error("values that are not those of the bytes")
	}
}

func TestAnAlgorithmThatIsNoLongerAccepted(t *testing.T) {
	c := newCast(t)
	p := c.policy("group ws any w1 w5\ngroup both all " + origin + " ws\nquorum both\n")
	s := c.signed(10, -1, -1, -1, 20)
	m, err := p.Verify(s, func(alg string, at time.Time) bool { return at.Unix() == base+10 })
	if err != nil || m.Witnesses != 2 {
		t.Errorf("%+v, %v", m, err)
	}
	for _, refuse := range []string{"ed25519", "ml-dsa-44"} {
		if _, err := p.Verify(s, func(alg string, _ time.Time) bool { return alg != refuse }); err == nil {
			t.Errorf("verifies without %s", refuse)
		}
	}
	// Where P-256 stands for Ed25519, a witness's Ed25519 can be left out, and the
	// time is then that of the others.
	p256 := c.key(GenerateP256(origin))
	b, err := Sign(s.Checkpoint, []Signer{p256, c.pq})
	if err != nil {
		t.Fatal(err)
	}
	local, err := Parse(b)
	if err == nil {
		local, err = local.With(s.Lines[2:]...)
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err = ParsePolicy([]byte(strings.Replace(string(p.Bytes()), c.ed.VerifierKey(), p256.VerifierKey(), 1)))
	if err != nil {
		t.Fatal(err)
	}
	m, err = p.Verify(local, func(alg string, _ time.Time) bool { return alg != "ed25519" })
	if err != nil || m.Witnesses != 1 || m.NoLaterThan.Unix() != base+20 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestPolicyForm(t *testing.T) {
	c := newCast(t)
	ok := "group both all " + origin + " w1\nquorum both\n"
	for name, s := range map[string]string{
		"plain":                c.preamble() + ok,
		"comments and blanks":  "# a policy\n\n \t\n  # indented\n" + c.preamble() + ok,
		"tabs, many blanks":    strings.ReplaceAll(c.preamble(), " ", " \t ") + "  group\tboth all " + origin + " w1 \n quorum both\t\n",
		"URLs":                 strings.Replace(c.preamble(), "\n", " https://log.example/\n", 1) + ok,
		"other octets in it":   "# \xff\n" + c.preamble() + "group \xe2\x84\xaa any w2\n" + ok,
		"the log's line later": strings.SplitN(c.preamble(), "\n", 2)[1] + strings.SplitN(c.preamble(), "\n", 2)[0] + "\n" + ok,
		"numeric":              c.preamble() + "group n 2 w1 w2 w3\ngroup both 2 n " + origin + "\nquorum both\n",
		"only the log":         c.preamble() + "quorum " + origin + "\n",
	} {
		p, err := ParsePolicy([]byte(s))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if string(p.Bytes()) != s {
			t.Errorf("%s: other bytes come back", name)
		}
	}
	other := c.key(GenerateEd25519(origin))
	var seed [32]byte
	copy(seed[:], c.ed.secret)
	same := c.key(newKey("w.example", Cosignature, seed[:]))
	again := c.key(newKey("again.example", Cosignature, c.witness[0].secret))
	own := c.key(GenerateMLDSA44(origin))
	for name, s := range map[string]string{
		"empty":                                "",
		"no log":                               strings.SplitN(c.preamble(), "\n", 2)[1] + ok,
		"two logs":                             "log " + other.VerifierKey() + "\n" + c.preamble() + ok,
		"no quorum":                            c.preamble(),
		"two quorums":                          c.preamble() + ok + "quorum both\n",
		"quorum none":                          c.preamble() + "quorum none\n",
		"quorum unknown":                       c.preamble() + "quorum x\n",
		"quorum before its group":              c.preamble() + "quorum both\ngroup both all " + origin + " w1\n",
		"two quorum names":                     c.preamble() + "group both all " + origin + " w1\nquorum both both\n",
		"member unknown":                       c.preamble() + "group both all " + origin + " w9\nquorum both\n",
		"member none":                          c.preamble() + "group both all " + origin + " none\nquorum both\n",
		"member twice in a group":              c.preamble() + "group both all " + origin + " w1 w1\nquorum both\n",
		"member of two groups":                 c.preamble() + "group a any w1\ngroup both all " + origin + " a w1\nquorum both\n",
		"group of itself":                      c.preamble() + "group both all " + origin + " both\nquorum both\n",
		"group without members":                c.preamble() + "group a any\n" + ok,
		"threshold 0":                          c.preamble() + "group a 0 w2\n" + ok,
		"threshold too high":                   c.preamble() + "group a 2 w2\n" + ok,
		"threshold with a zero before":         c.preamble() + "group a 01 w2\n" + ok,
		"threshold with a sign":                c.preamble() + "group a +1 w2\n" + ok,
		"threshold word":                       c.preamble() + "group a most w2\n" + ok,
		"a name defined twice":                 c.preamble() + "group w1 any w2\n" + ok,
		"a name none":                          c.preamble() + "group none any w2\n" + ok,
		"a comment after a line":               c.preamble() + ok[:len(ok)-1] + " # why\n",
		"unknown word":                         c.preamble() + ok + "monitor x\n",
		"control character":                    c.preamble() + ok + "# \x01\n",
		"CR LF":                                strings.ReplaceAll(c.preamble()+ok, "\n", "\r\n"),
		"no line feed at the end":              strings.TrimSuffix(c.preamble()+ok, "\n"),
		"witness key of a log's type":          c.preamble() + "witness x " + other.VerifierKey() + "\n" + ok,
		"log key of a witness's type":          strings.Replace(c.preamble(), c.ed.VerifierKey(), own.VerifierKey(), 1) + ok,
		"two witnesses with one key":           c.preamble() + "witness x " + again.VerifierKey() + "\n" + ok,
		"a witness with the log's own key":     c.preamble() + "witness x " + same.VerifierKey() + "\n" + ok,
		"a witness of the log's name":          c.preamble() + "witness x " + own.VerifierKey() + "\n" + ok,
		"any: Ed25519 alone would do":          c.preamble() + "group both any " + origin + " w1\nquorum both\n",
		"2 of 3: without ML-DSA of the log":    c.preamble() + "group both 2 " + origin + " w1 w2\nquorum both\n",
		"a quorum of witnesses only":           c.preamble() + "quorum w1\n",
		"too large":                            "#" + strings.Repeat("x", MaxPolicySize) + "\n" + c.preamble() + ok,
		"a key id that does not fit":           strings.Replace(c.preamble(), "+", "+0", 1) + ok,
		"the log's second key of another name": strings.Replace(c.preamble(), "witness "+origin, "witness own", 1) + strings.ReplaceAll(ok, origin, "own"),
	} {
		if _, err := ParsePolicy([]byte(s)); !errors.Is(err, text.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

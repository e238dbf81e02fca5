package checkpoint

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"trialnotary/notary/text"
)

// MaxPolicySize bounds a policy in bytes: room for well over the 32 witnesses
// and 32 groups that tlog-policy asks for, all with ML-DSA-44 keys.
const MaxPolicySize = 256 << 10

// Policy is a C2SP tlog-policy of one log:
//
//	log log.example/trials+6ac4ab15+Aa554rfm…
//	witness log.example/trials log.example/trials+cc5dc0e4+BtEOawbQ…
//	witness w1 witness1.example+aaced669+BMKj4gBN…
//	witness w2 witness2.example+5d9dd7c0+BBueLD4m…
//	group ws any w1 w2
//	group both all log.example/trials ws
//	quorum both
//
// Beyond the specification it must hold: exactly one log, its key of type 0x01
// or 0x02; a witness whose policy name and key name are the origin, its key of
// type 0x06, which is the log's own second key; and no quorum without that one,
// so that breaking one algorithm is not enough. A Policy is read-only.
type Policy struct {
	raw       []byte
	log       key
	witnesses []*member // in the order of the file
	quorum    *member
	count     int // witnesses in the quorum that are not the log's own
	retired   []Retired
}

// member is a witness, or a group of at least k of its members.
type member struct {
	name    string
	key     key    // of a witness
	url     string // of a witness, never followed by a verifier
	own     bool
	k       int
	members []*member // of a group
	taken   bool      // is a member of a group
}

// ParsePolicy parses a policy. Errors wrap [text.ErrFormat] and name the line.
func ParsePolicy(b []byte) (*Policy, error) {
	if len(b) > MaxPolicySize {
		return nil, fmt.Errorf("policy: %d bytes, at most %d are allowed: %w", len(b), MaxPolicySize, text.ErrFormat)
	}
	p := &Policy{raw: bytes.Clone(b)}
	names := map[string]*member{}
	if len(b) > 0 && b[len(b)-1] != '\n' {
		return nil, fmt.Errorf("policy: the last line does not end with a line feed: %w", text.ErrFormat)
	}
	for i, line := range strings.SplitAfter(string(b), "\n") {
		if err := p.line(strings.TrimSuffix(line, "\n"), names); err != nil {
			return nil, fmt.Errorf("policy: line %d %w: %w", i+1, err, text.ErrFormat)
		}
	}
	if err := p.complete(); err != nil {
		return nil, fmt.Errorf("policy: %w: %w", err, text.ErrFormat)
	}
	return p, nil
}

func (p *Policy) line(line string, names map[string]*member) error {
	for i := range len(line) {
		if c := line[i]; (c < 0x20 && c != '\t') || c == 0x7f {
			return fmt.Errorf("has the control character 0x%02x", c)
		}
	}
	f := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(f) == 0 || f[0][0] == '#' {
		return nil
	}
	switch {
	case f[0] == "log" && (len(f) == 2 || len(f) == 3):
		return p.logLine(f[1])
	case f[0] == "witness" && (len(f) == 3 || len(f) == 4):
		url := ""
		if len(f) == 4 {
			url = f[3]
		}
		return p.witnessLine(f[1], f[2], url, names)
	case f[0] == "group" && len(f) >= 4:
		return groupLine(f[1], f[2], f[3:], names)
	case f[0] == "quorum" && len(f) == 2:
		if p.quorum != nil {
			return fmt.Errorf("is a second quorum")
		}
		if p.quorum = names[f[1]]; p.quorum == nil {
			return fmt.Errorf("names a quorum %q that is not defined above", clip(f[1]))
		}
		return nil
	}
	return fmt.Errorf("is no log, witness, group or quorum line")
}

func (p *Policy) logLine(vkey string) (err error) {
	if p.log.Verifier != nil {
		return fmt.Errorf("is a second log")
	}
	if p.log, err = parseKey(vkey); err != nil {
		return fmt.Errorf("has a wrong log key: %w", err)
	}
	if p.log.Type != Ed25519 && p.log.Type != P256 {
		return fmt.Errorf("has a log key of type 0x%02x, want 0x01 or 0x02", byte(p.log.Type))
	}
	return nil
}

func (p *Policy) witnessLine(name, vkey, url string, names map[string]*member) error {
	k, err := parseKey(vkey)
	if err != nil {
		return fmt.Errorf("has a wrong witness key: %w", err)
	}
	if !k.Type.timed() {
		return fmt.Errorf("has a witness key of type 0x%02x, want 0x04 or 0x06", byte(k.Type))
	}
	for _, w := range p.witnesses {
		if w.key.public == k.public || (w.key.Name() == k.Name() && w.key.KeyHash() == k.KeyHash()) {
			return fmt.Errorf("has the same key as witness %q", clip(w.name))
		}
	}
	w := &member{name: name, key: k, url: url}
	p.witnesses = append(p.witnesses, w)
	return define(w, names)
}

func groupLine(name, threshold string, members []string, names map[string]*member) error {
	g := &member{name: name}
	for _, m := range members {
		d := names[m]
		switch {
		case d == nil:
			return fmt.Errorf("has a member %q that is not defined above", clip(m))
		case d.taken:
			return fmt.Errorf("has a member %q that already is one of a group", clip(m))
		}
		d.taken = true
		g.members = append(g.members, d)
	}
	switch threshold {
	case "all":
		g.k = len(members)
	case "any":
		g.k = 1
	default:
		k, err := text.ParseUint(threshold)
		if err != nil || k < 1 || k > uint64(len(members)) {
			return fmt.Errorf("has a threshold that is not all, any or a number from 1 to %d", len(members))
		}
		g.k = int(k)
	}
	return define(g, names)
}

func define(m *member, names map[string]*member) error {
	if m.name == "none" {
		return fmt.Errorf("defines the name %q, which is reserved", m.name)
	}
	if names[m.name] != nil {
		return fmt.Errorf("defines %q a second time", clip(m.name))
	}
	names[m.name] = m
	return nil
}

// clip keeps a name short that is quoted in an error.
func clip(name string) string {
	if len(name) > 120 {
		return strings.ToValidUTF8(name[:120], "") + "…"
	}
	return name
}

// complete checks what no line shows alone.
func (p *Policy) complete() error {
	if p.log.Verifier == nil {
		return fmt.Errorf("it has no log line")
	}
	if p.quorum == nil {
		return fmt.Errorf("it has no quorum line")
	}
	for _, w := range p.witnesses {
		if w.key.public == p.log.public {
			return fmt.Errorf("witness %q has the log's own key", clip(w.name))
		}
		if w.name == p.Origin() || w.key.Name() == p.Origin() {
			if w.name != w.key.Name() || w.key.Type != MLDSA44 {
				return fmt.Errorf("witness %q: under the log's name stands its ML-DSA-44 key alone, and that key under no other", clip(w.name))
			}
			w.own = true
		}
	}
	// With every witness but the log's own, the quorum must still not be met.
	if p.quorum.met(func(w *member) bool { return !w.own }) {
		return fmt.Errorf("the quorum can be met without the log's ML-DSA-44 key, so one algorithm would do")
	}
	p.quorum.each(func(w *member) {
		if !w.own {
			p.count++
		}
	})
	return nil
}

// met reports whether m is satisfied when the witnesses with has are.
func (m *member) met(has func(*member) bool) bool {
	if m.members == nil {
		return has(m)
	}
	n := 0
	for _, c := range m.members {
		if c.met(has) {
			n++
		}
	}
	return n >= m.k
}

// each calls f for every witness at or below m.
func (m *member) each(f func(*member)) {
	if m.members == nil {
		f(m)
	}
	for _, c := range m.members {
		c.each(f)
	}
}

// NewLogPolicy returns the policy of a log without witnesses: its key, and its
// ML-DSA-44 key as the quorum. Both verifier keys must be of the same name.
func NewLogPolicy(log, mldsa string) (*Policy, error) {
	name, _, _ := strings.Cut(mldsa, "+")
	return ParsePolicy(fmt.Appendf(nil, "log %s\nwitness %s %s\ngroup both all %[2]s\nquorum both\n", log, name, mldsa))
}

// Bytes returns the policy as it was parsed, without those before it.
func (p *Policy) Bytes() []byte { return bytes.Clone(p.raw) }

// Origin returns the origin of the log, which is the name of its keys.
func (p *Policy) Origin() string { return p.log.Name() }

// LogKeys returns the log's verifier keys: type 0x01 or 0x02, then its 0x06.
func (p *Policy) LogKeys() []string {
	keys := []string{p.log.vkey}
	for _, w := range p.witnesses {
		if w.own {
			keys = append(keys, w.key.vkey)
		}
	}
	return keys
}

// Witness is a witness of a policy. URL is where the log asks it, "" where the
// policy does not say; verifiers never use it.
type Witness struct{ Name, Key, URL string }

// Witnesses returns the witnesses in the order of the file, without the log's
// own key; those outside the quorum too.
func (p *Policy) Witnesses() []Witness {
	var ws []Witness
	for _, w := range p.witnesses {
		if !w.own {
			ws = append(ws, Witness{w.name, w.key.vkey, w.url})
		}
	}
	return ws
}

// Has reports whether the public key of vkey stands in the policy or in a retired
// one, under whatever name and type.
func (p *Policy) Has(vkey string) bool {
	return p.hasKey(vkey) || slices.ContainsFunc(p.retired, func(k Retired) bool { return k.Policy.hasKey(vkey) })
}

func (p *Policy) hasKey(vkey string) bool {
	k, err := parseKey(vkey)
	if err != nil {
		return false
	}
	for _, w := range p.witnesses {
		if w.key.public == k.public {
			return true
		}
	}
	return p.log.public == k.public
}

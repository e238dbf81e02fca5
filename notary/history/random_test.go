package history

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
)

// model is the naive account of a random trial: which key was granted and revoked
// when, and what each statement is worth.
type model struct {
	*world
	r       *rand.Rand
	grants  map[place][]uint64 // key in stream → indexes of its grants
	ended   map[place]uint64   // … → index of its revocation
	until   map[place]time.Time
	valid   map[statement.ID]bool
	entries map[statement.StreamID][]entry.Entry
	packs   map[uint64][]byte // what package streammap stores
	roots   []streammap.Root  // and its root after each batch
}

type place struct{ key, stream string }

// Node reads what streammap stored.
func (m *model) Node(batch uint64, offset, length int64) ([]byte, error) {
	p := m.packs[batch]
	if offset+length > int64(len(p)) {
		return nil, fmt.Errorf("pack %d has %d bytes", batch, len(p))
	}
	return p[offset : offset+length], nil
}

// TestRandomTrials makes random trials and checks the map, every proof at every
// batch, old ones too, and every verdict against the naive model.
func TestRandomTrials(t *testing.T) {
	trials := uint64(12)
	if testing.Short() {
		trials = 3
	}
	for seed := range trials {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { randomTrial(t, seed) })
	}
}

func randomTrial(t *testing.T, seed uint64) {
	m := &model{world: newWorld(t), r: rand.New(rand.NewPCG(seed, 5)), grants: map[place][]uint64{}, ended: map[place]uint64{}, until: map[place]time.Time{},
		valid: map[statement.ID]bool{}, entries: map[statement.StreamID][]entry.Entry{}, packs: map[uint64][]byte{}}
	m.sealBatch() // the log was not empty before
	m.submit(m.registration("acme"), "acme", true)
	m.sealBatch()
	for range 6 + m.r.IntN(6) {
		for range m.r.IntN(6) {
			m.step()
		}
		m.sealBatch()
	}
	m.checkMaps()
	m.checkHistories()
}

var (
	siteNames = []string{"site-1", "site-2", "site-3", "site-4"}
	keyNames  = []string{"ada", "bob", "cyd", "dee", "eve"}
)

// step enters one statement, made with or without right.
func (m *model) step() {
	site, key := siteNames[m.r.IntN(len(siteNames))], keyNames[m.r.IntN(len(keyNames))]
	at, next := place{key, site}, uint64(len(m.leaves))
	switch m.r.IntN(8) {
	case 0, 1: // enrol
		s := m.enrolment(key, site)
		if m.r.IntN(3) == 0 {
			s.Until = m.now.Add(time.Duration(m.r.IntN(4)) * time.Minute)
		}
		_, revoked := m.ended[at]
		m.submit(s, "acme", !revoked)
		if !revoked {
			m.grants[at] = append(m.grants[at], next)
			m.until[place{at.key + fmt.Sprint(next), site}] = s.Until
		}
	case 2: // revoke
		if m.r.IntN(3) > 0 {
			return
		}
		m.submit(m.revocation(key, site), "acme", true)
		if _, already := m.ended[at]; !already {
			m.ended[at] = next
		}
	case 3: // grants without right
		m.submit(m.enrolment(key, site), key, false)
	case 4: // another trial's stream: nothing to do with this one
		id := statement.StreamIDOf(worldOrigin, "OTHER", site, saltOf(site, 7))
		m.enterIn(id, statement.ID{byte(m.r.Uint32()), byte(m.r.Uint32()), byte(len(m.leaves)), 9})
	default:
		m.submit(m.content(statement.KindDataset, site), key, m.inForce(at))
	}
}

// inForce is the rule, to the letter: a grant before, no end before, not too late.
func (m *model) inForce(at place) bool {
	next := uint64(len(m.leaves))
	if end, ok := m.ended[at]; ok && end < next {
		return false
	}
	for _, g := range m.grants[at] {
		until := m.until[place{at.key + fmt.Sprint(g), at.stream}]
		if g < next && (until.IsZero() || !m.now.After(until)) {
			return true
		}
	}
	return false
}

func (m *model) submit(s *statement.Statement, key string, valid bool) {
	n := m.sign(s, key)
	m.valid[n.ID] = valid
	m.enterIn(n.Stream(), n.ID)
}

func (m *model) enterIn(id statement.StreamID, s statement.ID) {
	m.entries[id] = append(m.entries[id], m.enter(id, s))
}

// sealBatch seals, and lets package streammap store the same.
func (m *model) sealBatch() {
	var root streammap.Root
	old := map[statement.StreamID]streammap.Value{}
	if n := len(m.batches); n > 0 {
		root, old = m.roots[n-1], m.batches[n-1].values
	}
	var changes []streammap.Change
	for id, v := range m.values {
		if old[id] != v {
			changes = append(changes, streammap.Change{Stream: id, Value: v})
		}
	}
	number := m.seal()
	root, pack, err := streammap.Update(m, root, number, changes)
	m.check(err)
	m.packs[number] = pack
	m.roots = append(m.roots, root)
}

// checkMaps: at every batch, the root is that of the naive map, and so is every
// proof, of streams that were there and of others. Every bit of every proof
// counts: a part of the changes is tried.
func (m *model) checkMaps() {
	ids := slices.SortedFunc(maps.Keys(m.values), func(a, b statement.StreamID) int { return slices.Compare(a[:], b[:]) })
	for range 3 {
		var id statement.StreamID
		for i := range id {
			id[i] = byte(m.r.Uint32())
		}
		ids = append(ids, id)
	}
	for n, b := range m.batches {
		if m.roots[n].Hash != b.leaf.MapRoot || m.roots[n].Streams != uint64(len(b.values)) {
			m.t.Fatalf("batch %d: another root than the naive map's", n+1)
		}
		for _, id := range ids {
			p, err := streammap.Prove(m, m.roots[n], id)
			m.check(err)
			naive := prove(b.values, id).Bytes()
			raw := p.Bytes()
			if string(raw) != string(naive) {
				m.t.Fatalf("batch %d, stream %v: another proof than the naive map's:\n%s%s", n+1, id, raw, naive)
			}
			m.check(p.Verify(b.leaf.MapRoot))
			if p.Value != b.values[id] {
				m.t.Fatalf("batch %d, stream %v: %+v, want %+v", n+1, id, p.Value, b.values[id])
			}
			for range 8 {
				changed := append([]byte(nil), raw...)
				changed[m.r.IntN(len(raw))] ^= 1 << m.r.IntN(8)
				if q, err := streammap.ParseProof(changed); err == nil && q.Stream == id && q.Verify(b.leaf.MapRoot) == nil {
					m.t.Fatalf("batch %d, stream %v: a changed proof verifies:\n%s", n+1, id, changed)
				}
			}
		}
	}
}

// checkHistories: at every batch, a history of the whole trial verifies and says
// of every entry what the model says; of those changed in one bit, none does.
func (m *model) checkHistories() {
	o := m.options()
	ids := []statement.StreamID{streamOf("registration", 0), streamOf("trial", 0)}
	for _, name := range siteNames {
		ids = append(ids, streamOf(name, 0))
	}
	for n := 1; n < len(m.batches); n++ { // batch 1 is of before
		h := m.audited(m.history(uint64(n)+1, ids...))
		b, err := h.Bytes()
		m.check(err)
		v, err := h.Verify(o)
		m.check(err)
		if !v.Whole() || v.Batch != m.batches[n].leaf {
			m.t.Fatalf("batch %d: missing %q", n+1, v.Missing)
		}
		for _, s := range v.Streams {
			var want []entry.Entry
			for _, e := range m.entries[s.ID] {
				if e.Batch <= uint64(n)+1 {
					want = append(want, e)
				}
			}
			if len(want) != len(s.Items) {
				m.t.Fatalf("batch %d, %s: %d entries, want %d", n+1, s.Title(), len(s.Items), len(want))
			}
			for i, item := range s.Items {
				state := Invalid
				if m.valid[want[i].Statement] {
					state = Valid
				}
				if item.Entry != want[i] || item.State != state {
					m.t.Fatalf("batch %d, %s, entry %d is %s (%s), want %s", n+1, s.Title(), i+1, item.State, item.Why, state)
				}
			}
		}
		identity := identities(b)
		maps.Copy(identity, emptyStreams(b))
		for range 12 {
			at := m.r.IntN(len(b))
			changed := append([]byte(nil), b...)
			changed[at] ^= 1 << m.r.IntN(8)
			if h, err := Parse(changed); err == nil && !identity[at] {
				if _, err := h.Verify(o); err == nil {
					m.t.Fatalf("batch %d: byte %d changed: still verifies", n+1, at)
				}
			}
		}
	}
}

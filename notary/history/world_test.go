package history

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/tile"
)

const worldOrigin = "log.example/world"

// world is a small log whose operator will put in anything. What it keeps is
// naive: every map is a Go map, every proof computed from all of it.
type world struct {
	t       *testing.T
	now     time.Time
	log     []checkpoint.Signer
	witness checkpoint.Key
	auditor checkpoint.Key
	policy  string
	leaves  [][]byte
	first   uint64 // index of the open batch's first entry
	values  map[statement.StreamID]streammap.Value
	batches []batch // sealed, from number 1
	heads   map[int][]byte
	keys    map[string]statement.PrivateKey
	notes   map[statement.ID]*statement.Note
	salt    uint64
}

// batch is what the operator remembers of a batch.
type batch struct {
	leaf   entry.Batch
	values map[statement.StreamID]streammap.Value
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
		values: map[statement.StreamID]streammap.Value{}, heads: map[int][]byte{},
		keys: map[string]statement.PrivateKey{}, notes: map[statement.ID]*statement.Note{},
	}
	clock := func() time.Time { return w.now }
	ed, err := checkpoint.GenerateEd25519(worldOrigin)
	w.check(err)
	pq, err := checkpoint.GenerateMLDSA44(worldOrigin)
	w.check(err)
	w.log = []checkpoint.Signer{ed, pq.WithClock(clock)}
	k, err := checkpoint.GenerateCosignature("witness.example")
	w.check(err)
	w.witness = k.WithClock(clock)
	k, err = checkpoint.GenerateCosignature("auditor.example")
	w.check(err)
	w.auditor = k.WithClock(clock)
	w.policy = "log " + ed.VerifierKey() + "\nwitness " + worldOrigin + " " + pq.VerifierKey() +
		"\nwitness w " + w.witness.VerifierKey() + "\ngroup both all " + worldOrigin + " w\nquorum both\n"
	return w
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) key(name string) statement.PrivateKey {
	if k, ok := w.keys[name]; ok {
		return k
	}
	k, err := statement.GenerateKey(name)
	w.check(err)
	w.keys[name] = k
	return k
}

func (w *world) options() receipt.Options {
	w.t.Helper()
	trust, err := receipt.ParseTrust([]byte(receipt.TrustVersion + "\n-- policy --\n" + w.policy + "-- auditors --\n" + w.auditor.VerifierKey() + "\n"))
	w.check(err)
	return receipt.Options{Trust: trust, Confirmed: true, Now: w.now}
}

// salts of streams: what a name and a number give.
func saltOf(name string, n byte) (salt [32]byte) {
	if name != statement.RegistrationStream {
		copy(salt[1:], name)
		salt[0] = n + 1
	}
	return salt
}

const trialID = "NCT01234567"

func streamOf(name string, n byte) statement.StreamID {
	return statement.StreamIDOf(worldOrigin, trialID, name, saltOf(name, n))
}

func (w *world) statement(kind statement.Kind, name string) *statement.Statement {
	w.salt++
	return &statement.Statement{Log: worldOrigin, Trial: trialID, StreamName: name, StreamSalt: saltOf(name, 0),
		Kind: kind, Time: w.now, Salt: [32]byte{1, byte(w.salt), byte(w.salt >> 8)}}
}

func (w *world) registration(sponsor string, rules ...statement.Rule) *statement.Statement {
	s := w.statement(statement.KindRegistration, statement.RegistrationStream)
	s.Rules = rules
	trial := streamOf("trial", 0)
	s.Keys = []statement.Key{
		{Role: statement.RoleSponsor, Name: "trial", Stream: trial, Key: w.key(sponsor).Public()},
		{Role: statement.RoleRecovery, Name: "trial", Stream: trial, Key: w.key(sponsor + ".recovery").Public()},
	}
	return s
}

func (w *world) enrolment(key, stream string) *statement.Statement {
	s := w.statement(statement.KindEnrolment, "trial")
	s.Keys = []statement.Key{{Role: statement.RoleSite, Name: stream, Stream: streamOf(stream, 0), Key: w.key(key).Public()}}
	return s
}

func (w *world) revocation(key, stream string) *statement.Statement {
	s := w.enrolment(key, stream)
	s.Kind, s.Reason = statement.KindRevocation, "it was lost"
	return s
}

// content is a statement with files.
func (w *world) content(kind statement.Kind, stream string) *statement.Statement {
	s := w.statement(kind, stream)
	s.Dataset = &statement.Dataset{Root: [32]byte{5}, Files: 1, Bytes: 10}
	return s
}

func (w *world) sign(s *statement.Statement, key string) *statement.Note {
	w.t.Helper()
	n, err := statement.Sign(s, w.key(key))
	w.check(err)
	w.notes[n.ID] = n
	return n
}

// put signs a statement and enters it in its stream.
func (w *world) put(s *statement.Statement, key string) *statement.Note {
	w.t.Helper()
	n := w.sign(s, key)
	w.enter(n.Stream(), n.ID)
	return n
}

// enter enters a statement in a stream, as the operator likes: change the entry,
// which then counts in the map like any other.
func (w *world) enter(stream statement.StreamID, id statement.ID, change ...func(*entry.Entry)) entry.Entry {
	v := w.values[stream]
	e := entry.Entry{Index: uint64(len(w.leaves)), Batch: uint64(len(w.batches)) + 1, Time: w.now, Stream: stream, Seq: v.Count + 1, Statement: id}
	for _, c := range change {
		c(&e)
	}
	leaf := e.Append(nil)
	w.leaves = append(w.leaves, leaf)
	w.values[stream] = streammap.Value{Count: v.Count + 1, Head: streammap.Fold(v.Head, tile.LeafHash(leaf))}
	return e
}

// seal ends the batch; the operator may change the map it commits to.
func (w *world) seal(change ...func(map[statement.StreamID]streammap.Value)) uint64 {
	values := maps.Clone(w.values)
	for _, c := range change {
		c(values)
	}
	b := entry.Batch{Index: uint64(len(w.leaves)), Number: uint64(len(w.batches)) + 1, Time: w.now, First: w.first,
		Streams: uint64(len(values)), MapRoot: streammap.RootOf(values)}
	w.leaves = append(w.leaves, b.Append(nil))
	w.first = uint64(len(w.leaves))
	w.batches = append(w.batches, batch{b, values})
	w.values = maps.Clone(values)
	w.now = w.now.Add(time.Minute)
	return b.Number
}

// head is the final checkpoint of that size.
func (w *world) head(size int) []byte {
	w.t.Helper()
	if b, ok := w.heads[size]; ok {
		return b
	}
	b, err := checkpoint.Sign(w.tree(size), w.log)
	w.check(err)
	w.heads[size] = w.cosign(b, w.witness)
	return w.heads[size]
}

func (w *world) tree(size int) checkpoint.Checkpoint {
	return checkpoint.Checkpoint{Origin: worldOrigin, Size: uint64(size), Root: tile.Root(w.hashes(size))}
}

func (w *world) hashes(size int) []tile.Hash {
	hashes := make([]tile.Hash, size)
	for i := range hashes {
		hashes[i] = tile.LeafHash(w.leaves[i])
	}
	return hashes
}

func (w *world) cosign(cp []byte, k checkpoint.Key) []byte {
	w.t.Helper()
	s, err := checkpoint.Parse(cp)
	w.check(err)
	sig, err := k.Sign(s.Text())
	w.check(err)
	s, err = s.With(checkpoint.Line{Name: k.Name(), Hash: k.KeyHash(), Sig: sig})
	w.check(err)
	return s.Raw
}

// history is of those streams as of a batch, in the newest checkpoint, with every
// statement open.
func (w *world) history(number uint64, streams ...statement.StreamID) *History {
	return w.historyIn(number, len(w.leaves), streams...)
}

func (w *world) historyIn(number uint64, size int, streams ...statement.StreamID) *History {
	w.t.Helper()
	b := w.batches[number-1]
	p := checkpoint.Proof{Index: b.leaf.Index, Hashes: tile.Prove(w.hashes(size), int(b.leaf.Index)), Checkpoint: w.head(size)}
	h := &History{Batch: b.leaf.Append(nil), Proof: p.Bytes()}
	for _, id := range streams {
		s := Stream{MapProof: prove(b.values, id).Bytes()}
		for i, e := range w.entriesOf(id, b.leaf) {
			s.Entries = append(s.Entries, e.Append(nil)...)
			if n := w.notes[e.Statement]; n != nil {
				s.Statements = append(s.Statements, Opened{uint64(i) + 1, n.Raw})
			}
		}
		h.Streams = append(h.Streams, s)
	}
	return h
}

// entriesOf are the entries of a stream in the log up to a batch.
func (w *world) entriesOf(id statement.StreamID, b entry.Batch) (all []entry.Entry) {
	for _, leaf := range w.leaves[:b.Index] {
		if e, err := entry.Parse(leaf); err == nil && e.Stream == id {
			all = append(all, e)
		}
	}
	return all
}

// audited adds the auditor's signature, as one signs who was lied to as well.
func (w *world) audited(h *History) *History {
	w.t.Helper()
	p, err := checkpoint.ParseProof(h.Proof)
	w.check(err)
	c, err := checkpoint.Parse(p.Checkpoint)
	w.check(err)
	sig, err := w.auditor.Sign(c.Text())
	w.check(err)
	line := checkpoint.Line{Name: w.auditor.Name(), Hash: w.auditor.KeyHash(), Sig: sig}
	h.Auditors = append(h.Auditors, []byte(string(c.Text())+"\n"+line.String()))
	return h
}

// verified fails the test unless the history verifies, also after a round trip.
func (w *world) verified(h *History) *Verdict {
	w.t.Helper()
	b, err := h.Bytes()
	w.check(err)
	h, err = Parse(b)
	w.check(err)
	v, err := h.Verify(w.options())
	w.check(err)
	return v
}

// refused fails the test unless the history is refused at that step, for that
// reason.
func (w *world) refused(h *History, step, reason string) {
	w.t.Helper()
	v, err := h.Verify(w.options())
	if f, ok := err.(*receipt.Failure); !ok || f.Step != step || !strings.Contains(f.Reason, reason) {
		w.t.Errorf("want a failure of %s: %s; got %v, %+v", step, reason, err, v)
	}
}

// prove is the definition of a map proof, to the letter, from all of the map.
func prove(all map[statement.StreamID]streammap.Value, id statement.StreamID) streammap.Proof {
	p := streammap.Proof{Stream: id, Value: all[id]}
	under := slices.Collect(maps.Keys(all))
	for depth := 0; len(under) > 1; depth++ {
		side := func(bit byte) (ids []statement.StreamID) {
			for _, k := range under {
				if k[depth/8]>>(7-depth%8)&1 == bit {
					ids = append(ids, k)
				}
			}
			return ids
		}
		bit := id[depth/8] >> (7 - depth%8) & 1
		p.Siblings = append(p.Siblings, subtree(all, side(1-bit), depth+1))
		under = side(bit)
	}
	if len(under) == 1 && under[0] != id {
		p.Other = &streammap.Other{Stream: under[0], Value: all[under[0]]}
	}
	slices.Reverse(p.Siblings)
	return p
}

// subtree is the hash of the keys that share their first depth bits.
func subtree(all map[statement.StreamID]streammap.Value, ids []statement.StreamID, depth int) [32]byte {
	if len(ids) <= 1 {
		some := map[statement.StreamID]streammap.Value{}
		for _, id := range ids {
			some[id] = all[id]
		}
		return streammap.RootOf(some)
	}
	var halves [2][]statement.StreamID
	for _, id := range ids {
		bit := id[depth/8] >> (7 - depth%8) & 1
		halves[bit] = append(halves[bit], id)
	}
	l, r := subtree(all, halves[0], depth+1), subtree(all, halves[1], depth+1)
	return tile.NodeHash(l, r)
}

// trial is a trial with two sites: registered, a protocol, two datasets.
func (w *world) trial(rules ...statement.Rule) (reg *statement.Note) {
	w.t.Helper()
	reg = w.put(w.registration("acme", rules...), "acme")
	w.seal()
	w.put(w.enrolment("jdoe", "site-001"), "acme")
	w.put(w.enrolment("roe", "site-002"), "acme")
	w.seal()
	w.put(w.content(statement.KindProtocol, "trial"), "acme")
	w.seal()
	w.put(w.content(statement.KindDataset, "site-001"), "jdoe")
	w.put(w.content(statement.KindDataset, "site-002"), "roe")
	w.seal()
	return reg
}

// all are the streams of the trial, in the order of a history.
func all(more ...statement.StreamID) []statement.StreamID {
	return append([]statement.StreamID{streamOf("registration", 0), streamOf("trial", 0), streamOf("site-001", 0), streamOf("site-002", 0)}, more...)
}

func TestAWorldVerifies(t *testing.T) {
	w := newWorld(t)
	w.trial()
	for n := range w.batches {
		h := w.audited(w.history(uint64(n)+1, all()...))
		v := w.verified(h)
		if !v.Whole() || !v.Audited() || v.Batch.Number != uint64(n)+1 || !v.Confirmed || v.Unsigned || !v.Met.Witnessed {
			t.Errorf("batch %d: %+v", n+1, v)
		}
		for _, i := range v.Items() {
			if i.State != Valid {
				t.Errorf("batch %d, index %d: %s: %s", n+1, i.Entry.Index, i.State, i.Why)
			}
		}
		b, err := h.Bytes()
		w.check(err)
		if back, err := Parse(b); err != nil {
			t.Error(err)
		} else if again, err := back.Bytes(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("other bytes come back: %v", err)
		}
	}
}

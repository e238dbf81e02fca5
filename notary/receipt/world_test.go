package receipt

import (
	"strings"
	"testing"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
	"trialnotary/notary/tile"
)

const worldOrigin = "log.example/world"

// world is a small log whose operator will put in anything: what a hostile one,
// or a hostile sponsor, could do.
type world struct {
	t       *testing.T
	now     time.Time
	log     []checkpoint.Signer
	leaves  [][]byte
	seqs    map[statement.StreamID]uint64
	witness []checkpoint.Key
	policy  string
	keys    map[string]statement.PrivateKey
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
		leaves: [][]byte{[]byte("the log was not empty before\n")},
		seqs:   map[statement.StreamID]uint64{}, keys: map[string]statement.PrivateKey{},
	}
	clock := func() time.Time { return w.now }
	ed, err := checkpoint.GenerateEd25519(worldOrigin)
	w.check(err)
	pq, err := checkpoint.GenerateMLDSA44(worldOrigin)
	w.check(err)
	w.log = []checkpoint.Signer{ed, pq.WithClock(clock)}
	w.policy = "log " + ed.VerifierKey() + "\nwitness " + worldOrigin + " " + pq.VerifierKey() + "\n"
	for _, name := range []string{"w1", "w2"} {
		k, err := checkpoint.GenerateCosignature(name + ".example")
		w.check(err)
		w.witness = append(w.witness, k.WithClock(clock))
		w.policy += "witness " + name + " " + k.VerifierKey() + "\n"
	}
	w.policy += "group ws any w1 w2\ngroup both all " + worldOrigin + " ws\nquorum both\n"
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

func (w *world) trust(extra ...string) *Trust {
	w.t.Helper()
	t, err := ParseTrust([]byte(TrustVersion + "\n-- policy --\n" + w.policy + strings.Join(extra, "")))
	w.check(err)
	return t
}

var trialSalt = [32]byte{7}

func (w *world) base(kind statement.Kind, name string, salt [32]byte) *statement.Statement {
	return &statement.Statement{
		Log: worldOrigin, Trial: "NCT01234567", StreamName: name, StreamSalt: salt,
		Kind: kind, Time: w.now, Salt: [32]byte{1, byte(len(w.leaves))},
	}
}

func streamID(name string, salt [32]byte) statement.StreamID {
	return statement.StreamIDOf(worldOrigin, "NCT01234567", name, salt)
}

func (w *world) registration(sponsor string) *statement.Statement {
	s := w.base(statement.KindRegistration, "registration", [32]byte{})
	trial := streamID("trial", trialSalt)
	s.Keys = []statement.Key{
		{Role: statement.RoleSponsor, Name: "trial", Stream: trial, Key: w.key(sponsor).Public()},
		{Role: statement.RoleRecovery, Name: "trial", Stream: trial, Key: w.key(sponsor + ".recovery").Public()},
	}
	return s
}

func (w *world) enrolment(key string) *statement.Statement {
	s := w.base(statement.KindEnrolment, "trial", trialSalt)
	s.Keys = []statement.Key{{Role: statement.RoleSite, Name: "site-001", Stream: streamID("site-001", siteSalt), Key: w.key(key).Public()}}
	return s
}

var siteSalt = [32]byte{9}

func (w *world) dataset() *statement.Statement {
	s := w.base(statement.KindDataset, "site-001", siteSalt)
	s.Dataset = &statement.Dataset{Root: [32]byte{5}, Files: 1, Bytes: 10}
	return s
}

// placed is a statement with its entry, its proof still to come.
type placed struct {
	note  *statement.Note
	index int
}

// put signs a statement and enters it in its stream, or in another.
func (w *world) put(s *statement.Statement, key string, in ...statement.StreamID) placed {
	w.t.Helper()
	n, err := statement.Sign(s, w.key(key))
	w.check(err)
	stream := n.Stream()
	if len(in) > 0 {
		stream = in[0]
	}
	w.seqs[stream]++
	p := placed{n, len(w.leaves)}
	e := entry.Entry{Index: uint64(p.index), Batch: uint64(p.index), Time: w.now, Stream: stream, Seq: w.seqs[stream], Statement: n.ID}
	w.leaves = append(w.leaves, e.Append(nil))
	w.now = w.now.Add(time.Minute)
	return p
}

func (w *world) checkpoint() []byte {
	w.t.Helper()
	hashes := make([]tile.Hash, len(w.leaves))
	for i, l := range w.leaves {
		hashes[i] = tile.LeafHash(l)
	}
	c := checkpoint.Checkpoint{Origin: worldOrigin, Size: uint64(len(w.leaves)), Root: tile.Root(hashes)}
	b, err := checkpoint.Sign(c, w.log)
	w.check(err)
	s, err := checkpoint.Parse(b)
	w.check(err)
	for _, k := range w.witness {
		sig, err := k.Sign(c.Text())
		w.check(err)
		s, err = s.With(checkpoint.Line{Name: k.Name(), Hash: k.KeyHash(), Sig: sig})
		w.check(err)
	}
	return s.Raw
}

func (w *world) logged(p placed, cp []byte) Logged {
	w.t.Helper()
	s, err := checkpoint.Parse(cp)
	w.check(err)
	hashes := make([]tile.Hash, s.Size)
	for i := range hashes {
		hashes[i] = tile.LeafHash(w.leaves[i])
	}
	proof := checkpoint.Proof{Index: uint64(p.index), Hashes: tile.Prove(hashes, p.index), Checkpoint: cp}
	return Logged{p.note.Raw, w.leaves[p.index], proof.Bytes()}
}

// receipt assembles a receipt, all proofs in one checkpoint made now.
func (w *world) receipt(s, registration placed, grants ...placed) *Receipt {
	w.t.Helper()
	cp := w.checkpoint()
	r := &Receipt{Logged: w.logged(s, cp)}
	for _, g := range grants {
		r.Grants = append(r.Grants, w.logged(g, cp))
	}
	if registration.note != s.note {
		l := w.logged(registration, cp)
		r.Registration = &l
	}
	return r
}

// honest is a registration, an enrolment and a dataset as they should be.
func (w *world) honest() (registration, grant, dataset placed) {
	registration = w.put(w.registration("acme"), "acme")
	grant = w.put(w.enrolment("site-001.jdoe"), "acme")
	return registration, grant, w.put(w.dataset(), "site-001.jdoe")
}

func (w *world) options(trust *Trust) Options {
	return Options{Trust: trust, Confirmed: true, Now: w.now}
}

package notary_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/storetest"
	"trialnotary/notary/tile"
	"trialnotary/notary/witness"
)

// guest is a witness that behaves as told. It checks every proof that it is given,
// as a good one does.
type guest struct {
	key  checkpoint.Key
	mu   sync.Mutex
	size uint64
	root tile.Hash
	mood string // "", "down", "silent", "deaf", "lies", "disagrees", "forges"
}

func newGuest(t *testing.T, name string) *guest {
	t.Helper()
	k, err := checkpoint.GenerateCosignature(name)
	if err != nil {
		t.Fatal(err)
	}
	return &guest{key: k}
}

func (g *guest) Name() string { return g.key.Name() }

func (g *guest) is(mood string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mood = mood
}

func (g *guest) Cosign(ctx context.Context, c checkpoint.Signed, prove func(uint64) ([]tile.Hash, error)) (checkpoint.Line, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	signed := c
	switch g.mood {
	case "down":
		return checkpoint.Line{}, errors.New("connection refused")
	case "silent":
		<-ctx.Done()
		return checkpoint.Line{}, ctx.Err()
	case "deaf": // does not even hear that it is told to stop
		g.mu.Unlock()
		time.Sleep(time.Second)
		g.mu.Lock()
	case "lies":
		signed.Root[0] ^= 1
	case "forges":
		return c.Lines[0], nil
	case "disagrees":
		return checkpoint.Line{}, fmt.Errorf("it has another tree: %w", witness.ErrDisagrees)
	}
	if g.size > 0 && g.size <= c.Size {
		proof, err := prove(g.size)
		if err != nil {
			return checkpoint.Line{}, err
		}
		if err := tile.VerifyConsistency(g.size, c.Size, proof, g.root, c.Root); err != nil {
			return checkpoint.Line{}, err
		}
	}
	if g.size <= c.Size {
		g.size, g.root = c.Size, c.Root
	}
	sig, err := g.key.Sign(signed.Text())
	return checkpoint.Line{Name: g.key.Name(), Hash: g.key.KeyHash(), Sig: sig}, err
}

// witnessed makes the world's log ask for k of those witnesses.
func (w *world) witnessed(k int, guests ...*guest) {
	w.t.Helper()
	p := strings.TrimSuffix(string(w.policy.Bytes()), "quorum both\n")
	group := fmt.Sprintf("group ws %d", k)
	ws := make([]notary.Witness, len(guests))
	for i, g := range guests {
		p += fmt.Sprintf("witness w%d %s\n", i, g.key.VerifierKey())
		group += fmt.Sprintf(" w%d", i)
		ws[i] = g
	}
	policy, err := checkpoint.ParsePolicy([]byte(p + group + "\ngroup final all both ws\nquorum final\n"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.policy = policy
	w.witnesses = ws
	w.svc = w.process(w.store)
}

// met returns how the checkpoint of a statement's receipt meets the policy.
func (w *world) met(ref notary.Ref) (checkpoint.Met, error) {
	w.t.Helper()
	ev, err := w.svc.Receipt(context.Background(), ref)
	if err != nil {
		return checkpoint.Met{}, err
	}
	p, err := checkpoint.ParseProof(ev.Proof)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := checkpoint.Parse(p.Checkpoint)
	if err != nil {
		w.t.Fatal(err)
	}
	m, err := w.policy.Verify(c, nil)
	if err != nil {
		w.t.Fatalf("a final checkpoint that does not meet the policy: %v", err)
	}
	return m, nil
}

// TestWitnesses: of three, two are asked for; whatever one of them does, the
// checkpoint becomes final with the others', and sealing goes on.
func TestWitnesses(t *testing.T) {
	for _, mood := range []string{"", "down", "silent", "deaf", "lies", "disagrees", "forges"} {
		t.Run("one is "+mood, func(t *testing.T) {
			w := newWorld(t, storetest.NewMemory())
			guests := []*guest{newGuest(t, "w1.example"), newGuest(t, "w2.example"), newGuest(t, "w3.example")}
			w.witnessed(2, guests...)
			tr, one, _ := w.registered()
			guests[1].is(mood)
			n := w.data(tr, "site-001", one)
			w.mustSubmit(n)
			w.mustDrain()
			m, err := w.met(notary.Ref{Stream: n.Stream(), Statement: n.ID})
			if err != nil {
				t.Fatal(err)
			}
			if want := map[bool]int{true: 3, false: 2}[mood == ""]; m.Witnesses != want || m.Of != 3 || !m.Witnessed {
				t.Errorf("%d of %d witnesses, witnessed %v; want %d", m.Witnesses, m.Of, m.Witnessed, want)
			}
			if told := strings.Join(w.alarms, ""); (mood == "disagrees") != strings.HasPrefix(told, "witness w2.example: ") {
				t.Errorf("alarms %q", w.alarms)
			}
			w.check(w.store)
		})
	}
}

// TestQuorumComesLate: with too few witnesses a batch is sealed and stays without a
// final checkpoint, its receipts pending; it becomes final when they are back, by
// itself while it is the newest, or else under the next one.
func TestQuorumComesLate(t *testing.T) {
	for _, next := range []bool{false, true} {
		t.Run(fmt.Sprintf("next batch %v", next), func(t *testing.T) {
			w := newWorld(t, storetest.NewMemory())
			guests := []*guest{newGuest(t, "w1.example"), newGuest(t, "w2.example")}
			w.witnessed(2, guests...)
			tr, one, _ := w.registered()
			guests[0].is("down")
			n := w.data(tr, "site-001", one)
			w.mustSubmit(n)
			w.mustDrain()
			ref := notary.Ref{Stream: n.Stream(), Statement: n.ID}
			size := w.mustHeadSize()
			if _, err := w.met(ref); !errors.Is(err, notary.ErrPending) {
				t.Fatalf("a receipt without a quorum: %v", err)
			}
			guests[0].is("")
			if next {
				w.mustSubmit(w.data(tr, "site-001", one))
			}
			// Another process, as after a restart: nothing is kept in memory only.
			w.svc = w.process(w.store)
			w.mustDrain()
			if m, err := w.met(ref); err != nil || m.Witnesses != 2 {
				t.Fatalf("%d witnesses, %v", m.Witnesses, err)
			}
			_, err := w.store.Get(context.Background(), checkpoint.FinalName(size))
			if next != errors.Is(err, notary.ErrNotFound) {
				t.Errorf("the checkpoint of the batch that waited: %v", err)
			}
			w.check(w.store)
		})
	}
}

// TestWitnessGoneForLong: the operator is told once, not with every batch.
func TestWitnessGoneForLong(t *testing.T) {
	w := newWorld(t, storetest.NewMemory())
	g := newGuest(t, "w1.example")
	w.witnessed(1, g)
	tr, one, _ := w.registered()
	g.is("down")
	for range 25 {
		w.mustSubmit(w.data(tr, "site-001", one))
		w.mustDrain()
	}
	if len(w.alarms) != 1 || w.alarms[0] != "witness w1.example: connection refused" {
		t.Errorf("alarms %q", w.alarms)
	}
	g.is("")
	w.mustSubmit(w.data(tr, "site-001", one))
	w.mustDrain()
	w.check(w.store)
}

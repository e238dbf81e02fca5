package notary_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

// TestRandomHistories lives through random weeks of a log: statements, key
// changes, faults at any call, processes killed and started, sealers side by side,
// databases restored and repaired. TRIALNOTARY_HISTORIES sets how many,
// TRIALNOTARY_SEED the first seed; a failure prints the seed of its history.
func TestRandomHistories(t *testing.T) {
	number := func(name string, otherwise uint64) uint64 {
		n, err := strconv.ParseUint(os.Getenv(name), 10, 64)
		if err != nil {
			return otherwise
		}
		return n
	}
	first := number("TRIALNOTARY_SEED", uint64(time.Now().UnixNano()))
	count := number("TRIALNOTARY_HISTORIES", 60)
	t.Logf("seeds %d to %d", first, first+count-1)
	for seed := first; seed < first+count; seed++ {
		if !t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { randomHistory(t, seed) }) {
			t.Fatalf("again with TRIALNOTARY_SEED=%d TRIALNOTARY_HISTORIES=1", seed)
		}
	}
}

// week is one random history.
type week struct {
	*world
	rng    *rand.Rand
	mu     sync.Mutex // of rng, which sealers side by side draw from
	store  *storetest.Memory
	tr     *trial
	keys   map[string][]statement.PrivateKey // by stream
	copies []storetest.Snapshot
}

func randomHistory(t *testing.T, seed uint64) {
	m := storetest.NewMemory()
	w := newWorld(t, m)
	tr, one, two := w.registered()
	h := &week{world: w, store: m, tr: tr, rng: rand.New(rand.NewPCG(seed, 1)),
		keys: map[string][]statement.PrivateKey{"site-001": {one}, "site-002": {two}}}
	for range 6 + h.rng.IntN(14) {
		switch h.rng.IntN(12) {
		case 0, 1, 2, 3:
			h.submitSome()
		case 4, 5, 6:
			h.sealWithFaults()
		case 7:
			var both sync.WaitGroup
			both.Go(h.sealWithFaults)
			both.Go(h.sealWithFaults)
			both.Wait()
		case 8:
			h.changeKeys()
		case 9:
			h.copies = append(h.copies, m.Snapshot())
		case 10:
			if len(h.copies) > 0 {
				h.restore()
			}
		case 11:
			h.later(25 * time.Hour)
		}
	}
	h.settle()
	h.world.check(m)
}

// flaky is a process whose every call may suffer a fault.
func (h *week) flaky() (*notary.Service, *storetest.Faulty) {
	h.mu.Lock()
	odds := 4 + h.rng.IntN(60)
	h.mu.Unlock()
	faults := storetest.Faults()
	f := storetest.NewFaulty(h.store, func(string, int) storetest.Fault {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.rng.IntN(odds) > 0 {
			return storetest.None
		}
		return faults[h.rng.IntN(len(faults))]
	})
	return h.process(f), f
}

func (h *week) submitSome() {
	svc, _ := h.flaky()
	for range 1 + h.rng.IntN(4) {
		name := fmt.Sprintf("site-%03d", 1+h.rng.IntN(2))
		n := h.data(h.tr, name, h.keys[name][h.rng.IntN(len(h.keys[name]))])
		if err := h.submit(svc, n); err != nil && h.rng.IntN(2) == 0 {
			h.submit(h.process(h.store), n) // the client tries again
		}
	}
}

// changeKeys enrols a key, revokes one, or both at once.
func (h *week) changeKeys() {
	name := fmt.Sprintf("site-%03d", 1+h.rng.IntN(2))
	var notes []*statement.Note
	if h.rng.IntN(2) == 0 && len(h.keys[name]) > 1 {
		notes = append(notes, h.revoke(h.tr, h.sponsor, name, h.keys[name][0].Public()))
	}
	k := newKey(h.t, fmt.Sprintf("%s.p%d", name, len(h.keys[name])))
	notes = append(notes, h.enrol(h.tr, h.sponsor, name, k.Public()))
	svc, _ := h.flaky()
	if h.submit(svc, notes...) == nil {
		h.keys[name] = append(h.keys[name], k)
	}
}

func (h *week) sealWithFaults() {
	svc, f := h.flaky()
	for range 6 {
		err := drain(svc)
		if err == nil || f.Dead() {
			return
		}
		if errors.Is(err, notary.ErrForked) || errors.Is(err, notary.ErrRestored) {
			h.t.Errorf("no one restored anything: %v", err)
			return
		}
	}
}

// restore puts the database back to an older copy. The operator repairs it; the
// clients submit again what they had been told is accepted.
func (h *week) restore() {
	h.store.Restore(h.copies[h.rng.IntN(len(h.copies))])
	svc := h.process(h.store)
	size := h.mustHeadSize()
	for range h.rng.IntN(3) {
		if err := drain(svc); err != nil && !errors.Is(err, notary.ErrRestored) && !errors.Is(err, notary.ErrForked) {
			h.t.Fatalf("sealing on a restored database: %v", err)
		} else if err != nil && h.mustHeadSize() != size {
			h.t.Fatal("something was sealed on a restored database")
		} else if err == nil {
			size = h.mustHeadSize()
		}
	}
	for try := 0; ; try++ {
		flaky, f := h.flaky()
		if flaky.Repair(context.Background(), false, nil) == nil && !f.Dead() {
			break
		}
		if try == 20 {
			if err := h.process(h.store).Repair(context.Background(), false, nil); err != nil {
				h.t.Fatalf("repair: %v", err)
			}
			break
		}
	}
	h.alarms = nil
	h.settle()
	var rejected *notary.Rejection
	for ref, raw := range h.accepts {
		if _, err := h.svc.Submit(context.Background(), [][]byte{raw}); errors.As(err, &rejected) {
			// Accepted after the copy was made, and its key has ended since: its author is
			// told so now instead of at the receipt.
			delete(h.accepts, ref)
		} else if err != nil {
			h.t.Fatal(err)
		}
	}
	h.settle()
}

// settle lets a sound process finish everything.
func (h *week) settle() {
	h.t.Helper()
	h.svc = h.process(h.store)
	if err := drain(h.svc); err != nil {
		h.t.Fatalf("at the end: %v", err)
	}
	if len(h.alarms) > 0 {
		h.t.Fatalf("alarms: %q", h.alarms)
	}
}

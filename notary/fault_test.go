package notary_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/ondisk"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

// backends are the stores that the fault matrix runs over.
var backends = map[string]func(t *testing.T) notary.Store{
	"memory": func(*testing.T) notary.Store { return storetest.NewMemory() },
	"disk": func(t *testing.T) notary.Store {
		s, err := ondisk.Open(quickDir(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	},
}

// quickDir is a directory in memory where the system has one: the matrix kills
// processes, not machines, and a thousand cases would wait for the disk.
func quickDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "trialnotary-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// story is one evening's statements: sealed together they give entries, a
// revocation that takes effect within the batch, and a refusal.
type story struct {
	*world
	tr    *trial
	notes []*statement.Note
}

func newStory(t *testing.T, store notary.Store) *story {
	w := newWorld(t, store)
	tr, one, two := w.registered()
	three := newKey(t, "site-003.poe")
	return &story{w, tr, []*statement.Note{
		w.data(tr, "site-001", one),
		w.data(tr, "site-002", two),
		w.revoke(tr, w.sponsor, "site-002", two.Public()),
		w.data(tr, "site-002", two),
		w.enrol(tr, w.sponsor, "site-003", three.Public()),
	}}
}

// tell submits the story through one process and seals it, trying again after
// faults as a client and a scheduler would, until done or the process is dead.
func (s *story) tell(svc *notary.Service, dead func() bool) error {
	var err error
	for try := 0; try < 20; try++ {
		if err = s.submit(svc, s.notes...); err == nil {
			break
		}
		if dead() {
			return err
		}
	}
	if err != nil {
		return err
	}
	for try := 0; try < 20; try++ {
		if err = drain(svc); err == nil || dead() || errors.Is(err, notary.ErrForked) || errors.Is(err, notary.ErrRestored) {
			return err
		}
	}
	return err
}

// end is another process that finishes everything, then the check of it all.
func (s *story) end(store notary.Store) {
	s.t.Helper()
	other := s.process(store)
	if err := s.submit(other, s.notes...); err != nil {
		s.t.Fatalf("the next process does not accept: %v", err)
	}
	if err := drain(other); err != nil {
		s.t.Fatalf("the next process does not seal: %v", err)
	}
	log := s.check(store)
	if len(log.Entries) != 2+2+4 {
		s.t.Fatalf("%d entries, want 8", len(log.Entries))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.alarms) > 0 {
		s.t.Fatalf("alarms: %q", s.alarms)
	}
}

func never() bool { return false }

// TestFaultMatrix injects every fault at every call of the store, and lets either
// the same process go on, or another one take over while the first is a zombie
// that wakes late.
func TestFaultMatrix(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, open(t))
			good := storetest.NewFaulty(s.store, nil)
			if err := s.tell(s.process(good), never); err != nil {
				t.Fatal(err)
			}
			s.end(s.store)
			calls := good.Calls()
			if len(calls) < 25 {
				t.Fatalf("only %d calls: the matrix would show nothing", len(calls))
			}
			for n, call := range calls {
				if testing.Short() && n%4 != 0 {
					continue
				}
				for _, fault := range storetest.Faults() {
					for _, takeover := range []bool{false, true} {
						t.Run(fmt.Sprintf("%d-%s/%v/takeover=%v", n, call.Op, fault, takeover), func(t *testing.T) {
							s := newStory(t, open(t))
							f := storetest.NewFaulty(s.store, storetest.At(n, fault))
							first := s.process(f)
							err := s.tell(first, func() bool { return takeover || f.Dead() })
							if err != nil && !f.Dead() && !takeover {
								t.Fatalf("the process did not recover: %v", err)
							}
							s.end(s.store)
							if takeover && !f.Dead() { // the zombie goes on with what it had begun
								if err := s.tell(first, f.Dead); err != nil && !f.Dead() {
									t.Fatalf("the zombie: %v", err)
								}
								s.end(s.store)
							}
						})
					}
				}
			}
		})
	}
}

// faultySigner fails or kills at its nth signature.
type faultySigner struct {
	checkpoint.Signer
	mu    sync.Mutex
	left  int
	act   func()
	wrong bool
}

func (f *faultySigner) Sign(msg []byte) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left--
	if f.left != -1 {
		return f.Signer.Sign(msg)
	}
	if f.wrong {
		sig, err := f.Signer.Sign(msg)
		if err == nil {
			sig[len(sig)-1] ^= 1
		}
		return sig, err
	}
	f.act()
	return nil, errors.New("the key service does not answer")
}

func TestFaultySigner(t *testing.T) {
	for name, open := range backends {
		for key := range 2 {
			for _, how := range []string{"fails", "wrong signature", "killed"} {
				t.Run(fmt.Sprintf("%s/key %d/%s", name, key, how), func(t *testing.T) {
					s := newStory(t, open(t))
					f := storetest.NewFaulty(s.store, nil)
					bad := &faultySigner{Signer: s.signers[key], wrong: how == "wrong signature", act: func() {
						if how == "killed" {
							f.Kill()
						}
					}}
					good := s.signers
					s.signers = []checkpoint.Signer{good[0], good[1]}
					s.signers[key] = bad
					svc := s.process(f)
					s.signers = good
					if err := s.submit(svc, s.notes...); err != nil {
						t.Fatal(err)
					}
					if err := drain(svc); err == nil {
						t.Fatal("sealing went on without a signature")
					}
					log := s.mustHeadSize()
					if _, err := s.store.Get(context.Background(), checkpoint.FinalName(log)); !errors.Is(err, notary.ErrNotFound) {
						t.Fatalf("a checkpoint became final without its signature: %v", err)
					}
					if how != "killed" {
						if err := s.tell(svc, never); err != nil {
							t.Fatal(err)
						}
					}
					s.end(s.store)
				})
			}
		}
	}
}

// lateSwap loses the answer of one head swap, which takes effect much later.
type lateSwap struct {
	notary.Store
	swap func() error
}

func (l *lateSwap) SwapHead(ctx context.Context, old, new []byte) error {
	if l.swap != nil {
		return l.Store.SwapHead(ctx, old, new)
	}
	l.swap = func() error { return l.Store.SwapHead(ctx, old, new) }
	return errors.New("no answer")
}

func TestHeadSwapThatLandsLate(t *testing.T) {
	for name, open := range backends {
		t.Run(name+"/before anyone else", func(t *testing.T) {
			s := newStory(t, open(t))
			late := &lateSwap{Store: s.store}
			first := s.process(late)
			if err := s.submit(first, s.notes...); err != nil {
				t.Fatal(err)
			}
			if err := drain(first); err == nil {
				t.Fatal("the commit was not in doubt")
			}
			if err := late.swap(); err != nil {
				t.Fatal(err)
			}
			s.end(s.store)
		})
		t.Run(name+"/after another sealer", func(t *testing.T) {
			s := newStory(t, open(t))
			late := &lateSwap{Store: s.store}
			first := s.process(late)
			if err := s.submit(first, s.notes...); err != nil {
				t.Fatal(err)
			}
			if err := drain(first); err == nil {
				t.Fatal("the commit was not in doubt")
			}
			if err := drain(s.process(s.store)); err != nil {
				t.Fatal(err)
			}
			if err := late.swap(); !errors.Is(err, notary.ErrConflict) {
				t.Fatal(err)
			}
			if err := drain(first); err != nil {
				t.Fatal(err)
			}
			s.end(s.store)
		})
	}
}

// TestZombieAtEveryWrite holds one sealer still before each of its writes while
// another one seals the same statements and a batch more, then lets it go on.
func TestZombieAtEveryWrite(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			for n, met := 0, true; met; n++ {
				met = false
				s := newStory(t, open(t))
				zombie := storetest.NewFaulty(s.store, nil)
				held, release := make(chan struct{}), make(chan struct{})
				writes := 0
				var once, mu = sync.Once{}, sync.Mutex{}
				zombie.Hook = func(_ context.Context, _ int, c storetest.Call) {
					mu.Lock()
					here := c.Writes() && c.Op != "Accept" && writes == n
					if c.Writes() && c.Op != "Accept" {
						writes++
					}
					mu.Unlock()
					if here {
						once.Do(func() { close(held) })
						<-release
					}
				}
				first := s.process(zombie)
				if err := s.submit(first, s.notes...); err != nil {
					t.Fatal(err)
				}
				done := make(chan error, 1)
				go func() { done <- drain(first) }()
				select {
				case <-held:
					met = true
					other := s.process(s.store)
					if err := drain(other); err != nil {
						t.Fatalf("write %d: the other sealer: %v", n, err)
					}
					more := s.inTrial(s.tr, s.sponsor, statement.KindNote, func(st *statement.Statement) { st.Label = "next day" })
					if err := s.submit(other, more); err != nil {
						t.Fatal(err)
					}
					if err := drain(other); err != nil {
						t.Fatal(err)
					}
					close(release)
					if err := <-done; err != nil && !errors.Is(err, notary.ErrLost) {
						t.Fatalf("write %d: the zombie: %v", n, err)
					}
				case err := <-done:
					if err != nil {
						t.Fatal(err)
					}
				}
				if err := drain(first); err != nil {
					t.Fatalf("write %d: the zombie's next tick: %v", n, err)
				}
				s.check(s.store)
				if len(s.alarms) > 0 {
					t.Fatalf("write %d: %q", n, s.alarms)
				}
			}
		})
	}
}

// TestTwoSealersRace lets sealers and clients run against each other.
func TestTwoSealersRace(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, open(t))
			tr, one, two := w.registered()
			var clients, sealers sync.WaitGroup
			stop := make(chan struct{})
			for range 3 {
				svc := w.process(w.store)
				sealers.Go(func() {
					for {
						if err := drain(svc); err != nil && !errors.Is(err, notary.ErrLost) {
							t.Errorf("a sealer: %v", err)
							return
						}
						select {
						case <-stop:
							return
						default:
						}
					}
				})
			}
			for c, key := range []statement.PrivateKey{one, two} {
				svc := w.process(w.store)
				clients.Go(func() {
					for range 20 {
						if err := w.submit(svc, w.data(tr, fmt.Sprintf("site-%03d", c+1), key)); err != nil {
							t.Errorf("a client: %v", err)
						}
					}
				})
			}
			clients.Wait()
			close(stop)
			sealers.Wait()
			w.mustDrain()
			if log := w.check(w.store); len(log.Entries) != 4+40 {
				t.Fatalf("%d entries", len(log.Entries))
			}
			if len(w.alarms) > 0 {
				t.Fatal(w.alarms)
			}
		})
	}
}

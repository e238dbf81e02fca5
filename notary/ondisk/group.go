package ondisk

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	bolt "go.etcd.io/bbolt"

	"trialnotary/notary"
)

// maxGroup bounds the bytes of notes that share one commit.
const maxGroup = 16 << 20

// group gathers the Accept calls that share a commit. Whoever gets to lead
// commits for all who wait; while the disk works, the next ones gather.
type group struct {
	lead chan struct{} // holds a token while somebody leads

	mu      sync.Mutex
	waiting []*acceptance
}

// acceptance is one Accept call. Its batch is used only while its caller waits.
type acceptance struct {
	batch []notary.Accepted
	done  chan struct{} // closed when err is known
	err   error
}

// Accept puts statements into the inbox. Calls made at the same time share one
// commit. A call whose ctx ends while its commit is under way waits for it.
func (s *Store) Accept(ctx context.Context, batch []notary.Accepted) error {
	err := notary.CheckAccepted(batch)
	if err == nil {
		err = s.ready(ctx)
	}
	if err == nil && len(batch) > 0 {
		err = s.accept(ctx, batch)
	}
	if err != nil {
		return fmt.Errorf("accept: %w", err)
	}
	return nil
}

func (s *Store) accept(ctx context.Context, batch []notary.Accepted) error {
	a := &acceptance{batch: batch, done: make(chan struct{})}
	g := &s.group
	g.mu.Lock()
	g.waiting = append(g.waiting, a)
	g.mu.Unlock()
	for {
		select {
		case <-a.done:
			return a.err
		case g.lead <- struct{}{}:
			s.leadGroup()
			<-g.lead
		case <-ctx.Done():
			if g.leave(a) {
				return ctx.Err()
			}
			<-a.done
			return a.err
		}
	}
}

// leave takes a out of the queue; false if it is being committed already.
func (g *group) leave(a *acceptance) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, a)
	if i < 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	return true
}

// take removes from the queue those at its front that go into one commit.
func (g *group) take() []*acceptance {
	g.mu.Lock()
	defer g.mu.Unlock()
	size, n := 0, 0
	for n < len(g.waiting) && size < maxGroup {
		for i := range g.waiting[n].batch {
			size += len(g.waiting[n].batch[i].Note)
		}
		n++
	}
	taken := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	if len(g.waiting) == 0 {
		g.waiting = nil
	}
	return taken
}

// leadGroup commits what waits and tells everybody. The leader's own call is
// among them, or was answered by the leader before.
func (s *Store) leadGroup() {
	// Those who were answered just now are about to call again: let them join.
	runtime.Gosched()
	taken := s.group.take()
	if len(taken) == 0 {
		return
	}
	var places []*place
	// Not under the leader's ctx: others rely on this commit.
	err := s.update(context.Background(), func(tx *bolt.Tx) (err error) {
		if places, err = s.writeInbox(tx, taken); err == nil && len(places) == 0 {
			return errUnchanged
		}
		return err
	})
	if err == nil {
		s.waiting.mu.Lock()
		for _, p := range places {
			s.waiting.add(p)
		}
		s.waiting.mu.Unlock()
	}
	for _, a := range taken {
		a.err = err
		close(a.done)
	}
}

package web

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

func TestLaneOf(t *testing.T) {
	note := []byte("text\n\n— site-001.jdoe RmXz3zi3xEmm7LoYVaSK83i0IwXDLa032UBT\n")
	if l := laneOf(note); l.name != "site-001.jdoe" || l.id != [4]byte{0x46, 0x65, 0xf3, 0xdf} {
		t.Errorf("%+v", l)
	}
	for _, bad := range []string{"", "\n", "x", "— a", "— a b", "— a !!!!!!!!!!!", "text\n— a RmXz"} {
		if l := laneOf([]byte(bad)); l != (lane{}) {
			t.Errorf("%q: %+v", bad, l)
		}
	}
}

// Lanes take turns, each with up to MaxTogether statements of its own.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(256, 10000, 5000)
		a, b, c := lane{name: "a"}, lane{name: "b"}, lane{name: "c"}
		mustEnter(t, g, a, 256) // all the room
		var mu sync.Mutex
		var order []string
		queue := func(l lane, n int) {
			go func() {
				mustEnter(t, g, l, n)
				mu.Lock()
				order = append(order, l.name)
				mu.Unlock()
				g.leave(l, n)
			}()
			synctest.Wait()
		}
		for range 3 {
			queue(a, 256)
		}
		for range 3 {
			queue(b, 200)
		}
		queue(c, 60)
		g.leave(a, 256)
		synctest.Wait()
		if got := strings.Join(order, ""); got != "abbcaba" {
			t.Errorf("order %s", got)
		}
		if inside, waiting := g.load(); inside != 0 || waiting != 0 || len(g.lanes) != 0 || len(g.turns) != 0 {
			t.Errorf("left: %d inside, %d waiting, %d lanes, %d turns", inside, waiting, len(g.lanes), len(g.turns))
		}
	})
}

func mustEnter(t *testing.T, g *gate, l lane, n int) {
	if err := g.enter(context.Background(), l, n); err != nil {
		t.Error(err)
	}
}

// One lane is bounded, and all together are.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2, 4, 3)
		ctx, cancel := context.WithCancel(context.Background())
		mustEnter(t, g, lane{name: "a"}, 1)
		wait := func(name string) { go g.enter(ctx, lane{name: name}, 1); synctest.Wait() }
		for range 3 {
			wait("a")
		}
		if err := g.enter(ctx, lane{name: "a"}, 1); !errors.Is(err, errKeyFull) {
			t.Error(err)
		}
		mustEnter(t, g, lane{name: "b"}, 1) // there is room for another key
		wait("c")
		if err := g.enter(ctx, lane{name: "d"}, 1); !errors.Is(err, errFull) {
			t.Error(err)
		}
		// Whoever goes away while waiting leaves nothing behind.
		cancel()
		synctest.Wait()
		if _, waiting := g.load(); waiting != 0 || len(g.turns) != 0 || len(g.lanes) != 2 {
			t.Errorf("%d waiting, %d turns, %d lanes", waiting, len(g.turns), len(g.lanes))
		}
		g.leave(lane{name: "a"}, 1)
		g.leave(lane{name: "b"}, 1)
		if inside, _ := g.load(); inside != 0 || len(g.lanes) != 0 {
			t.Error("something is left")
		}
	})
}

// Thousands come and go, some impatient; the books balance.
func TestGateBalances(t *testing.T) {
	g := newGate(16, 1<<20, 1<<20)
	var wg sync.WaitGroup
	for i := range 2000 {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			if i%7 == 0 {
				cancel()
			}
			defer cancel()
			l, n := lane{id: [4]byte{byte(i % 5)}}, 1+i%20
			if g.enter(ctx, l, n) == nil {
				g.leave(l, n)
			}
		})
	}
	wg.Wait()
	if inside, waiting := g.load(); inside != 0 || waiting != 0 || len(g.lanes) != 0 || len(g.turns) != 0 {
		t.Errorf("left: %d inside, %d waiting, %d lanes, %d turns", inside, waiting, len(g.lanes), len(g.turns))
	}
}

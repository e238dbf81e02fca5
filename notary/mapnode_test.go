package notary

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
)

// mapStore is a store of map nodes alone, that counts how it is read.
type mapStore struct {
	Store
	objects map[string][]byte // and rows, by their partition

	mu           sync.Mutex
	reads, bytes int
}

func (m *mapStore) GetRows(_ context.Context, keys []Row) ([][]byte, error) {
	m.count(0)
	values := make([][]byte, len(keys))
	for i, k := range keys {
		if v := m.objects[k.Partition]; v != nil {
			values[i] = slices.Clone(v)
		}
	}
	return values, nil
}

func (m *mapStore) GetState(_ context.Context, name string, offset, length int64) ([]byte, error) {
	m.count(int(length))
	b := m.objects[name]
	if b == nil {
		return nil, ErrNotFound
	}
	end := min(offset+length, int64(len(b)))
	return slices.Clone(b[min(offset, end):end]), nil
}

func (m *mapStore) count(bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads, m.bytes = m.reads+1, m.bytes+bytes
}

// singly reads nodes one after the other.
type singly struct{ streammap.Nodes }

// streamsOf returns a store with the map of so many streams, sealed in batches.
func streamsOf(t testing.TB, streams, batches int) (*mapStore, streammap.Root, []statement.StreamID) {
	t.Helper()
	m := &mapStore{objects: map[string][]byte{}}
	packs := map[uint64][]byte{}
	rng := rand.New(rand.NewPCG(1, 2))
	var root streammap.Root
	var ids []statement.StreamID
	for batch := uint64(1); batch <= uint64(batches); batch++ {
		var changes []streammap.Change
		for range streams / batches {
			var id statement.StreamID
			for i := 0; i < len(id); i += 8 {
				binary.BigEndian.PutUint64(id[i:], rng.Uint64())
			}
			ids = append(ids, id)
			changes = append(changes, streammap.Change{Stream: id, Value: streammap.Value{Count: batch, Head: id}})
		}
		var err error
		if root, packs[batch], err = streammap.Update(packNodes(packs), root, batch, changes); err != nil {
			t.Fatal(err)
		}
		name := mapName(batch)
		if len(packs[batch]) <= maxRowPack {
			name = packKey(batch).Partition
		}
		m.objects[name] = packs[batch]
	}
	rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return m, root, ids
}

// packNodes are packs in memory.
type packNodes map[uint64][]byte

func (p packNodes) Node(batch uint64, offset, length int64) ([]byte, error) {
	return p[batch][offset : offset+length], nil
}

// Streams that were long quiet are read together: few reads, whatever they are
// read from, and the same values as one after the other.
func TestColdStreamsAreReadTogether(t *testing.T) {
	for _, c := range []struct{ streams, batches int }{{20_000, 20}, {3000, 300}} {
		m, root, ids := streamsOf(t, c.streams, c.batches)
		ids = ids[:1000]
		s := &Service{store: m}
		one, err := streammap.LookupAll(singly{s.mapNodes(t.Context())}, root, ids)
		if err != nil {
			t.Fatal(err)
		}
		before := m.reads
		m.reads = 0
		all, err := streammap.LookupAll(s.mapNodes(t.Context()), root, ids)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(one, all) {
			t.Error("other values")
		}
		if m.reads*10 > before {
			t.Errorf("%d streams in %d batches: %d reads together, %d one by one", c.streams, c.batches, m.reads, before)
		}
		for name := range maps.Keys(m.objects) { // as when somebody cut one short
			m.objects[name] = m.objects[name][:len(m.objects[name])/2]
		}
		if _, err := streammap.LookupAll(s.mapNodes(t.Context()), root, ids); err == nil {
			t.Error("packs that are not whole are read")
		}
	}
}

// BenchmarkColdStreams looks up 10,000 streams of a million, of which the process
// remembers nothing, in packs of 10,000.
func BenchmarkColdStreams(b *testing.B) {
	m, root, ids := streamsOf(b, 1_000_000, 100)
	for name, nodes := range map[string]func() streammap.Nodes{
		"one by one": func() streammap.Nodes { return singly{(&Service{store: m}).mapNodes(b.Context())} },
		"together":   func() streammap.Nodes { return (&Service{store: m}).mapNodes(b.Context()) },
	} {
		b.Run(fmt.Sprintf("%s/%d", name, 10_000), func(b *testing.B) {
			m.reads, m.bytes = 0, 0
			for b.Loop() {
				if _, err := streammap.LookupAll(nodes(), root, ids[:10_000]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(m.reads)/float64(b.N), "reads/op")
			b.ReportMetric(float64(m.bytes)/float64(b.N)/(1<<20), "MiB-read/op")
		})
	}
}

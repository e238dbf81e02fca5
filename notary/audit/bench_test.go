package audit

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/statement"
	"trialnotary/notary/tile"
)

// generated is a log of very many entries, as a reader that makes each bundle when it
// is read would be too slow: it is kept as files, or in memory.
type generated struct {
	put     func(name string, b []byte) error
	entries int
}

// grow makes a log of n entries in batches of that many, over so many streams, whose
// checkpoints are not signed.
func (g *generated) grow(n, batch, streams int) (size uint64, err error) {
	edge, m := &tile.Edge{}, &Memory{}
	ids, counts := make([]statement.StreamID, streams), make([]uint64, streams)
	for i := range ids {
		ids[i] = stream(i)
	}
	now := time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)
	var leaf []byte
	var last []byte
	for number := uint64(1); n > 0 && err == nil; number++ {
		first := edge.Size()
		var placed []Placed
		for range min(n, batch) {
			// Streams have different shares, as sites have.
			s := int(binary.BigEndian.Uint64(sum(edge.Size())) % uint64(streams))
			counts[s]++
			e := entry.Entry{Index: edge.Size(), Batch: number, Time: now, Stream: ids[s], Seq: counts[s], Statement: statement.ID(sum(edge.Size() | 1<<63))}
			leaf = e.Append(leaf[:0])
			h := tile.LeafHash(leaf)
			edge.AppendHashed(leaf, h)
			placed = append(placed, Placed{e, h})
		}
		n -= len(placed)
		m.Fold(context.Background(), number, placed)
		root, count := m.root()
		edge.Append(entry.Batch{Index: edge.Size(), Number: number, Time: now, First: first, Streams: count, MapRoot: root}.Append(nil))
		for _, o := range edge.Objects() {
			if err = g.put(o.Name, o.Data); err != nil {
				return 0, err
			}
		}
		h := checkpoint.Head{Batch: number, Size: edge.Size(), Root: edge.Root()}
		last = append(checkpoint.Checkpoint{Origin: origin, Size: h.Size, Root: h.Root}.Text(), "\n— log.example/trials AAAAAAAA\n"...)
		for name, b := range map[string][]byte{checkpoint.HeadName(number): h.Bytes(), checkpoint.SignedName(number): last, checkpoint.FinalName(h.Size): last} {
			if err = g.put(name, b); err != nil {
				return 0, err
			}
		}
	}
	if err == nil {
		err = g.put("checkpoint", last)
	}
	return edge.Size(), err
}

func sum(n uint64) []byte {
	h := sha256.Sum256(binary.BigEndian.AppendUint64(nil, n))
	return h[:]
}

// memoryLog is a log that is read from memory as from a fast disk: each object copied.
type memoryLog map[string][]byte

func (m memoryLog) Read(_ context.Context, name string) ([]byte, error) {
	b, ok := m[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return slices.Clone(b), nil
}

// bare computes hashes and nothing else, on all processors: n of that many bytes.
func bare(n uint64, size int) {
	var wait sync.WaitGroup
	cpus := uint64(runtime.GOMAXPROCS(0))
	for range cpus {
		wait.Go(func() {
			b := make([]byte, size)
			for range n / cpus {
				h := sha256.Sum256(b)
				b[1] = h[0]
			}
		})
	}
	wait.Wait()
}

// BenchmarkAudit audits a log of 2·10⁵ entries in batches of 10⁴, over 2,000 streams,
// in turns with the bare SHA-256 hashes that it cannot do without: of leaves, tree
// nodes, folds and map. x-floor is how many times as long it takes.
func BenchmarkAudit(b *testing.B) {
	const entries, batch, streams = 200_000, 10_000, 2_000
	log := memoryLog{}
	g := generated{put: func(name string, data []byte) error { log[name] = slices.Clone(data); return nil }}
	size, err := g.grow(entries, batch, streams)
	if err != nil {
		b.Fatal(err)
	}
	leafSize := 1 + (len(log["tile/entries/400"])-2*tile.Width)/tile.Width
	var ratios []float64
	best := time.Duration(1 << 62)
	b.ReportAllocs()
	for b.Loop() {
		f, err := os.CreateTemp(b.TempDir(), "seen")
		if err != nil {
			b.Fatal(err)
		}
		a := &Auditor{Log: log, Seen: NewSeen(f)}
		start := time.Now()
		r, err := a.Audit(b.Context(), nil, nil, nil)
		took := time.Since(start)
		if err != nil || r.To.Size != size {
			b.Fatal(r, err)
		}
		f.Close()
		var leaves, nodes uint64
		for _, s := range a.Map.(*Memory).shards {
			leaves, nodes = leaves+s.hashed, nodes+s.inner
		}
		start = time.Now()
		bare(size, leafSize)       // leaves
		bare(size+nodes, 65)       // nodes of the tree, and of the map
		bare(entries, 64)          // folds
		bare(leaves, 1+recordSize) // leaves of the map
		floor := time.Since(start)
		ratios = append(ratios, float64(took)/float64(floor))
		best = min(best, took)
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x-floor")
	b.ReportMetric(float64(size)/best.Seconds(), "entries/s")
}

// BenchmarkMemory folds 10⁴ entries into a map of 10⁵ streams and hashes it again.
func BenchmarkMemory(b *testing.B) {
	const streams = 100_000
	m := &Memory{}
	entries := make([]Placed, streams)
	for i := range entries {
		entries[i] = Placed{Entry: entry.Entry{Stream: stream(i), Seq: 1}}
	}
	m.Fold(b.Context(), 1, entries)
	m.root()
	some := entries[:10_000]
	b.ReportAllocs()
	for b.Loop() {
		for i := range some {
			some[i].Seq++
		}
		if wrong, _, err := m.Fold(b.Context(), 1, some); wrong >= 0 || err != nil {
			b.Fatal(wrong, err)
		}
		m.root()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(some)), "ns/entry")
}

// An audit needs bounded memory: the newest 2²¹ of what was seen, the streams, and what
// is read ahead. TRIALNOTARY_TEST_AUDIT is how many entries the log has, 10⁵ without
// it; 10⁷ take 2.7 GB of files and some minutes.
func TestMemoryOfAnAudit(t *testing.T) {
	if testing.Short() {
		t.Skip("a large log is made")
	}
	entries := 100_000
	if s := os.Getenv("TRIALNOTARY_TEST_AUDIT"); s != "" {
		var err error
		if entries, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	made := map[string]bool{}
	g := generated{put: func(name string, b []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if parent := filepath.Dir(path); !made[parent] {
			made[parent] = true
			if err := os.MkdirAll(parent, 0o755); err != nil {
				return err
			}
		}
		return os.WriteFile(path, b, 0o644)
	}}
	size, err := g.grow(entries, 10_000, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	made = nil
	runtime.GC()
	a := &Auditor{Log: Dir(dir), Seen: NewSeen(newKeeper(t).file)}
	var before, during runtime.MemStats
	runtime.ReadMemStats(&before)
	most := uint64(0)
	start := time.Now()
	r, err := a.Audit(t.Context(), nil, nil, func(uint64, uint64) {
		runtime.ReadMemStats(&during)
		most = max(most, during.HeapInuse)
	})
	if err != nil || r.To.Size != size {
		t.Fatal(r, err)
	}
	runtime.ReadMemStats(&during)
	most = max(most, during.HeapInuse)
	t.Logf("%d entries in %v, heap at most %d MiB, %s", entries, time.Since(start).Round(time.Millisecond), most>>20, peak())
	const bound = 128 << 20
	if most > before.HeapInuse+bound {
		t.Errorf("the heap grew by %d MiB, and %d are enough for any log of so many streams", (most-before.HeapInuse)>>20, bound>>20)
	}
}

// peak returns what the system says of this process, where it says it.
func peak() string {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return "peak unknown"
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "VmHWM:"); ok {
			return fmt.Sprintf("process at most %s", strings.TrimSpace(rest))
		}
	}
	return "peak unknown"
}

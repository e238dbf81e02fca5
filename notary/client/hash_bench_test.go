package client

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// BenchmarkHash seals files and, in turn, computes both digests of as many bytes
// that lie in memory, on the same cores: "ratio" is the throughput of the first
// over that of the second, the median of all turns.
func BenchmarkHash(b *testing.B) {
	for _, c := range []struct {
		name  string
		files int
		size  int
	}{
		{"files-100KiB", 640, 100 << 10},
		{"files-1MiB", 64, 1 << 20},
		{"files-16MiB", 4, 16 << 20},
		{"three-24MiB", 3, 24 << 20},
		{"one-64MiB", 1, 64 << 20},
	} {
		b.Run(c.name, func(b *testing.B) {
			dir := b.TempDir()
			data := make([]byte, c.size)
			for i := range data {
				data[i] = byte(i * 7)
			}
			for i := range c.files {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), data, 0o666); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(c.files * c.size))
			var ratios []float64
			var memory time.Duration
			for b.Loop() {
				b.StopTimer()
				at := time.Now()
				inMemory(data, c.files)
				floor := time.Since(at)
				b.StartTimer()
				at = time.Now()
				tree, err := Scan([]string{dir}, nil)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := tree.Hash(context.Background(), func(Progress) {}); err != nil {
					b.Fatal(err)
				}
				ratios = append(ratios, floor.Seconds()/time.Since(at).Seconds())
				memory += floor
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
			b.ReportMetric(float64(c.files*c.size*b.N)/1e6/memory.Seconds(), "memory-MB/s")
		})
	}
}

// inMemory hashes data n times with both digests, dealt evenly to all cores.
func inMemory(data []byte, n int) {
	cores := runtime.GOMAXPROCS(0)
	const piece = 64 << 10 // stays in the cache between the digests
	pieces := (len(data)*n + piece - 1) / piece
	var wg sync.WaitGroup
	for c := range cores {
		wg.Go(func() {
			s256, s512 := sha256.New(), sha512.New()
			for i := c; i < pieces; i += cores {
				at := i * piece % max(len(data)-piece, 1)
				p := data[at:min(at+piece, len(data))]
				s256.Write(p)
				s512.Write(p)
			}
		})
	}
	wg.Wait()
}

// BenchmarkHash100000 seals a directory of 100,000 small files.
func BenchmarkHash100000(b *testing.B) {
	dir := many(b, 100_000)
	for b.Loop() {
		tree, err := Scan([]string{dir}, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := tree.Hash(context.Background(), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/file")
}

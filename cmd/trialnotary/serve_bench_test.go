package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trialnotary/notary"
)

// BenchmarkServe loads a `serve` process over loopback with single statements
// from concurrent clients, and reports how many durable 202 a second it gives,
// what one costs the server's process in CPU, sealing included, and what an
// Ed25519 verification alone costs on this machine. Statements are signed before.
//
//	go test -run '^$' -bench BenchmarkServe$ -benchtime 30000x ./cmd/trialnotary
func BenchmarkServe(b *testing.B) {
	clients := 128
	if n, err := strconv.Atoi(os.Getenv("TRIALNOTARY_BENCH_CLIENTS")); err == nil {
		clients = n
	}
	c := newCohort(b, 8)
	p := c.start("--every", "1s")
	c.enrol(p.url)
	requests := make([][]byte, b.N)
	for i := range requests {
		note := c.data(i).Raw
		requests[i] = append(fmt.Appendf(nil, "POST /submissions HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", len(note)), note...)
	}
	verify := verifyTime(c)
	before := cpuOf(p)
	var next, refused atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range min(clients, b.N) {
		wg.Go(func() {
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			answers := bufio.NewReaderSize(conn, 2048)
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				if _, err := conn.Write(requests[i]); err != nil {
					b.Error(err)
					return
				}
				status, err := readAnswer(answers)
				if err != nil {
					b.Error(err)
					return
				}
				if status != "202" {
					refused.Add(1)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	rate := float64(b.N) / b.Elapsed().Seconds()
	p.terminate()
	if n := refused.Load(); n > 0 {
		b.Fatalf("%d of %d were not answered 202", n, b.N)
	}
	cpu := (p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime() - before).Seconds() / float64(b.N)
	b.ReportMetric(rate, "202/s")
	b.ReportMetric(cpu*1e6, "server-cpu-µs/202")
	b.ReportMetric(float64(verify.Nanoseconds())/1e3, "ed25519-µs")
	b.ReportMetric(cpu/verify.Seconds(), "cpu/ed25519")
}

// readAnswer reads one response and returns its status.
func readAnswer(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	if err != nil || len(line) < 12 {
		return "", fmt.Errorf("%q: %w", line, err)
	}
	status, length := string(line[9:12]), 0
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return "", err
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return "", err
			}
		}
		if len(line) == 2 {
			break
		}
	}
	_, err = io.CopyN(io.Discard, r, int64(length))
	return status, err
}

// verifyTime is the median time of one signature check here and now.
func verifyTime(c *cohort) time.Duration {
	n := c.data(0)
	key := c.sites[0].key.Public().Key
	took := make([]time.Duration, 400)
	for i := range took {
		start := time.Now()
		ed25519.Verify(key[:], n.Signed.Text, n.Signature[:])
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// BenchmarkServeReceipt reports how long it takes from the sending of a
// statement to its receipt at --every 1s, while others are being sealed.
func BenchmarkServeReceipt(b *testing.B) {
	c := newCohort(b, 8)
	p := c.start("--every", "1s")
	c.enrol(p.url)
	var mu sync.Mutex
	var took []time.Duration
	var wg sync.WaitGroup
	b.ResetTimer()
	for i := range max(b.N, 60) {
		wg.Go(func() {
			time.Sleep(rand.N(5 * time.Second))
			n := c.data(i)
			start := time.Now()
			if _, err := c.submit(p.url, n); err != nil {
				b.Error(err)
				return
			}
			c.await(p.url, notary.Ref{Stream: n.Stream(), Statement: n.ID})
			mu.Lock()
			took = append(took, time.Since(start))
			mu.Unlock()
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds(), "p50-s")
	b.ReportMetric(took[len(took)*95/100].Seconds(), "p95-s")
	p.terminate()
}

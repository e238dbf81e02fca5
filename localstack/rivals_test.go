package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// TestTwoSealers races two sealers, each a process of its own, over many batches: no
// reservation keeps them apart, and a proxy lets neither commit before both are
// about to. Each batch is one of the two's, or they made the same one and both
// publish it; the log is the same as of one sealer.
func TestTwoSealers(t *testing.T) {
	d := up(t)
	d.needsHost(t)
	d.withoutRules(t)
	s := d.newStudy(t)
	d.withoutReservation(t, "Seal")
	d.configure(t, map[string]string{"AWS_ENDPOINT_URL": meetAtCommit(t, d.endpoint())}, "Seal")

	began := time.Now()
	const wanted = 5 // of each
	overtaken, same := 0, 0
	ctx, stop := context.WithTimeout(t.Context(), 4*time.Minute)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			s.submit(t, s.datasets(t, 8)...)
		}
	})
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := d.seal(ctx, t); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	for ctx.Err() == nil && !t.Failed() && (overtaken < wanted || same < wanted) {
		time.Sleep(time.Second)
		overtaken, same = 0, 0
		by := map[uint64]int{}
		for _, l := range d.log(t, "Seal", began) {
			switch l.Msg {
			case "another sealer was first; nothing is lost":
				overtaken++
			case "sealed":
				if by[l.Batch]++; by[l.Batch] == 2 {
					same++
				}
			}
		}
	}
	stop()
	wg.Wait()
	s.sealAll(t)
	log := s.sealedOnce(t)
	t.Logf("%d batches; %d times a sealer was overtaken, %d batches were published by both", log.Batches, overtaken, same)
	if overtaken < wanted || same < wanted {
		t.Errorf("that is too few: they did not race")
	}
	for _, l := range d.log(t, "Seal", began) {
		if l.Msg == "ALARM" {
			t.Errorf("alarm: %+v", l)
		}
	}
}

// withoutReservation lets a function run as often as it is called until the test ends.
func (d *deployed) withoutReservation(t *testing.T, function string) {
	t.Helper()
	c, name := d.lambda(), d.function(t, function)
	was, err := c.GetFunctionConcurrency(t.Context(), &lambda.GetFunctionConcurrencyInput{FunctionName: &name})
	if err != nil {
		t.Fatal(err)
	}
	if was.ReservedConcurrentExecutions == nil {
		t.Fatalf("%s has no reservation: nothing keeps the rule from starting it twice", function)
	}
	t.Cleanup(func() {
		if _, err := c.PutFunctionConcurrency(context.WithoutCancel(t.Context()), &lambda.PutFunctionConcurrencyInput{
			FunctionName: &name, ReservedConcurrentExecutions: was.ReservedConcurrentExecutions}); err != nil {
			t.Error(err)
		}
	})
	if _, err := c.DeleteFunctionConcurrency(t.Context(), &lambda.DeleteFunctionConcurrencyInput{FunctionName: &name}); err != nil {
		t.Fatal(err)
	}
}

// meetAtCommit is a proxy that holds a staging object, the last thing before the
// commit, until another one comes, for half a second at most.
func meetAtCommit(t *testing.T, to string) string {
	edge, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(edge) }}
	meet := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "PUT" && strings.Contains(r.URL.Path, "/staging/") {
			select {
			case meet <- struct{}{}:
			case <-meet:
			case <-time.After(500 * time.Millisecond):
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

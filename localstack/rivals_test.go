package main

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// TestTwoSealers races two sealers, each a process of its own, over many batches:
// no reservation keeps them apart. Each of the batches is sealed by one of them, and
// the other one finds that it was.
func TestTwoSealers(t *testing.T) {
	d := up(t)
	began := time.Now()
	s := d.newStudy(t)
	c, name := d.lambda(), d.function(t, "Seal")
	was, err := c.GetFunctionConcurrency(t.Context(), &lambda.GetFunctionConcurrencyInput{FunctionName: &name})
	if err != nil {
		t.Fatal(err)
	}
	if was.ReservedConcurrentExecutions != nil { // LocalStack 4.14.0 leaves it out of what is deployed
		t.Cleanup(func() {
			if _, err := c.PutFunctionConcurrency(context.WithoutCancel(t.Context()), &lambda.PutFunctionConcurrencyInput{
				FunctionName: &name, ReservedConcurrentExecutions: was.ReservedConcurrentExecutions}); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := c.DeleteFunctionConcurrency(t.Context(), &lambda.DeleteFunctionConcurrencyInput{FunctionName: &name}); err != nil {
		t.Fatal(err)
	}
	const batches, races, most = 12, 5, 60
	rounds, lost := 0, 0
	for ; rounds < most && (rounds < batches || lost < races); rounds++ {
		s.submit(t, s.datasets(t, 16)...)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if err := s.seal(t.Context(), t); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		lost = 0
		for _, l := range d.log(t, "Seal", began) {
			if l.Msg == "another sealer was first; nothing is lost" {
				lost++
			}
		}
	}
	if lost < races {
		t.Errorf("in %d rounds one sealer was overtaken by the other %d times, want %d: they do not race", rounds, lost, races)
	}
	s.sealAll(t)
	log := s.sealedOnce(t)
	t.Logf("%d rounds, in %d of them one was overtaken; %d batches in all", rounds, lost, log.Batches)
	for _, l := range d.log(t, "Seal", began) {
		if l.Msg == "ALARM" {
			t.Errorf("alarm: %+v", l)
		}
	}
}

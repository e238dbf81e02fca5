package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// template is the stack as it was deployed, as far as it is looked at here.
type template struct {
	Resources map[string]struct {
		Type       string
		Properties struct {
			ReservedConcurrentExecutions *int32                     // of a function
			Metrics                      []struct{ MetricStat any } // of an alarm
		}
	}
}

func (p place) template() (t template, err error) {
	b, err := os.ReadFile(p.run("cdk.out", stackName+".template.json"))
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	return t, err
}

// reserve gives each function the concurrency that its template reserves:
// LocalStack 4.14.0 leaves that out of what it deploys, and counts it all the same.
func (p place) reserve(ctx context.Context) error {
	t, err := p.template()
	if err != nil {
		return err
	}
	c := lambda.NewFromConfig(p.config())
	all, err := c.ListFunctions(ctx, &lambda.ListFunctionsInput{})
	if err != nil {
		return fmt.Errorf("list functions: %w", err)
	}
	reserved := 0
	for id, r := range t.Resources {
		n := r.Properties.ReservedConcurrentExecutions
		if n == nil {
			continue
		}
		for _, f := range all.Functions {
			if !strings.HasPrefix(*f.FunctionName, stackName+"-"+id+"-") {
				continue
			}
			if _, err := c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: f.FunctionName, ReservedConcurrentExecutions: n}); err != nil {
				return fmt.Errorf("reserve %d of %s: %w", *n, *f.FunctionName, err)
			}
			reserved++
		}
	}
	if reserved == 0 {
		return errors.New("no function of the stack has reserved concurrency: the sealer should")
	}
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// configure sets variables of the environment of functions, by their short names,
// until the test ends. Their processes are new ones afterwards.
func (d *deployed) configure(t *testing.T, set map[string]string, functions ...string) {
	t.Helper()
	for _, f := range functions {
		name := d.function(t, f)
		was := d.environment(t, name)
		now := maps.Clone(was)
		maps.Copy(now, set)
		t.Cleanup(func() { d.setEnvironment(t, name, was) })
		d.setEnvironment(t, name, now)
	}
}

func (d *deployed) environment(t *testing.T, function string) map[string]string {
	t.Helper()
	c, err := d.lambda().GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	if err != nil {
		t.Fatal(err)
	}
	// What an earlier test, cut off, has left behind.
	maps.DeleteFunc(c.Environment.Variables, func(name, _ string) bool { return name == "AWS_ENDPOINT_URL" || name == "TRIALNOTARY_METER" })
	return c.Environment.Variables
}

func (d *deployed) setEnvironment(t *testing.T, function string, env map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	c := d.lambda()
	_, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &function, Environment: &types.Environment{Variables: env}})
	if err == nil {
		err = lambda.NewFunctionUpdatedV2Waiter(c, func(o *lambda.FunctionUpdatedV2WaiterOptions) { o.MinDelay = 200 * time.Millisecond }).
			Wait(ctx, &lambda.GetFunctionInput{FunctionName: &function}, time.Minute)
	}
	if err != nil {
		t.Fatalf("the environment of %s: %v", function, err)
	}
}

// withoutRules keeps the rules from starting functions until the test ends.
func (d *deployed) withoutRules(t *testing.T) {
	t.Helper()
	c := eventbridge.NewFromConfig(d.Config)
	prefix, disabled := stackName, 0
	rules, err := c.ListRules(t.Context(), &eventbridge.ListRulesInput{NamePrefix: &prefix})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules.Rules {
		if r.ScheduleExpression == nil {
			continue
		}
		t.Cleanup(func() {
			if _, err := c.EnableRule(context.WithoutCancel(t.Context()), &eventbridge.EnableRuleInput{Name: r.Name}); err != nil {
				t.Error(err)
			}
		})
		if _, err := c.DisableRule(t.Context(), &eventbridge.DisableRuleInput{Name: r.Name}); err != nil {
			t.Fatal(err)
		}
		disabled++
	}
	if disabled < 3 {
		t.Fatalf("%d rules were disabled; sealing, auditing and the weekly audit are three", disabled)
	}
}

// line is a line of a function's log.
type line struct {
	Time     time.Time
	Level    string
	Msg      string
	Function string
	Kind     string // of an alarm
	Entries  int
	Batch    uint64
	Took     string
	Calls    map[string]int
	Units    map[string]float64

	Milliseconds int // of an event
}

// log returns what the processes of a function have logged since then.
func (d *deployed) log(t *testing.T, function string, since time.Time) (lines []line) {
	t.Helper()
	if d.docked() {
		t.Skip("the logs of functions are files in host mode only")
	}
	files, err := filepath.Glob(filepath.Join(d.run("functions"), d.function(t, function)+"-*.log"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no log: %v", function, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for text := range strings.Lines(string(b)) {
			var l line
			if json.Unmarshal([]byte(text), &l) == nil && l.Msg != "" && !l.Time.Before(since) {
				lines = append(lines, l)
			}
		}
	}
	return lines
}

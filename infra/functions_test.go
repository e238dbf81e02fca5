package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"trialnotary/notary/onaws"
)

func TestFourFunctions(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		functions := tpl.all("AWS::Lambda::Function")
		if len(functions) != 4 {
			t.Fatalf("%d functions", len(functions)) // and none that the CDK adds for its own purposes
		}
		local := strings.HasSuffix(t.Name(), "local")
		for _, f := range functions {
			p := f.Properties
			want(t, f.ID+": runtime", p["Runtime"], "provided.al2023")
			if !local {
				want(t, f.ID+": machine", p["Architectures"], []string{"arm64"})
			}
			if at(p, "LoggingConfig", "LogGroup") == nil {
				t.Errorf("%s: logs go to a group that is kept for ever", f.ID)
			}
		}
		for name, seconds := range map[string]int{"Seal": 300, "Audit": 300, "Submit": 15, "Prove": 15} {
			want(t, name+": timeout", tpl.one("AWS::Lambda::Function", name).Properties["Timeout"], seconds)
		}
	})
}

func TestSealAndAuditRunOnceAtATimeUnlessSwitchedOff(t *testing.T) {
	for _, name := range stages {
		tpl := stack(t, name)
		for function, reserved := range map[string]any{"Seal": 1, "Audit": 1, "Submit": 20, "Prove": nil} {
			want(t, name+": "+function, tpl.one("AWS::Lambda::Function", function).Properties["ReservedConcurrentExecutions"], reserved)
		}
	}
	for _, f := range stack(t, "dev", extras...).all("AWS::Lambda::Function") {
		want(t, f.ID+" with reserve=false", f.Properties["ReservedConcurrentExecutions"], nil)
	}
}

func TestAsyncEventsAreNotRetriedAndDoNotGrowOld(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		for _, name := range []string{"Seal", "Audit"} {
			p := tpl.one("AWS::Lambda::EventInvokeConfig", name+"EventInvokeConfig").Properties
			want(t, name+": async retries", p["MaximumRetryAttempts"], 0)
			want(t, name+": maximum event age", p["MaximumEventAgeInSeconds"], 60)
		}
	})
}

func TestEveryFunctionIsToldItsEnvironment(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		for _, f := range tpl.all("AWS::Lambda::Function") {
			env, _ := at(f.Properties, "Environment", "Variables").(object)
			_, err := onaws.ParseEnv(func(name string) string {
				switch v := env[name].(type) {
				case string:
					return v
				case nil:
					if name == "AWS_ENDPOINT_URL" && strings.HasSuffix(t.Name(), "local") {
						return "http://127.0.0.1:4566" // the emulator gives it
					}
					return ""
				}
				return "a-reference"
			})
			if err != nil {
				t.Errorf("%s would not start: %v", f.ID, err)
			}
			if _, ok := env[onaws.EnvLocalSeed]; ok != strings.HasSuffix(t.Name(), "local") {
				t.Errorf("%s: a key outside KMS: %v", f.ID, ok)
			}
		}
	})
}

func TestFunctionURLs(t *testing.T) {
	for name, auth := range map[string]string{"local": "NONE", "dev": "AWS_IAM", "prod": "AWS_IAM"} {
		tpl := stack(t, name)
		urls := tpl.all("AWS::Lambda::Url")
		if len(urls) != 2 {
			t.Errorf("%s: %d function URLs", name, len(urls))
		}
		for _, u := range urls {
			want(t, name+": "+u.ID, u.Properties["AuthType"], auth)
			want(t, name+": buffered", u.Properties["InvokeMode"], "BUFFERED")
			want(t, name+": CORS in one place only", u.Properties["Cors"], nil)
		}
		for _, p := range tpl.all("AWS::Lambda::Permission") {
			if everyone := p.Properties["Principal"] == "*"; everyone != (name == "local" && strings.Contains(p.ID, "invokefunction")) {
				t.Errorf("%s: %s: principal %v", name, p.ID, p.Properties["Principal"])
			}
		}
	}
}

func TestRulesStartTheSealerEveryMinuteAndTheAuditorEveryHour(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		if n := len(tpl.all("AWS::Scheduler::Schedule")); n > 0 {
			t.Error("the emulator does not fire EventBridge Scheduler")
		}
		for id, expected := range map[string]struct{ schedule, function, input string }{
			"SealEveryMinute": {"rate(1 minute)", "Seal", `{"tick":true}`},
			"AuditEveryHour":  {"rate(1 hour)", "Audit", `{"full":false}`},
			"AuditEveryWeek":  {"cron(30 3 ? * SUN *)", "Audit", `{"full":true}`},
		} {
			p := tpl.one("AWS::Events::Rule", id).Properties
			want(t, id, p["ScheduleExpression"], expected.schedule)
			want(t, id+" is on", p["State"], "ENABLED")
			want(t, id+" says", at(p, "Targets", 0, "Input"), expected.input)
			want(t, id+" is not replayed", at(p, "Targets", 0, "RetryPolicy"),
				object{"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0})
			target, _ := json.Marshal(at(p, "Targets", 0, "Arn"))
			if !strings.Contains(string(target), tpl.one("AWS::Lambda::Function", expected.function).ID) {
				t.Errorf("%s starts %s", id, target)
			}
		}
	})
}

func TestFunctionsHoldNoCDK(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "trialnotary/functions/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	for _, p := range packages {
		for _, foreign := range []string{"github.com/aws/aws-cdk-go", "github.com/aws/constructs-go", "github.com/aws/jsii-runtime-go", "github.com/cdklabs"} {
			if strings.HasPrefix(p, foreign) {
				t.Errorf("a function would carry %s", p)
			}
		}
	}
	if !slices.Contains(packages, "trialnotary/notary") {
		t.Error("the functions' packages were not listed")
	}
}

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
)

// running is how one function runs.
type running struct {
	memory      float64 // MiB; Lambda gives a whole core at 1,769
	seconds     float64 // timeout
	concurrency float64 // reserved; 0: none
	async       bool    // started by rules, not by callers
}

// runningOf says how the function of a name runs. Sealing or auditing twice at once
// is safe, and a waste; submit's cap bounds what strangers can make the operator pay.
func runningOf(name string) running {
	switch name {
	case "seal":
		return running{memory: 1769, seconds: 300, concurrency: 1, async: true}
	case "audit":
		return running{memory: 1769, seconds: 300, concurrency: 1, async: true}
	case "submit":
		return running{memory: 512, seconds: 15, concurrency: 20}
	default:
		return running{memory: 512, seconds: 15}
	}
}

// newFunctions makes the four functions, each under its role.
func newFunctions(stack awscdk.Stack, s *stage, zips map[string]string, roles map[string]awsiam.Role,
	env map[string]*string) map[string]awslambda.Function {
	machine := awslambda.Architecture_ARM_64()
	if s.Machine == "amd64" {
		machine = awslambda.Architecture_X86_64()
	}
	functions := map[string]awslambda.Function{}
	for _, name := range functionNames {
		r := runningOf(name)
		props := &awslambda.FunctionProps{
			Description:  new("trialnotary " + s.Name + ": " + name),
			Architecture: machine,
			Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
			Handler:      new("bootstrap"),
			Code:         awslambda.Code_FromAsset(new(zips[name]), nil),
			Environment:  &env,
			MemorySize:   &r.memory,
			Timeout:      awscdk.Duration_Seconds(&r.seconds),
			Role:         roles[name],
			// The functions write JSON lines themselves, metrics among them.
			LoggingFormat: awslambda.LoggingFormat_TEXT,
			LogGroup: awslogs.NewLogGroup(stack, new(title(name)+"Log"), &awslogs.LogGroupProps{
				Retention:     awslogs.RetentionDays_THREE_MONTHS,
				RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
			}),
		}
		if s.Reserve && r.concurrency > 0 {
			props.ReservedConcurrentExecutions = &r.concurrency
		}
		if r.async {
			// A throttled event would else come again for six hours; the next tick
			// does what this one could not.
			props.RetryAttempts = new(0.0)
			props.MaxEventAge = awscdk.Duration_Seconds(new(60.0))
		}
		functions[name] = awslambda.NewFunction(stack, new(title(name)), props)
	}
	return functions
}

// title is a name as constructs are named: "Seal" for "seal".
func title(name string) string { return string(name[0]-'a'+'A') + name[1:] }

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
)

// newSchedule seals every minute and audits every hour, once a week in full.
// Rules, not EventBridge Scheduler: the emulator fires rules only.
func newSchedule(stack awscdk.Stack, functions map[string]awslambda.Function) {
	every := func(id, what string, schedule awsevents.Schedule, name string, event map[string]any) {
		awsevents.NewRule(stack, new(id), &awsevents.RuleProps{
			Description: new("trialnotary: " + what),
			Schedule:    schedule,
			Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(functions[name],
				&awseventstargets.LambdaFunctionProps{
					Event:         awsevents.RuleTargetInput_FromObject(event),
					MaxEventAge:   awscdk.Duration_Seconds(new(60.0)),
					RetryAttempts: new(0.0),
				})},
		})
	}
	every("SealEveryMinute", "seal", awsevents.Schedule_Rate(awscdk.Duration_Minutes(new(1.0))), "seal",
		map[string]any{"tick": true}) // an empty input is none to the emulator, which then sends nothing
	every("AuditEveryHour", "audit what is new", awsevents.Schedule_Rate(awscdk.Duration_Hours(new(1.0))), "audit",
		map[string]any{"full": false})
	every("AuditEveryWeek", "audit the whole log", awsevents.Schedule_Cron(&awsevents.CronOptions{
		WeekDay: new("SUN"), Hour: new("3"), Minute: new("30"),
	}), "audit", map[string]any{"full": true})
}

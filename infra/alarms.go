package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"

	"trialnotary/functions/wire"
)

// newAlarms tells the operator, by one topic, what needs a person.
func newAlarms(stack awscdk.Stack, s *stage, functions map[string]awslambda.Function, guard awsevents.Rule) {
	topic := awssns.NewTopic(stack, new("Alarms"), &awssns.TopicProps{
		DisplayName: new("trialnotary " + s.Name), EnforceSSL: new(true),
	})
	if s.Email != "" {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(&s.Email, nil))
	}
	guard.AddTarget(awseventstargets.NewSnsTopic(topic, nil))
	// A topic with a policy of its own has no longer the one that let the account's
	// alarms publish: without this they would rise and tell nobody.
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: new("AlarmsPublish"), Actions: texts("sns:Publish"), Resources: &[]*string{topic.TopicArn()},
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(new("cloudwatch.amazonaws.com"), nil)},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": stack.Account()}},
	}))

	var all []interfacesawscloudwatch.IAlarmRef
	alarm := func(id, what string, metric awscloudwatch.IMetric, threshold, periods float64, missing awscloudwatch.TreatMissingData) {
		a := awscloudwatch.NewAlarm(stack, new(id+"Alarm"), &awscloudwatch.AlarmProps{
			AlarmDescription:   new("trialnotary " + s.Name + ": " + what),
			Metric:             metric,
			Threshold:          &threshold,
			EvaluationPeriods:  &periods,
			ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
			TreatMissingData:   missing,
		})
		a.AddAlarmAction(awscloudwatchactions.NewSnsAction(topic))
		all = append(all, a)
	}
	silent, quiet := awscloudwatch.TreatMissingData_BREACHING, awscloudwatch.TreatMissingData_NOT_BREACHING
	sealAge := ours(s, wire.SealAge, "Maximum", 1)
	oldest := ours(s, wire.OldestPending, "Maximum", 1)
	// A sealer that says nothing is as bad as one that says it is stuck. One that is busy
	// says something every six minutes, when its round is over.
	alarm("SealAge", "the sealer has not finished a round for ten minutes", sealAge, 60, 10, silent)
	alarm("OldestPending", "a statement has been waiting for a quarter of an hour", oldest, 900, 3, quiet)
	alarm("Fork", "the log and the database disagree; nothing more is signed", ours(s, wire.Forks, "Sum", 1), 1, 1, quiet)
	alarm("Audit", "the log does not verify, or an object is not locked", ours(s, wire.AuditFailures, "Sum", 5), 1, 1, quiet)
	alarm("Errors", "functions fail", sum(functions, "Errors", functionNames...), 1, 1, quiet)
	// The sealer is throttled whenever a round takes over a minute, which is fine;
	// SealAge tells when it is not.
	alarm("Throttles", "callers are turned away", sum(functions, "Throttles", "submit", "prove"), 1, 3, quiet)
	alarm("KeyPolicy", "someone touches a signing key or the protection of the log", awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: new("AWS/Events"), MetricName: new("TriggeredRules"), Statistic: new("Sum"),
		Period:        awscdk.Duration_Minutes(new(1.0)),
		DimensionsMap: &map[string]*string{"RuleName": guard.RuleName()},
	}), 1, 1, quiet)
	if s.Dashboard {
		newDashboard(stack, all, sealAge, oldest)
	}
}

// ours is a metric that the functions write as log lines.
func ours(s *stage, name, statistic string, minutes float64) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: new(wire.Namespace), MetricName: &name, Statistic: &statistic,
		Period: awscdk.Duration_Minutes(&minutes),
	})
}

// sum adds one of Lambda's metrics over functions, for one alarm.
func sum(functions map[string]awslambda.Function, name string, which ...string) awscloudwatch.IMetric {
	using := map[string]awscloudwatch.IMetric{}
	expression := ""
	for i, f := range which {
		if i > 0 {
			expression += "+"
		}
		expression += f
		using[f] = functions[f].Metric(&name, &awscloudwatch.MetricOptions{Statistic: new("Sum")})
	}
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: &expression, UsingMetrics: &using, Label: &name,
		Period: awscdk.Duration_Minutes(new(5.0)),
	})
}

// newDashboard is one page for a screen on a wall, for those who want to pay for it.
func newDashboard(stack awscdk.Stack, alarms []interfacesawscloudwatch.IAlarmRef, metrics ...awscloudwatch.Metric) {
	left := make([]awscloudwatch.IMetric, len(metrics))
	for i, m := range metrics {
		left[i] = m
	}
	awscloudwatch.NewDashboard(stack, new("Dashboard"), nil).AddWidgets(
		awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{Alarms: &alarms}),
		awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{Left: &left, Width: new(12.0)}),
	)
}

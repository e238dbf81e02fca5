package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"

	"trialnotary/events"
)

// newSubscribers tells sponsors and sites, if any are named, of every batch that holds
// entries. Whose they are, no message says: it is for whoever gets it to look, with
// `trialnotary watch`.
func newSubscribers(stack awscdk.Stack, s *stage) {
	addresses := strings.FieldsFunc(s.Subscribers, func(r rune) bool { return r == ',' || r == ' ' })
	if len(addresses) == 0 {
		return
	}
	topic := awssns.NewTopic(stack, new("Batches"), &awssns.TopicProps{
		DisplayName: new("trialnotary " + s.Name + ": new entries"), EnforceSSL: new(true),
	})
	for _, address := range addresses {
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(&address, nil))
	}
	awsevents.NewRule(stack, new("TellSubscribers"), &awsevents.RuleProps{
		Description: new("trialnotary: a batch with entries was sealed"),
		EventPattern: &awsevents.EventPattern{
			Source: texts(events.Source), DetailType: texts(events.TypeBatchSealed),
			Detail: &map[string]any{"origin": texts(s.Origin), "entries": awsevents.Match_GreaterThan(new(0.0))},
		},
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewSnsTopic(topic, nil)},
	})
	output(stack, "BatchesTopic", topic.TopicArn())
}

package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"trialnotary/functions/wire"
)

func TestAlarms(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		alarms := tpl.all("AWS::CloudWatch::Alarm")
		if len(alarms) != 7 {
			t.Errorf("%d alarms", len(alarms))
		}
		topic := tpl.one("AWS::SNS::Topic", "Alarms").ID
		for _, a := range alarms {
			want(t, a.ID+" tells somebody", a.Properties["AlarmActions"], []object{{"Ref": topic}})
			missing := "notBreaching"
			if strings.HasPrefix(a.ID, "SealAge") {
				missing = "breaching" // a sealer that is dead says nothing
			}
			want(t, a.ID+": missing data", a.Properties["TreatMissingData"], missing)
		}
		for id, metric := range map[string]string{
			"SealAge": wire.SealAge, "OldestPending": wire.OldestPending, "Fork": wire.Forks, "Audit": wire.AuditFailures,
		} {
			p := tpl.one("AWS::CloudWatch::Alarm", id+"Alarm").Properties
			want(t, id, p["MetricName"], metric)
			want(t, id+": namespace", p["Namespace"], wire.Namespace)
		}
		age := tpl.one("AWS::CloudWatch::Alarm", "SealAgeAlarm").Properties
		// A busy round ends within five minutes and the next begins within one: silence of
		// six minutes is none. Every failed round says that the last good one is a minute old.
		for name, value := range map[string]int{"Threshold": 60, "Period": 60, "EvaluationPeriods": 10} {
			want(t, "SealAge: "+name, age[name], value)
		}
		errors, _ := json.Marshal(tpl.one("AWS::CloudWatch::Alarm", "ErrorsAlarm").Properties["Metrics"])
		throttles, _ := json.Marshal(tpl.one("AWS::CloudWatch::Alarm", "ThrottlesAlarm").Properties["Metrics"])
		for _, name := range functionNames {
			id := tpl.one("AWS::Lambda::Function", title(name)).ID
			if !strings.Contains(string(errors), id) {
				t.Errorf("errors of %s raise no alarm", name)
			}
			// seal is throttled whenever a round takes longer than a minute.
			if callers := name == "submit" || name == "prove"; strings.Contains(string(throttles), id) != callers {
				t.Errorf("throttles of %s: %s", name, throttles)
			}
		}
	})
}

// A topic's own policy takes the place of the one that lets an account's alarms
// publish, so it must name both who tell it something.
func TestTheTopicHearsAlarmsAndTheGuard(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		topic := object{"Ref": tpl.one("AWS::SNS::Topic", "Alarms").ID}
		heard := map[string]any{}
		for _, s := range permissions(tpl.one("AWS::SNS::TopicPolicy", "AlarmsPolicy").Properties["PolicyDocument"]) {
			if who, _ := at(s.Principal, "Service").(string); s.Effect == "Allow" {
				heard[who] = s.Condition
				if ref, _ := json.Marshal(topic); !slices.Equal(s.Action, []string{"sns:Publish"}) || !slices.Equal(s.Resource, []string{string(ref)}) {
					t.Errorf("%s may %v to %v", who, s.Action, s.Resource)
				}
			}
		}
		if _, ok := heard["events.amazonaws.com"]; !ok || len(heard) != 2 {
			t.Errorf("heard are %v", heard)
		}
		want(t, "alarms of this account alone", heard["cloudwatch.amazonaws.com"], object{"StringEquals": object{"aws:SourceAccount": object{"Ref": "AWS::AccountId"}}})
	})
}

func TestTouchingAKeyOrTheLogsProtectionRaisesAnAlarm(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		guard := tpl.one("AWS::Events::Rule", "Guard")
		pattern := at(guard.Properties, "EventPattern")
		want(t, "seen by", at(pattern, "detail-type"), []string{"AWS API Call via CloudTrail"})
		text, _ := json.Marshal(pattern)
		for _, event := range []string{
			"PutKeyPolicy", "ScheduleKeyDeletion", "DisableKey", "CreateGrant", "PutBucketPolicy", "DeleteBucketPolicy",
			"PutBucketVersioning", "PutBucketObjectLockConfiguration", "PutBucketReplication", "PutBucketLifecycle",
		} {
			if !strings.Contains(string(text), `"`+event+`"`) {
				t.Errorf("%s is not seen", event)
			}
		}
		for _, key := range tpl.all("AWS::KMS::Key") {
			if !strings.Contains(string(text), key.ID) {
				t.Errorf("%s is not watched", key.ID)
			}
		}
		want(t, "is told", at(guard.Properties, "Targets", 0, "Arn"), object{"Ref": tpl.one("AWS::SNS::Topic", "Alarms").ID})
		p := tpl.one("AWS::CloudWatch::Alarm", "KeyPolicyAlarm").Properties
		want(t, "alarm", p["MetricName"], "TriggeredRules")
		want(t, "alarm of that rule", p["Dimensions"], []object{{"Name": "RuleName", "Value": object{"Ref": guard.ID}}})
	})
}

func TestADashboardOnlyOnRequest(t *testing.T) {
	each(t, func(t *testing.T, tpl *template) {
		if n := len(tpl.all("AWS::CloudWatch::Dashboard")); n != 0 {
			t.Errorf("%d dashboards", n)
		}
	})
	tpl := stack(t, "dev", extras...)
	tpl.one("AWS::CloudWatch::Dashboard", "Dashboard")
	want(t, "the operator's address", tpl.all("AWS::SNS::Subscription")[0].Properties["Endpoint"], "operator@example.org")
}

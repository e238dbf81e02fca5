package main

import (
	"encoding/json"
	"strings"
	"testing"

	"trialnotary/notary/onaws"
)

// The log's second keys come beside its first, which stay the same resources: only
// their part changes.
func TestTheLogsNextKeys(t *testing.T) {
	first, second := stack(t, "prod"), stack(t, "prod", "keys=2")
	if n := len(second.all("AWS::KMS::Key")); n != 4 {
		t.Fatalf("%d keys, want those of two times", n)
	}
	for _, k := range first.all("AWS::KMS::Key") {
		if second.Resources[k.ID] == nil {
			t.Errorf("the key %s would leave the stack before it handed the log over", k.ID)
		}
	}
	value := func(tpl *template, name string) string {
		b, err := json.Marshal(at(tpl.one("AWS::Lambda::Function", "Seal").Properties, "Environment", "Variables", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if old := value(first, onaws.EnvOldKeys); old != "null" {
		t.Errorf("old keys %s", old)
	}
	if value(second, onaws.EnvOldKeys) != value(first, onaws.EnvSigningKeys) || value(second, onaws.EnvSigningKeys) == value(first, onaws.EnvSigningKeys) {
		t.Errorf("signing %s, old %s", value(second, onaws.EnvSigningKeys), value(second, onaws.EnvOldKeys))
	}
	for _, bad := range [][]string{{"prod", "keys=0"}, {"prod", "keys=02"}, {"prod", "keys=two"}, {"local", "keys=2"}} {
		if _, err := readStage(parametersOf(bad[0], bad[1])); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}

// Subscribers are told of batches with entries, of this log, and of no id.
func TestSubscribersAreToldOfBatches(t *testing.T) {
	tpl := stack(t, "prod", "subscribers=qa@acme.example, site@hospital.example")
	rule := tpl.one("AWS::Events::Rule", "TellSubscribers").Properties
	want(t, "pattern", rule["EventPattern"], object{"source": []any{"trialnotary"}, "detail-type": []any{"batch sealed"},
		"detail": object{"origin": []any{"log.example.org/trials"}, "entries": []any{object{"numeric": []any{">", 0}}}}})
	told := 0
	for _, s := range tpl.all("AWS::SNS::Subscription") {
		if strings.HasPrefix(s.ID, "Batches") {
			told++
			want(t, "protocol", s.Properties["Protocol"], "email")
		}
	}
	if told != 2 {
		t.Errorf("%d subscribers", told)
	}
	for _, r := range stack(t, "prod").all("AWS::Events::Rule") {
		if strings.HasPrefix(r.ID, "TellSubscribers") {
			t.Error("nobody asked to be told")
		}
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// suppressions are the rules of cdk-nag's AwsSolutions pack that we break, where,
// and why. They are in no template: only this test knows them.
var suppressions = []struct {
	path, rule, finding string
	reason              string
}{
	{"LogBucket", "AwsSolutions-S1", "", "access logs would say who asked about which trial; CloudTrail has every change"},
	{"StateBucket", "AwsSolutions-S1", "", "only the functions reach it; CloudTrail has every change"},
	{"SiteBucket", "AwsSolutions-S1", "", "access logs would say who asked when; CloudTrail has every change"},
	{"CDN", "AwsSolutions-CFR1", "", "anyone in any country may verify"},
	{"CDN", "AwsSolutions-CFR2", "", "submit's reserved concurrency bounds the cost; a firewall costs more than the service at rest"},
	{"CDN", "AwsSolutions-CFR3", "", "access logs would say who asked about which receipt"},
	{"CDN", "AwsSolutions-CFR4", "", "without a domain of one's own, CloudFront's certificate comes with its policy; with one, TLS 1.2"},
	{"SubmitRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<LogBucket.Arn>/checkpoints/*", "every final checkpoint"},
	{"SubmitRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<LogBucket.Arn>/handovers/*", "every change of the log's keys"},
	{"ProveRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<LogBucket.Arn>/*", "the log's objects have names of their own; reads only"},
	{"SubmitRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<StateBucket.Arn>/erased/*", "one object for each statement erased; reads only"},
	{"ProveRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<StateBucket.Arn>/map/*", "one object a batch; reads only"},
	{"ProveRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<StateBucket.Arn>/access/*", "the trail of reads; reads only"},
	{"ProveRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<StateBucket.Arn>/stamps/*", "one object a final checkpoint; reads only"},
	{"SealRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<StateBucket.Arn>/stamps/*", "one object a final checkpoint"},
	{"SealRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<StateBucket.Arn>/access/*", "the trail of reads"},
	{"SealRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<StateBucket.Arn>/erased/*", "one object for each statement erased"},
	{"SealRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<LogBucket.Arn>/*", "the log's objects have names of their own; the bucket lets each be written once"},
	{"SealRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<StateBucket.Arn>/staging/*", "one object a batch"},
	{"SealRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<StateBucket.Arn>/map/*", "one object a batch"},
	{"AuditRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<LogBucket.Arn>/*", "the log's objects have names of their own; reads only"},
	{"AuditRole/DefaultPolicy", "AwsSolutions-IAM5", "Resource::<StateBucket.Arn>/audit/*", "the auditor's own folder"},
}

func TestNagHasNothingElseToSay(t *testing.T) {
	node(t)
	const name = "trialnotary-prod"
	s, err := readStage(parametersOf("prod", testTSAs))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	app, err := newApp(dir)
	if err != nil {
		t.Fatal(err)
	}
	zips, err := emptyZips(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	tpl, ids := stack(t, "prod"), []string{}
	for _, bucket := range []string{"LogBucket", "StateBucket"} {
		ids = append(ids, "<"+bucket+".", "<"+tpl.one("AWS::S3::Bucket", bucket).ID+".")
	}
	withIDs := strings.NewReplacer(ids...)
	notary := newNotary(app, s, zips)
	for _, s := range suppressions {
		entry := &cdknag.NagPackSuppression{Id: new(s.rule), Reason: new(s.reason)}
		if s.finding != "" {
			entry.AppliesTo = &[]any{withIDs.Replace(s.finding)}
		}
		cdknag.NagSuppressions_AddResourceSuppressionsByPath(notary, "/"+name+"/"+s.path+"/Resource",
			&[]*cdknag.NagPackSuppression{entry}, new(false))
	}
	awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{
		Reports: new(true), ReportFormats: &[]cdknag.NagReportFormat{cdknag.NagReportFormat_JSON},
	}), nil)
	func() {
		defer func() { recover() }() // of a validation that failed; the report tells
		app.Synth(nil)
	}()
	b, err := os.ReadFile(filepath.Join(dir, "AwsSolutions-"+name+"-NagReport.json"))
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Lines []struct{ RuleID, ResourceID, Compliance, ExceptionReason, RuleInfo string }
	}
	if err := json.Unmarshal(b, &report); err != nil {
		t.Fatal(err)
	}
	used, checked := map[string]int{}, 0
	for _, l := range report.Lines {
		switch l.Compliance {
		case "Compliant":
			checked++
		case "Suppressed":
			used[l.ResourceID+" "+l.RuleID+" "+l.ExceptionReason]++
		case "N/A":
		default:
			t.Errorf("%s: %s at %s: %s", l.Compliance, l.RuleID, l.ResourceID, l.RuleInfo)
		}
	}
	for _, s := range suppressions {
		reason := s.reason
		if s.finding != "" {
			reason = "[" + withIDs.Replace(s.finding) + "] " + reason
		}
		if used[name+"/"+s.path+"/Resource "+s.rule+" "+reason] == 0 {
			t.Errorf("nothing to suppress: %s %s %s", s.path, s.rule, s.finding)
		}
	}
	if checked < 25 {
		t.Errorf("only %d rules were kept", checked)
	}
}

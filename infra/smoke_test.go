package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSmokeSaysWhatItLacks(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other.json")
	if err := os.WriteFile(other, []byte(`{"trialnotary-local":{}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		reason string
		args   []string
		says   string
	}{
		{"no trial of ours in a log that trials rely on", []string{"-stage", "prod", "-c", "origin=log.example.org/trials",
			"-c", "retention=25y", "-c", "sponsors=" + testSponsor}, "for dev and local"},
		{"nothing was deployed", []string{"-stage", "dev", "-outputs", filepath.Join(dir, "none.json")}, "--outputs-file"},
		{"another stage was deployed", []string{"-stage", "dev", "-outputs", other}, "no stack trialnotary-dev"},
	} {
		if err := run(append([]string{"smoke"}, c.args...)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.reason, err)
		}
	}
}

// smokes runs smoke against the imitation, whose buckets and keys have the
// template's policies.
func (d *imitation) smokes() {
	t := d.t
	t.Helper()
	d.aws.Buckets.Policies = map[string]string{}
	for _, bucket := range []string{"LogBucket", "StateBucket", "SiteBucket"} {
		d.aws.Buckets.Policies[bucket] = d.tpl.bucketDocument(bucket)
	}
	for _, id := range d.env.SigningKeys {
		key := d.aws.Keys.Keys[id]
		key.Policy = d.tpl.document(d.tpl.one("AWS::KMS::Key", id).Properties["KeyPolicy"])
		d.aws.Keys.Keys[id] = key
	}
	s, err := readStage(parametersOf("dev", "origin="+d.env.Origin))
	if err != nil {
		t.Fatal(err)
	}
	plain := httptest.NewServer(d.front)
	defer plain.Close()
	outputs := filepath.Join(d.home, "outputs.json")
	b, err := json.Marshal(object{"trialnotary-dev": object{"SiteUrl": plain.URL, "Table": d.env.Table, "LogBucket": d.env.LogBucket,
		"StateBucket": d.env.StateBucket, "SiteBucket": d.env.SiteBucket, "SigningKeys": strings.Join(d.env.SigningKeys, ",")}})
	if err == nil {
		err = os.WriteFile(outputs, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.as("admin")
	if err := d.whileTicking(func() error { return smoke(t.Context(), s, outputs, filepath.Join(d.home, "acme.key")) }); err != nil {
		t.Error(err)
	}
	// A key whose policy was replaced is found, although all else is as it was.
	key := d.aws.Keys.Keys["KeyMLDSA44"]
	key.Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]}`
	d.aws.Keys.Keys["KeyMLDSA44"] = key
	if err := smoke(t.Context(), s, outputs, filepath.Join(d.home, "acme.key")); err == nil || !strings.Contains(err.Error(), "signing key 2 of 2 does not deny kms:Sign") {
		t.Errorf("a key that everyone may use: %v", err)
	}
}

func (tpl *template) bucketDocument(bucket string) string {
	tpl.t.Helper()
	return tpl.document(tpl.one("AWS::S3::BucketPolicy", bucket+"Policy").Properties["PolicyDocument"])
}

// document is a policy as AWS would return it, with names in place of ARNs.
func (tpl *template) document(policy any) string {
	tpl.t.Helper()
	var resolve func(v any) any
	resolve = func(v any) any {
		switch v := v.(type) {
		case []any:
			all := make([]any, len(v))
			for i := range v {
				all[i] = resolve(v[i])
			}
			return all
		case object:
			if v["Ref"] != nil || v["Fn::GetAtt"] != nil || v["Fn::Join"] != nil {
				return tpl.text(v)
			}
			all := object{}
			for k := range v {
				all[k] = resolve(v[k])
			}
			return all
		}
		return v
	}
	b, err := json.Marshal(resolve(policy))
	if err != nil {
		tpl.t.Fatal(err)
	}
	return string(b)
}

// What a policy lacks, or says with an exception of its own, is found.
func TestSmokeFindsWeakenedPolicies(t *testing.T) {
	tpl := stack(t, "dev")
	for _, c := range []struct {
		of, document string
		denials      []denial
	}{
		{"log bucket", tpl.bucketDocument("LogBucket"), bucketDenials},
		{"signing key", tpl.document(tpl.one("AWS::KMS::Key", "KeyEd25519").Properties["KeyPolicy"]), keyDenials},
	} {
		if err := checkDenials(c.of, c.document, c.denials); err != nil {
			t.Error(err)
		}
		weaken := map[string]func(s object){
			"is gone":                 func(s object) { s["Effect"] = "Allow" },
			"is not about everyone":   func(s object) { s["Principal"] = object{"AWS": "arn:aws:iam::1:role/somebody"} },
			"has another exception":   func(s object) { s["Condition"] = object{"StringNotEquals": object{"aws:PrincipalTag/friend": "yes"}} },
			"is about another action": func(s object) { s["Action"] = "s3:GetBucketLocation" },
		}
		for what, change := range weaken {
			for i := 0; ; i++ {
				var policy object
				if err := json.Unmarshal([]byte(c.document), &policy); err != nil {
					t.Fatal(err)
				}
				statements := list(policy["Statement"])
				if i == len(statements) {
					break
				}
				s := statements[i].(object)
				if s["Effect"] != "Deny" {
					continue
				}
				change(s)
				b, err := json.Marshal(policy)
				if err != nil {
					t.Fatal(err)
				}
				if err := checkDenials(c.of, string(b), c.denials); err == nil {
					t.Errorf("%s: nobody saw that %v %s", c.of, s["Sid"], what)
				}
			}
		}
	}
}

package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"trialnotary/notary/onaws/fakeaws"
)

// callOf is a recorded question in the evaluator's words.
func callOf(a fakeaws.Ask) call {
	c := call{who: a.Who, action: a.Action, resource: a.Resource, context: a.Context}
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch kind {
	case "table", "key":
		c.resource = name
	case "bus":
		c.resource = "arn:AWS::Partition:events:AWS::Region:AWS::AccountId:event-bus/" + name
	}
	return c
}

// unused returns what the policies of the functions' roles, of the keys and of the
// buckets allow the service, piece by piece, that no recorded question needs.
// People's roles are not the service's, and a function's log is written by Lambda.
func (tpl *template) unused(asked []fakeaws.Ask) []string {
	tpl.t.Helper()
	var calls []call
	for _, a := range asked {
		calls = append(calls, callOf(a))
	}
	var found []string
	look := func(where string, s any, resources []any, is func(call) bool) {
		if at(s, "Effect") != "Allow" {
			return
		}
		for _, piece := range pieces(s, resources) {
			if strings.HasPrefix(fmt.Sprint(piece["Action"]), "logs:") {
				continue
			}
			if !slices.ContainsFunc(calls, func(c call) bool { return is(c) && tpl.matches(piece, c) }) {
				found = append(found, fmt.Sprintf("%s %v: %v on %v if %v", where, at(s, "Sid"), piece["Action"], tpl.text(piece["Resource"]), piece["Condition"]))
			}
		}
	}
	for _, function := range functionNames {
		role := title(function) + "Role"
		for _, s := range list(at(tpl.one("AWS::IAM::Policy", role+"DefaultPolicy").Properties, "PolicyDocument", "Statement")) {
			look(role, s, list(at(s, "Resource")), func(c call) bool { return c.who == role })
		}
	}
	for _, key := range tpl.all("AWS::KMS::Key") {
		for _, s := range list(at(key.Properties, "KeyPolicy", "Statement")) {
			if who := tpl.text(at(s, "Principal", "AWS")); slices.Contains([]string{"SealRole", "SubmitRole", "ProveRole", "AuditRole"}, who) {
				look(key.ID, s, []any{key.ID}, func(c call) bool { return c.who == who && c.resource == key.ID })
			}
		}
	}
	for _, bucket := range []string{"LogBucket", "StateBucket", "SiteBucket"} {
		for _, s := range list(at(tpl.one("AWS::S3::BucketPolicy", bucket+"Policy").Properties, "PolicyDocument", "Statement")) {
			look(bucket, s, list(at(s, "Resource")), func(c call) bool { return tpl.isPrincipal(at(s, "Principal"), c.who) })
		}
	}
	return found
}

// pieces are a statement's allowances one by one: each action on each resource
// under each value that a condition takes. An action that is about buckets is not
// looked for on objects, nor the other way round.
func pieces(s any, resources []any) []object {
	var all []object
	conditions := []any{at(s, "Condition")}
	if keys := at(s, "Condition", "ForAllValues:StringLike", "dynamodb:LeadingKeys"); keys != nil {
		conditions = nil
		for _, k := range list(keys) {
			conditions = append(conditions, object{"ForAllValues:StringLike": object{"dynamodb:LeadingKeys": k}})
		}
	}
	for _, action := range list(at(s, "Action")) {
		for _, resource := range resources {
			if about, _ := at(resource, "Fn::Join").([]any); strings.HasPrefix(fmt.Sprint(action), "s3:List") && about != nil {
				continue
			} else if strings.HasPrefix(fmt.Sprint(action), "s3:GetObject") && about == nil {
				continue
			}
			for _, c := range conditions {
				piece := object{"Effect": "Allow", "Action": action, "Resource": resource}
				if c != nil {
					piece["Condition"] = c
				}
				all = append(all, piece)
			}
		}
	}
	return all
}

// send makes a request of the distribution without the client's care.
func (d *imitation) send(method, path, body, hash string) (status int, answer string) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.cdn.URL+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer of nothing")
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	if hash != "" {
		r.Header.Set("x-amz-content-sha256", hash)
	}
	a, err := d.cdn.Client().Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return a.StatusCode, string(b)
}

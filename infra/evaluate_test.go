package main

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// call is one call of AWS, as IAM sees it. Names of the template's resources stand
// for what is made of them: LogBucket/tile/0/000, SealRole.
type call struct {
	who      string // a role of the template, or admin, root, deploy, cloudfront
	action   string
	resource string
	context  map[string]string // condition keys
}

// almighty: admin is a person whom IAM allows everything; root is the account itself; deploy
// is CloudFormation's role, which may do everything too.
var almighty = []string{"admin", "root", "deploy"}

// allowed evaluates a call against the template's policies, as IAM does within one
// account: an explicit deny wins, then the caller's own policies or the resource's
// must allow. Of a key, its policy alone says whether IAM has a say.
func (tpl *template) allowed(c call) bool {
	tpl.t.Helper()
	var resource []any // the resource's own statements
	owner, _, _ := strings.Cut(c.resource, "/")
	isKey := strings.HasPrefix(owner, "Key")
	for _, r := range tpl.Resources {
		switch {
		case r.Type == "AWS::S3::BucketPolicy" && strings.HasPrefix(r.ID, owner+"Policy"):
			resource, _ = at(r.Properties, "PolicyDocument", "Statement").([]any)
		case r.Type == "AWS::KMS::Key" && r.ID == owner:
			resource, _ = at(r.Properties, "KeyPolicy", "Statement").([]any)
		}
	}
	identity := []any{object{"Effect": "Allow", "Action": "*", "Resource": "*"}}
	if !slices.Contains(almighty, c.who) {
		identity = nil
		for _, p := range tpl.all("AWS::IAM::Policy") {
			if strings.HasPrefix(p.ID, c.who+"DefaultPolicy") {
				identity, _ = at(p.Properties, "PolicyDocument", "Statement").([]any)
			}
		}
	}
	own, theirs, delegated := false, false, !isKey
	for _, s := range identity {
		if !tpl.matches(s, c) {
			continue
		}
		if at(s, "Effect") == "Deny" {
			return false
		}
		own = true
	}
	for _, s := range resource {
		if !tpl.matches(s, c) || !tpl.isPrincipal(at(s, "Principal"), c.who) {
			continue
		}
		switch principal := tpl.text(at(s, "Principal", "AWS")); {
		case at(s, "Effect") == "Deny":
			return false
		case strings.HasSuffix(principal, ":root"):
			delegated = true // to IAM
		default:
			theirs = true
		}
	}
	return theirs || own && delegated
}

func (tpl *template) isPrincipal(p any, who string) bool {
	if service, ok := at(p, "Service").(string); ok {
		return who == "cloudfront" && service == "cloudfront.amazonaws.com"
	}
	name := tpl.text(at(p, "AWS"))
	return name == "*" || strings.HasSuffix(name, ":root") && who != "cloudfront" || name == who
}

// matches reports whether a statement is about a call, principals aside.
func (tpl *template) matches(s any, c call) bool {
	tpl.t.Helper()
	hits := func(patterns any, value string) bool {
		for _, p := range list(patterns) {
			pattern := tpl.text(p)
			if pattern == "*" || pattern == value {
				return true
			}
			if prefix, ok := strings.CutSuffix(pattern, "*"); ok && strings.HasPrefix(value, prefix) {
				return true
			}
		}
		return false
	}
	if !hits(at(s, "Action"), c.action) || !hits(at(s, "Resource"), c.resource) {
		return false
	}
	conditions, _ := at(s, "Condition").(object)
	for operator, keys := range conditions {
		for key, values := range keys.(object) {
			value, present := c.context[key]
			switch key {
			case "aws:PrincipalArn":
				value, present = c.who, c.who != "cloudfront"
			case "aws:SecureTransport":
				if !present {
					value, present = "true", true
				}
			case "AWS:SourceArn", "aws:SourceArn":
				value, present = "CDN", c.who == "cloudfront"
			}
			var holds bool
			among := func() bool {
				for _, v := range list(values) {
					if ok, _ := path.Match(tpl.text(v), value); ok && present || tpl.text(v) == value && present {
						return true
					}
				}
				return false
			}
			switch operator {
			case "Null":
				holds = (values == "true") != present
			case "Bool", "StringEquals":
				holds = among()
			case "StringNotEquals", "ArnNotEquals":
				holds = !among() // also when the key is absent
			case "ForAllValues:StringLike":
				holds = !present || among()
			default:
				tpl.t.Fatalf("condition operator %s", operator)
			}
			if !holds {
				return false
			}
		}
	}
	return true
}

// list is a value that JSON policies write alone or in a list.
func list(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

// text is what an intrinsic function gives, with names in place of ARNs.
func (tpl *template) text(v any) string {
	tpl.t.Helper()
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case object:
		if ref, ok := v["Ref"].(string); ok {
			return named(ref)
		}
		if get, ok := v["Fn::GetAtt"].([]any); ok {
			return named(fmt.Sprint(get[0]))
		}
		if join, ok := v["Fn::Join"].([]any); ok {
			var all string
			for _, part := range list(join[1]) {
				all += tpl.text(part)
			}
			if strings.Contains(all, ":role/cdk-") {
				return "deploy"
			}
			if i := strings.LastIndex(all, ":distribution/"); i >= 0 {
				return all[i+len(":distribution/"):]
			}
			return all
		}
	}
	b, _ := json.Marshal(v)
	tpl.t.Fatalf("what is %s?", b)
	return ""
}

// named is a logical id without the hash that the CDK puts at its end.
func named(id string) string {
	if n := len(id) - 8; n > 0 && !strings.HasPrefix(id, "AWS::") && strings.Trim(id[n:], "0123456789ABCDEF") == "" {
		return id[:n]
	}
	return id
}

func TestTheEvaluatorIsNotBlind(t *testing.T) {
	tpl := stack(t, "prod")
	if !tpl.allowed(call{"admin", "dynamodb:DeleteTable", "Table", nil}) {
		t.Error("an administrator may delete a table; deletion protection is what stops that")
	}
	if tpl.allowed(call{"ProveRole", "dynamodb:DeleteTable", "Table", nil}) {
		t.Error("prove may not")
	}
}

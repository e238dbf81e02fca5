package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// public are the stages with a distribution.
var public = []string{"dev", "prod"}

// distribution returns its configuration.
func distribution(tpl *template) any {
	tpl.t.Helper()
	return tpl.one("AWS::CloudFront::Distribution", "CDN").Properties["DistributionConfig"]
}

// behaviors returns the behaviors by path, the default under "".
func behaviors(tpl *template) map[string]object {
	tpl.t.Helper()
	config := distribution(tpl)
	found := map[string]object{}
	found[""], _ = at(config, "DefaultCacheBehavior").(object)
	list, _ := at(config, "CacheBehaviors").([]any)
	for _, v := range list {
		o, _ := v.(object)
		path, _ := o["PathPattern"].(string)
		found[path] = o
	}
	return found
}

// origin returns, as JSON, the domain name of a behavior's origin.
func origin(tpl *template, b object) string {
	list, _ := at(distribution(tpl), "Origins").([]any)
	for _, o := range list {
		if at(o, "Id") == b["TargetOriginId"] {
			name, _ := json.Marshal(at(o, "DomainName"))
			return string(name)
		}
	}
	return ""
}

const ( // CloudFront's own policies
	cachingOptimized    = "658327ea-f89d-4fab-a63d-7e88639e58f6"
	cachingDisabled     = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
	allViewerExceptHost = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
)

func TestTheEmulatorGetsNoDistribution(t *testing.T) {
	for _, r := range stack(t, "local").Resources {
		if strings.HasPrefix(r.Type, "AWS::CloudFront::") {
			t.Errorf("%s would be deployed as a fallback", r.ID)
		}
	}
}

func TestTheDistributionServesTheLogAndCheckpointWithoutCode(t *testing.T) {
	for _, name := range public {
		tpl := stack(t, name)
		all := behaviors(tpl)
		if len(all) != 9 {
			t.Errorf("%s: %d behaviors", name, len(all))
		}
		for path, from := range map[string]string{
			"/tile/*": "LogBucket", "/checkpoints/*": "LogBucket", "/handovers/*": "LogBucket", "/heads/*": "LogBucket", "/signed/*": "LogBucket",
			"/checkpoint": "SiteBucket", "/submissions": "SubmitFunctionUrl", "/streams/*": "ProveFunctionUrl", "": "ProveFunctionUrl",
		} {
			b := all[path]
			if !strings.Contains(origin(tpl, b), from) {
				t.Errorf("%s: %q comes from %s", name, path, origin(tpl, b))
			}
			if b["ViewerProtocolPolicy"] == "allow-all" {
				t.Errorf("%s: %q in clear", name, path)
			}
			if strings.Contains(from, "Bucket") {
				continue
			}
			// A Function URL knows itself by Host; Trialnotary-Request and the body's
			// hash must reach it.
			want(t, name+": what goes on to "+from, b["OriginRequestPolicyId"], allViewerExceptHost)
		}
		for _, folder := range logFolders {
			want(t, name+": "+folder, all["/"+folder+"/*"]["CachePolicyId"], cachingOptimized)
		}
		for _, path := range []string{"/submissions", "/streams/*"} {
			want(t, name+": never cached", all[path]["CachePolicyId"], cachingDisabled)
		}
		ttl := at(tpl.one("AWS::CloudFront::CachePolicy", "CheckpointCache").Properties, "CachePolicyConfig")
		want(t, name+": checkpoint", all["/checkpoint"]["CachePolicyId"], object{"Ref": tpl.one("AWS::CloudFront::CachePolicy", "CheckpointCache").ID})
		for _, bound := range []string{"MinTTL", "DefaultTTL", "MaxTTL"} {
			want(t, name+": checkpoint is 5 s old at most: "+bound, at(ttl, bound), 5)
		}
		evidence := at(tpl.one("AWS::CloudFront::CachePolicy", "EvidenceCache").Properties, "CachePolicyConfig")
		want(t, name+": cached only when the handler says so", at(evidence, "DefaultTTL"), 0)
		kept := map[any]any{}
		for _, e := range at(distribution(tpl), "CustomErrorResponses").([]any) {
			kept[at(e, "ErrorCode")] = at(e, "ErrorCachingMinTTL")
			if len(e.(object)) != 2 {
				t.Errorf("%s: %v is answered in another's place", name, e)
			}
		}
		// All that CloudFront would keep by itself: by the path alone, for ten seconds.
		for _, status := range []float64{400, 403, 404, 405, 414, 500, 501, 502, 503, 504} {
			want(t, fmt.Sprintf("%s: %g is kept for", name, status), kept[status], 0)
		}
	}
}

func TestOnlyTheDistributionCallsTheFunctions(t *testing.T) {
	for _, name := range public {
		tpl := stack(t, name)
		for _, function := range []string{"Submit", "Prove"} {
			var actions []string
			for _, p := range tpl.all("AWS::Lambda::Permission") {
				whose, _ := json.Marshal(p.Properties["FunctionName"])
				if !strings.Contains(string(whose), function) {
					continue
				}
				want(t, p.ID, p.Properties["Principal"], "cloudfront.amazonaws.com")
				source, _ := json.Marshal(p.Properties["SourceArn"])
				if !strings.Contains(string(source), `"CDN`) {
					t.Errorf("%s: any distribution of the world may call: %s", p.ID, source)
				}
				action, _ := p.Properties["Action"].(string)
				if action == "lambda:InvokeFunction" {
					want(t, p.ID+": by its URL only", p.Properties["InvokedViaFunctionUrl"], true)
				}
				actions = append(actions, action)
			}
			slices.Sort(actions)
			if !slices.Equal(actions, []string{"lambda:InvokeFunction", "lambda:InvokeFunctionUrl"}) {
				t.Errorf("%s: %s: the distribution may %v", name, function, actions)
			}
		}
		origins, _ := at(distribution(tpl), "Origins").([]any)
		for _, o := range origins {
			if at(o, "OriginAccessControlId") == nil {
				t.Errorf("%s: an origin without access control: %v", name, at(o, "Id"))
			}
		}
		for _, c := range tpl.all("AWS::CloudFront::OriginAccessControl") {
			want(t, c.ID+": signs every call", at(c.Properties, "OriginAccessControlConfig", "SigningBehavior"), "always")
			want(t, c.ID, at(c.Properties, "OriginAccessControlConfig", "SigningProtocol"), "sigv4")
		}
	}
}

func TestCORSComesFromOnePlace(t *testing.T) {
	for _, name := range public {
		tpl := stack(t, name)
		headers := tpl.one("AWS::CloudFront::ResponseHeadersPolicy", "Headers")
		cors := at(headers.Properties, "ResponseHeadersPolicyConfig", "CorsConfig")
		// What the handler says stays; the buckets say nothing, and there this speaks.
		want(t, name+": the handler's word stays", at(cors, "OriginOverride"), false)
		want(t, name+": reads", at(cors, "AccessControlAllowMethods", "Items"), []string{"GET", "HEAD"})
		for path, b := range behaviors(tpl) {
			want(t, name+": "+path, b["ResponseHeadersPolicyId"], object{"Ref": headers.ID})
		}
	}
}

func TestADomainOfOnesOwn(t *testing.T) {
	tpl := stack(t, "dev", extras...)
	want(t, "name", at(distribution(tpl), "Aliases"), []string{"log.example.org"})
	want(t, "TLS", at(distribution(tpl), "ViewerCertificate", "MinimumProtocolVersion"), "TLSv1.2_2021")
	want(t, "address", tpl.Outputs["SiteUrl"]["Value"], "https://log.example.org")
}

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfrontorigins"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
)

// newCDN is the one public address: the log straight from its bucket, `checkpoint`
// from the site bucket, all else from the functions. It returns the address.
//
// Origin access control signs the calls to the functions, in `Authorization`: what
// a visitor sends there is lost. It does not hash bodies: who posts must send
// x-amz-content-sha256.
func newCDN(stack awscdk.Stack, s *stage, functions map[string]awslambda.Function, urls map[string]awslambda.FunctionUrl,
	log, site awss3.Bucket) *string {
	headers := newHeaders(stack)
	behavior := func(origin awscloudfront.IOrigin, cache awscloudfront.ICachePolicy) *awscloudfront.BehaviorOptions {
		return &awscloudfront.BehaviorOptions{
			Origin: origin, CachePolicy: cache, ResponseHeadersPolicy: headers, Compress: new(true),
			AllowedMethods:       awscloudfront.AllowedMethods_ALLOW_GET_HEAD_OPTIONS(),
			ViewerProtocolPolicy: awscloudfront.ViewerProtocolPolicy_REDIRECT_TO_HTTPS,
		}
	}
	bucket := func(b awss3.Bucket) awscloudfront.IOrigin {
		return awscloudfrontorigins.S3BucketOrigin_WithOriginAccessControl(b, &awscloudfrontorigins.S3BucketOriginWithOACProps{
			// LIST makes a missing object 404 instead of 403.
			OriginAccessLevels: &[]awscloudfront.AccessLevel{awscloudfront.AccessLevel_READ, awscloudfront.AccessLevel_LIST},
		})
	}
	function := func(name string) awscloudfront.IOrigin {
		return awscloudfrontorigins.FunctionUrlOrigin_WithOriginAccessControl(urls[name], nil)
	}
	// Function URLs know themselves by Host: everything of the visitor's goes on but that.
	dynamic := func(b *awscloudfront.BehaviorOptions) *awscloudfront.BehaviorOptions {
		b.OriginRequestPolicy = awscloudfront.OriginRequestPolicy_ALL_VIEWER_EXCEPT_HOST_HEADER()
		return b
	}
	objects, prove := bucket(log), function("prove")
	immutable, never := awscloudfront.CachePolicy_CACHING_OPTIMIZED(), awscloudfront.CachePolicy_CACHING_DISABLED()
	submissions := dynamic(behavior(function("submit"), never))
	submissions.AllowedMethods = awscloudfront.AllowedMethods_ALLOW_ALL()
	submissions.ViewerProtocolPolicy = awscloudfront.ViewerProtocolPolicy_HTTPS_ONLY

	behaviors := map[string]*awscloudfront.BehaviorOptions{
		"/checkpoint":  behavior(bucket(site), newCachePolicy(stack, "CheckpointCache", 5, 5, 5)),
		"/submissions": submissions,
		// Histories are for those whose request note says so: never from a cache.
		"/streams/*": dynamic(behavior(prove, never)),
	}
	for _, folder := range logFolders {
		behaviors["/"+folder+"/*"] = behavior(objects, immutable)
	}
	props := &awscloudfront.DistributionProps{
		Comment: new("trialnotary " + s.Name + ": " + s.Origin),
		// As long as the handler says, and not at all when it says nothing.
		DefaultBehavior:     dynamic(behavior(prove, newCachePolicy(stack, "EvidenceCache", 0, 0, 365*24*3600))),
		AdditionalBehaviors: &behaviors,
		ErrorResponses:      errorsPass(),
		HttpVersion:         awscloudfront.HttpVersion_HTTP2_AND_3,
	}
	if s.Domain != "" {
		props.DomainNames = texts(s.Domain)
		props.MinimumProtocolVersion = awscloudfront.SecurityPolicyProtocol_TLS_V1_2_2021
		props.Certificate = awscertificatemanager.Certificate_FromCertificateArn(stack, new("Certificate"), &s.Certificate)
	}
	cdn := awscloudfront.NewDistribution(stack, new("CDN"), props)
	awscdk.Annotations_Of(cdn).AcknowledgeWarning(new("@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk"),
		new("the buckets are not the default behavior: their roots, which would list them, have no address"))
	for _, name := range []string{"submit", "prove"} {
		allowCDN(stack, cdn, name, functions[name])
	}
	if s.Domain != "" {
		return new("https://" + s.Domain)
	}
	return new("https://" + *cdn.DistributionDomainName())
}

// errorsPass keeps no error. Without it CloudFront keeps each for ten seconds, where
// caching is disabled too and whatever the handler says, by its path alone: one
// reader's "no such batch" would be the answer to the next one's other question, and
// a 503 that of all who try again.
func errorsPass() *[]*awscloudfront.ErrorResponse {
	var all []*awscloudfront.ErrorResponse
	for _, status := range []float64{400, 403, 404, 405, 414, 500, 501, 502, 503, 504} {
		all = append(all, &awscloudfront.ErrorResponse{HttpStatus: &status, Ttl: awscdk.Duration_Seconds(new(0.0))})
	}
	return &all
}

// logFolders are the folders of the log bucket, as they are in addresses.
var logFolders = []string{"checkpoints", "handovers", "heads", "signed", "tile"}

// allowCDN adds what the CDK's origin access control leaves out: a Function URL
// asks for InvokeFunction too, since November 2026.
func allowCDN(stack awscdk.Stack, cdn awscloudfront.Distribution, name string, f awslambda.Function) {
	awslambda.NewCfnPermission(stack, new("CDNInvokes"+title(name)), &awslambda.CfnPermissionProps{
		Action: new("lambda:InvokeFunction"), FunctionName: f.FunctionArn(),
		Principal: new("cloudfront.amazonaws.com"), SourceArn: cdn.DistributionArn(),
		InvokedViaFunctionUrl: new(true),
	})
}

// newCachePolicy keys on the path alone.
func newCachePolicy(stack awscdk.Stack, id string, least, usual, most float64) awscloudfront.ICachePolicy {
	return awscloudfront.NewCachePolicy(stack, &id, &awscloudfront.CachePolicyProps{
		MinTtl: awscdk.Duration_Seconds(&least), DefaultTtl: awscdk.Duration_Seconds(&usual), MaxTtl: awscdk.Duration_Seconds(&most),
		EnableAcceptEncodingGzip: new(true), EnableAcceptEncodingBrotli: new(true),
	})
}

// newHeaders adds to what comes from the buckets what the handler adds itself:
// anyone's page may read the log. What the handler said stays.
func newHeaders(stack awscdk.Stack) awscloudfront.ResponseHeadersPolicy {
	return awscloudfront.NewResponseHeadersPolicy(stack, new("Headers"), &awscloudfront.ResponseHeadersPolicyProps{
		CorsBehavior: &awscloudfront.ResponseHeadersCorsBehavior{
			AccessControlAllowCredentials: new(false),
			AccessControlAllowHeaders:     texts("*"),
			AccessControlAllowMethods:     texts("GET", "HEAD"),
			AccessControlAllowOrigins:     texts("*"),
			OriginOverride:                new(false),
		},
		SecurityHeadersBehavior: &awscloudfront.ResponseSecurityHeadersBehavior{
			ContentTypeOptions: &awscloudfront.ResponseHeadersContentTypeOptions{Override: new(true)},
			StrictTransportSecurity: &awscloudfront.ResponseHeadersStrictTransportSecurity{
				AccessControlMaxAge: awscdk.Duration_Days(new(365.0)), Override: new(true),
			},
		},
	})
}

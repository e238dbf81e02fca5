package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
)

// newURLs gives submit and prove an address each. Outside local only CloudFront
// may call them; CORS is the handler's business alone.
func newURLs(stack awscdk.Stack, s *stage, functions map[string]awslambda.Function) map[string]awslambda.FunctionUrl {
	auth := awslambda.FunctionUrlAuthType_AWS_IAM
	if s.Local() {
		auth = awslambda.FunctionUrlAuthType_NONE
	}
	urls := map[string]awslambda.FunctionUrl{}
	for _, name := range []string{"submit", "prove"} {
		urls[name] = functions[name].AddFunctionUrl(&awslambda.FunctionUrlOptions{
			AuthType: auth, InvokeMode: awslambda.InvokeMode_BUFFERED,
		})
	}
	return urls
}

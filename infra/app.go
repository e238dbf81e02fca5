package main

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
)

// flagsJSON are the CDK's feature flags as recommended by release 2.270. They are
// here and not in cdk.json, whose context only the CDK's command line reads:
// `go run ./infra` and `cdk synth` are to write the same bytes.
//
//go:embed flags.json
var flagsJSON []byte

// newApp returns an empty app that will write its assembly to dir.
func newApp(dir string) (awscdk.App, error) {
	context := map[string]any{}
	if err := json.Unmarshal(flagsJSON, &context); err != nil {
		return nil, fmt.Errorf("feature flags: %w", err)
	}
	return awscdk.NewApp(&awscdk.AppProps{
		AnalyticsReporting: new(false),
		AutoSynth:          new(false),
		Context:            &context,
		Outdir:             &dir,
		TreeMetadata:       new(false),
	}), nil
}

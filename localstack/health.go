package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// services are what the AWS shape of trialnotary calls.
var services = []string{"cloudformation", "dynamodb", "events", "iam", "kms", "lambda", "s3", "ssm", "sts"}

// health asks LocalStack for the state of each service:
//
//	{"services": {"s3": "running", "kms": "available", "acm": "disabled", …}, "version": "4.14.0"}
func (p place) health(ctx context.Context) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", p.endpoint()+"/_localstack/health", nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var h struct {
		Services map[string]string
		Version  string
	}
	if err := json.NewDecoder(res.Body).Decode(&h); err != nil || h.Version == "" {
		return nil, fmt.Errorf("what answers at %s is not LocalStack", p.endpoint())
	}
	if h.Version != version {
		return nil, fmt.Errorf("LocalStack %s answers at %s; %s is needed", h.Version, p.endpoint(), version)
	}
	return h.Services, nil
}

// healthy says what is missing, if anything.
func (p place) healthy(ctx context.Context) error {
	states, err := p.health(ctx)
	if err != nil {
		return err
	}
	bad := slices.DeleteFunc(slices.Clone(services), func(s string) bool { return states[s] == "available" || states[s] == "running" })
	if len(bad) > 0 {
		return fmt.Errorf("LocalStack answers at %s without %s", p.endpoint(), strings.Join(bad, ", "))
	}
	return nil
}

// Command init is an execution environment for one Lambda function under LocalStack:
// what /var/rapid/init is in its containers, as a plain process.
//
// LocalStack's side (environment LOCALSTACK_RUNTIME_ENDPOINT, LOCALSTACK_RUNTIME_ID):
//
//	init → POST <endpoint>/status/<id>/ready | error         once the function asks for its first event, or has ended before
//	     ← POST :9563/invoke {"invoke-id": "…", "invoked-function-arn": "…", "payload": "<JSON>", "trace-id": "…"}
//	init → POST <endpoint>/invocations/<invoke-id>/logs      {"logs": "START …\n…END …\nREPORT …\n"}
//	init → POST <endpoint>/invocations/<invoke-id>/response | error
//
// The function's side is the Lambda Runtime API, version 2018-06-01, at
// AWS_LAMBDA_RUNTIME_API (custom runtimes: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
// A function that ends, or exceeds AWS_LAMBDA_FUNCTION_TIMEOUT and is killed, is
// started again for the next event. TRIALNOTARY_INVOKE_ADDRESS names another address
// than :9563, for several environments on one machine.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("init: ")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	s := settings{
		home:      os.Getenv("LOCALSTACK_RUNTIME_ENDPOINT"),
		id:        os.Getenv("LOCALSTACK_RUNTIME_ID"),
		bootstrap: filepath.Join(or(os.Getenv("LAMBDA_TASK_ROOT"), "/var/task"), "bootstrap"),
		memory:    or(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), "128"),
		version:   or(os.Getenv("AWS_LAMBDA_FUNCTION_VERSION"), "$LATEST"),
		output:    os.Stdout,
	}
	if s.home == "" || s.id == "" {
		return fmt.Errorf("LOCALSTACK_RUNTIME_ENDPOINT and LOCALSTACK_RUNTIME_ID are missing: LocalStack starts this program")
	}
	seconds, err := strconv.Atoi(or(os.Getenv("AWS_LAMBDA_FUNCTION_TIMEOUT"), "3"))
	if err != nil {
		return fmt.Errorf("AWS_LAMBDA_FUNCTION_TIMEOUT: %w", err)
	}
	s.timeout = time.Duration(seconds) * time.Second

	api, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	invoke, err := net.Listen("tcp", or(os.Getenv("TRIALNOTARY_INVOKE_ADDRESS"), ":9563"))
	if err != nil {
		return err
	}
	s.api = api.Addr().String()
	return newEnvironment(s).serve(ctx, api, invoke)
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

func (e *environment) serve(ctx context.Context, api, invoke net.Listener) error {
	ended := make(chan error, 3)
	runtime := &http.Server{Handler: e.runtimeAPI()}
	edge := &http.Server{Handler: e.invokeAPI()}
	go func() { ended <- runtime.Serve(api) }()
	go func() { ended <- edge.Serve(invoke) }()
	go func() { ended <- e.loop(ctx) }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-ended:
	}
	runtime.Close()
	edge.Close()
	e.stop()
	return err
}

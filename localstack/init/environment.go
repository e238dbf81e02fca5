package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"
)

// event is what LocalStack posts to /invoke.
type event struct {
	ID      string `json:"invoke-id"`
	ARN     string `json:"invoked-function-arn"`
	Payload string `json:"payload"`
	Trace   string `json:"trace-id"`

	deadline time.Time
}

// outcome is a function's answer to one event.
type outcome struct {
	payload []byte
	failed  bool
}

// fault is an outcome in the shape Lambda gives to errors of its own.
func fault(kind, format string, a ...any) outcome {
	b, _ := json.Marshal(map[string]string{"errorType": kind, "errorMessage": fmt.Sprintf(format, a...)})
	return outcome{payload: b, failed: true}
}

// settings are what an environment is told.
type settings struct {
	home, id        string // LocalStack's side: LOCALSTACK_RUNTIME_ENDPOINT, _ID
	api, bootstrap  string // the function's side: AWS_LAMBDA_RUNTIME_API, its program
	memory, version string // only printed
	timeout         time.Duration
	output          io.Writer // what the function prints
}

// environment runs one function, one event at a time.
type environment struct {
	settings

	invoked chan event   // from LocalStack
	asked   chan *next   // from the function: it waits for an event
	told    chan outcome // from the function: what became of the event in hand
	birth   chan outcome // from the function: it cannot start

	mu      sync.Mutex
	running *function
	hand    event        // the event the function works on
	said    bytes.Buffer // what it printed since the last event
}

// next is one waiting call of the Runtime API for an event.
type next struct {
	answer chan event
	gone   <-chan struct{}
}

func newEnvironment(s settings) *environment {
	return &environment{settings: s, invoked: make(chan event, 1), asked: make(chan *next), told: make(chan outcome), birth: make(chan outcome)}
}

// loop starts the function, tells LocalStack, and serves events until ctx ends or
// LocalStack has gone.
func (e *environment) loop(ctx context.Context) error {
	waiting, failure, err := e.begin(ctx)
	if err != nil {
		return err
	}
	if failure != nil {
		return e.post(ctx, "/status/"+e.id+"/error", failure.payload)
	}
	if err := e.post(ctx, "/status/"+e.id+"/ready", nil); err != nil {
		return err
	}
	parent := os.Getppid()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
			if os.Getppid() != parent {
				return errors.New("LocalStack has gone")
			}
		case waiting = <-e.asked:
			// The function gave up an earlier call and asked again.
		case ev := <-e.invoked:
			if waiting, err = e.handle(ctx, waiting, ev); err != nil {
				return err
			}
		}
	}
}

// begin starts the function and waits for its first call. The outcome is not nil
// if the function ended, reported an error or took too long instead.
func (e *environment) begin(ctx context.Context) (*next, *outcome, error) {
	f, err := e.spawn()
	if err != nil {
		o := fault("Runtime.InvalidEntrypoint", "Error: %v", err)
		return nil, &o, nil
	}
	late := time.NewTimer(10 * time.Second) // Lambda's limit for Init
	defer late.Stop()
	select {
	case n := <-e.asked:
		return n, nil, nil
	case o := <-e.birth:
		e.stop()
		return nil, &o, nil
	case <-f.ended:
		o := fault("Runtime.ExitError", "Error: Runtime exited: %v", f.state())
		return nil, &o, nil
	case <-late.C:
		e.stop()
		o := fault("Sandbox.Timedout", "Error: the function asked for no event within 10 seconds")
		return nil, &o, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// handle gives one event to the function and its outcome to LocalStack. It returns
// the function's call for the event after, if it came already.
func (e *environment) handle(ctx context.Context, waiting *next, ev event) (*next, error) {
	began := time.Now()
	waiting, o, err := e.answer(ctx, waiting, ev)
	if err != nil {
		return nil, err
	}
	spent := time.Since(began)
	logs, err := json.Marshal(map[string]string{"logs": fmt.Sprintf(
		"START RequestId: %[1]s Version: %[2]s\n%[3]sEND RequestId: %[1]s\nREPORT RequestId: %[1]s\tDuration: %.2[4]f ms\tBilled Duration: %[5]d ms\tMemory Size: %[6]s MB\tMax Memory Used: %[6]s MB\t\n",
		ev.ID, e.version, e.printed(), float64(spent)/float64(time.Millisecond), spent.Milliseconds()+1, e.memory)})
	if err != nil {
		return nil, err
	}
	path := "/invocations/" + ev.ID
	if err := e.post(ctx, path+"/logs", logs); err != nil {
		return nil, err
	}
	if o.failed {
		return waiting, e.post(ctx, path+"/error", o.payload)
	}
	return waiting, e.post(ctx, path+"/response", o.payload)
}

// answer is the function's outcome for ev, which may be that it ended or was too slow.
func (e *environment) answer(ctx context.Context, waiting *next, ev event) (*next, outcome, error) {
	ev.deadline = time.Now().Add(e.timeout)
	late := time.NewTimer(e.timeout)
	defer late.Stop()
	for given := false; ; {
		f := e.current()
		if f == nil || waiting == nil {
			e.stop()
			n, failure, err := e.begin(ctx)
			if err != nil {
				return nil, outcome{}, err
			}
			if failure != nil {
				return nil, *failure, nil
			}
			waiting, f = n, e.current()
		}
		if !given {
			e.take(ev)
			select {
			case waiting.answer <- ev:
				given = true
			case <-waiting.gone:
				waiting = nil
				continue
			}
		}
		select {
		case o := <-e.told:
			// The function now asks for the next event; a crash meanwhile shows at that one.
			select {
			case n := <-e.asked:
				return n, o, nil
			case <-f.ended:
				return nil, o, nil
			case <-late.C:
				e.stop()
				return nil, o, nil
			}
		case <-f.ended:
			return nil, fault("Runtime.ExitError", "RequestId: %s Error: Runtime exited: %v", ev.ID, f.state()), nil
		case <-late.C:
			e.stop()
			return nil, fault("Sandbox.Timedout", "%s %s Task timed out after %.2f seconds", time.Now().UTC().Format(time.RFC3339), ev.ID, e.timeout.Seconds()), nil
		case <-ctx.Done():
			return nil, outcome{}, ctx.Err()
		}
	}
}

// post tells LocalStack; what it does not accept is only logged, as an event whose
// caller has gone must not end the environment.
func (e *environment) post(ctx context.Context, path string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, "POST", e.home+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := direct.Do(req)
	if err != nil {
		return fmt.Errorf("tell LocalStack: %w", err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return fmt.Errorf("tell LocalStack: %w", err)
	}
	if res.StatusCode >= 300 {
		log.Printf("LocalStack answered %s to %s", res.Status, path)
	}
	return nil
}

// direct asks no proxy: LocalStack is on this machine.
var direct = &http.Client{Transport: &http.Transport{}}

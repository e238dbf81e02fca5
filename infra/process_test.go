package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// buildPrograms builds the functions as they are deployed, but for this machine,
// and the client, and returns their directory.
func buildPrograms(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"build", "-tags", "lambda.norpc", "-trimpath", "-o", dir + "/", "trialnotary/cmd/trialnotary"}
	for _, name := range functionNames {
		args = append(args, "trialnotary/functions/"+name)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// process is one function's program, run as Lambda runs it: it polls for events,
// one at a time.
type process struct {
	t        *testing.T
	mu       sync.Mutex // one event at a time
	events   chan []byte
	outcomes chan outcome
}

type outcome struct {
	body   []byte
	failed bool
}

// startFunction starts a function with an environment of its own. It ends with
// the test, or when it is called for.
func startFunction(t *testing.T, dir, name string, env []string) (p *process, stop func()) {
	t.Helper()
	p = &process{t: t, events: make(chan []byte), outcomes: make(chan outcome, 1)}
	api := httptest.NewServer(http.HandlerFunc(p.api))
	c := exec.Command(filepath.Join(dir, name))
	c.Env = append(env, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"))
	var log strings.Builder
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		c.Process.Kill()
		c.Wait()
		api.CloseClientConnections()
		api.Close()
		if id := regexp.MustCompile(`[0-9a-f]{40,}`).FindString(log.String()); id != "" {
			t.Errorf("the log of %s holds a whole id: %s", name, id)
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, log.String())
		}
	})
	t.Cleanup(stop)
	return p, stop
}

// api is the Lambda Runtime API.
func (p *process) api(w http.ResponseWriter, r *http.Request) {
	const base = "/2018-06-01/runtime/"
	switch path := strings.TrimPrefix(r.URL.Path, base); {
	case path == "invocation/next":
		select {
		case event := <-p.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(5*time.Minute).UnixMilli(), 10))
			w.Write(event)
		case <-r.Context().Done():
		}
	default:
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		p.outcomes <- outcome{b, strings.HasSuffix(path, "/error")}
		w.WriteHeader(http.StatusAccepted)
	}
}

// invoke gives the function one event and returns its answer, or the error that it
// told Lambda of.
func (p *process) invoke(event any) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	timeout := time.After(time.Minute)
	select {
	case p.events <- b:
	case <-timeout:
		return nil, errors.New("the function does not poll")
	}
	select {
	case o := <-p.outcomes:
		if o.failed {
			return nil, errors.New(string(o.body))
		}
		return o.body, nil
	case <-timeout:
		return nil, errors.New("the function does not answer")
	}
}

// scheduled is the input that the template's rules give a function, by rule.
func scheduled(tpl *template, rule string) any {
	tpl.t.Helper()
	input, _ := at(tpl.one("AWS::Events::Rule", rule).Properties, "Targets", 0, "Input").(string)
	var event any
	if err := json.Unmarshal([]byte(input), &event); err != nil {
		tpl.t.Fatalf("the input of %s is %q: %v", rule, input, err)
	}
	return event
}

// quiet is this machine's environment without what would lead to AWS.
func quiet() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "TRIALNOTARY_") {
			env = append(env, v)
		}
	}
	return env
}

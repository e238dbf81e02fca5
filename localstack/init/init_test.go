package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be the function, too.
func TestMain(m *testing.M) {
	if api := os.Getenv("AWS_LAMBDA_RUNTIME_API"); api != "" {
		bootstrap(api)
	}
	os.Exit(m.Run())
}

// bootstrap is a function that does what its events say.
func bootstrap(api string) {
	base := "http://" + api + "/2018-06-01/runtime/"
	if os.Getenv("STILLBORN") == "report" {
		_, _ = http.Post(base+"init/error", "application/json", strings.NewReader(`{"errorType":"Config","errorMessage":"no table named"}`))
	}
	if os.Getenv("STILLBORN") != "" {
		os.Exit(7)
	}
	for {
		res, err := http.Get(base + "invocation/next")
		if err != nil {
			os.Exit(3)
		}
		payload, _ := io.ReadAll(res.Body)
		id := res.Header.Get("Lambda-Runtime-Aws-Request-Id")
		reply := func(how, body string) {
			_, _ = http.Post(base+"invocation/"+id+"/"+how, "application/json", strings.NewReader(body))
		}
		fmt.Printf("working on %s\n", payload)
		switch string(payload) {
		case `"die"`:
			os.Exit(9)
		case `"sleep"`:
			time.Sleep(time.Minute)
		case `"fail"`:
			reply("error", `{"errorType":"Oops","errorMessage":"as asked"}`)
		case `"fail and die"`:
			reply("error", `{"errorType":"Panic","errorMessage":"as asked"}`)
			os.Exit(1)
		default:
			reply("response", fmt.Sprintf(`{"echo":%s,"pid":%d,"arn":%q,"deadline":%t}`, payload, os.Getpid(),
				res.Header.Get("Lambda-Runtime-Invoked-Function-Arn"), res.Header.Get("Lambda-Runtime-Deadline-Ms") > "1"))
		}
	}
}

// told is one callback to LocalStack.
type told struct{ path, body string }

// world is an environment between the function above and a LocalStack that only listens.
type world struct {
	t      *testing.T
	told   chan told
	invoke string
	done   chan error
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, told: make(chan told, 16), done: make(chan error, 1)}
	home := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.told <- told{r.URL.Path, string(b)}
	}))
	t.Cleanup(home.Close)
	task := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(task, "bootstrap")); err != nil {
		t.Fatal(err)
	}
	api, invoke := listen(t), listen(t)
	w.invoke = "http://" + invoke.Addr().String() + "/invoke"
	e := newEnvironment(settings{home: home.URL, id: "env-1", api: api.Addr().String(), bootstrap: filepath.Join(task, "bootstrap"),
		memory: "128", version: "$LATEST", timeout: 2 * time.Second, output: io.Discard})
	ctx, stop := context.WithCancel(context.Background())
	go func() { w.done <- e.serve(ctx, api, invoke) }()
	t.Cleanup(func() {
		stop()
		select {
		case <-w.done:
		case <-time.After(10 * time.Second):
			t.Error("the environment does not end")
		}
	})
	return w
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// expect is the body of the next callback, which must be to this path.
func (w *world) expect(path string) string {
	w.t.Helper()
	select {
	case got := <-w.told:
		if got.path != path {
			w.t.Fatalf("LocalStack was told %s %s; want %s", got.path, got.body, path)
		}
		return got.body
	case <-time.After(20 * time.Second):
		w.t.Fatalf("LocalStack was not told %s", path)
	}
	return ""
}

// send posts an event and returns its logs and, told by how, its outcome.
func (w *world) send(id, payload, how string) (logs, outcome string) {
	w.t.Helper()
	b, err := json.Marshal(event{ID: id, ARN: "arn:test", Payload: payload, Trace: "Root=1"})
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.Post(w.invoke, "application/json", bytes.NewReader(b))
	if err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		w.t.Fatalf("invoke: %s", res.Status)
	}
	var l struct{ Logs string }
	if err := json.Unmarshal([]byte(w.expect("/invocations/"+id+"/logs")), &l); err != nil {
		w.t.Fatal(err)
	}
	return l.Logs, w.expect("/invocations/" + id + "/" + how)
}

func TestEventsOneAfterAnother(t *testing.T) {
	w := start(t)
	w.expect("/status/env-1/ready")
	logs, first := w.send("r1", `{"n":1}`, "response")
	for _, want := range []string{`"echo":{"n":1}`, `"arn":"arn:test"`, `"deadline":true`} {
		if !strings.Contains(first, want) {
			t.Errorf("response %s lacks %s", first, want)
		}
	}
	for _, want := range []string{"START RequestId: r1", "working on", "END RequestId: r1", "REPORT RequestId: r1\tDuration: "} {
		if !strings.Contains(logs, want) {
			t.Errorf("logs lack %q:\n%s", want, logs)
		}
	}
	if _, second := w.send("r2", `{"n":1}`, "response"); second != first {
		t.Errorf("the same process should have answered twice:\n%s\n%s", first, second)
	}
}

func TestFaultsOfTheFunction(t *testing.T) {
	w := start(t)
	w.expect("/status/env-1/ready")
	for _, c := range []struct{ payload, want, why string }{
		{`"fail"`, "as asked", "an error of the handler's"},
		{`"die"`, "Runtime.ExitError", "the process ends in the middle"},
		{`"fail and die"`, "as asked", "a panic is reported, then the process ends"},
		{`"sleep"`, "Task timed out after 2.00 seconds", "the handler is too slow"},
	} {
		if _, out := w.send("bad", c.payload, "error"); !strings.Contains(out, c.want) {
			t.Errorf("%s: %s; want %s", c.why, out, c.want)
		}
		if _, out := w.send("good", `"hello"`, "response"); !strings.Contains(out, `"echo":"hello"`) {
			t.Errorf("after %s: %s", c.why, out)
		}
	}
}

func TestFunctionThatCannotStart(t *testing.T) {
	for how, want := range map[string]string{"die": "exit status 7", "report": "no table named"} {
		t.Run(how, func(t *testing.T) {
			t.Setenv("STILLBORN", how)
			if got := start(t).expect("/status/env-1/error"); !strings.Contains(got, want) {
				t.Errorf("told %s; want %s", got, want)
			}
		})
	}
}

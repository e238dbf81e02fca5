package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"trialnotary/notary/onaws"
	"trialnotary/notary/receipt"
)

// deployed is stage local as `go run ./localstack up` left it, and a newcomer's
// folder with a CLI that knows nothing yet.
type deployed struct {
	place
	outputs
	*onaws.Clients
	store     *onaws.Store
	functions []string // names
	trust     *receipt.Trust
	dir       string
}

// up finds the deployment. On a laptop where nothing is up the test is skipped; in
// CI that would hide what it is for.
func up(t *testing.T) *deployed {
	t.Helper()
	dir := os.Getenv("TRIALNOTARY_LOCALSTACK_DIR")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(cache, "trialnotary", "localstack")
	}
	port := defaultPort
	if s := os.Getenv("TRIALNOTARY_LOCALSTACK_PORT"); s != "" {
		var err error
		if port, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	d := &deployed{place: place{dir: dir, port: port, out: t.Output()}, dir: t.TempDir()}
	err := d.healthy(t.Context())
	if err == nil {
		d.outputs, err = d.place.outputs()
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("stage local is not up, and CI=true: %v", err)
		}
		t.Skipf("stage local is not up (%v): go run ./localstack up", err)
	}
	d.Clients, err = onaws.NewClients(t.Context(), config.WithRegion(region), config.WithBaseEndpoint(d.endpoint()),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	d.store = onaws.NewStore(d.Clients, onaws.Env{Table: d.Table, LogBucket: d.LogBucket, StateBucket: d.StateBucket, SiteBucket: d.SiteBucket})
	list, err := d.lambda().ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list.Functions {
		d.functions = append(d.functions, *f.FunctionName)
	}
	b := d.get(t, "/trust")
	if d.trust, err = receipt.ParseTrust(b); err != nil {
		t.Fatal(err)
	}
	d.write(t, "local.trust", b)
	return d
}

// lambda calls functions, once, however long they take: those of the clients'
// configuration would give up and call again.
func (d *deployed) lambda() *lambda.Client {
	return lambda.NewFromConfig(d.Config, func(o *lambda.Options) { o.HTTPClient, o.RetryMaxAttempts = &http.Client{Timeout: 5 * time.Minute}, 1 })
}

// function is the full name of one of the stack's functions, "Seal" or another.
func (d *deployed) function(t *testing.T, name string) string {
	i := slices.IndexFunc(d.functions, func(f string) bool { return strings.HasPrefix(f, stackName+"-"+name) })
	if i < 0 {
		t.Errorf("stage local has no function %s", name)
		return ""
	}
	return d.functions[i]
}

// get fetches from the service.
func (d *deployed) get(t *testing.T, path string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+d.front()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %v\n%s", path, res.Status, err, b)
	}
	return b
}

func (d *deployed) file(name string) string { return filepath.Join(d.dir, filepath.FromSlash(name)) }

func (d *deployed) write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(d.file(name), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// cli runs trialnotary in the newcomer's folder and returns what it printed, both
// ways. It fails unless the exit code is the one wanted.
func (d *deployed) cli(t *testing.T, code int, args ...string) string {
	return d.cliWith(t, code, "http://"+d.front(), args...)
}

// cliOffline is cli with a service that nobody serves.
func (d *deployed) cliOffline(t *testing.T, code int, args ...string) string {
	return d.cliWith(t, code, "http://127.0.0.1:1", args...)
}

func (d *deployed) cliWith(t *testing.T, code int, service string, args ...string) string {
	t.Helper()
	out, got := d.try(t, service, args...)
	if got != code {
		t.Fatalf("trialnotary %s: exit %d, want %d", args[0], got, code)
	}
	return out
}

func (d *deployed) try(t *testing.T, service string, args ...string) (printed string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), d.path("bin", "trialnotary"), args...)
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "TRIALNOTARY_CONFIG="+d.file("config"), "TRIALNOTARY_SERVICE="+service, "NO_COLOR=1", "TZ=UTC")
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	t.Logf("trialnotary %v (%s)\n%s", args, time.Since(began).Round(time.Millisecond), out)
	return string(out), cmd.ProcessState.ExitCode()
}

// trial is a number no earlier run registered.
func trial() string { return fmt.Sprintf("LOCAL-%d", time.Now().Unix()) }

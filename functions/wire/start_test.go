package wire

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/onaws"
	"trialnotary/notary/statement"
)

// A function says at once, all of it, what its environment lacks; and with a whole
// one it asks for its first event after 15 ms of work at most, because nobody is
// called before.
func TestStart(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	program := filepath.Join(t.TempDir(), "bootstrap")
	if out, err := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", program, "trialnotary/functions/seal").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	polled := make(chan time.Time, 1)
	runtime := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/runtime/invocation/next") {
			select {
			case polled <- time.Now():
			default:
			}
			<-r.Context().Done()
		}
	}))
	defer runtime.Close()
	api := "AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(runtime.URL, "http://")

	bare := exec.Command(program)
	bare.Env = []string{api}
	out, err := bare.Output()
	if err == nil || strings.Count(string(out), "is not set: it is") != 7 || !strings.Contains(string(out), "this function cannot start") {
		t.Errorf("without an environment: %v\n%s", err, out)
	}

	sponsor, err := statement.GenerateKey("acme")
	if err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "AWS_CA_BUNDLE=", api, "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b",
		onaws.EnvOrigin+"="+origin, onaws.EnvTable+"=t", onaws.EnvLogBucket+"=l", onaws.EnvStateBucket+"=s", onaws.EnvSiteBucket+"=w",
		onaws.EnvSigningKeys+"=1,2", onaws.EnvSponsors+"="+sponsor.Public().String(), onaws.EnvRetention+"=1d")
	// Wall time is told, CPU time is bounded: other programs of this machine do not
	// count against it.
	best, cpu := time.Hour, time.Hour
	for range 12 {
		c := exec.Command(program)
		c.Env = env
		start := time.Now()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		select {
		case at := <-polled:
			best = min(best, at.Sub(start))
		case <-time.After(10 * time.Second):
			t.Error("it never polled")
		}
		c.Process.Kill()
		c.Wait()
		cpu = min(cpu, c.ProcessState.UserTime()+c.ProcessState.SystemTime())
	}
	t.Logf("process start to first poll: %v, CPU %v", best, cpu)
	if cpu > 15*time.Millisecond {
		t.Errorf("process start to first poll takes %v of CPU, at most 15ms", cpu)
	}
}

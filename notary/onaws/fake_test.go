package onaws

import (
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// fakeAWS answers on the wire as DynamoDB, S3 and KMS do, as far as the package
// asks them, so that faults can be put anywhere and the tests need nothing but Go.
// It proves nothing about AWS: the same cases run against DynamoDB Local and
// LocalStack where TRIALNOTARY_TEST_… name them.
type fakeAWS struct {
	t   testing.TB
	url string
	db  fakeDB
	s3  fakeS3
	kms fakeKMS

	mu     sync.Mutex
	calls  []string
	fault  func(op string, n int) fault // n counts the calls from 0
	bodies map[string]string            // op → last body, for looking at what was sent
	heads  map[string]http.Header
}

// fault is what happens to one call.
type fault int

const (
	none      fault = iota
	dropped         // no effect, the connection ends
	lost            // full effect, the connection ends
	truncated       // full effect, the answer breaks off
	throttled       // no effect, the service's own way of saying so
	busy            // no effect, 503
	toomany         // no effect, 429
	broken          // no effect, 500
	conflict        // no effect, 409 (S3)
	forbidden       // no effect, 403
)

func newFakeAWS(t testing.TB) *fakeAWS {
	f := &fakeAWS{t: t, bodies: map[string]string{}, heads: map[string]http.Header{}}
	f.db.items = map[key]map[string]any{}
	f.s3.objects = map[string]fakeObject{}
	server := httptest.NewUnstartedServer(f)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// clients returns clients that speak to the fake.
func (f *fakeAWS) clients() *Clients { return clientsAt(f.t, f.url) }

func clientsAt(t testing.TB, url string) *Clients {
	t.Helper()
	c, err := NewClients(t.Context(), config.WithBaseEndpoint(url), config.WithRegion("eu-central-1"),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var testEnv = Env{Origin: "log.example/trials", Table: "table", LogBucket: "log", StateBucket: "state", SiteBucket: "site"}

func (f *fakeAWS) store() *Store { return NewStore(f.clients(), testEnv) }

// on makes the fault happen to the nth call (from 0) of an operation, again and
// again times times.
func (f *fakeAWS) on(op string, nth, times int, what fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := 0
	f.fault = func(o string, _ int) fault {
		if o != op {
			return none
		}
		seen++
		if seen > nth && seen <= nth+times {
			return what
		}
		return none
	}
}

func (f *fakeAWS) count(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c == op {
			n++
		}
	}
	return n
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	service, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if op == "" {
		service, op = "S3", s3Operation(r)
	}
	f.mu.Lock()
	n := len(f.calls)
	f.calls = append(f.calls, op)
	f.bodies[op], f.heads[op] = string(body), r.Header.Clone()
	what := none
	if f.fault != nil {
		what = f.fault(op, n)
	}
	f.mu.Unlock()
	switch what {
	case dropped:
		panic(http.ErrAbortHandler)
	case throttled, busy, toomany, broken, conflict, forbidden:
		f.refuse(w, service, what)
		return
	}
	answer := httptest.NewRecorder()
	switch service {
	case "S3":
		f.s3.serve(answer, r, body)
	case "DynamoDB_20120810":
		f.db.serve(answer, op, body)
	case "TrentService":
		f.kms.serve(answer, op, body)
	default:
		f.t.Errorf("nobody answers for %s", service)
	}
	if what == lost {
		panic(http.ErrAbortHandler)
	}
	out := answer.Body.Bytes()
	for k, v := range answer.Header() {
		w.Header()[k] = v
	}
	if service != "S3" {
		w.Header().Set("X-Amz-Crc32", fmt.Sprint(crc32.ChecksumIEEE(out)))
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(out)))
	w.WriteHeader(answer.Code)
	if what == truncated {
		w.Write(out[:len(out)/2])
		panic(http.ErrAbortHandler)
	}
	w.Write(out)
}

func (f *fakeAWS) refuse(w http.ResponseWriter, service string, what fault) {
	status, code := 0, ""
	switch what {
	case throttled:
		status, code = 400, "ProvisionedThroughputExceededException"
		if service == "S3" {
			status, code = 503, "SlowDown"
		} else if service == "TrentService" {
			code = "ThrottlingException"
		}
	case busy:
		status, code = 503, "ServiceUnavailable"
	case toomany:
		status, code = 429, "TooMany"
	case broken:
		status, code = 500, "InternalError"
	case conflict:
		status, code = 409, "ConditionalRequestConflict"
	case forbidden:
		status, code = 403, "AccessDenied"
	}
	if service == "S3" {
		s3Error(w, status, code)
		return
	}
	jsonError(w, status, code, nil)
}

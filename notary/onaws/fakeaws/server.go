// Package fakeaws answers on the wire as DynamoDB, S3, KMS and EventBridge do, as
// far as the notary asks them, so that faults can be put anywhere and the tests
// need nothing but Go. Who asks is the access key of the request's signature,
// which nobody checks.
//
// It proves nothing about AWS: the same cases run against emulators where the
// environment names them. What IAM would have been asked is recorded, and is
// evaluated against the policies that are deployed.
package fakeaws

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
	"time"
)

// Server is all of AWS at one address.
type Server struct {
	URL     string
	Table   Table
	Buckets Buckets
	Keys    Keys
	Ahead   time.Duration // of the caller's clock; changed between calls only
	FullBus bool          // events are not taken, which EventBridge says with 200

	t      testing.TB
	mu     sync.Mutex
	calls  []Call
	fault  func(Call) Fault
	heads  map[string]http.Header
	asks   map[string]Ask
	events []string
}

// Call is one call, as the fault sees it.
type Call struct {
	N    int    // how many came before
	Who  string // the access key
	Op   string // GetItem, PutObject, …
	Name string // an object's, as bucket/name; of an item put its partition and sort key, as pk|sk
}

// Fault is what happens to one call.
type Fault int

const (
	None      Fault = iota
	Dropped         // no effect, the connection ends
	Lost            // full effect, the connection ends
	Truncated       // full effect, the answer breaks off
	Throttled       // no effect, the service's own way of saying so
	Busy            // no effect, 503
	TooMany         // no effect, 429
	Broken          // no effect, 500
	Conflict        // no effect, 409 (S3)
	Forbidden       // no effect, 403
)

// New starts a server that ends with the test. It has no keys yet.
func New(t testing.TB) *Server {
	f := &Server{t: t, heads: map[string]http.Header{}, asks: map[string]Ask{}}
	f.Table.items = map[ItemKey]map[string]any{}
	f.Buckets.objects = map[string]object{}
	server := httptest.NewUnstartedServer(f)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// Fail asks plan about every call from now on; nil: nothing fails any more.
func (f *Server) Fail(plan func(Call) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = plan
}

// On makes the fault happen to the nth call (from 0) of an operation and the
// times-1 after it.
func (f *Server) On(op string, nth, times int, what Fault) {
	seen := 0
	f.Fail(func(c Call) Fault {
		if c.Op != op {
			return None
		}
		seen++
		if seen > nth && seen <= nth+times {
			return what
		}
		return None
	})
}

// Take returns the operations called since the last Take, in order.
func (f *Server) Take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ops []string
	for _, c := range f.calls {
		ops = append(ops, c.Op)
	}
	f.calls = nil
	return ops
}

// Header returns the header of the last call of an operation.
func (f *Server) Header(op string) http.Header {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.heads[op]
}

// ServeHTTP implements http.Handler.
func (f *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	service, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if op == "" {
		service, op = "S3", s3Operation(r)
	}
	f.mu.Lock()
	call := Call{N: len(f.calls), Who: who(r), Op: op, Name: nameOf(service, r, body)}
	f.calls = append(f.calls, call)
	f.heads[op] = r.Header.Clone()
	what := None
	if f.fault != nil {
		what = f.fault(call)
	}
	f.mu.Unlock()
	switch what {
	case Dropped:
		panic(http.ErrAbortHandler)
	case Throttled, Busy, TooMany, Broken, Conflict, Forbidden:
		f.refuse(w, service, what)
		return
	}
	if f.skewed(w, r, service) {
		return
	}
	answer := httptest.NewRecorder()
	switch service {
	case "S3":
		f.Buckets.serve(answer, r, body)
	case "DynamoDB_20120810":
		f.Table.serve(answer, op, body)
	case "TrentService":
		f.Keys.serve(answer, op, body)
	case "AWSEvents":
		f.putEvents(answer, body)
	default:
		f.t.Errorf("nobody answers for %s", service)
	}
	f.record(call.Who, asks(service, op, r, body, answer.Code))
	if what == Lost {
		panic(http.ErrAbortHandler)
	}
	out := answer.Body.Bytes()
	for k, v := range answer.Header() {
		w.Header()[k] = v
	}
	if service != "S3" {
		w.Header().Set("X-Amz-Crc32", fmt.Sprint(crc32.ChecksumIEEE(out)))
	}
	if r.Method != http.MethodHead {
		w.Header().Set("Content-Length", fmt.Sprint(len(out)))
	}
	w.WriteHeader(answer.Code)
	if what == Truncated {
		w.Write(out[:len(out)/2])
		panic(http.ErrAbortHandler)
	}
	w.Write(out)
}

// skewed refuses a request whose signature was made too far from the server's time,
// and tells the time.
func (f *Server) skewed(w http.ResponseWriter, r *http.Request, service string) bool {
	const patience = 5 * time.Minute
	now := time.Now().Add(f.Ahead)
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || now.Sub(signed).Abs() < patience {
		return false // one without a signature has nothing to be wrong
	}
	if service == "S3" {
		s3Error(w, http.StatusForbidden, "RequestTimeTooSkewed")
	} else {
		jsonError(w, http.StatusBadRequest, "InvalidSignatureException", nil)
	}
	return true
}

func (f *Server) refuse(w http.ResponseWriter, service string, what Fault) {
	status, code := 0, ""
	switch what {
	case Throttled:
		status, code = 400, "ProvisionedThroughputExceededException"
		if service == "S3" {
			status, code = 503, "SlowDown"
		} else if service == "TrentService" {
			code = "ThrottlingException"
		}
	case Busy:
		status, code = 503, "ServiceUnavailable"
	case TooMany:
		status, code = 429, "TooMany"
	case Broken:
		status, code = 500, "InternalError"
	case Conflict:
		status, code = 409, "ConditionalRequestConflict"
	case Forbidden:
		status, code = 403, "AccessDenied"
	}
	if service == "S3" {
		s3Error(w, status, code)
		return
	}
	jsonError(w, status, code, nil)
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// faultKind is one way in which a call of AWS goes wrong. "Before": it never took
// effect; "after": it did.
type faultKind int

const (
	none faultKind = iota
	dropBefore
	dropAfter
	delayBefore
	delayAfter
	duplicate     // it takes effect twice; the second answer counts
	duplicateLate // the second time some while after its answer
	truncate      // the answer breaks off in the middle
	error500Before
	error500After
	error503Before
	error503After
	error409Before
	error409After
	faultKinds
)

func (k faultKind) String() string {
	return [...]string{"none", "drop before", "drop after", "delay before", "delay after", "duplicate", "duplicate late", "truncate",
		"500 before", "500 after", "503 before", "503 after", "409 before", "409 after"}[k]
}

func (k faultKind) status() int {
	switch k {
	case error500Before, error500After:
		return http.StatusInternalServerError
	case error503Before, error503After:
		return http.StatusServiceUnavailable
	case error409Before, error409After:
		return http.StatusConflict
	}
	return 0
}

// effects is how often a call takes effect that goes wrong in this way.
func (k faultKind) effects() int {
	switch k {
	case dropBefore, error500Before, error503Before, error409Before:
		return 0
	case duplicate, duplicateLate:
		return 2
	}
	return 1
}

// chances are what submitting and sealing call, and which part of the calls goes
// wrong: some are made once a batch, others for each statement. What is called
// seldom, when something went wrong before, goes wrong as often as other.
var chances = map[string]float64{
	"DynamoDB PutItem": 0.06, "DynamoDB Query": 0.06, "DynamoDB BatchGetItem": 0.25, "DynamoDB BatchWriteItem": 0.6,
	"S3 PutObject": 0.2, "S3 GetObject": 0.2,
	"KMS GetPublicKey": 0.5, "KMS Sign": 0.6, "EventBridge PutEvents": 0.7,
}

const other = 0.2

// faultProxy stands between functions and AWS. Which calls go wrong, and how, is
// decided by the seed and by the order of calls, which each operation has for itself.
type faultProxy struct {
	*httptest.Server
	seed uint64

	mu   sync.Mutex
	calm bool
	ops  map[string]*operation // by name, as in chances
	late sync.WaitGroup
}

// operation is what became of one operation's calls.
type operation struct {
	calls int
	order *rand.Rand
	due   []faultKind // the next ones
	done  []faultKind
}

func newFaultProxy(t *testing.T, seed uint64, to string) *faultProxy {
	p := &faultProxy{seed: seed, ops: map[string]*operation{}}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, to, transport) }))
	t.Cleanup(func() {
		p.CloseClientConnections()
		p.Close()
		p.late.Wait()
		transport.CloseIdleConnections()
	})
	return p
}

// operationOf names what a request asks for, as the SDK does.
func operationOf(r *http.Request) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		api, op, _ := strings.Cut(target, ".")
		service := map[string]string{"DynamoDB_20120810": "DynamoDB", "TrentService": "KMS", "AWSEvents": "EventBridge"}[api]
		return service + " " + op
	}
	if r.URL.Query().Has("list-type") {
		return "S3 ListObjectsV2"
	}
	return "S3 " + r.Method[:1] + strings.ToLower(r.Method[1:]) + "Object"
}

// next decides about a call.
func (p *faultProxy) next(name string) faultKind {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.ops[name]
	if o == nil {
		h := fnv.New64a()
		io.WriteString(h, name)
		o = &operation{order: rand.New(rand.NewPCG(p.seed, h.Sum64()))}
		p.ops[name] = o
	}
	o.calls++
	chance, usual := chances[name]
	if !usual {
		chance = other
	}
	if p.calm || o.order.Float64() >= chance {
		return none
	}
	if len(o.due) == 0 { // every kind, then every kind again in another order
		for _, k := range o.order.Perm(int(faultKinds) - 1) {
			o.due = append(o.due, faultKind(1+k))
		}
	}
	k := o.due[0]
	o.due, o.done = o.due[1:], append(o.done, k)
	return k
}

// rest lets every call through from now on, when the late ones have come.
func (p *faultProxy) rest() {
	p.mu.Lock()
	p.calm = true
	p.mu.Unlock()
	p.late.Wait()
}

func (p *faultProxy) serve(w http.ResponseWriter, r *http.Request, to string, transport http.RoundTripper) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the function has died
	}
	name := operationOf(r)
	forward := func(ctx context.Context) *http.Response {
		out := r.Clone(ctx)
		out.RequestURI, out.URL.Scheme, out.URL.Host = "", "http", strings.TrimPrefix(to, "http://")
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		res, err := transport.RoundTrip(out)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		res.Body = io.NopCloser(bytes.NewReader(b))
		return res
	}
	k := p.next(name)
	// What takes effect although its caller hears otherwise must not end with the caller.
	ctx := context.WithoutCancel(r.Context())
	var res *http.Response
	for range min(k.effects(), 1) {
		if k == delayBefore {
			time.Sleep(pauseOf(body))
		}
		res = forward(ctx)
	}
	switch k {
	case dropBefore, dropAfter:
		panic(http.ErrAbortHandler)
	case delayAfter:
		time.Sleep(pauseOf(body))
	case duplicate:
		res = forward(ctx)
	case duplicateLate:
		p.late.Go(func() {
			defer func() { _ = recover() }() // of forward
			time.Sleep(3 * pauseOf(body))
			forward(ctx)
		})
	case truncate:
		breakOff(w, res)
	}
	if status := k.status(); status != 0 {
		fail(w, name, status)
		return
	}
	maps.Copy(w.Header(), res.Header)
	w.WriteHeader(res.StatusCode)
	io.Copy(w, res.Body)
}

// pauseOf is 20 to 275 ms, by the request.
func pauseOf(body []byte) time.Duration {
	h := fnv.New32a()
	h.Write(body)
	return 20*time.Millisecond + time.Duration(h.Sum32()%256)*time.Millisecond
}

// breakOff sends the first half of an answer and hangs up.
func breakOff(w http.ResponseWriter, res *http.Response) {
	whole, err := httputil.DumpResponse(res, true)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	conn, out, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	out.Write(whole[:len(whole)/2])
	out.Flush()
	conn.Close()
	panic(http.ErrAbortHandler)
}

// fail answers an error in the words of the operation's service.
func fail(w http.ResponseWriter, operation string, status int) {
	if strings.HasPrefix(operation, "S3 ") {
		code := map[int]string{500: "InternalError", 503: "SlowDown", 409: "ConditionalRequestConflict"}[status]
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>injected</Message></Error>`, code)
		return
	}
	code := map[int]string{500: "InternalServerError", 503: "ServiceUnavailable", 409: "ConflictException"}[status]
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"__type": "injected#" + code, "message": "injected"})
}

// missing lists what was never injected, by operation and kind.
func (p *faultProxy) missing() (lack []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(chances)) {
		for k := none + 1; k < faultKinds; k++ {
			if o := p.ops[name]; o == nil || !slices.Contains(o.done, k) {
				lack = append(lack, name+": "+k.String())
			}
		}
	}
	return lack
}

// String lists the operations.
func (p *faultProxy) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.ops)) {
		o := p.ops[name]
		kinds := slices.Compact(slices.Sorted(slices.Values(o.done)))
		fmt.Fprintf(&b, "%-24s %6d calls, %4d faults of %2d kinds\n", name, o.calls, len(o.done), len(kinds))
	}
	return b.String()
}

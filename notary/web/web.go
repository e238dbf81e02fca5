// Package web is the service over HTTP: one [http.Handler] for every route, the
// same on one machine, behind a function URL and in tests (interfaces, "HTTP").
//
//	POST /submissions                     signed statements: 202 when durable
//	GET  /receipts/{stream}/{statement}   the public part of a receipt
//	GET  /streams/{stream}/…              entries, statements, history: for who may read them
//	GET  /checkpoint /tile/… /checkpoints/… /heads/… /signed/…   the public log
//	GET  /trust /openapi.yaml /healthz /metrics /
//
// A statement goes in as it was signed, and out comes where its receipt will be:
//
//	POST /submissions
//	Content-Type: text/plain
//
//	trialnotary/statement@v1
//	log log.example/trials
//	…
//
//	HTTP/1.1 202 Accepted
//	Location: /receipts/5a8f…/c07d…
//	Retry-After: 1
//
//	{"statements":[{"stream":"5a8f…","statement":"c07d…","receipt":"/receipts/5a8f…/c07d…"}]}
//
// Invariants: 202 is said only of what is durable. Every error is a problem
// document (RFC 9457) whose detail says what was wrong, whether anything was
// lost, and what to do; nothing of the inside of the service is in it. Nothing
// that is logged or counted names a trial, a person or a whole id. What may be
// expensive is bounded, and shared fairly between the keys that ask for it.
package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/request"
	"trialnotary/notary/text"
)

// Bounds of a submission.
const (
	MaxBody      = 1 << 20              // bytes
	MaxStatement = 8 << 10              // bytes, each
	MaxTogether  = notary.MaxSubmission // statements
	smallBody    = MaxStatement + 4<<10 // bodies up to this need no place to be read
	bulkReaders  = 64                   // larger bodies read at once
	bulkPatience = 20 * time.Second     // for one of them to arrive
	bulkGrace    = 2 * time.Second      // the same, when others need its place
)

// Options is what a handler is made of.
type Options struct {
	Service *notary.Service
	// Trust returns the operator's trust file as of now.
	Trust func() []byte
	// NextSeal returns when a batch is sealed next, for Retry-After; nil: in a second.
	NextSeal func() time.Time
	// Health returns "" or a sentence, fit for anyone, on what is wrong. May be nil.
	Health func() string
	// Closed reports that nothing is accepted any more, because it could not be sealed
	// until an operator has acted. May be nil.
	Closed func() bool
	// Metrics turns /metrics on; Figures adds the process's own. May be nil.
	Metrics bool
	Figures func() []Figure
	// Log is told of requests (level Debug), of faults of the service (Error) and of
	// what a bound turned away (Warn). nil: nothing is logged.
	Log *slog.Logger

	// How many statements are worked on at once, how many may wait for that, and how
	// many of one key; 0: the defaults. One key is worked on for at most half.
	Inside, Waiting, WaitingPerKey int
}

// Defaults of Options. At 100 µs a statement a full queue is under a second's work.
const (
	DefaultInside        = 2 * MaxTogether
	DefaultWaiting       = 32 * MaxTogether
	DefaultWaitingPerKey = 4 * MaxTogether
)

// handler answers requests.
type handler struct {
	Options
	objects func(ctx context.Context, name string) ([]byte, error)
	routes  []route
	gate    *gate
	reads   *gate // of signed reads, each of which may hold a page
	bulk    bulk
	metrics *metrics
	page    page
	static  map[string][]string // header fields of every answer
	read    map[string][]string // and of every answer to a read
}

// New returns the handler. Service and Trust are required.
func New(o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := newHandler(o, o.Service.Object, newPage(o.Service.Origin, false))
	h.gate = newGate(orDefault(o.Inside, DefaultInside), orDefault(o.Waiting, DefaultWaiting), orDefault(o.WaitingPerKey, DefaultWaitingPerKey))
	h.reads = newGate(readsInside, readsWaiting, readsPerKey)
	h.take(h.table())
	return h
}

// newHandler returns a handler without routes.
func newHandler(o Options, objects func(context.Context, string) ([]byte, error), p page) *handler {
	h := &handler{Options: o, objects: objects, page: p}
	h.static = map[string][]string{
		"X-Content-Type-Options": {"nosniff"},
		"Referrer-Policy":        {"no-referrer"},
	}
	h.read = map[string][]string{
		"Access-Control-Allow-Origin":   {"*"},
		"Access-Control-Expose-Headers": {"Link, Location, Retry-After"},
		"Cross-Origin-Resource-Policy":  {"cross-origin"},
	}
	return h
}

// take gives the handler its routes.
func (h *handler) take(routes []route) {
	for i := range routes {
		routes[i].number = i
	}
	h.routes, h.metrics = routes, newMetrics(routes)
}

func orDefault(n, d int) int {
	if n <= 0 {
		return d
	}
	return n
}

// answer is a whole response. Handlers return it, so that nothing is sent before
// all of it is known.
type answer struct {
	status   int
	kind     string // media type
	body     []byte
	cache    string // Cache-Control; "": no-store
	csp      string // Content-Security-Policy; "": nothing at all may load
	location string
	retry    int // seconds; 0: no Retry-After
	allow    string
	link     string
	ask      string // WWW-Authenticate
	close    bool   // the rest of the request was not read
	grade    slog.Level
	fault    error // what happened inside, for the log alone
}

const (
	plain    = "text/plain; charset=utf-8"
	binary   = "application/octet-stream"
	jsonType = "application/json"

	forEver = "public, max-age=31536000, immutable"
	askUs   = "no-cache"

	nothingLoads = "default-src 'none'; frame-ancestors 'none'"
)

// ServeHTTP answers a request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	rt := h.find(r.URL.Path)
	a := h.answer(rt, w, r)
	h.send(w, r, rt, a)
	took := time.Since(start)
	h.metrics.count(rt.number, a.status, took)
	level := a.grade
	if a.status >= 500 && level < slog.LevelWarn {
		level = slog.LevelError
	} else if level == 0 {
		level = slog.LevelDebug
	}
	if h.Log.Enabled(r.Context(), level) {
		attrs := []slog.Attr{slog.String("method", method(r.Method)), slog.String("route", rt.path), slog.Int("status", a.status),
			slog.Int("bytes", len(a.body)), slog.Duration("took", took)}
		if a.fault != nil {
			attrs = append(attrs, slog.String("error", shorten(a.fault.Error())))
		}
		h.Log.LogAttrs(r.Context(), level, "request", attrs...)
	}
}

// answer finds the answer to a request, also when finding it panics.
func (h *handler) answer(rt *route, w http.ResponseWriter, r *http.Request) (a answer) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			h.Log.Error("panic", "route", rt.path, "value", shorten(text.Visible(sprint(p))), "stack", string(debug.Stack()))
			a = problem(http.StatusInternalServerError,
				"The service made a mistake while answering. Nothing that was answered with 202 is lost, and sending the same again is safe.")
			a.retry = 5
		}
	}()
	switch {
	case r.Method == http.MethodOptions && rt.known():
		return answer{status: http.StatusNoContent, allow: rt.allow}
	case !rt.known():
	case rt.reads && r.Method != http.MethodGet && (rt.signed || r.Method != http.MethodHead),
		!rt.reads && r.Method != http.MethodPost:
		a := problem(http.StatusMethodNotAllowed, "The method "+method(r.Method)+" has no meaning at this address; it takes "+rt.allow+". Nothing was changed.")
		a.allow = rt.allow
		return a
	}
	return rt.serve(w, r)
}

// send writes the answer. It is the only place that writes a response.
func (h *handler) send(w http.ResponseWriter, r *http.Request, rt *route, a answer) {
	head := w.Header()
	for k, v := range h.static {
		head[k] = v
	}
	if rt.reads {
		for k, v := range h.read {
			head[k] = v
		}
		if r.Method == http.MethodOptions {
			head.Set("Access-Control-Allow-Methods", strings.TrimSuffix(rt.allow, ", OPTIONS"))
			if rt.signed {
				head.Set("Access-Control-Allow-Headers", request.Header)
			}
			head.Set("Access-Control-Max-Age", "86400")
		}
	}
	set := func(key, value string) {
		if value != "" {
			head[key] = []string{value}
		}
	}
	if a.cache == "" {
		a.cache = "no-store"
	}
	if a.csp == "" {
		a.csp = nothingLoads
	}
	set("Cache-Control", a.cache)
	set("Content-Security-Policy", a.csp)
	set("Content-Type", a.kind)
	set("Location", a.location)
	set("Allow", a.allow)
	set("Link", a.link)
	set("Www-Authenticate", a.ask)
	if a.retry > 0 {
		set("Retry-After", strconv.Itoa(a.retry))
	}
	if a.close {
		set("Connection", "close")
	}
	if a.status != http.StatusNoContent {
		set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		w.Write(a.body) // a client that went away is told nothing
	}
}

// retryAfter returns the whole seconds until the next batch, at least one.
func (h *handler) retryAfter() int {
	if h.NextSeal == nil {
		return 1
	}
	return max(1, min(3600, int((time.Until(h.NextSeal())+time.Second-1)/time.Second)))
}

// method returns a method for a log or a sentence.
func method(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT":
		return m
	}
	return "unknown"
}

// longHex finds whole ids. The names of log objects have 20 digits.
var longHex = regexp.MustCompile(`[0-9a-fA-F]{33,}`)

// shorten keeps whole ids out of the log.
func shorten(s string) string {
	return longHex.ReplaceAllStringFunc(s, func(id string) string { return id[:8] + "…" })
}

func sprint(v any) string {
	switch v := v.(type) {
	case error:
		return v.Error()
	case string:
		return v
	}
	return "a value that is no error"
}

// fingerprint is a trust file's, to be read aloud.
func fingerprint(trust []byte) string { return text.Fingerprint(sha256.Sum256(trust)) }

// unavailable is the answer to a fault of the store.
func unavailable(err error) answer {
	a := problem(http.StatusServiceUnavailable,
		"The service could not do this now. Nothing that was answered with 202 is lost: wait a little and send the same again, which is always safe.")
	a.retry, a.fault = 2, err
	return a
}

// as is errors.As for a typed error.
func as[T error](err error) (T, bool) {
	var t T
	ok := errors.As(err, &t)
	return t, ok
}

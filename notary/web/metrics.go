package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"trialnotary/notary"
)

// levelHealth: a failing health check is asked for often; whoever made it fail
// has logged why.
const levelHealth = slog.LevelWarn

// Figure is one number of the process for /metrics. Counter tells a number that
// only grows from one that comes and goes.
type Figure struct {
	Name, Help string
	Counter    bool
	Value      float64
}

// bounds of the request durations counted, in seconds.
var bounds = [...]float64{.001, .005, .025, .1, .5, 2.5, 10}

// metrics counts requests by route and status, and statements. No label holds
// anything that a client chose.
type metrics struct {
	routes   []routeMetrics
	accepted atomic.Uint64
	rejected [notary.Conflict + 1]atomic.Uint64
}

type routeMetrics struct {
	path    string
	status  [600]atomic.Uint64
	within  [len(bounds) + 1]atomic.Uint64 // the last: longer
	seconds atomic.Int64                   // nanoseconds in all
}

func newMetrics(routes []route) *metrics {
	m := &metrics{routes: make([]routeMetrics, len(routes))}
	for i, r := range routes {
		m.routes[i].path = r.path
		if !r.known() {
			m.routes[i].path = "other"
		}
	}
	return m
}

func (m *metrics) count(route, status int, took time.Duration) {
	r := &m.routes[route]
	r.status[status].Add(1)
	r.seconds.Add(int64(took))
	i := 0
	for i < len(bounds) && took.Seconds() > bounds[i] {
		i++
	}
	r.within[i].Add(1)
}

func (m *metrics) reject(k notary.RejectionKind) { m.rejected[k].Add(1) }

// serveMetrics answers in the Prometheus text format.
func (h *handler) serveMetrics(*http.Request) answer {
	b := make([]byte, 0, 8<<10)
	family := func(name, kind, help string) {
		b = fmt.Appendf(b, "# HELP trialnotary_%s %s\n# TYPE trialnotary_%[1]s %[3]s\n", name, help, kind)
	}
	family("requests_total", "counter", "Requests answered, by route and status.")
	for i := range h.metrics.routes {
		r := &h.metrics.routes[i]
		for status := range r.status {
			if n := r.status[status].Load(); n > 0 {
				b = fmt.Appendf(b, "trialnotary_requests_total{route=%q,status=\"%d\"} %d\n", r.path, status, n)
			}
		}
	}
	family("request_seconds", "histogram", "Time to answer a request, by route.")
	for i := range h.metrics.routes {
		r := &h.metrics.routes[i]
		var sum uint64
		for j := range r.within {
			sum += r.within[j].Load()
		}
		if sum == 0 {
			continue
		}
		sum = 0
		for j := range r.within {
			le := "+Inf"
			if j < len(bounds) {
				le = strconv.FormatFloat(bounds[j], 'g', -1, 64)
			}
			sum += r.within[j].Load()
			b = fmt.Appendf(b, "trialnotary_request_seconds_bucket{route=%q,le=%q} %d\n", r.path, le, sum)
		}
		b = fmt.Appendf(b, "trialnotary_request_seconds_sum{route=%q} %g\ntrialnotary_request_seconds_count{route=%[1]q} %[3]d\n",
			r.path, time.Duration(r.seconds.Load()).Seconds(), sum)
	}
	family("statements_accepted_total", "counter", "Statements answered with 202, repetitions included.")
	b = fmt.Appendf(b, "trialnotary_statements_accepted_total %d\n", h.metrics.accepted.Load())
	family("submissions_rejected_total", "counter", "Submissions not accepted, by kind of reason.")
	for i, name := range []string{"malformed", "forbidden", "conflict"} {
		b = fmt.Appendf(b, "trialnotary_submissions_rejected_total{kind=%q} %d\n", name, h.metrics.rejected[i+1].Load())
	}
	inside, waiting := h.gate.load()
	figures := []Figure{
		{Name: "statements_inside", Help: "Statements being checked and stored now.", Value: float64(inside)},
		{Name: "statements_waiting", Help: "Statements waiting for that now.", Value: float64(waiting)},
	}
	if h.Figures != nil {
		figures = append(figures, h.Figures()...)
	}
	for _, f := range figures {
		kind := "gauge"
		if f.Counter {
			kind = "counter"
		}
		family(f.Name, kind, f.Help)
		b = fmt.Appendf(b, "trialnotary_%s %s\n", f.Name, strconv.FormatFloat(f.Value, 'f', -1, 64))
	}
	return answer{status: http.StatusOK, kind: "text/plain; version=0.0.4; charset=utf-8", body: b}
}

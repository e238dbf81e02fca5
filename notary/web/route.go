package web

import (
	"context"
	"net/http"
	"strings"

	"trialnotary/notary/request"
	"trialnotary/notary/statement"
)

// route is one address, or all below a prefix. path is as in openapi.yaml.
type route struct {
	path   string
	prefix string // what it matches: ending in "/" all below it, else itself alone
	suffix string // and of these only what ends so
	reads  bool   // GET and HEAD, else POST
	signed bool   // GET alone, with a request note
	allow  string
	serve  func(http.ResponseWriter, *http.Request) answer
	number int // in the table
}

func (r *route) known() bool { return r.path != "" }

// table lists the routes; the last, for everything else, has no path.
func (h *handler) table() []route {
	signed := func(what string, serve func(context.Context, *request.Read, statement.StreamID, uint64) answer, option string) route {
		return route{path: "/streams/{stream}/" + what, prefix: "/streams/", suffix: "/" + what, reads: true, signed: true, allow: "GET, OPTIONS",
			serve: func(_ http.ResponseWriter, r *http.Request) answer { return h.stream(r, what, option, serve) }}
	}
	t := []route{
		{path: "/submissions", prefix: "/submissions", allow: "POST, OPTIONS", serve: h.submit},
		get("/receipts/{stream}/{statement}", "/receipts/", h.receipt),
		signed("entries", h.entries, "from"),
		signed("statements", h.statements, "from"),
		signed("history", h.history, "at"),
		signed("access", h.access, "from"),
	}
	t = append(t, h.log()...)
	t = append(t, get("/openapi.yaml", "/openapi.yaml", h.openapi), get("/healthz", "/healthz", h.healthz))
	if h.Metrics {
		t = append(t, get("/metrics", "/metrics", h.serveMetrics))
	}
	return append(t, nowhere())
}

// log lists the routes of the public log, which a mirror has too.
func (h *handler) log() []route {
	return []route{
		get("/checkpoint", "/checkpoint", h.checkpoint),
		get("/tile/{path}", "/tile/", h.object),
		get("/checkpoints/{size}", "/checkpoints/", h.object),
		get("/heads/{batch}", "/heads/", h.object),
		get("/signed/{batch}", "/signed/", h.object),
		get("/trust", "/trust", h.trust),
		get("/", "/", h.front),
	}
}

func get(path, prefix string, serve func(*http.Request) answer) route {
	return route{path: path, prefix: prefix, reads: true, allow: "GET, HEAD, OPTIONS",
		serve: func(_ http.ResponseWriter, r *http.Request) answer { return serve(r) }}
}

// nowhere is the route for everything else, the last one.
func nowhere() route { return get("", "", func(*http.Request) answer { return notHere() }) }

// find returns the route of a path.
func (h *handler) find(path string) *route {
	last := len(h.routes) - 1
	for i := range h.routes[:last] {
		p := h.routes[i].prefix
		if path == p || p != "/" && p[len(p)-1] == '/' && strings.HasPrefix(path, p) && strings.HasSuffix(path, h.routes[i].suffix) {
			return &h.routes[i]
		}
	}
	return &h.routes[last]
}

func notHere() answer {
	return problem(http.StatusNotFound, "There is nothing at this address. What is, /openapi.yaml says.")
}

package web

import (
	_ "embed"
	"html"
	"net/http"
	"strings"

	"trialnotary/notary/text"
)

//go:embed openapi.yaml
var openAPI []byte

// pageHTML is the verification page, one file that loads nothing. Its sources and
// how it is built are in page/; who builds only Go never needs them.
//
//go:embed page/page.html
var pageHTML string

// page is the verification page of a log.
type page struct {
	origin, csp string
	mirror      bool // a mirror of the log serves it
}

// newPage returns the page of a log. The file carries its own policy, with the
// hashes of what stands in it; as a header it also keeps others from framing it.
func newPage(origin string, mirror bool) page {
	_, csp, _ := strings.Cut(pageHTML, `<meta http-equiv="Content-Security-Policy" content="`)
	csp, _, _ = strings.Cut(csp, `"`)
	return page{origin: origin, mirror: mirror, csp: csp + "; frame-ancestors 'none'"}
}

// Page returns the verification page as a file: it works from a disk, with the network
// off.
func Page() []byte { return []byte(pageHTML) }

// with returns the page and, in it, what the service says of itself: its origin
// and its trust file, to be compared and accepted, not believed.
func (p page) with(trust []byte) string {
	by, api := "the log", ` ·
<a href="/openapi.yaml">API description</a>`
	if p.mirror {
		by, api = "a mirror of the log", ""
	}
	return strings.Replace(pageHTML, "<!--served-->", `<aside id="served" aria-label="About this service" data-trust="`+text.Base64(trust)+`">
<p>Served by `+by+` <code>`+html.EscapeString(p.origin)+`</code>. Fingerprint of its trust file: <code>`+fingerprint(trust)+`</code>.
Do not believe this page: compare the fingerprint with one that reached you by another way.</p>
<p><a href="/trust" download="log.trust">Trust file</a>, for the program: <code>trialnotary trust log.trust</code> ·
<a href="/checkpoint">newest checkpoint</a> (<a href="https://c2sp.org/tlog-tiles">tlog-tiles</a>)`+api+`</p>
</aside>`, 1)
}

// front answers with the verification page.
func (h *handler) front(*http.Request) answer {
	return answer{status: http.StatusOK, kind: "text/html; charset=utf-8", body: []byte(h.page.with(h.Trust())), cache: askUs, csp: h.page.csp}
}

// trust answers with the operator's own trust file: to be accepted, not believed.
func (h *handler) trust(*http.Request) answer {
	if h.Trust() == nil {
		return problem(http.StatusNotFound, "No trust file of the log is here.")
	}
	return answer{status: http.StatusOK, kind: plain, body: h.Trust(), cache: askUs}
}

func (h *handler) openapi(*http.Request) answer {
	return answer{status: http.StatusOK, kind: "application/yaml; charset=utf-8", body: openAPI, cache: askUs}
}

func (h *handler) healthz(*http.Request) answer {
	if h.Health != nil {
		if why := h.Health(); why != "" {
			a := problem(http.StatusServiceUnavailable, why)
			a.retry, a.grade = 10, levelHealth
			return a
		}
	}
	return answer{status: http.StatusOK, kind: plain, body: []byte("ok\n")}
}

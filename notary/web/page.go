package web

import (
	"crypto/sha256"
	_ "embed"
	"html"
	"net/http"
	"strings"

	"trialnotary/notary/text"
)

//go:embed openapi.yaml
var openAPI []byte

//go:embed page.html
var pageHTML string

// page is the front page but for the trust file's fingerprint, which may change.
type page struct{ text, csp string }

func newPage(origin string) page {
	_, style, _ := strings.Cut(pageHTML, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	return page{
		text: strings.ReplaceAll(pageHTML, "{origin}", html.EscapeString(origin)),
		csp: "default-src 'none'; style-src 'sha256-" + text.Base64(sum[:]) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
}

// front answers for the page that says what this is.
func (h *handler) front(*http.Request) answer {
	body := strings.ReplaceAll(h.page.text, "{fingerprint}", fingerprint(h.Trust()))
	return answer{status: http.StatusOK, kind: "text/html; charset=utf-8", body: []byte(body), cache: askUs, csp: h.page.csp}
}

// trust answers with the operator's own trust file: to be accepted, not believed.
func (h *handler) trust(*http.Request) answer {
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

package wire

import (
	"net/http"
	"sync"
	"time"

	"trialnotary/notary/web"
)

// sealSoon is what clients are told to wait for a receipt: the sealer runs every
// minute, so that a statement waits for half of one.
const sealSoon = 20 * time.Second

// Handler returns the service over HTTP, every route. Until AWS has told the keys,
// it answers 503. The functions' URLs count requests themselves: Url4xxCount,
// Url5xxCount, UrlRequestLatency.
func (a *App) Handler() http.Handler {
	var mu sync.Mutex
	var h http.Handler
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if h == nil {
			o, err := a.Open(r.Context())
			if err != nil {
				mu.Unlock()
				a.Log.Error("the service could not be opened; the next request tries again", "error", err)
				unavailable(w)
				return
			}
			h = web.New(web.Options{Service: o.Service, Trust: func() []byte { return o.Trust }, Log: a.Log,
				NextSeal: func() time.Time { return time.Now().Add(sealSoon) }})
		}
		serve := h
		mu.Unlock()
		serve.ServeHTTP(w, r)
	})
}

func unavailable(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Retry-After", "2")
	w.WriteHeader(http.StatusServiceUnavailable)
	w.Write([]byte(`{"type":"about:blank","title":"Service Unavailable","status":503,` +
		`"detail":"The service could not do this now. Nothing that was answered with 202 is lost: wait a little and send the same again, which is always safe."}` + "\n"))
}

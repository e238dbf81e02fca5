package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	requests "trialnotary/notary/request"
	"trialnotary/notary/text"
)

// maxWait bounds every wait between two attempts, whatever a service asks for.
const maxWait = time.Minute

// Parallel is how many requests at once are polite towards a service.
const Parallel = 16

// ErrUnknown: the service has never accepted the statement. Submitting it is safe.
var ErrUnknown = errors.New("the service does not know the statement")

// NotYet is the error while a receipt is not there yet.
type NotYet struct{ After time.Duration } // when to ask again

func (e *NotYet) Error() string { return "not sealed yet" }

// Refused: the service answered that it will not.
type Refused struct {
	URL    string
	Status int
	Detail string // its reason, made printable; or the status in words
	Index  *int   // which of several statements it is about, from 0; nil if it does not say
}

func (e *Refused) Error() string { return fmt.Sprintf("the service %s refused: %s", e.URL, e.Detail) }

// Temporary reports whether the same request may be answered later.
func (e *Refused) Temporary() bool { return busy(e.Status) }

func busy(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

type request struct {
	method, path, contentType string
	body                      []byte
	limit                     int64                  // bytes of an answer
	ask                       func() ([]byte, error) // signs the request note, anew for each attempt; or nil
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func transport() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		OnProxyConnectResponse: func(_ context.Context, proxy *url.URL, _ *http.Request, a *http.Response) error {
			return refusingProxy(proxy, a.StatusCode)
		},
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    Parallel,
		IdleConnTimeout:        time.Minute,
	}
}

// Attempt tells of one that failed, before the next.
type Attempt struct {
	Next, Of int // the next is the second of Of, and so on
	Wait     time.Duration
	Err      error // *Unreachable or *Refused
}

// do makes a request until it gets an answer that another attempt would not
// change. A statement sent twice is one entry, so trying again is always safe.
func (s *Service) do(ctx context.Context, r request) (answer, error) {
	pause := s.Pause
	for n := 1; ; n++ {
		a, err := s.once(ctx, r)
		if err == nil {
			err = page(a)
		}
		if err == nil && !busy(a.status) {
			return a, nil
		}
		failed := s.refused(a)
		if err != nil {
			failed = s.unreachable(err)
		}
		if n >= s.Attempts || ctx.Err() != nil || err != nil && lasting(err) {
			return a, failed
		}
		wait := pause/2 + rand.N(pause) // spread, so that many clients do not come back at once
		if asked := a.retryAfter(); err == nil && asked > 0 {
			wait = min(asked, maxWait)
		}
		pause = min(2*pause, maxWait)
		if s.Tell != nil {
			s.Tell(Attempt{Next: n + 1, Of: s.Attempts, Wait: wait, Err: failed})
		}
		if !sleep(ctx, wait) {
			return a, &Unreachable{URL: s.base, Err: errors.New("it was given up before it answered")}
		}
	}
}

func (s *Service) once(ctx context.Context, r request) (answer, error) {
	q, err := http.NewRequestWithContext(ctx, r.method, s.base+r.path, bytes.NewReader(r.body))
	if err != nil {
		return answer{}, err
	}
	if r.contentType != "" {
		q.Header.Set("Content-Type", r.contentType)
	}
	if r.method == http.MethodPost {
		// A CloudFront in front of the service refuses a body without its hash.
		q.Header.Set("X-Amz-Content-Sha256", fmt.Sprintf("%x", sha256.Sum256(r.body)))
	}
	if r.ask != nil {
		note, err := r.ask()
		if err != nil {
			return answer{}, err
		}
		q.Header.Set(requests.Header, requests.Field(note))
	}
	q.Header.Set("User-Agent", s.Agent)
	p, err := s.HTTP.Do(q)
	if err != nil {
		return answer{}, err
	}
	defer p.Body.Close()
	b, err := io.ReadAll(io.LimitReader(p.Body, r.limit+1))
	if err != nil {
		return answer{}, err
	}
	if int64(len(b)) > r.limit {
		return answer{}, fmt.Errorf("its answer is larger than %d bytes", r.limit)
	}
	return answer{p.StatusCode, p.Header, b}, nil
}

// problem reports whether the body is an RFC 9457 problem.
func (a answer) problem() bool {
	t, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	return err == nil && t == "application/problem+json"
}

// isPage reports whether the body is HTML.
func (a answer) isPage() bool {
	t, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	return err == nil && (t == "text/html" || t == "application/xhtml+xml")
}

// retryAfter returns what the Retry-After header asks for, 0 if nothing (RFC 9110
// §10.2.3: seconds or a date).
func (a answer) retryAfter() time.Duration {
	v := a.header.Get("Retry-After")
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(time.Until(t), 0)
	}
	return 0
}

// refused makes an error of an answer that is not the one hoped for.
func (s *Service) refused(a answer) error {
	e := &Refused{URL: s.base, Status: a.status}
	var p struct {
		Title, Detail string
		Index         *int
	}
	if a.problem() && json.Unmarshal(a.body, &p) == nil && p.Title+p.Detail != "" {
		if e.Detail = p.Detail; e.Detail == "" {
			e.Detail = p.Title
		}
		e.Detail, e.Index = text.Visible(e.Detail), p.Index
		return e
	}
	if a.status/100 == 3 {
		e.Detail = "it sends visitors on to " + text.Visible(a.header.Get("Location")) + "; if that is the service you mean, name it with --service"
		return e
	}
	e.Detail = fmt.Sprintf("it answered %d %s", a.status, http.StatusText(a.status))
	return e
}

// sleep waits; false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Package url lets an [http.Handler] answer a Lambda function URL, buffered: one
// event in, one response out.
//
//	{"version":"2.0","rawPath":"/trust","rawQueryString":"","headers":{"host":"…"},
//	 "requestContext":{"http":{"method":"GET",…}},"body":"","isBase64Encoded":false}
//
// Names of header fields come in lower case, several values of one joined by
// commas, cookies apart from them. A body that is not UTF-8 goes out in base64, and
// so does one that would be longer as text.
package url

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// Handler returns the function that Lambda calls. Its error is always nil: what
// cannot be understood is answered with 400.
func Handler(h http.Handler) func(context.Context, events.LambdaFunctionURLRequest) (events.LambdaFunctionURLResponse, error) {
	return func(ctx context.Context, e events.LambdaFunctionURLRequest) (events.LambdaFunctionURLResponse, error) {
		r, err := request(ctx, e)
		if err != nil {
			return events.LambdaFunctionURLResponse{StatusCode: http.StatusBadRequest,
				Headers: map[string]string{"Content-Type": "text/plain; charset=utf-8"}, Body: "The request could not be read.\n"}, nil
		}
		w := &writer{head: http.Header{}}
		h.ServeHTTP(w, r)
		return w.response(), nil
	}
}

func request(ctx context.Context, e events.LambdaFunctionURLRequest) (*http.Request, error) {
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
	}
	target := e.RawPath
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	if strings.HasPrefix(target, "//") {
		target = "/." + target // a path, and no host
	}
	if e.RawQueryString != "" {
		target += "?" + e.RawQueryString
	}
	r, err := http.NewRequestWithContext(ctx, e.RequestContext.HTTP.Method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for k, v := range e.Headers {
		r.Header.Set(k, v)
	}
	if len(e.Cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(e.Cookies, "; "))
	}
	r.Host, r.RequestURI = r.Header.Get("Host"), target
	r.Header.Del("Host")
	r.RemoteAddr = e.RequestContext.HTTP.SourceIP
	return r, nil
}

// writer keeps a response until it is whole.
type writer struct {
	head   http.Header
	status int
	body   bytes.Buffer
}

func (w *writer) Header() http.Header { return w.head }

func (w *writer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *writer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

func (w *writer) response() events.LambdaFunctionURLResponse {
	w.WriteHeader(http.StatusOK)
	out := events.LambdaFunctionURLResponse{StatusCode: w.status, Headers: map[string]string{}, Cookies: w.head["Set-Cookie"]}
	for k, v := range w.head {
		if k != "Set-Cookie" && k != "Connection" {
			out.Headers[k] = strings.Join(v, ", ")
		}
	}
	if out.Body = w.body.String(); !utf8.ValidString(out.Body) || written(out.Body) > base64.StdEncoding.EncodedLen(w.body.Len()) {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(w.body.Bytes()), true
	}
	return out
}

// written is the length of a text in JSON at most. Lambda takes a response of 6 MB as
// JSON, and a page of 4 MiB that its authors filled with quotation marks is twice as
// long there; in base64 it has 5.6 MB whatever is in it.
func written(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\', c == '\n', c == '\r', c == '\t':
			n++
		case c < ' ':
			n += 5
		}
	}
	return n
}

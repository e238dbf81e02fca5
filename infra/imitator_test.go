package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
)

// imitator answers as the template's distribution does, as far as requests go: what
// path goes where, with which methods and headers, signed by its origin access
// control. It caches nothing.
type imitator struct {
	t         *testing.T
	routes    []route // in the template's order; the default is the last
	buckets   string  // address of the fake S3
	functions map[string]*process
	// seen, if set, is told of every event that goes to a function.
	seen func(function string, headers map[string]string)
}

// route is one behavior.
type route struct {
	pattern string
	origin  string // LogBucket, SiteBucket, submit or prove
	methods []string
	headers bool // the viewer's go on, all but Host
}

// readRoutes reads the distribution's behaviors out of a template.
func readRoutes(tpl *template) []route {
	tpl.t.Helper()
	names := []string{""}
	list, _ := at(distribution(tpl), "CacheBehaviors").([]any)
	for _, b := range slices.Backward(list) {
		name, _ := at(b, "PathPattern").(string)
		names = append([]string{name}, names...)
	}
	all := behaviors(tpl)
	var routes []route
	for _, name := range names {
		b := all[name]
		r := route{pattern: name, methods: strs(b["AllowedMethods"])}
		switch b["OriginRequestPolicyId"] {
		case nil:
		case allViewerExceptHost:
			r.headers = true
		default:
			tpl.t.Fatalf("%q: what goes on is %v", name, b["OriginRequestPolicyId"])
		}
		from := origin(tpl, b)
		for fragment, where := range map[string]string{"LogBucket": "LogBucket", "SiteBucket": "SiteBucket",
			"SubmitFunctionUrl": "submit", "ProveFunctionUrl": "prove"} {
			if strings.Contains(from, fragment) {
				r.origin = where
			}
		}
		if r.origin == "" {
			tpl.t.Fatalf("%q comes from %s", name, from)
		}
		routes = append(routes, r)
	}
	return routes
}

// ServeHTTP implements http.Handler.
func (c *imitator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(c.routes, func(b route) bool {
		ok, err := path.Match(b.pattern, r.URL.Path)
		// A * of CloudFront also stands for slashes.
		prefix, star := strings.CutSuffix(b.pattern, "*")
		return b.pattern == "" || ok && err == nil || star && strings.HasPrefix(r.URL.Path, prefix)
	})
	b := c.routes[i]
	if !slices.Contains(b.methods, r.Method) {
		refuse(w, "this distribution is not configured to allow the HTTP request method")
		return
	}
	if b.origin == "LogBucket" || b.origin == "SiteBucket" {
		c.bucket(w, r, b)
		return
	}
	c.function(w, r, b)
}

func refuse(w http.ResponseWriter, why string) {
	http.Error(w, why, http.StatusForbidden)
}

// signature is what origin access control puts in the place of Authorization.
const signature = "AWS4-HMAC-SHA256 Credential=cloudfront/20261122/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=00"

// bucket fetches an object for the viewer; nothing of the viewer's but the path
// goes on.
func (c *imitator) bucket(w http.ResponseWriter, r *http.Request, b route) {
	in, err := http.NewRequestWithContext(r.Context(), r.Method, c.buckets+"/"+b.origin+r.URL.Path, nil)
	if err != nil {
		refuse(w, err.Error())
		return
	}
	in.Header.Set("Authorization", signature)
	out, err := http.DefaultClient.Do(in)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer out.Body.Close()
	for k, v := range out.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(out.StatusCode)
	io.Copy(w, out.Body)
}

// function calls a Function URL for the viewer. Its signature covers a body only by
// the hash that the viewer sends: without it, or with another's, the URL refuses.
func (c *imitator) function(w http.ResponseWriter, r *http.Request, b route) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	sum := sha256.Sum256(body)
	if hash := r.Header.Get("x-amz-content-sha256"); (len(body) > 0 || r.Method == http.MethodPost) && hash != fmt.Sprintf("%x", sum) {
		refuse(w, `{"Message":"The request signature we calculated does not match the signature you provided."}`)
		return
	}
	headers := map[string]string{}
	if b.headers {
		for k, v := range r.Header {
			headers[strings.ToLower(k)] = strings.Join(v, ",")
		}
	}
	delete(headers, "connection")
	headers["authorization"] = signature
	headers["host"] = b.origin + ".lambda-url.eu-central-1.on.aws"
	headers["via"] = "2.0 imitator.cloudfront.net (CloudFront)"
	if c.seen != nil {
		c.seen(b.origin, headers)
	}
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	answer, err := c.functions[b.origin].invoke(object{
		"version": "2.0", "routeKey": "$default", "rawPath": r.URL.Path, "rawQueryString": r.URL.RawQuery, "headers": headers,
		"requestContext":  object{"http": object{"method": r.Method, "path": r.URL.Path, "protocol": "HTTP/1.1", "sourceIp": ip}},
		"isBase64Encoded": true, "body": base64.StdEncoding.EncodeToString(body),
	})
	var out struct {
		StatusCode      int
		Headers         map[string]string
		Body            string
		IsBase64Encoded bool
	}
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(answer)).Decode(&out)
	}
	raw := []byte(out.Body)
	if err == nil && out.IsBase64Encoded {
		raw, err = base64.StdEncoding.DecodeString(out.Body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	for k, v := range out.Headers {
		w.Header().Set(k, v)
	}
	if out.StatusCode == http.StatusAccepted {
		w.Header().Set("Retry-After", "1") // the sealer ticks faster here than its rule does
	}
	w.WriteHeader(out.StatusCode)
	w.Write(raw)
}

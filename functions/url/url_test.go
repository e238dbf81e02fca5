package url

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// call sends a recorded event through h.
func call(t *testing.T, file string, change func(*events.LambdaFunctionURLRequest), h http.HandlerFunc) events.LambdaFunctionURLResponse {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var e events.LambdaFunctionURLRequest
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&e)
	}
	out, err := Handler(h)(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestARequestArrivesWhole(t *testing.T) {
	out := call(t, "testdata/get.json", nil, func(w http.ResponseWriter, r *http.Request) {
		cookie, _ := r.Cookie("b")
		fmt.Fprintf(w, "%s %s %q %s %s %s %q %d %v", r.Method, r.URL.Path, r.URL.Query()["q"], r.Host, r.RemoteAddr,
			r.Header.Get("Trialnotary-Request"), cookie.Value, r.ContentLength, r.Context().Err())
	})
	want := `GET /receipts/a b ["1 2" "3"] abc.lambda-url.eu-central-1.on.aws 192.0.2.7 bm90ZQ== "2" 0 <nil>`
	if out.StatusCode != 200 || out.Body != want || out.IsBase64Encoded {
		t.Errorf("%d %s\nwant %s", out.StatusCode, out.Body, want)
	}
}

func TestBodies(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || int64(len(b)) != r.ContentLength {
			t.Errorf("%d bytes of %d, %v", len(b), r.ContentLength, err)
		}
		w.Write(b)
	}
	for _, body := range []string{"", "text with <&> and ü\n", "a\x00b", "\xff\xfe", "\u2028"} {
		for _, encoded := range []bool{false, true} {
			if !encoded && body == "\xff\xfe" {
				continue // bytes that are not text come in base64
			}
			out := call(t, "testdata/post.json", func(e *events.LambdaFunctionURLRequest) {
				if e.Body, e.IsBase64Encoded = body, encoded; encoded {
					e.Body = base64.StdEncoding.EncodeToString([]byte(body))
				}
			}, echo)
			// As Lambda passes it on: through JSON.
			wire, err := json.Marshal(out)
			if err != nil {
				t.Fatal(err)
			}
			var back events.LambdaFunctionURLResponse
			if err := json.Unmarshal(wire, &back); err != nil {
				t.Fatal(err)
			}
			got := back.Body
			if back.IsBase64Encoded {
				b, _ := base64.StdEncoding.DecodeString(got)
				got = string(b)
			}
			if got != body {
				t.Errorf("%q came back as %q", body, got)
			}
		}
	}
	out := call(t, "testdata/post.json", func(e *events.LambdaFunctionURLRequest) { e.Body, e.IsBase64Encoded = "%", true }, echo)
	if out.StatusCode != 400 {
		t.Errorf("not base64: %d", out.StatusCode)
	}
}

// A page of the longest is within what Lambda takes of a response, whatever its
// authors wrote.
func TestTheLongestPageFits(t *testing.T) {
	const page, takes = 4<<20 + 64<<10, 6 << 20
	for _, line := range []string{`label """"""""""""""""` + "\n", "label \\\\\\\\\\\\\\\\\n", "salt AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", "ü\n", "\n"} {
		body := strings.Repeat(line, page/len(line))
		out := call(t, "testdata/get.json", nil, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) })
		wire, err := json.Marshal(out)
		if err != nil || len(wire) > takes {
			t.Errorf("%q: %d bytes, %v", line, len(wire), err)
		}
		got := out.Body
		if out.IsBase64Encoded {
			b, _ := base64.StdEncoding.DecodeString(got)
			got = string(b)
		}
		if got != body {
			t.Errorf("%q came back as another", line)
		}
	}
}

func TestResponses(t *testing.T) {
	out := call(t, "testdata/post.json", nil, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/receipts/1/2")
		w.Header().Add("Vary", "Origin")
		w.Header().Add("Vary", "Accept")
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusAccepted)
		w.WriteHeader(http.StatusTeapot) // too late
		io.WriteString(w, "{}")
	})
	if out.StatusCode != 202 || out.Body != "{}" || out.Headers["Location"] != "/receipts/1/2" || out.Headers["Vary"] != "Origin, Accept" ||
		strings.Join(out.Cookies, ";") != "a=1;b=2" || out.Headers["Set-Cookie"] != "" || out.Headers["Connection"] != "" {
		t.Errorf("%+v", out)
	}
	if out = call(t, "testdata/get.json", nil, func(http.ResponseWriter, *http.Request) {}); out.StatusCode != 200 {
		t.Errorf("a handler that says nothing: %d", out.StatusCode)
	}
}

// Paths that look like something else stay paths.
func TestPaths(t *testing.T) {
	for raw, want := range map[string]string{"": "/", "/": "/", "//evil.example/x": "/.//evil.example/x", "/a%2fb": "/a/b", "/a?b": "/a", "/%zz": "400", "x": "/x"} {
		out := call(t, "testdata/get.json", func(e *events.LambdaFunctionURLRequest) { e.RawPath, e.RawQueryString = raw, "" },
			func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Host != "" {
					t.Errorf("%q is of host %q", raw, r.URL.Host)
				}
				io.WriteString(w, r.URL.Path)
			})
		got := out.Body
		if out.StatusCode != 200 {
			got = fmt.Sprint(out.StatusCode)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", raw, got, want)
		}
	}
}

package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trialnotary/notary"
	"trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
	"trialnotary/notary/text"
	"trialnotary/notary/web"
)

// newProcess gives w a service and a handler of its own over another store.
func newProcess(w *world, store notary.Store) *world {
	w.t.Helper()
	svc, err := notary.New(store, notary.Config{Origin: origin, Signers: logKeys(), Policy: w.policy,
		Sponsors: func() []statement.PublicKey { return []statement.PublicKey{w.sponsor.Public()} }})
	if err != nil {
		w.t.Fatal(err)
	}
	w.log = new(bytes.Buffer)
	w.handler = web.New(web.Options{Service: svc, Trust: func() []byte { return nil },
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	return w
}

type operation struct{ method, path string }

// described reads the operations out of openapi.yaml, by its indentation.
func described(t *testing.T) (ops []operation, responses map[operation][]string) {
	t.Helper()
	b, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, paths, _ := strings.Cut(string(b), "\npaths:\n")
	paths, _, _ = strings.Cut(paths, "\ncomponents:\n")
	responses = map[operation][]string{}
	anchors := map[string][]string{}
	var path, anchor string
	var op operation
	for _, line := range strings.Split(paths, "\n") {
		if m := regexp.MustCompile(`^  (/.*):$`).FindStringSubmatch(line); m != nil {
			path = m[1]
		} else if m := regexp.MustCompile(`^    (get|post|put|delete|head|patch):$`).FindStringSubmatch(line); m != nil {
			op = operation{strings.ToUpper(m[1]), path}
			ops, anchor = append(ops, op), ""
		} else if m := regexp.MustCompile(`^      responses:(?: ([&*])(\w+))?$`).FindStringSubmatch(line); m != nil {
			if m[1] == "*" {
				responses[op] = anchors[m[2]]
			} else {
				anchor = m[2]
			}
		} else if m := regexp.MustCompile(`^        "(\d{3})":`).FindStringSubmatch(line); m != nil {
			responses[op] = append(responses[op], m[1])
			if anchor != "" {
				anchors[anchor] = append(anchors[anchor], m[1])
			}
		}
	}
	return ops, responses
}

// Every operation of the description is there and answers only what is
// described; and every route is described.
func TestDescription(t *testing.T) {
	w := newWorld(t)
	n := w.data("site-001", w.one)
	w.must(n)
	ops, responses := described(t)
	if len(ops) != 17 {
		t.Fatalf("%d operations are described: %v", len(ops), ops)
	}
	fill := strings.NewReplacer("{stream}", w.stream("site-001").String(), "{statement}", n.ID.String(),
		"{path}", "0/000.p/7", "{size}", "00000000000000000007", "{batch}", "00000000000000000001", "{number}", "00000000000000000001")
	if err := w.store.Put(t.Context(), "handovers/00000000000000000001", []byte("handover\n")); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, op := range ops {
		paths = append(paths, op.path)
		ok := []int{}
		try := func(status int, r *http.Response) {
			if r.StatusCode != status || !slices.Contains(responses[op], statusText(r.StatusCode)) {
				t.Errorf("%s %s: %d, want %d of %v: %s", op.method, op.path, r.StatusCode, status, responses[op], body(t, r))
			}
			ok = append(ok, r.StatusCode)
			for _, field := range []string{"X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy", "Cache-Control", "Content-Length"} {
				if r.Header.Get(field) == "" {
					t.Errorf("%s %s: no %s", op.method, op.path, field)
				}
			}
		}
		target, reader := fill.Replace(op.path), w.one
		if op.path == "/streams/{stream}/access" {
			target, reader = "/streams/"+w.stream("trial").String()+"/access", w.sponsor
		}
		if op.method == "POST" {
			try(202, w.post(n.Raw))
			wrong := w.get(target)
			if wantProblem(t, wrong, 405); wrong.Header.Get("Allow") != "POST, OPTIONS" {
				t.Errorf("Allow %q", wrong.Header.Get("Allow"))
			}
			continue
		}
		allow, head := "GET, HEAD", []string(nil)
		if strings.HasPrefix(op.path, "/streams/") {
			allow, head = "GET", []string{request.Header, w.ask(target, reader)}
			try(401, w.get(target))
			try(403, w.do("GET", target, nil, request.Header, w.ask(target, newKey(t, "stranger"))))
			try(405, w.do("HEAD", target, nil, head...))
		}
		r := w.do("GET", target, nil, head...)
		try(200, r)
		if r.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: a page elsewhere cannot read it", op.path)
		}
		b, bare := body(t, r), w.do("HEAD", target, nil)
		if allow == "GET, HEAD" && op.path != "/metrics" && (bare.StatusCode != 200 || bare.ContentLength != int64(len(b)) && bare.Header.Get("Content-Length") != r.Header.Get("Content-Length") || body(t, bare) != "") {
			t.Errorf("HEAD %s: %d %v", op.path, bare.StatusCode, bare.Header)
		}
		for _, m := range []string{"POST", "PUT", "DELETE", "PATCH", "BREW"} {
			wrong := w.do(m, target, strings.NewReader("x"))
			if wantProblem(t, wrong, 405, allow); wrong.Header.Get("Allow") != allow+", OPTIONS" {
				t.Errorf("Allow %q", wrong.Header.Get("Allow"))
			}
		}
		if pre := w.do("OPTIONS", target, nil); pre.StatusCode != 204 || pre.Header.Get("Access-Control-Allow-Methods") != allow ||
			pre.Header.Get("Access-Control-Allow-Headers") != strings.Repeat(request.Header, len(head)/2) {
			t.Errorf("preflight of %s: %d %v", op.path, pre.StatusCode, pre.Header)
		}
	}
	if pre := w.do("OPTIONS", "/submissions", nil); pre.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("submissions are open to pages elsewhere")
	}
	for _, p := range web.Paths() {
		if !slices.Contains(paths, p) {
			t.Errorf("%s is not described", p)
		}
	}
	if body(t, w.get("/openapi.yaml")) != string(mustRead(t, "openapi.yaml")) {
		t.Error("another description is served")
	}
}

func statusText(n int) string {
	return string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)})
}

func mustRead(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What is in the log for ever may be kept for ever; what changes may not, and
// what is missing may come.
func TestCaching(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]string{
		"/checkpoint":                       "no-cache",
		"/trust":                            "no-cache",
		"/":                                 "no-cache",
		"/tile/0/000.p/2":                   "public, max-age=31536000, immutable",
		"/tile/entries/000.p/2":             "public, max-age=31536000, immutable",
		"/heads/00000000000000000001":       "public, max-age=31536000, immutable",
		"/signed/00000000000000000001":      "public, max-age=31536000, immutable",
		"/checkpoints/00000000000000000002": "public, max-age=31536000, immutable",
		"/tile/0/001":                       "no-store",
		"/heads/00000000000000000099":       "no-store",
	} {
		if got := w.get(path).Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// No address opens anything but what is public.
func TestNothingElse(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/tile", "/tile/", "/tile/0/000", "/tile/0/000.p/0", "/tile/0/../0/000.p/2", "/tile/00/000.p/2", "/tile/0/000.p/2/", "//checkpoint",
		"/checkpoint/", "/checkpoints/", "/checkpoints/2", "/heads/1", "/heads/+0000000000000000001", "/heads/0000000000000000000a", "/heads/../checkpoint",
		"/staging/", "/map/00000000000000000001", "/db/notary.db", "/keys", "/state", "/submissions/", "/receipts", "/receipts/", "/receipts/x/y",
		"/receipts/" + strings.ToUpper(w.stream("trial").String()) + "/" + w.registration.ID.String(),
		"/receipts/" + w.stream("site-001").String() + "/" + w.registration.ID.String() + "/",
		"/receipts/" + w.stream("site-001").String() + "/" + w.registration.ID.String(),
		"/streams/", "/streams/x/entries", "/streams/" + w.stream("site-001").String(), "/streams/" + w.stream("site-001").String() + "/",
		"/streams/" + strings.ToUpper(w.stream("site-001").String()) + "/entries", "/streams/" + w.stream("site-001").String() + "/x/entries",
		"/streams/" + w.stream("site-001").String() + "/entries/", "/favicon.ico", "/%2e%2e/keys", "/trust%00"} {
		wantProblem(t, w.get(path), http.StatusNotFound)
	}
	if strings.Contains(w.log.String(), "keys") {
		t.Error("the log repeats what was asked for")
	}
}

func TestHealthAndMetrics(t *testing.T) {
	w := newWorld(t)
	if r := w.get("/healthz"); r.StatusCode != 200 || body(t, r) != "ok\n" {
		t.Error("not healthy")
	}
	w.health = "Sealing has stopped."
	if r := w.get("/healthz"); r.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	} else {
		wantProblem(t, r, 503, "Sealing has stopped.")
	}
	w.post(w.data("site-001", w.one).Raw)
	m := body(t, w.get("/metrics"))
	for _, line := range []string{
		`trialnotary_requests_total{route="/submissions",status="202"} 1`, `trialnotary_requests_total{route="/healthz",status="503"} 1`,
		"trialnotary_statements_accepted_total 1", `trialnotary_request_seconds_count{route="/submissions"} 1`, "trialnotary_statements_waiting 0"} {
		if !strings.Contains(m, line+"\n") {
			t.Errorf("no %q in\n%s", line, m)
		}
	}
	for _, line := range strings.Split(strings.TrimSuffix(m, "\n"), "\n") {
		if !regexp.MustCompile(`^(# (HELP|TYPE) trialnotary_\w+ .+|trialnotary_\w+(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? [0-9.e+-]+)$`).MatchString(line) {
			t.Errorf("not a line of the text format: %q", line)
		}
	}
	wantProblem(t, newWorld(t, func(o *web.Options) { o.Metrics = false }).get("/metrics"), 404)
}

// A service that cannot seal answers reads and takes nothing new.
func TestClosed(t *testing.T) {
	closed := false
	w := newWorld(t, func(o *web.Options) { o.Closed = func() bool { return closed } })
	n := w.data("site-001", w.one)
	if r := w.post(n.Raw); r.StatusCode != http.StatusAccepted {
		t.Fatal(body(t, r))
	}
	closed = true
	wantProblem(t, w.post(n.Raw), http.StatusServiceUnavailable, "stopped sealing", "Nothing that was answered with 202 is lost")
	if r := w.get("/checkpoint"); r.StatusCode != http.StatusOK {
		t.Error(body(t, r))
	}
}

// The page loads nothing from anywhere, runs nothing but what its policy names by
// hash, and names the log.
func TestFrontPage(t *testing.T) {
	w := newWorld(t)
	r := w.get("/")
	b := body(t, r)
	csp := r.Header.Get("Content-Security-Policy")
	for _, words := range []string{"default-src 'none'", "connect-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(csp, words) {
			t.Errorf("%s does not hold %s", csp, words)
		}
	}
	if strings.Contains(csp, "'unsafe") || strings.Contains(csp, "http") {
		t.Error(csp)
	}
	for _, element := range []string{"script", "style"} {
		all := regexp.MustCompile(`(?s)<`+element+`>(.*?)</`+element+`>`).FindAllStringSubmatch(b, -1)
		if len(all) != 1 || strings.Count(b, "<"+element) != 1 {
			t.Fatalf("%d elements %s", len(all), element)
		}
		sum := sha256.Sum256([]byte(all[0][1]))
		if !strings.Contains(csp, element+"-src 'sha256-"+text.Base64(sum[:])+"'") {
			t.Errorf("the policy does not name the %s of the page", element)
		}
		b = strings.Replace(b, all[0][0], "", 1)
	}
	for _, word := range []string{"src=", "<link", "<iframe", "{origin}", "{trust}", "{fingerprint}", "blockchain", "style=", "onclick"} {
		if strings.Contains(b, word) {
			t.Errorf("the page has %q", word)
		}
	}
	if !strings.Contains(b, origin) || !regexp.MustCompile(`([0-9A-F]{4}-){9}[0-9A-F]{4}`).MatchString(b) {
		t.Error("the page does not say which log this is")
	}
	if !strings.Contains(b, `data-trust="`+text.Base64([]byte(body(t, w.get("/trust"))))+`"`) {
		t.Error("the page does not carry the trust file")
	}
}

// The page is small enough to go by mail and to fit into every kit.
func TestPageIsSmall(t *testing.T) {
	if b := body(t, newWorld(t).get("/")); len(b) > 700_000 {
		t.Errorf("%d bytes", len(b))
	}
}

// A panic is a 500 that says what counts; the next request is served.
func TestPanic(t *testing.T) {
	w := newWorld(t, func(o *web.Options) { o.Trust = func() []byte { panic("the inside") } })
	p := wantProblem(t, w.get("/trust"), http.StatusInternalServerError, "Nothing that was answered with 202 is lost")
	if strings.Contains(p.Detail, "inside") {
		t.Error(p.Detail)
	}
	if !strings.Contains(w.log.String(), "the inside") {
		t.Error("the operator is not told")
	}
	if w.get("/healthz").StatusCode != 200 {
		t.Error("the handler is dead")
	}
}

// A flood by one key is turned away by itself: another key's statements go
// through while the store is slow.
func TestOneKeyCannotStarveAnother(t *testing.T) {
	store := storetest.NewMemory()
	slow := storetest.NewFaulty(store, nil)
	hold, held := make(chan struct{}), make(chan struct{}, 100)
	w := newWorldOn(t, store)
	slow.Hook = func(_ context.Context, _ int, c storetest.Call) {
		if c.Op == "Accept" {
			held <- struct{}{}
			<-hold
		}
	}
	svc, err := notary.New(slow, notary.Config{Origin: origin, Signers: logKeys(), Policy: w.policy})
	if err != nil {
		t.Fatal(err)
	}
	w.handler = web.New(web.Options{Service: svc, Trust: func() []byte { return nil }, Inside: 4, Waiting: 8, WaitingPerKey: 4})

	answers := make(chan *http.Response, 100)
	send := func(name string, k statement.PrivateKey) {
		n := w.data(name, k)
		go func() { answers <- w.post(n.Raw) }()
	}
	for range 12 { // 2 go in, 4 wait, 6 are turned away
		send("site-001", w.one)
	}
	for range 6 {
		r := <-answers
		if wantProblem(t, r, http.StatusTooManyRequests, "nothing was lost"); r.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	<-held
	<-held
	send("site-002", w.two)
	<-held // it is at the store although the flood waits
	send("site-002", w.two)
	<-held
	close(hold)
	for range 8 {
		if r := <-answers; r.StatusCode != http.StatusAccepted {
			t.Error(body(t, r))
		}
	}
}

// The command on the page names the file that the link saves.
func TestPageSavesTheTrustFile(t *testing.T) {
	page := body(t, newWorld(t).get("/"))
	for _, words := range []string{`<a href="/trust" download="log.trust">`, "trialnotary trust log.trust"} {
		if !strings.Contains(page, words) {
			t.Errorf("the page does not hold %q", words)
		}
	}
}

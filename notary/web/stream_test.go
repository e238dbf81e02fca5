package web_test

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/request"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
	"trialnotary/notary/text"
)

// withLaboratory enrols a laboratory, whose stream is closed, and a monitor.
func (w *world) withLaboratory() (laboratory, monitor statement.PrivateKey) {
	w.t.Helper()
	laboratory, monitor = newKey(w.t, "lab.roe"), newKey(w.t, "monitor.poe")
	w.salts["lab"], w.salts["monitor"] = random32(), random32()
	for name, k := range map[string]statement.PrivateKey{"lab": laboratory, "monitor": monitor} {
		w.must(w.sign(w.statement("trial", statement.KindEnrolment, func(s *statement.Statement) {
			s.Keys = []statement.Key{{Role: map[string]statement.Role{"lab": "laboratory", "monitor": "monitor"}[name],
				Name: name, Stream: w.stream(name), Key: k.Public()}}
		}), w.sponsor))
	}
	w.must(w.data("lab", laboratory))
	return laboratory, monitor
}

func (w *world) streamPath(name, what string) string {
	return "/streams/" + w.stream(name).String() + "/" + what
}

// blind is a note that submits a statement blind.
func blind(t *testing.T, stream statement.StreamID, id statement.ID, k statement.PrivateKey) []byte {
	t.Helper()
	b, err := request.Blind{Log: origin, Stream: stream, Statement: id}.Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestStreamsAreRead(t *testing.T) {
	w := newWorld(t)
	laboratory, monitor := w.withLaboratory()
	n := w.data("site-001", w.one)
	w.must(n)
	for _, k := range []statement.PrivateKey{w.one, monitor, w.sponsor} {
		for what, want := range map[string]string{
			"entries":           "statement " + n.ID.String() + "\n",
			"entries?from=1":    "statement " + n.ID.String() + "\n",
			"statements":        string(n.Raw),
			"statements?from=2": "trialnotary/statements@v1\n",
			"history":           "trialnotary/stream@v1\n-- batch --\n",
			"history?at=1":      "\ncount 0\n",
		} {
			r := w.read(w.streamPath("site-001", what), k)
			if b := body(t, r); r.StatusCode != 200 || !strings.Contains(b, want) || r.Header.Get("Link") != "" ||
				r.Header.Get("Content-Type") != "text/plain; charset=utf-8" || r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %v %s", what, r.StatusCode, r.Header, b)
			}
		}
	}
	wantProblem(t, w.read(w.streamPath("site-001", "history?at=99"), w.one), 404, "not yet")
	if r := w.read(w.streamPath("lab", "statements"), laboratory); r.StatusCode != 200 {
		t.Errorf("a laboratory does not read its own stream: %d", r.StatusCode)
	}
}

// TestClosedIsUnknown: byte for byte, header for header, a closed stream answers to
// a blinded key as one that does not exist.
func TestClosedIsUnknown(t *testing.T) {
	w := newWorld(t)
	_, monitor := w.withLaboratory()
	unknown := statement.StreamID(random32()).String()
	for _, what := range []string{"entries", "entries?from=1", "entries?from=9", "statements", "history", "history?at=1", "history?at=99", "access", "access?from=2"} {
		for _, k := range []statement.PrivateKey{monitor, w.sponsor, w.recovery, w.one} {
			closed := w.read(w.streamPath("lab", what), k)
			other := w.read("/streams/"+unknown+"/"+what, k)
			a, b := body(t, closed), body(t, other)
			if closed.StatusCode != 403 || other.StatusCode != 403 || a != b || !maps.EqualFunc(closed.Header, other.Header, slices.Equal) {
				t.Errorf("%s: closed %d %s\nunknown %d %s", what, closed.StatusCode, a, other.StatusCode, b)
			}
		}
	}
}

func TestRequestNotes(t *testing.T) {
	w := newWorld(t)
	path := w.streamPath("site-001", "entries?from=1")
	good := w.ask(path, w.one)
	for name, c := range map[string]struct {
		head   []string
		status int
		says   string
	}{
		"none":             {nil, 401, request.Header},
		"empty":            {[]string{""}, 400, "request note"},
		"no base64":        {[]string{"?"}, 400, "base64"},
		"no note":          {[]string{base64.StdEncoding.EncodeToString([]byte("x"))}, 400, "signed note"},
		"endless":          {[]string{strings.Repeat("A", 1<<16)}, 400, "too many"},
		"two":              {[]string{good, good}, 400, "one request note"},
		"another path":     {[]string{w.ask(w.streamPath("site-002", "entries?from=1"), w.one)}, 400, "another address"},
		"without query":    {[]string{w.ask(w.streamPath("site-001", "entries"), w.one)}, 400, "another address"},
		"another log":      {[]string{w.ask(path, w.one, func(r *request.Read) { r.Log = "other.example" })}, 400, "other.example"},
		"yesterday's":      {[]string{w.ask(path, w.one, func(r *request.Read) { r.Time = r.Time.Add(-time.Hour) })}, 401, text.FormatTime(time.Now())[:14]},
		"tomorrow's":       {[]string{w.ask(path, w.one, func(r *request.Read) { r.Time = r.Time.Add(time.Hour) })}, 401, text.FormatTime(time.Now())[:14]},
		"a blind note":     {[]string{request.Field(blind(t, w.stream("site-001"), statement.ID{1}, w.one))}, 400, "line 1"},
		"another's key":    {[]string{w.ask(path, w.two)}, 403, "no stream"},
		"a namesake's key": {[]string{w.ask(path, newKey(t, w.one.Public().Name))}, 403, "no stream"},
		"good":             {[]string{good}, 200, ""},
	} {
		var head []string
		for _, v := range c.head {
			head = append(head, request.Header, v)
		}
		r := w.do("GET", path, nil, head...)
		if c.status == 200 {
			if r.StatusCode != 200 {
				t.Errorf("%s: %d %s", name, r.StatusCode, body(t, r))
			}
			continue
		}
		if r.StatusCode != c.status {
			t.Errorf("%s: %d %s", name, r.StatusCode, body(t, r))
			continue
		}
		wantProblem(t, r, c.status, c.says)
		if (c.status == 401) != (r.Header.Get("WWW-Authenticate") == request.Header) {
			t.Errorf("%s: WWW-Authenticate %q", name, r.Header.Get("WWW-Authenticate"))
		}
	}
	for _, query := range []string{"?from=0", "?from=01", "?from=-1", "?from=", "?from=1&from=2", "?at=1", "?from=1&", "?From=1", "?from=18446744073709551616"} {
		wantProblem(t, w.read(w.streamPath("site-001", "entries"+query), w.one), 400, "from=")
	}
	wantProblem(t, w.read(w.streamPath("site-001", "history?from=1"), w.one), 400, "at=")
}

// A read is asked for again with the same note, by its sender or another: it is no
// more than the same answer, for five minutes.
func TestRequestNotesTwice(t *testing.T) {
	w := newWorld(t)
	path := w.streamPath("site-001", "history")
	note := w.ask(path, w.one)
	a := body(t, w.do("GET", path, nil, request.Header, note))
	if b := body(t, w.do("GET", path, nil, request.Header, note)); a != b || !strings.HasPrefix(a, notary.StreamVersion) {
		t.Errorf("%q, then %q", a, b)
	}
}

// What a store does not do while something is read is no answer to a question.
func TestReadsOfAStoreThatFails(t *testing.T) {
	store := storetest.NewFaulty(storetest.NewMemory(), nil)
	w := newWorldOn(t, store)
	store.Kill()
	for _, what := range []string{"entries", "statements", "history"} {
		r := w.read(w.streamPath("site-001", what), w.one)
		if wantProblem(t, r, 503, "ask again"); r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", what)
		}
	}
}

// One key cannot keep others from reading, nor all together the service from
// answering.
func TestReadsAreBounded(t *testing.T) {
	store := storetest.NewFaulty(storetest.NewMemory(), nil)
	var holding atomic.Bool
	hold, held := make(chan struct{}), make(chan struct{}, 1000)
	store.Hook = func(context.Context, int, storetest.Call) {
		if holding.Load() {
			held <- struct{}{}
			<-hold
		}
	}
	w := newWorldOn(t, store)
	holding.Store(true)
	var wg sync.WaitGroup
	statuses := make(chan int, 200)
	path, mine, others := w.streamPath("site-001", "entries"), w.ask(w.streamPath("site-001", "entries"), w.one), w.ask(w.streamPath("site-001", "entries"), w.sponsor)
	ask := func(note string) {
		wg.Go(func() { statuses <- w.do("GET", path, nil, request.Header, note).StatusCode })
	}
	for range 100 {
		ask(mine)
	}
	for range 28 { // beyond 8 inside and 64 waiting
		if s := <-statuses; s != http.StatusTooManyRequests {
			t.Errorf("status %d", s)
		}
	}
	ask(others) // gets in beside them
	for range 8 + 1 {
		<-held
	}
	holding.Store(false)
	close(hold)
	wg.Wait()
	close(statuses)
	for s := range statuses {
		if s != http.StatusOK {
			t.Errorf("status %d", s)
		}
	}
}

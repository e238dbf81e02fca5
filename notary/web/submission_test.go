package web_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"trialnotary/notary"
	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

// A statement is accepted, is pending, is sealed, and its receipt is there for
// ever; the same statement again is the same answer at every stage.
func TestFromSubmissionToReceipt(t *testing.T) {
	w := newWorld(t)
	n := w.data("site-001", w.one)
	r := w.post(n.Raw)
	first := body(t, r)
	if r.StatusCode != http.StatusAccepted || r.Header.Get("Retry-After") != "1" {
		t.Fatalf("%d %v %s", r.StatusCode, r.Header, first)
	}
	var a accepted
	if err := json.Unmarshal([]byte(first), &a); err != nil {
		t.Fatal(err)
	}
	want := "/receipts/" + w.stream("site-001").String() + "/" + n.ID.String()
	if len(a.Statements) != 1 || a.Statements[0].Receipt != want || r.Header.Get("Location") != want ||
		a.Statements[0].Stream != w.stream("site-001").String() || a.Statements[0].Statement != n.ID.String() {
		t.Fatalf("answer %s, location %s", first, r.Header.Get("Location"))
	}
	if again := body(t, w.post(n.Raw)); again != first {
		t.Errorf("again, while waiting: %s", again)
	}
	if r := w.get(want); r.StatusCode != http.StatusAccepted || r.Header.Get("Retry-After") == "" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("pending: %d %v", r.StatusCode, r.Header)
	}
	w.seal()
	if again := body(t, w.post(n.Raw)); again != first {
		t.Errorf("again, when sealed: %s", again)
	}
	w.seal()
	r = w.get(want)
	raw := body(t, r)
	if r.StatusCode != http.StatusOK || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
		t.Fatalf("receipt: %d %v %s", r.StatusCode, r.Header, raw)
	}
	ev, err := receipt.ParseEvidence([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	e, err := entry.Parse(ev.Entry)
	if err != nil || e.Statement != n.ID || e.Seq != 1 {
		t.Fatalf("entry %+v, %v", e, err)
	}
	if body(t, w.get(want)) != raw {
		t.Error("the receipt is not the same twice")
	}
}

// Several statements are one submission: all or none.
func TestSeveralTogether(t *testing.T) {
	w := newWorld(t)
	var notes []string
	for range 3 {
		notes = append(notes, string(w.data("site-001", w.one).Raw))
	}
	bad := string(w.data("site-001", w.two).Raw)
	p := wantProblem(t, w.postJSON(map[string]any{"statements": []string{notes[0], bad, notes[1]}}), http.StatusForbidden, "statement 2 of 3")
	if p.Index == nil || *p.Index != 1 {
		t.Errorf("index %v", p.Index)
	}
	if s, err := w.svc.Seal(context.Background()); err != nil || s.Entries != 0 {
		t.Fatalf("some were accepted: %+v, %v", s, err)
	}
	r := w.postJSON(map[string]any{"statements": notes})
	var a accepted
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil || r.StatusCode != http.StatusAccepted || len(a.Statements) != 3 {
		t.Fatalf("%d %+v %v", r.StatusCode, a, err)
	}
	if r.Header.Get("Location") != a.Statements[0].Receipt {
		t.Error("Location is not the first's")
	}
}

// What is not exactly one statement for this log is told so, by line.
func TestMalformed(t *testing.T) {
	w := newWorld(t)
	good := string(w.data("site-001", w.one).Raw)
	signed, sigLine, _ := strings.Cut(good, "\n\n")
	sig := strings.Fields(sigLine)[2]
	raw, err := base64.StdEncoding.DecodeString(sig)
	if err != nil {
		t.Fatal(err)
	}
	other := w.data("site-001", w.one, func(s *statement.Statement) { s.Log = "other.example/log" })
	for reason, c := range map[string]struct {
		note string
		says string
	}{
		"nothing":                   {"", "empty"},
		"no note":                   {"hello\n", "not a signed note"},
		"CRLF line ends":            {strings.ReplaceAll(good, "\n", "\r\n"), "line"},
		"one CRLF":                  {strings.Replace(good, "\n", "\r\n", 1), "line 1"},
		"a byte order mark":         {"\ufeff" + good, "line 1"},
		"a second signature line":   {good + sigLine, "exactly one signature"},
		"a foreign signature line":  {good + "— someone " + sig + "\n", "exactly one signature"},
		"no last line feed":         {strings.TrimSuffix(good, "\n"), "line feed"},
		"base64 without padding":    {strings.ReplaceAll(good, sig, strings.TrimRight(sig, "=")), "line"},
		"base64 with a loose bit":   {strings.ReplaceAll(good, sig, looseBit(sig)), "base64"},
		"base64 of the other kind":  {strings.ReplaceAll(good, sig, base64.URLEncoding.EncodeToString(append(raw[:66:66], 0xff, 0xff))), "base64"},
		"a line that is unknown":    {strings.Replace(good, "\ntime ", "\ncolour red\ntime ", 1), "line"},
		"a line twice":              {strings.Replace(good, "\nkind dataset", "\nkind dataset\nkind dataset", 1), "line"},
		"lines in another order":    {strings.Replace(good, "trialnotary/statement@v1\nlog "+origin, "log "+origin+"\ntrialnotary/statement@v1", 1), "line 1"},
		"a control character":       {strings.Replace(good, "visit listings", "visit\u0007listings", 1), "line"},
		"a bidirectional character": {strings.Replace(good, "visit listings", "visit\u202elistings", 1), "line"},
		"not UTF-8":                 {strings.Replace(good, "visit listings", "visit\xfflistings", 1), "line"},
		"a blank at a line's end":   {strings.Replace(good, "visit listings", "visit listings ", 1), "line"},
		"a leading zero":            {strings.Replace(signed, " 1 12", " 01 12", 1) + "\n\n" + sigLine, "line"},
		"for another log":           {string(other.Raw), "other.example/log"},
	} {
		t.Run(reason, func(t *testing.T) {
			if c.note == good {
				t.Fatal("the case changes nothing")
			}
			wantProblem(t, w.post([]byte(c.note)), http.StatusBadRequest, "Nothing", c.says)
			if utf8.ValidString(c.note) { // else JSON cannot hold it
				wantProblem(t, w.postJSON(map[string]any{"statements": []string{c.note}}), http.StatusBadRequest, "Nothing")
			}
		})
	}
	if s, err := w.svc.Seal(context.Background()); err != nil || s.Entries != 0 {
		t.Fatalf("something of that was accepted: %+v %v", s, err)
	}
}

// looseBit changes a bit of base64 that stands for nothing.
func looseBit(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	i := len(strings.TrimRight(s, "=")) - 1
	return s[:i] + string(alphabet[strings.IndexByte(alphabet, s[i])|1]) + s[i+1:]
}

// A statement that its key may not make, and one that contradicts the trial.
func TestForbiddenAndConflict(t *testing.T) {
	w := newWorld(t)
	stranger := newKey(t, "site-001.jdoe") // the same name, another key
	wantProblem(t, w.post(w.data("site-001", stranger).Raw), http.StatusForbidden, "Nothing was stored")
	wantProblem(t, w.post(w.data("site-001", w.two).Raw), http.StatusForbidden)
	good := w.data("site-001", w.one)
	forged := bytes.Replace(good.Raw, []byte("visit listings"), []byte("visit Listings"), 1)
	if p := wantProblem(t, w.post(forged), http.StatusForbidden); p.Index != nil {
		t.Error("one statement has no index")
	}

	again := w.sign(w.statement("registration", statement.KindRegistration, func(s *statement.Statement) {
		s.StreamSalt = [32]byte{}
		s.Keys = w.registration.Keys
	}), w.sponsor)
	wantProblem(t, w.post(again.Raw), http.StatusConflict, "registered in this log already")

	w.salts["site-001"] = random32() // another stream id for the name
	wantProblem(t, w.post(w.enrol("site-001", newKey(t, "x")).Raw), http.StatusConflict, "Nothing was stored")
}

// A statement accepted in time but whose key was revoked before the seal: 409 at
// its receipt, with the reason.
func TestRefusedAtSealing(t *testing.T) {
	w := newWorld(t)
	revoke := w.key("site-001", statement.KindRevocation, w.one)
	n := w.data("site-001", w.one)
	for _, note := range []*statement.Note{revoke, n} {
		if r := w.post(note.Raw); r.StatusCode != http.StatusAccepted {
			t.Fatal(body(t, r))
		}
	}
	w.seal()
	wantProblem(t, w.get("/receipts/"+w.stream("site-001").String()+"/"+n.ID.String()), http.StatusConflict, "revo", "not in the log")
}

// The container: types, sizes, strict JSON.
func TestContainer(t *testing.T) {
	w := newWorld(t)
	note := string(w.data("site-001", w.one).Raw)
	quoted, err := json.Marshal(note)
	if err != nil {
		t.Fatal(err)
	}
	q := string(quoted)
	for name, c := range map[string]struct {
		kind, body string
		status     int
	}{
		"plain":                   {"text/plain", note, 202},
		"plain, UTF-8":            {"text/plain; charset=utf-8", note, 202},
		"plain, UTF-8 otherwise":  {"Text/Plain;charset=\"UTF-8\"", note, 202},
		"JSON":                    {"application/json", `{"statements":[` + q + `]}`, 202},
		"JSON, UTF-8":             {"application/json; charset=UTF-8", ` { "statements" : [ ` + q + ` ] } ` + "\n", 202},
		"no type":                 {"", note, 415},
		"another type":            {"application/octet-stream", note, 415},
		"a form":                  {"application/x-www-form-urlencoded", note, 415},
		"another charset":         {"text/plain; charset=latin1", note, 415},
		"not a type":              {"text/plain; charset", note, 415},
		"plain in JSON's clothes": {"application/json", note, 400},
		"JSON in plain's clothes": {"text/plain", `{"statements":[` + q + `]}`, 400},
		"a statement too large":   {"text/plain", strings.Repeat("x", 8<<10+1), 413},
		"the largest statement":   {"text/plain", strings.Repeat("x", 8<<10), 400},
		"too large inside JSON":   {"application/json", `{"statements":["` + strings.Repeat("x", 8<<10+1) + `"]}`, 413},
		"a body too large":        {"application/json", `{"statements":["` + strings.Repeat(" ", 1<<20) + `"]}`, 413},
		"no statements":           {"application/json", `{"statements":[]}`, 400},
		"null":                    {"application/json", `{"statements":null}`, 400},
		"a null statement":        {"application/json", `{"statements":[null]}`, 400},
		"a number":                {"application/json", `{"statements":[1]}`, 400},
		"an unknown member":       {"application/json", `{"statements":[` + q + `],"x":1}`, 400},
		"an unknown member first": {"application/json", `{"x":1,"statements":[` + q + `]}`, 400},
		"the member twice":        {"application/json", `{"statements":[` + q + `],"statements":[` + q + `]}`, 400},
		"another case":            {"application/json", `{"Statements":[` + q + `]}`, 400},
		"trailing data":           {"application/json", `{"statements":[` + q + `]}{}`, 400},
		"trailing garbage":        {"application/json", `{"statements":[` + q + `]}x`, 400},
		"an array":                {"application/json", `[` + q + `]`, 400},
		"cut short":               {"application/json", `{"statements":[` + q, 400},
		"cut at the end":          {"application/json", `{"statements":[` + q + `]`, 400},
		"not UTF-8":               {"application/json", "{\"statements\":[\"\xff\"]}", 400},
		"too many":                {"application/json", `{"statements":["x"` + strings.Repeat(`,"x"`, 256) + `]}`, 400},
		"nested deeply":           {"application/json", strings.Repeat("[", 100000), 400},
	} {
		t.Run(name, func(t *testing.T) {
			for _, sized := range []bool{true, false} { // with Content-Length, and chunked
				var b io.Reader = strings.NewReader(c.body)
				if !sized {
					b = io.MultiReader(b)
				}
				r := w.do("POST", "/submissions", b, "Content-Type", c.kind)
				if c.status == 202 {
					if r.StatusCode != 202 {
						t.Fatal(r.StatusCode, body(t, r))
					}
					continue
				}
				wantProblem(t, r, c.status)
			}
		})
	}
	wantProblem(t, w.do("POST", "/submissions", strings.NewReader(note), "Content-Type", "text/plain", "Content-Encoding", "gzip"), 415)
	wantProblem(t, w.do("POST", "/submissions", io.MultiReader(strings.NewReader("x"), brokenReader{}), "Content-Type", "text/plain"), 400, "did not arrive whole")
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Whatever call of the store fails, the answer is a 503 that says nothing of the
// inside, the log says nothing private, and the same statement again is accepted.
func TestStoreFaults(t *testing.T) {
	store := storetest.NewMemory()
	w := newWorldOn(t, store)
	for _, fault := range []storetest.Fault{storetest.Refuse, storetest.Ambiguous, storetest.Half} {
		for n := range 40 {
			faulty := storetest.NewFaulty(store, storetest.At(n, fault))
			v := w.over(faulty)
			note := w.data("site-001", w.one, func(s *statement.Statement) { s.Label = "a secret label" })
			r := v.post(note.Raw)
			if r.StatusCode != http.StatusAccepted {
				noInternals(t, wantProblem(t, r, http.StatusServiceUnavailable, "Nothing that was answered with 202 is lost", "send the same again"))
				if r.Header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				if r := v.post(note.Raw); r.StatusCode != http.StatusAccepted {
					t.Fatal("again:", body(t, r))
				}
			}
			w.seal()
			for _, path := range []string{"/checkpoint", "/tile/0/000.p/3", "/receipts/" + w.stream("site-001").String() + "/" + note.ID.String()} {
				if r := v.get(path); r.StatusCode >= 500 {
					noInternals(t, wantProblem(t, r, http.StatusServiceUnavailable))
				} else if r.StatusCode != http.StatusOK && r.StatusCode != http.StatusNotFound {
					t.Errorf("%s: %d", path, r.StatusCode)
				}
			}
			quiet(t, v.log.String(), note)
			if len(faulty.Calls()) <= n {
				break // the fault came too late to happen
			}
		}
	}
}

// over returns the world as another process sees it over a store.
func (w *world) over(store notary.Store) *world {
	v := *w
	return newProcess(&v, store)
}

func noInternals(t *testing.T, p problemDoc) {
	t.Helper()
	for _, word := range []string{"injected", "storetest", "GetRows", "Accept", "#", "row", "bolt", "/"} {
		if strings.Contains(p.Detail, word) {
			t.Errorf("detail %q shows the inside: %q", p.Detail, word)
		}
	}
}

// quiet checks that a log names no trial, label, person or whole id.
func quiet(t *testing.T, log string, n *statement.Note) {
	t.Helper()
	for _, word := range []string{n.Trial, n.Label, n.StreamName, n.KeyName, n.ID.String(), n.Stream().String()} {
		if strings.Contains(log, word) {
			t.Fatalf("the log says %q:\n%s", word, log)
		}
	}
}

// A rejection is for its author; the log knows only that there was one.
func TestLogIsQuiet(t *testing.T) {
	w := newWorld(t)
	n := w.data("site-001", w.two)
	wantProblem(t, w.post(n.Raw), http.StatusForbidden)
	w.get("/receipts/" + n.Stream().String() + "/" + n.ID.String())
	w.get("/" + n.Trial)
	w.do(n.Trial, "/trust", nil)
	if !strings.Contains(w.log.String(), "status=403") {
		t.Fatal("the requests are not in the log")
	}
	quiet(t, w.log.String(), n)
	if m := body(t, w.get("/metrics")); !strings.Contains(m, `trialnotary_submissions_rejected_total{kind="forbidden"} 1`) {
		t.Error(m)
	} else {
		quiet(t, m, n)
	}
}

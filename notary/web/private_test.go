package web_test

import (
	"encoding/base64"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trialnotary/notary/statement"
	"trialnotary/notary/storetest"
)

// Every value that stands in the public log is tried as an address, alone and
// with every other: none opens a statement, or names a trial or a person.
func TestPublicLogOpensNothingPrivate(t *testing.T) {
	store := storetest.NewMemory()
	w := newWorldOn(t, store)
	n := w.data("site-001", w.one, func(s *statement.Statement) {
		s.Meaning, s.Signer, s.Label = "authorship", "Jane Doe", "unblinded listings"
	})
	w.must(n, w.data("site-002", w.two))

	names := append(store.Objects(), "checkpoint")
	values := map[string]bool{}
	for _, name := range names {
		r := w.get("/" + name)
		b := body(t, r)
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d", name, r.StatusCode)
		}
		for _, v := range regexp.MustCompile(`[0-9a-f]{64}|[A-Za-z0-9+/]{43}=|[0-9]{1,20}`).FindAllString(b, -1) {
			values[v] = true
			if raw, err := base64.StdEncoding.DecodeString(v); err == nil && len(raw) == 32 {
				values[statement.ID(raw).String()] = true // the same, as ids are written
			}
		}
	}
	values[n.KeyName] = true // and one that an insider knows
	ids := slices.DeleteFunc(slices.Collect(maps.Keys(values)), func(v string) bool { return len(v) != 64 })
	var paths []string
	for v := range values {
		for _, dir := range []string{"/", "/tile/", "/heads/", "/signed/", "/checkpoints/", "/receipts/", "/streams/", "/statements/", "/staging/", "/map/", "/submissions/"} {
			paths = append(paths, dir+v, dir+v+"/entries", dir+v+"/statements?from=0", dir+v+"/history")
		}
	}
	for _, a := range ids {
		for _, b := range ids {
			paths = append(paths, "/receipts/"+a+"/"+b)
		}
	}
	private := []string{n.Trial, n.Label, n.Signer, n.StreamName, n.KeyName, "trialnotary/statement@v1",
		base64.StdEncoding.EncodeToString(n.StreamSalt[:]), base64.StdEncoding.EncodeToString(n.Salt[:]),
		base64.StdEncoding.EncodeToString(n.Dataset.Root[:])}
	receipts := 0
	for _, path := range paths {
		r := w.get(path)
		b := body(t, r)
		if r.StatusCode == http.StatusOK && strings.HasPrefix(path, "/receipts/") {
			receipts++
		}
		for _, secret := range private {
			if strings.Contains(b, secret) {
				t.Fatalf("%s shows %q", path, secret)
			}
		}
	}
	if receipts != 5 { // registration, two enrolments, two datasets: the public part
		t.Errorf("%d of %d addresses are receipts", receipts, len(paths))
	}
}

// What is read with a key, and by whom, stands in its answer and nowhere else: not in
// what the service logs or counts, nor in an answer to anyone else.
func TestReadsAreNobodysBusiness(t *testing.T) {
	w := newWorld(t)
	laboratory, monitor := w.withLaboratory()
	stranger := newKey(t, "stranger.key")
	n := w.data("site-001", w.one, func(s *statement.Statement) { s.Meaning, s.Signer = "authorship", "Jane Doe" })
	w.must(n)
	w.log.Reset()
	private := []string{n.Trial, n.Label, n.Signer, n.StreamName, base64.StdEncoding.EncodeToString(n.Salt[:])}
	for _, name := range []string{"site-001", "site-002", "lab", "monitor", "trial"} {
		for _, what := range []string{"entries", "statements", "history", "access", "history?at=99", "entries?from=x"} {
			path := w.streamPath(name, what)
			for key, k := range map[string]statement.PrivateKey{"site": w.one, "other": w.two, "lab": laboratory, "monitor": monitor, "stranger": stranger} {
				b := body(t, w.read(path, k))
				if key == "site" || key == "monitor" {
					continue // may see it
				}
				for _, secret := range private {
					if name == "site-001" && strings.Contains(b, secret) {
						t.Errorf("%s shows %s %q", path, key, secret)
					}
				}
			}
		}
	}
	said := w.log.String() + body(t, w.get("/metrics"))
	for _, secret := range append(private, w.one.Public().Name, "lab.roe", "monitor.poe", "stranger.key", n.ID.String(),
		w.stream("site-001").String(), w.stream("lab").String(), w.one.Public().Fingerprint()) {
		if strings.Contains(said, secret) {
			t.Errorf("the log or the metrics hold %q", secret)
		}
	}
	if !strings.Contains(said, "/streams/{stream}/entries") {
		t.Error("reads are not counted")
	}
}

// Whatever is posted, the answer is one of those described, and never a 5xx.
func FuzzSubmission(f *testing.F) {
	w := newWorld(f)
	good := string(w.data("site-001", w.one).Raw)
	for _, s := range []string{good, "", "{}", `{"statements":["x"]}`, `{"statements":[` + "\x00", strings.ReplaceAll(good, "\n", "\r\n")} {
		f.Add("text/plain", s)
		f.Add("application/json", s)
	}
	f.Fuzz(func(t *testing.T, kind, text string) {
		v := *w
		v.t = t
		v.log.Reset()
		r := v.do("POST", "/submissions", strings.NewReader(text), "Content-Type", kind)
		switch r.StatusCode {
		case 202, 400, 403, 409, 413, 415:
		default:
			t.Fatalf("%d: %s", r.StatusCode, body(t, r))
		}
	})
}

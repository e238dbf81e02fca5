package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"trialnotary/notary/request"
	"trialnotary/notary/statement"
)

// An operator deletes what a sealed erasure asks for; the service, started again, has
// an entry and no statement.
func TestErase(t *testing.T) {
	ctx := context.Background()
	c := newCohort(t, 1)
	serving := func(do func(url string)) {
		t.Helper()
		s, err := startServer(ctx, serverConfig{dir: c.dir, listen: "127.0.0.1:0", origin: c.origin, every: 10 * time.Millisecond,
			sponsors: []string{c.sponsor.Public().String()}, log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		do(s.URL)
		if err := s.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	erase := func(arguments ...string) (string, error) {
		var out bytes.Buffer
		r := eraseCommand()
		r.SilenceErrors, r.SilenceUsage = true, true
		r.SetArgs(arguments)
		r.SetOut(&out)
		err := r.ExecuteContext(ctx)
		return out.String(), err
	}
	n := c.data(0)
	serving(func(url string) {
		c.enrol(url)
		c.await(url, c.must(url, n))
	})
	stream, id := n.Stream().String(), n.ID.String()
	for name, a := range map[string]struct {
		says      string
		code      int
		arguments []string
	}{
		"without an erasure": {"no sealed statement asks for it", exitUsage, []string{stream, id, "--dir", c.dir}},
		"no such statement":  {"no such statement", exitUsage, []string{stream, stream, "--dir", c.dir}},
		"no id":              {"64 lowercase hex digits", exitUsage, []string{stream, "x", "--dir", c.dir}},
		"no directory":       {"from which log", exitUsage, []string{stream, id}},
	} {
		out, err := erase(a.arguments...)
		if err == nil || !strings.Contains(err.Error(), a.says) || codeOf(err) != a.code || out != "" {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	serving(func(url string) {
		erasure := c.sign(&statement.Statement{StreamName: c.sites[0].name, StreamSalt: c.sites[0].salt, Kind: statement.KindErasure,
			About: []statement.ID{n.ID}, Reason: "consent withdrawn"}, c.sites[0].key)
		c.await(url, c.must(url, erasure))
	})
	for _, want := range []string{"ERASED   the service no longer has this statement\n  rests on   the erasure at log index", "ERASED BEFORE"} {
		if out, err := erase(stream, id, "--dir", c.dir); err != nil || !strings.HasPrefix(out, want) {
			t.Errorf("%q, %v", out, err)
		}
	}
	serving(func(url string) {
		path := "/streams/" + stream + "/statements"
		ask, err := request.Read{Log: c.origin, Method: "GET", Path: path, Time: time.Now().UTC().Truncate(time.Second)}.Sign(c.sites[0].key)
		if err != nil {
			t.Fatal(err)
		}
		q, err := http.NewRequest("GET", url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set(request.Header, request.Field(ask))
		r, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r.Body)
		if err = errors.Join(err, r.Body.Close()); err != nil || r.StatusCode != 200 || bytes.Contains(b, []byte("statement-1")) || !bytes.Contains(b, []byte("statement-2")) {
			t.Errorf("%d %s, %v", r.StatusCode, b, err)
		}
	})
	c.verifyLog()
}

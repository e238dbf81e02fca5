package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/mirror"
	"trialnotary/notary/web"
)

// serveMirror serves a copy of a log until ctx ends. It may be brought up to date
// meanwhile.
func (a *app) serveMirror(ctx context.Context, dir, listen string) error {
	d := mirror.Dir(dir)
	raw, err := d.Object(ctx, mirror.CheckpointName)
	if err != nil {
		return &fault{code: exitUsage, err: fmt.Errorf("%s holds no whole copy of a log: it has no checkpoint", dir), safe: "Nothing is served.",
			do: "To copy a log: trialnotary mirror URL " + quote(dir)}
	}
	c, err := checkpoint.Parse(raw)
	if err != nil {
		return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", dir, err), safe: "Nothing is served.", do: "Copy the log anew into another directory: trialnotary mirror URL DIR"}
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return &fault{code: exitUsage, err: err, safe: "Nothing is served.", do: "Choose another address: trialnotary mirror --serve " + quote(dir) + " --listen 127.0.0.1:0"}
	}
	server := newHTTPServer(web.NewMirror(web.MirrorOptions{Origin: c.Origin, Object: d.Object, Trust: func() []byte {
		b, err := d.Object(context.Background(), mirror.TrustName)
		if err != nil {
			return nil
		}
		return b
	}}))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	url := "http://" + listener.Addr().String()
	s := &sheet{word: "SERVING", head: "a copy of the log " + c.Origin}
	s.add("address", "%s", url)
	s.add("size", "%s", leavesOf(c.Size))
	s.add("page", "the verification page is at %s/", url)
	s.add("more", "trialnotary mirror URL %s brings it up to date, also while it is served", quote(dir))
	s.add("stop", "Ctrl-C; nothing is lost by stopping it")
	if err := a.print(s, struct {
		Log  string `json:"log"`
		URL  string `json:"url"`
		Size uint64 `json:"size"`
	}{c.Origin, url, c.Size}); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		last, cancel := context.WithTimeout(context.Background(), inFlight)
		defer cancel()
		return server.Shutdown(last)
	case err := <-ended:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	}
}

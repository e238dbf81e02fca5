package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// startFront starts bin/localstack front, which outlives this process, and waits
// until the service answers through it.
func (p place) startFront(ctx context.Context, o outputs) error {
	if err := p.end("front", time.Second); err != nil {
		return err
	}
	if err := p.build(ctx, "localstack", "./localstack"); err != nil {
		return err
	}
	if err := p.background("front", p.run(), nil, p.path("bin", "localstack"), "-dir", p.dir, "-port", fmt.Sprint(p.port), "front"); err != nil {
		return err
	}
	return p.await(ctx, "front", time.Minute, func() error {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "GET", "http://"+p.front()+"/healthz", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("the service answers %s", res.Status)
		}
		return nil
	})
}

// serveFront is the one address of the service on this machine, as CloudFront is on
// AWS: POST goes to the function URL of submit, all else to that of prove. LocalStack
// knows function URLs by their host name, which no resolver here does.
func (p place) serveFront(ctx context.Context) error {
	o, err := p.outputs()
	if err != nil {
		return err
	}
	handler, err := front(p.endpoint(), o)
	if err != nil {
		return err
	}
	server := &http.Server{Addr: p.front(), Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func front(endpoint string, o outputs) (http.Handler, error) {
	edge, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	to := func(address string) (http.Handler, error) {
		u, err := url.Parse(address)
		if err != nil {
			return nil, err
		}
		return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(edge)
			r.Out.Host = u.Host
		}}, nil
	}
	submit, err := to(o.SubmitUrl)
	if err != nil {
		return nil, err
	}
	prove, err := to(o.ProveUrl)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			submit.ServeHTTP(w, r)
			return
		}
		prove.ServeHTTP(w, r)
	}), nil
}

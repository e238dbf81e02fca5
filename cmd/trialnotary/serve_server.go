package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"trialnotary/notary"
	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
	"trialnotary/notary/web"
)

// Bounds of the connections.
const (
	maxConnections = 4096
	maxHeader      = 16 << 10
	headerPatience = 10 * time.Second
	bodyPatience   = 30 * time.Second
	answerPatience = time.Minute
	idlePatience   = 2 * time.Minute
	inFlight       = 15 * time.Second // for requests under way at a shutdown
)

// serverConfig is what a server is started with.
type serverConfig struct {
	dir          string
	listen       string        // "127.0.0.1:0": any free port
	origin       string        // "": the log's own, or one made up for a new log
	every        time.Duration // between batches
	sponsors     []string      // verifier keys
	sponsorsFile string        // "": DIR/sponsors.txt, which need not be there
	log          *slog.Logger  // nil: nothing is logged
	json         bool          // speak to a program
}

// server is a running service: the log, its sealing loop and its HTTP server.
type server struct {
	URL string

	log      *logDir
	logger   *slog.Logger
	every    time.Duration
	sponsors *sponsorList
	service  *notary.Service
	trust    atomic.Pointer[receipt.Trust]
	sealer   *sealer
	http     *http.Server
	failed   chan error // the HTTP server ended by itself
}

// startServer opens or makes the log and serves it until Close. ctx is for
// starting alone.
func startServer(ctx context.Context, c serverConfig) (*server, error) {
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.every <= 0 {
		return nil, fmt.Errorf("--every %s: it is a time like 1s or 1m", c.every)
	}
	file, missing := c.sponsorsFile, false
	if file == "" {
		file, missing = filepath.Join(c.dir, sponsors), true
	}
	list, err := newSponsorList(c.sponsors, file, missing)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", c.listen)
	if err != nil {
		return nil, fmt.Errorf("%w; another address can be given with --listen", err)
	}
	s := &server{logger: c.log, every: c.every, sponsors: list, failed: make(chan error, 1), URL: "http://" + listener.Addr().String()}
	if err := s.open(ctx, c); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	go func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.fail(err)
		}
	}()
	go s.sealer.run()
	return s, nil
}

// open opens the log and makes everything but starts nothing.
func (s *server) open(ctx context.Context, c serverConfig) (err error) {
	if s.log, err = openLog(ctx, c.dir, c.origin, true); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.log.store.Close())
		}
	}()
	s.service, err = notary.New(s.log.store, notary.Config{Origin: s.log.origin, Signers: s.log.signers, Policy: s.log.policy, Witnesses: s.log.witnesses,
		Sponsors: s.sponsors.keys, Alarm: s.alarm})
	if err != nil {
		return err
	}
	if err := s.makeTrust(); err != nil {
		return err
	}
	s.sealer = newSealer(s.service, s.every, s.logger, s.refresh, s.fail, s.log.dir)
	s.http = newHTTPServer(web.New(web.Options{Service: s.service, Trust: func() []byte { return s.trust.Load().Raw },
		NextSeal: s.sealer.nextSeal, Health: s.sealer.health, Closed: s.sealer.stopped.Load,
		Metrics: true, Figures: s.sealer.figures, Log: s.logger}))
	s.http.ErrorLog = slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug)
	return nil
}

// newHTTPServer returns a server whose connections are bounded, in number and in time.
func newHTTPServer(h http.Handler) *http.Server {
	var open atomic.Int64
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerPatience, ReadTimeout: bodyPatience, WriteTimeout: answerPatience, IdleTimeout: idlePatience,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
		ConnState: func(conn net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				if open.Add(1) > maxConnections {
					conn.Close() // StateClosed follows
				}
			case http.StateClosed, http.StateHijacked:
				open.Add(-1)
			}
		},
	}
}

// fail ends the service: serve's caller waits for it.
func (s *server) fail(err error) {
	select {
	case s.failed <- err:
	default: // it is ending already
	}
}

// Close stops listening, finishes the requests under way, seals once more and
// closes the store. ctx bounds it; whatever is accepted and not sealed by then is
// sealed by the next start.
func (s *server) Close(ctx context.Context) error {
	requests, cancel := context.WithTimeout(ctx, inFlight)
	defer cancel()
	var errs []error
	if err := s.http.Shutdown(requests); err != nil {
		s.logger.Warn("some requests did not finish in time; their senders can safely repeat them")
		errs = append(errs, s.http.Close())
	}
	errs = append(errs, s.sealer.stop(ctx), s.log.store.Close())
	return errors.Join(errs...)
}

// Fingerprint returns the trust file's, to be read aloud.
func (s *server) Fingerprint() string { return s.trust.Load().Fingerprint }

func (s *server) trustFile() string { return filepath.Join(s.log.dir, trustName) }

// makeTrust makes the trust file of the log and the sponsors admitted now, and
// keeps it in DIR for the operator to hand out.
func (s *server) makeTrust() error {
	keys := append([]statement.PublicKey{}, s.sponsors.keys()...)
	t := &receipt.Trust{Policy: s.log.policy, Sponsors: keys, HasSponsors: true}
	raw, err := t.Bytes()
	if err != nil {
		return err
	}
	t.Raw, t.Fingerprint = raw, text.Fingerprint(sha256.Sum256(raw))
	s.trust.Store(t)
	old, err := os.ReadFile(s.trustFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return client.WriteNew(s.trustFile(), raw, client.Public)
	case err != nil || bytes.Equal(old, raw):
		return err
	}
	return client.Replace(s.trustFile(), old, raw, client.Public)
}

// refresh reads the sponsors file again if it changed; before every batch.
func (s *server) refresh() {
	changed, err := s.sponsors.refresh()
	if err == nil && changed {
		err = s.makeTrust()
		s.logger.Info("the sponsors file was read again", "sponsors", len(s.sponsors.keys()), "trust", s.Fingerprint())
	}
	if err != nil {
		s.logger.Error("the sponsors file has a mistake; the sponsors of before stay admitted", "error", err.Error())
	}
}

// alarm logs what an operator must look at.
func (s *server) alarm(kind, object string) {
	s.logger.Error("ALARM", "kind", kind, "object", object)
}

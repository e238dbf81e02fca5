package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// gcPercent trades memory that a service has for time: little lives long here but
// one batch, so that garbage may be a few times that before it is collected.
const gcPercent = 400

// shutdownPatience is how long a clean shutdown may take.
const shutdownPatience = 30 * time.Second

// serveCommand is the whole service on one machine.
func serveCommand() *cobra.Command {
	var c serverConfig
	var verbose bool
	cmd := &cobra.Command{
		Use:   "serve --dir DIR",
		Short: "Run the whole service on one machine",
		Long: `Runs the notary on this machine: it accepts statements, seals them, and serves
their receipts and the public log. Everything it keeps is in DIR.

The first start makes DIR and the log's two keys. They are not protected by a
passphrase, because the service starts unattended: protect DIR/keys and keep a
copy of it elsewhere. The origin names the log for ever and stands in every
receipt; give one that is yours, as "notary.example.org/trials".

Statements of sponsors are accepted from the keys given with --sponsor and in the
sponsors file, one verifier key a line, # for comments; the file is read again
whenever it changes. Witnesses are asked for their cosignatures if DIR/witnesses.txt
names them, read at the start: witness NAME KEY URL, group and quorum lines of
c2sp.org/tlog-policy. Time-stamping authorities (RFC 3161) are asked about every
final checkpoint, after it is final, if DIR/tsa.txt names them, one NAME URL a line;
DIR/tsa.pem has the root certificates that their time-stamps must verify under, and
stands in the trust file. The connection is plain HTTP: put a proxy with TLS before
it.

SIGINT or SIGTERM stops the service cleanly. Nothing that was answered is lost
when it is stopped otherwise, by a crash or a loss of power.`,
		Example: `  trialnotary serve --dir /srv/notary --origin notary.example.org/trials
  trialnotary serve --dir /srv/notary --sponsor acme+6631cce8+AXRYHblI…`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.dir == "" {
				return usageError(cmd, "where is everything to be kept?", "--dir /srv/notary")
			}
			level := slog.LevelInfo
			if verbose {
				level = slog.LevelDebug
			}
			c.log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
			if c.json = wantsJSON(cmd); c.json {
				c.log = slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return serve(ctx, c, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.dir, "dir", "", "directory of the log, its keys and its database")
	f.StringVar(&c.listen, "listen", "127.0.0.1:8344", "address to listen on")
	f.StringVar(&c.origin, "origin", "", "name of the log, fixed at the first start")
	f.DurationVar(&c.every, "every", time.Second, "seal what is waiting this often")
	f.StringArrayVar(&c.sponsors, "sponsor", nil, "verifier key that may register trials (repeatable)")
	f.StringVar(&c.sponsorsFile, "sponsors", "", "file of such keys (default DIR/sponsors.txt, if there is one)")
	f.BoolVar(&verbose, "verbose", false, "log every request")
	return cmd
}

// serve runs a server until ctx ends, then shuts it down.
func serve(ctx context.Context, c serverConfig, out io.Writer) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	s, err := startServer(ctx, c)
	if err != nil {
		return err
	}
	if c.json {
		err = s.introduceJSON(out)
	} else {
		s.introduce(out)
	}
	if err != nil {
		c.log.Warn("who started this does not read its answer", "error", err)
	}
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-s.failed:
	}
	signal.Reset(os.Interrupt, syscall.SIGTERM) // a second one ends the process at once
	c.log.Info("stopping: finishing what was begun")
	ctx, cancel := context.WithTimeout(context.Background(), shutdownPatience)
	defer cancel()
	if err := errors.Join(failed, s.Close(ctx)); err != nil {
		return err
	}
	c.log.Info("stopped; nothing was lost")
	return nil
}

// introduceJSON is the same for machines: one object, once requests are answered.
func (s *server) introduceJSON(out io.Writer) error {
	return json.NewEncoder(out).Encode(struct {
		Log         string `json:"log"`
		URL         string `json:"url"`
		Trust       string `json:"trust"`
		Fingerprint string `json:"trust_fingerprint"`
		Keys        string `json:"keys"`
		Sponsors    int    `json:"sponsors"`
		Created     bool   `json:"created"`
	}{s.log.origin, s.URL, s.trustFile(), s.Fingerprint(), filepath.Join(s.log.dir, keysDir), len(s.sponsors.keys()), s.log.created})
}

// introduce says what is running and what to do next.
func (s *server) introduce(out io.Writer) {
	nameLog(out, s.log)
	fmt.Fprintf(out, `Serving the log %s
  address    %s
  trust      %s
             fingerprint %s
  keys       %s (no passphrase: protect this folder and keep a copy elsewhere)
`, s.log.origin, s.URL, s.trustFile(), s.Fingerprint(), filepath.Join(s.log.dir, keysDir))
	n := len(s.sponsors.keys())
	if n == 0 {
		fmt.Fprintf(out, `  sponsors   none: nobody can register a trial yet
Next, make a sponsor's key and admit it; it counts within %s:
  trialnotary keygen --name acme --out acme.key
  cat acme.key.pub >> %s
`, max(s.every, time.Second), s.sponsors.file)
		return
	}
	fmt.Fprintf(out, `  sponsors   %d
Next, on a sponsor's machine, after comparing the fingerprint:
  trialnotary trust log.trust
  trialnotary register NCT01234567 --service %s --key acme.key …
`, n, s.URL)
}

// nameLog says that a log was made, and loudly that nobody named it: the name is for
// ever.
func nameLog(out io.Writer, l *logDir) {
	if !l.created {
		return
	}
	fmt.Fprintf(out, "A new log was made in %s.\n", l.dir)
	if !strings.HasPrefix(l.origin, madeUp) {
		return
	}
	fmt.Fprintf(out, `
!  NO --origin WAS GIVEN, so the log was named %s.
!  That name stands in every receipt, for ever. It will do to try things out. For
!  a trial, choose one of your own now, before anything is sealed: stop this, remove
!  the folder %s, and start again with
!    trialnotary serve --dir %s --origin notary.example.org/trials

`, l.origin, l.dir, quote(l.dir))
}

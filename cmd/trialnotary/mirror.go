package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/mirror"
	"trialnotary/notary/receipt"
)

// mirrorParallel is how many requests at once are polite towards whoever serves a log.
const mirrorParallel = 8

func (a *app) mirrorCommand() *cobra.Command {
	var serve, listen string
	c := &cobra.Command{
		Use:   "mirror URL DIR",
		Short: "Keep an exact copy of a public log, and serve it",
		Long: `Copy a public log into a directory: entries, tiles, heads and checkpoints under their
own names, so that any web server can serve it. Everything is verified before it is
kept: every tile from the root of the newest checkpoint, every entry, every signature
with your trust file of the log or, without one, with the log's own, which shows no
more than that all is of one log. That the log only grew since the last time is proved
first; one that was cut short or rewritten is refused, the copy stays as it was, and
both checkpoints are kept below DIR/refused for anyone to see.

Run it again, from time to time, to bring the copy up to date; interrupted, it goes on
where it was. With the copy, receipts can be finished when the operator is gone:
trialnotary receipt FILE.pending --log DIR

With --serve the copy in DIR is served, to be read only: the addresses of the log, and
the verification page.`,
		Example: `  trialnotary mirror https://notary.example mirror
  trialnotary mirror --serve mirror --listen 127.0.0.1:8345`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if serve != "" {
				if len(args) > 0 {
					return usageError(c, "--serve serves a copy that is there; to make one, name the log's address and a directory without it", "")
				}
				return a.serveMirror(ctx, serve, listen)
			}
			if err := args2(c, args); err != nil {
				return err
			}
			return a.mirror(ctx, args[0], args[1])
		},
	}
	c.Flags().StringVar(&serve, "serve", "", "serve the copy in `DIR`")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8345", "`ADDRESS` to serve at")
	a.trustFlag(c, "to verify with, instead of the one you accepted")
	return c
}

func args2(c *cobra.Command, got []string) error {
	return args(2, 2, "the log's address and a directory")(c, got)
}

// logSource is a service as the source of a mirror.
type logSource struct{ *client.Service }

func (s logSource) Object(ctx context.Context, name string) ([]byte, error) {
	b, err := s.Service.Object(ctx, name)
	if errors.Is(err, client.ErrNoObject) {
		err = notary.ErrNotFound
	}
	return b, err
}

// logCopy is a directory with a log, as what receipts are made from.
type logCopy string

func (d logCopy) Object(ctx context.Context, name string) ([]byte, error) {
	b, err := mirror.Dir(d).Object(ctx, name)
	if errors.Is(err, notary.ErrNotFound) {
		err = client.ErrNoObject
	}
	return b, err
}

func (d logCopy) URL() string { return string(d) }

// openLog returns the log at an address or in a directory.
func (a *app) openLog(named string) (client.Log, error) {
	if info, err := os.Stat(named); err == nil && info.IsDir() {
		if _, err := os.Stat(named + "/" + mirror.CheckpointName); err != nil {
			return nil, &fault{code: exitUsage, err: fmt.Errorf("%s holds no log, or no whole copy of one: it has no checkpoint", named),
				do: "To copy a log: trialnotary mirror URL " + quote(named)}
		}
		return logCopy(named), nil
	}
	s, err := client.New(named, a.options())
	if err != nil {
		return nil, &fault{code: exitUsage, err: fmt.Errorf("%s is neither a directory with a copy of a log nor the address of one", named),
			do: "Name it as in: --log mirror, or --log https://mirror.example"}
	}
	return s, nil
}

func (a *app) mirror(ctx context.Context, address, dir string) error {
	s, err := client.New(address, a.options())
	if err != nil {
		return &fault{code: exitUsage, err: err, safe: "Nothing was copied."}
	}
	raw, err := s.Checkpoint(ctx)
	if no, ok := errors.AsType[*client.Refused](err); ok && no.Status == http.StatusNotFound {
		return &fault{code: exitPending, err: mirror.ErrEmpty, safe: "Nothing was copied.", do: "Try again when something has been."}
	} else if err != nil {
		return kept(err, "The copy is as it was.", "")
	}
	shown, err := checkpoint.Parse(raw)
	if err != nil {
		return &fault{code: exitNotVerified, err: fmt.Errorf("%s shows no checkpoint of a log: %w", s.URL(), err), safe: "The copy is as it was."}
	}
	operator, err := s.Trust(ctx)
	if _, away := errors.AsType[*client.Unreachable](err); away {
		return kept(err, "The copy is as it was.", "")
	} // else a server of files may have none
	b, err := a.mirrorBelief(shown.Origin, dir, operator)
	if err != nil {
		return err
	}
	o := mirror.Options{Source: logSource{s}, Dir: dir, Trust: b.trust, Parallel: mirrorParallel}
	if operator != nil && operator.Policy.Origin() == shown.Origin {
		o.Operator = operator.Raw
	}
	show, done := a.counter("Copied")
	o.Show = func(size, of uint64) { show(int(size), int(of)) }
	r, err := mirror.Update(ctx, o)
	done()
	if err != nil {
		return a.mirrorFailed(ctx, err, address, dir)
	}
	return a.showMirror(r, b, dir)
}

// mirrorBelief returns the trust file that a log is copied with: the visitor's own or,
// where there is none, the log's.
func (a *app) mirrorBelief(origin, dir string, operator *receipt.Trust) (belief, error) {
	all, err := a.believe(os.DevNull, origin)
	if err != nil {
		return belief{}, err
	}
	b := all[0]
	if b.trust == nil && operator == nil {
		if raw, err := (mirror.Dir(dir)).Object(context.Background(), mirror.TrustName); err == nil {
			operator, _ = receipt.ParseTrust(raw) // written by an earlier run, or there is none
		}
	}
	if b.trust == nil {
		if operator == nil || operator.Policy.Origin() != origin {
			return b, &fault{code: exitUsage, err: fmt.Errorf("no trust file of the log %s is known, and it serves none: with which keys is it to be verified?", origin), safe: "The copy is as it was.",
				do: "Get the operator's trust file by a way you trust, then: trialnotary trust FILE"}
		}
		b = belief{operator, mirror.TrustName, "the log's own: not accepted by you", false}
	}
	if b.trust.Policy.Origin() != origin {
		return b, &fault{code: exitNotVerified, err: fmt.Errorf("%s is the trust file of the log %s, and this is %s", b.name, b.trust.Policy.Origin(), origin), safe: "The copy is as it was."}
	}
	return b, nil
}

func (a *app) mirrorFailed(ctx context.Context, err error, address, dir string) error {
	again := "To go on: trialnotary mirror " + quote(address) + " " + quote(dir)
	no, refused := errors.AsType[*mirror.Refused](err)
	switch {
	case refused && no.Evidence != "":
		return &fault{code: exitNotVerified, err: fmt.Errorf("%s: %w", address, err), safe: "The copy is as it was. Both checkpoints are kept in " + no.Evidence + ": show them to others who rely on this log.",
			do: "A cache may show an old checkpoint for some seconds: run this once more. If it stays so, the operator has to explain it."}
	case refused:
		return &fault{code: exitNotVerified, err: fmt.Errorf("%s: %w", address, err), safe: "Nothing of it was kept; the copy is as it was, and verified.",
			do: "Run this once more; if it stays so, tell the operator which object it is."}
	case errors.Is(err, mirror.ErrEmpty):
		return &fault{code: exitPending, err: err, safe: "Nothing was copied."}
	case ctx.Err() != nil:
		return &fault{code: exitPending, err: errors.New("it was interrupted"), safe: "What is copied is verified and stays.", do: again}
	}
	return kept(err, "What is copied is verified and stays.", again)
}

func (a *app) showMirror(r mirror.Result, b belief, dir string) error {
	s := &sheet{word: "MIRRORED", head: r.Origin}
	switch {
	case r.Before == r.Size:
		s.add("log", "%s in %s: nothing is new", leavesOf(r.Size), batchesOf(r.Batches))
	default:
		s.add("log", "%s in %s, %s of them new", leavesOf(r.Size), batchesOf(r.Batches), number(r.Size-r.Before))
	}
	s.add("copy", "%s: exact, verified from the newest checkpoint's root to the last entry", dir)
	s.add("trust", "%s %s (%s)", b.name, b.trust.Fingerprint, b.how)
	if !b.confirmed {
		s.more("the copy is of one log that only grew; whose log it is, is unconfirmed:")
		s.more("get the operator's trust file by a way you trust, then: trialnotary trust FILE")
	}
	if r.Unquorum > 0 {
		s.add("careful", "%s of earlier batches lack signatures that this trust file asks for", count(r.Unquorum, "checkpoint"))
	}
	s.add("serve it", "trialnotary mirror --serve %s", quote(dir))
	return a.print(s, struct {
		Log       string `json:"log"`
		Dir       string `json:"dir"`
		Size      uint64 `json:"size"`
		Before    uint64 `json:"size_before"`
		Batches   uint64 `json:"batches"`
		Written   int    `json:"objects_written"`
		Trust     string `json:"trust_fingerprint"`
		Confirmed bool   `json:"trust_confirmed"`
		Lacking   int    `json:"checkpoints_without_quorum"`
	}{r.Origin, dir, r.Size, r.Before, r.Batches, r.Objects, b.trust.Fingerprint, b.confirmed, r.Unquorum})
}

func batchesOf(n uint64) string {
	if n == 1 {
		return "1 batch"
	}
	return number(n) + " batches"
}

func leavesOf(n uint64) string {
	if n == 1 {
		return "1 leaf"
	}
	return number(n) + " leaves"
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

func (a *app) fetchCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "fetch TRIAL.trial|INVITE --out DIR",
		Short: "Bring back all receipts of a trial, or of a stream",
		Long: `Ask the service for every entry of the trial, or of the stream of an invite, and write
a receipt for each, as STREAM/NUMBER-KIND.receipt. The proofs are computed here, from
the public log; each receipt is verified before it is written. Receipts that are
there stay as they are, so that an interrupted run goes on where it stopped.

What was never sent cannot come back: manifests, and the files themselves.`,
		Example: `  trialnotary fetch NCT01234567.trial --out receipts
  trialnotary fetch site-042.invite --key jdoe.key --out receipts`,
		Args: args(1, 1, "the trial file or the invite"),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return usageError(c, "in which folder are the receipts to be written?", "--out receipts")
			}
			return a.fetch(c, args[0], out)
		},
	}
	c.Flags().StringVar(&out, "out", "", "the `DIR` of receipts, created")
	a.keyFlag(c, "your key, if it is not remembered")
	a.serviceFlag(c, "the service, if not the one in the file")
	return c
}

// fetched is what became of one stream.
type fetched struct {
	Stream  string `json:"stream"`
	Entries int    `json:"entries"`
	Written int    `json:"written"`
	Kept    int    `json:"kept"`
	Pending int    `json:"pending"`
	// Those without a receipt: the statement was erased, or is not held any more; or
	// the enrolment of its signer is not known here.
	Erased  int  `json:"erased"`
	Unknown int  `json:"unknown_signer"`
	Closed  bool `json:"closed,omitempty"`
	Failed  int  `json:"failed"`
	id      statement.StreamID
}

// fetching brings the receipts of several streams into a folder.
type fetching struct {
	*app
	dir     string
	trial   string
	service *client.Service
	log     string
	key     statement.PrivateKey
	from    *client.Fetcher
	own     bool // one stream, of an invite
	streams []*fetched

	mu       sync.Mutex
	failures []string
}

func (a *app) fetch(c *cobra.Command, file, out string) error {
	f := &fetching{app: a, dir: out}
	var err error
	if kind, _ := kindOfFile(file); kind == client.TrialVersion {
		err = f.openTrial(c, file)
	} else {
		err = f.openInvite(c, file)
	}
	if err == nil {
		err = os.MkdirAll(out, 0o755)
	}
	if err != nil {
		return kept(err, "Nothing was written.", hint(err))
	}
	for _, s := range f.streams {
		if err = f.stream(c.Context(), s); err != nil {
			break
		}
	}
	if no, ok := errors.AsType[*client.Refused](err); ok && no.Status == statusForbidden {
		return kept(err, "Nothing was written.", "A stream is shown to its keys while they are in force. The sponsor can fetch all receipts, and share yours.")
	} else if err != nil {
		return kept(err, receiptsWere(f.sum(func(s *fetched) int { return s.Written }), out),
			"Run the same command again: it goes on from there.")
	}
	return f.show()
}

func receiptsWere(n int, dir string) string {
	switch n {
	case 0:
		return "No receipt was written."
	case 1:
		return "1 receipt was written in " + dir + " and stays."
	}
	return number(uint64(n)) + " receipts were written in " + dir + " and stay."
}

// kindOfFile returns the version line of one of our files.
func kindOfFile(name string) (string, error) {
	b, err := client.ReadFile(name, client.MaxProfile)
	line, _, _ := strings.Cut(strings.TrimPrefix(string(b[:min(len(b), 96)]), "\ufeff"), "\n")
	return strings.TrimSuffix(line, "\r"), err
}

// openTrial prepares the streams of a trial: those that the trial stream names,
// whether or not the trial file knows them.
func (f *fetching) openTrial(c *cobra.Command, file string) error {
	w, err := f.opened(c, file)
	if err != nil {
		return err
	}
	t := w.trial
	if f.service, err = f.dial(c, t.Service); err != nil {
		return err
	}
	f.key, f.log, f.trial = w.key, t.Log, t.Trial
	var all []client.Sealed
	if f.from, all, err = f.service.TrialFetcher(c.Context(), t, w.key, f.now()); err != nil {
		return err
	}
	f.add(statement.RegistrationStream, t.Registration.Note.Stream())
	f.add(statement.TrialStream, f.from.Authority().TrialStream())
	for _, x := range all {
		if x.Note != nil && len(x.Note.Keys) == 1 {
			f.add(x.Note.Keys[0].Name, x.Note.Keys[0].Stream)
		}
	}
	return nil
}

// openInvite prepares the stream of an invite. Others of the same stream that were
// joined here tell the enrolments of colleagues.
func (f *fetching) openInvite(c *cobra.Command, file string) error {
	i, err := readInvite(file)
	if err != nil {
		return err
	}
	m, err := f.memory()
	if err != nil {
		return err
	}
	name := f.app.key
	var others []*client.Invite
	joins, _ := m.Joins()
	for _, j := range joins {
		if j.Invite.StreamID() == i.StreamID() {
			others = append(others, j.Invite)
		}
		if j.Invite.Grant() == i.Grant() && name == "" {
			name = j.Key
		}
	}
	k, err := f.readKey(c, name)
	if err != nil {
		return err
	}
	if _, err := i.Check(k.Public, statement.TrialFingerprint(i.Registration.Note.ID), f.now()); err != nil {
		return err
	}
	if f.key, err = f.openKey(k, name); err != nil {
		return err
	}
	if f.service, err = f.dial(c, i.Service); err != nil {
		return err
	}
	f.log, f.trial, f.own = i.Log, i.Trial, true
	f.from, err = i.Fetcher(c.Context(), f.service, others, f.now())
	f.add(i.Stream, i.StreamID())
	return err
}

func (f *fetching) add(name string, id statement.StreamID) {
	if !slices.ContainsFunc(f.streams, func(s *fetched) bool { return s.id == id }) {
		f.streams = append(f.streams, &fetched{Stream: name, id: id})
	}
}

// stream writes the receipts of one stream.
func (f *fetching) stream(ctx context.Context, s *fetched) error {
	all, err := f.service.Stream(ctx, f.log, f.key, s.id)
	if no, ok := errors.AsType[*client.Refused](err); ok && no.Status == statusForbidden && !f.own {
		s.Closed = true
		return nil
	} else if err != nil {
		return err
	}
	s.Entries = len(all)
	dir := filepath.Join(f.dir, s.Stream)
	if len(all) > 0 {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	show, done := f.counter("Receipts of " + s.Stream + ":")
	defer done()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(client.Parallel)
	for n, x := range all {
		if ctx.Err() != nil {
			break
		}
		show(n, len(all))
		if x.Note == nil {
			s.Erased++
			continue
		}
		name := filepath.Join(dir, fmt.Sprintf("%06d-%s.receipt", x.Seq, x.Note.Kind))
		g.Go(func() error {
			count, err := f.one(ctx, s, name, x)
			if count != nil {
				f.mu.Lock()
				*count++
				f.mu.Unlock()
			}
			return err
		})
	}
	return g.Wait()
}

// one writes one receipt and returns what it counts as. An error ends the run; what
// is wrong with the receipt alone does not.
func (f *fetching) one(ctx context.Context, s *fetched, name string, x client.Sealed) (*int, error) {
	failed := func(err error) (*int, error) {
		f.mu.Lock()
		f.failures = append(f.failures, name+": "+inWords(err))
		f.mu.Unlock()
		return &s.Failed, nil
	}
	if exists(name) == nil {
		if err := sameStatement(name, x.Note.Raw); err != nil {
			return failed(err)
		}
		return &s.Kept, nil
	}
	b, _, err := f.from.Receipt(ctx, x)
	_, pending := errors.AsType[*client.NotYet](err)
	_, away := errors.AsType[*client.Unreachable](err)
	_, refused := errors.AsType[*client.Refused](err)
	switch {
	case pending:
		return &s.Pending, nil
	case errors.Is(err, client.ErrNoGrant):
		return &s.Unknown, nil
	case away, refused, ctx.Err() != nil:
		return nil, err
	case err != nil:
		return failed(fmt.Errorf("it does not verify and was not written: %w", err))
	}
	if err := client.WriteNew(name, b, client.Public); err != nil {
		return nil, err
	}
	return &s.Written, nil
}

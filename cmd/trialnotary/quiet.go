package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/entry"
	"trialnotary/notary/history"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// quietPeriod is what an attestation is asked for with.
type quietPeriod struct {
	from, to, out string
	auditors      []string // files
}

func (a *app) quietCommand() *cobra.Command {
	var p quietPeriod
	c := &cobra.Command{
		Use:   "quiet TRIAL.trial|INVITE [STREAM] --from BATCH|TIME [--to BATCH|TIME] --out FILE.quiet",
		Short: "Get the evidence that a stream had no entry for a while",
		Long: `Get an attestation that no entry was made in a stream between two batches: how the
stream stood after the one and after the other, each proved from the log. It shows no
statement, no name and no file, only the stream's id; anyone can verify it, offline.

A time names the last batch sealed by then, by the log's clock. Without a stream it is
the one that the invite is for, or the trial stream.

The proof that the map behind it is right is an auditor's signature, which --auditor
adds; without one the verdict says "according to the operator only". Without --to the
period then ends with what the auditor signed.`,
		Example: `  trialnotary quiet site-042.invite --from 2026-11-16 --to 2026-11-23 --out week47.quiet
  trialnotary quiet site-042.invite --from 881 --auditor auditor.checkpoint --out seen.quiet
  trialnotary verify week47.quiet`,
		Args: args(1, 2, "the trial file or the invite, and perhaps a stream"),
		RunE: func(c *cobra.Command, args []string) error { return a.quiet(c, args, p) },
	}
	c.Flags().StringVar(&p.from, "from", "", "the `BATCH` or time after which it was quiet")
	c.Flags().StringVar(&p.to, "to", "", "the `BATCH` or time up to which it was; the newest batch if not given")
	c.Flags().StringArrayVar(&p.auditors, "auditor", nil, "an auditor's signed checkpoint, a `FILE`; may be repeated")
	c.Flags().StringVar(&p.out, "out", "", "the attestation `FILE`, created")
	a.keyFlag(c, "your key, which may read the stream")
	a.serviceFlag(c, "the notary service, if not the file's")
	a.trustFlag(c, "to verify with, instead of the one you accepted")
	return c
}

func (a *app) quiet(c *cobra.Command, args []string, p quietPeriod) error {
	switch {
	case p.from == "":
		return usageError(c, "since when was it quiet?", "--from 2026-11-16")
	case p.out == "":
		return usageError(c, "where is the attestation to be written?", "--out NAME.quiet")
	case exists(p.out) == nil:
		return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", p.out, client.ErrExists), do: "Choose another name with --out."}
	}
	r, err := a.readable(c, args[0])
	if err != nil {
		return err
	}
	name := r.own
	if name == "" {
		name = statement.TrialStream
	}
	if len(args) > 1 {
		name = args[1]
	}
	id, ok := r.streams[name]
	if !ok {
		return &fault{code: exitUsage, err: fmt.Errorf("%s does not know a stream %q", args[0], name), safe: "Nothing was written."}
	}
	audits, err := readAuditors(p.auditors)
	if err != nil {
		return err
	}
	srv, err := a.dial(c, r.service)
	if err != nil {
		return err
	}
	f := batchFinder{c.Context(), srv, 0}
	at := func(when string) (history.Point, error) {
		n, err := f.find(when)
		if err == nil && n == 0 && len(audits) > 0 {
			n, err = audits[0].batch(c.Context(), srv)
		}
		if err != nil {
			return history.Point{}, err
		}
		s, err := srv.StreamAt(c.Context(), r.log, r.key, id, n)
		if errors.Is(err, client.ErrNoBatch) {
			err = &fault{code: exitPending, err: fmt.Errorf("the service has no batch %s under a final checkpoint, or not yet", number(n)), safe: "Nothing was written."}
		}
		if err != nil {
			return history.Point{}, err
		}
		if len(audits) > 0 {
			s.Proof, err = audits[0].prove(c.Context(), srv, s.Proof)
		}
		return history.Point{Batch: s.Batch, Proof: s.Proof, MapProof: s.MapProof}, err
	}
	q := &history.Quiet{}
	for _, s := range audits {
		q.Auditors = append(q.Auditors, s.Raw)
	}
	if q.To, err = at(p.to); err == nil {
		q.From, err = at(p.from)
	}
	if err != nil {
		return err
	}
	b, err := q.Bytes()
	if err != nil {
		return &client.Unreachable{URL: srv.URL(), Err: err}
	}
	res := &checkedQuiet{file: p.out, name: name}
	res.trust, res.failure, err = a.judge(os.DevNull, r.log, "", "", func(o receipt.Options) (err error) {
		if o.Trust == nil {
			o.Trust = r.trust
		}
		res.verdict, err = q.Verify(o)
		return err
	})
	switch {
	case err != nil:
		return err
	case res.failure != nil:
		return &fault{code: exitNotVerified, err: errors.New(res.failure.Reason), safe: "Nothing was written."}
	case res.verdict.Stream != id:
		return &fault{code: exitNotVerified, err: errors.New("the service shows another stream than the one asked for"), safe: "Nothing was written."}
	}
	if res.trust.trust == nil {
		res.trust = belief{r.trust, args[0], "the file's own: not accepted by you", false}
	}
	if err := client.WriteNew(p.out, b, client.Public); err != nil {
		return err
	}
	// It was got and written; whose log it is, its reader's trust file says.
	if err := a.showQuiet(res); codeOf(err) != exitUnconfirmed {
		return err
	}
	return nil
}

// batchFinder finds batches by number or time in the public log.
type batchFinder struct {
	ctx    context.Context
	srv    *client.Service
	newest uint64
}

// find returns a batch number: 0 for "", the newest.
func (f *batchFinder) find(when string) (uint64, error) {
	if when == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(when, 10, 64); err == nil && n > 0 {
		return n, nil
	}
	t, err := time.Parse(time.DateOnly, when)
	if err != nil {
		if t, err = time.Parse(time.RFC3339, when); err != nil {
			return 0, &fault{code: exitUsage, err: fmt.Errorf("%q is no batch number, no day and no time", when), safe: "Nothing was written.", do: "Write 881, 2026-11-16 (its beginning, UTC) or 2026-11-16T09:30:00Z."}
		}
	}
	if err := f.last(); err != nil {
		return 0, err
	}
	// The last batch whose time is not after t; times never decrease.
	low, high := uint64(0), f.newest
	for low < high {
		middle := low + (high-low+1)/2
		b, err := f.batch(middle)
		if err != nil {
			return 0, err
		}
		if b.Time.After(t) {
			high = middle - 1
		} else {
			low = middle
		}
	}
	if low == 0 {
		return 0, &fault{code: exitUsage, err: fmt.Errorf("nothing was sealed in this log by %s", moment(t)), safe: "Nothing was written.", do: "Choose a later time."}
	}
	return low, nil
}

// last finds the newest batch under the public checkpoint.
func (f *batchFinder) last() error {
	if f.newest > 0 {
		return nil
	}
	raw, err := f.srv.Checkpoint(f.ctx)
	if err != nil {
		return err
	}
	c, err := checkpoint.Parse(raw)
	if err != nil {
		return err
	}
	if c.Size == 0 {
		return &client.NotYet{}
	}
	b, err := f.leaf(c.Size-1, c.Size)
	f.newest = b.Number
	return err
}

func (f *batchFinder) batch(n uint64) (entry.Batch, error) {
	raw, err := f.srv.Object(f.ctx, checkpoint.HeadName(n))
	if err != nil {
		return entry.Batch{}, err
	}
	h, err := checkpoint.ParseHead(raw)
	if err != nil {
		return entry.Batch{}, err
	}
	return f.leaf(h.Size-1, h.Size)
}

func (f *batchFinder) leaf(index, size uint64) (entry.Batch, error) {
	leaf, err := f.srv.Leaf(f.ctx, index, size)
	if err != nil {
		return entry.Batch{}, err
	}
	return entry.ParseBatch(leaf)
}

// checkedQuiet is the result of one attestation.
type checkedQuiet struct {
	file    string
	name    string                // of the stream, for whoever knows it
	verdict *history.QuietVerdict // nil if it did not verify
	failure *receipt.Failure
	trust   belief
	undone  string // on arrival
}

// isQuiet reports whether a file says it is a quiet-period attestation.
func isQuiet(name string) bool {
	b, _ := text.Outer(head(name))
	return strings.HasPrefix(string(b), history.QuietVersion+"\n")
}

func (a *app) verifyQuiet(name string, v verifying) error {
	if len(v.paths) > 0 || v.manifest != "" || v.opening != "" || v.history != "" {
		return &fault{code: exitUsage, err: errors.New("a quiet period is verified by itself"), do: "Like this: trialnotary verify " + quote(name)}
	}
	b, err := client.ReadFile(name, 2*history.MaxQuietSize)
	if err != nil {
		return &fault{code: exitUsage, err: err}
	}
	r := &checkedQuiet{file: name}
	b, r.undone = text.Outer(b)
	q, err := history.ParseQuiet(b)
	if err != nil {
		r.failure = &receipt.Failure{Step: receipt.StepContainer, Reason: err.Error()}
		return a.showQuiet(r)
	}
	r.trust, r.failure, err = a.judge(filepath.Dir(name), originOf(q.To.Proof), "", r.undone, func(o receipt.Options) (err error) {
		r.verdict, err = q.Verify(o)
		return err
	})
	if err != nil {
		return err
	}
	return a.showQuiet(r)
}

// showQuiet prints the verdict on an attestation and returns its exit code.
func (a *app) showQuiet(r *checkedQuiet) error {
	s := &sheet{word: verified, head: "quiet period · " + r.file}
	v, code := r.verdict, exitDone
	switch {
	case r.failure != nil:
		s.word, code = notVerified, exitNotVerified
		s.add("failed", "%s: %s", stepWords[r.failure.Step], r.failure.Reason)
		s.add("so", "nothing is shown about any period")
	case !v.Confirmed:
		s.word, code = unconfirmed, exitUnconfirmed
	}
	out := struct {
		Verdict string     `json:"verdict"`
		File    string     `json:"file"`
		Log     string     `json:"log,omitempty"`
		Stream  string     `json:"stream,omitempty"`
		From    uint64     `json:"from_batch,omitempty"`
		To      uint64     `json:"to_batch,omitempty"`
		Since   *time.Time `json:"from_time,omitempty"` // the log's clock
		Until   *time.Time `json:"to_time,omitempty"`
		Audited bool       `json:"audited"`
		Failed  string     `json:"failed,omitempty"`
		Reason  string     `json:"reason,omitempty"`
	}{Verdict: s.word, File: r.file}
	if r.failure != nil {
		out.Failed, out.Reason = r.failure.Step, r.failure.Reason
	} else {
		if r.undone != "" {
			s.add("arrival", "%s had been added on the way; undone", r.undone)
		}
		s.add("quiet", "no entry between batch %s (%s)", number(v.From.Batch.Number), moment(v.From.Batch.Time))
		s.more("and batch %s (%s), by the log's clock: a claim", number(v.To.Batch.Number), moment(v.To.Batch.Time))
		named := ""
		if r.name != "" {
			named = r.name + ", "
		}
		s.add("stream", "%s%s: %s at both", named, v.Stream, entriesOf(int(v.Count)))
		if v.To.Met.Witnessed {
			s.add("witnessed", "the later checkpoint no later than %s (%d of %d witnesses)", moment(v.To.Met.NoLaterThan), v.To.Met.Witnesses, v.To.Met.Of)
		}
		s.add("vouched", "%s", v.ByWhom())
		if r.trust.trust != nil {
			s.add("trust", "%s %s (%s)", r.trust.name, r.trust.trust.Fingerprint, r.trust.how)
		} else {
			s.add("trust", "%s: whose log this is was not checked", r.trust.how)
		}
		s.add("not shown", "whose stream it is: its statements and receipts name its id")
		out.Log, out.Stream, out.From, out.To = v.Origin, v.Stream.String(), v.From.Batch.Number, v.To.Batch.Number
		out.Since, out.Until, out.Audited = &v.From.Batch.Time, &v.To.Batch.Time, len(v.Auditors) > 0
	}
	if err := a.print(s, out); err != nil {
		return err
	}
	if code != exitDone {
		return shown{code}
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
)

// gathering is what a history is asked for with.
type gathering struct {
	stream   string   // absent: its one stream
	streams  []string // none: all
	at       uint64   // 0: the newest batch
	auditors []string // files
	out      string   // "": it is not kept
	trial    string   // fingerprint, for history files
}

func (a *app) historyCommand() *cobra.Command {
	var g gathering
	c := &cobra.Command{
		Use:   "history TRIAL.trial|INVITE [STREAM…] [--at BATCH] --out FILE.history",
		Short: "Get the evidence that nothing was left out",
		Long: `Get a history: all entries of streams of a trial up to a batch, with the proof that
these are all, and the statements that your key may read. Without a stream: the whole
trial or, with an invite, the stream that it is for. Anyone can verify the file,
offline; it holds the statements, so give it to those who may read them.

The proof that the map behind it is right is an auditor's signature, which --auditor
adds; without one the verdict says "according to the operator only".`,
		Example: `  trialnotary history NCT01234567.trial --out NCT01234567.history
  trialnotary history NCT01234567.trial site-042 --at 881 --out site-042.history
  trialnotary verify NCT01234567.history`,
		Args: args(1, -1, "the trial file or the invite"),
		RunE: func(c *cobra.Command, args []string) error {
			g.streams = args[1:]
			return a.history(c, args[0], g)
		},
	}
	a.gatherFlags(c, &g)
	return c
}

// gatherFlags are those of every verb that asks for a history.
func (a *app) gatherFlags(c *cobra.Command, g *gathering) {
	c.Flags().Uint64Var(&g.at, "at", 0, "as of this `BATCH`, instead of the newest")
	c.Flags().StringArrayVar(&g.auditors, "auditor", nil, "an auditor's signed checkpoint, a `FILE`; may be repeated")
	c.Flags().StringVar(&g.out, "out", "", "the history `FILE`, created")
	c.Flags().StringVar(&g.trial, "trial", "", "the trial `FINGERPRINT`, as the protocol or the registry has it")
	a.keyFlag(c, "your key, which may read the streams")
	a.serviceFlag(c, "the notary service, if not the file's")
	a.trustFlag(c, "to verify with, instead of the one you accepted")
}

func (a *app) history(c *cobra.Command, name string, g gathering) error {
	if g.out == "" {
		return usageError(c, "where is the history to be written?", "--out NAME.history")
	}
	if isHistory(name) {
		return &fault{code: exitUsage, err: fmt.Errorf("%s is a history already", name), do: "To check it: trialnotary verify " + quote(name)}
	}
	r, err := a.trialHistory(c, name, g)
	if err != nil {
		return err
	}
	// It was got and written; whose log it is, its reader's trust file says.
	if err := a.showHistory(r); codeOf(err) != exitUnconfirmed {
		return err
	}
	return nil
}

// trialHistory is a history from a file, or else gathered from the service and, if
// it is to be kept, written.
func (a *app) trialHistory(c *cobra.Command, name string, g gathering) (*checkedHistory, error) {
	if isHistory(name) {
		if g.at > 0 || g.out != "" || len(g.auditors) > 0 {
			return nil, &fault{code: exitUsage, err: errors.New("--at, --out and --auditor are for a history that is still to be got"), do: "Name the trial file instead of the history."}
		}
		return a.checkHistory(name, g.trial)
	}
	if g.out != "" && exists(g.out) == nil {
		return nil, &fault{code: exitUsage, err: fmt.Errorf("%s: %w", g.out, client.ErrExists), do: "Choose another name with --out."}
	}
	from, err := a.readable(c, name)
	if err != nil {
		return nil, err
	}
	h, err := a.gather(c, from, g)
	if err != nil {
		return nil, err
	}
	r := &checkedHistory{file: name}
	if g.out != "" {
		r.file = g.out
	}
	r.trust, r.failure, err = a.judge(os.DevNull, from.log, from.fingerprint(), "", func(o receipt.Options) (err error) {
		if o.Trust == nil {
			o.Trust = from.trust
		}
		r.verdict, err = h.Verify(o)
		return err
	})
	if err != nil {
		return nil, err
	}
	if r.failure != nil {
		return nil, &fault{code: exitNotVerified, err: fmt.Errorf("what the service shows does not verify: %s: %s", stepWords[r.failure.Step], r.failure.Reason), safe: "Nothing was written."}
	}
	if r.trust.trust == nil {
		r.trust = belief{from.trust, name, "the file's own: not accepted by you", false}
	}
	if g.out == "" {
		return r, nil
	}
	b, err := h.Bytes()
	if err != nil {
		return nil, &fault{code: exitUsage, err: err, safe: "Nothing was written.", do: "A history has at most 64 MiB: name some of the streams."}
	}
	return r, client.WriteNew(g.out, b, client.Private)
}

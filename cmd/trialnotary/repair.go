package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary"
)

// repairCommand brings a database forward to its log.
func repairCommand() *cobra.Command {
	var dir string
	var all bool
	cmd := &cobra.Command{
		Use:   "repair --dir DIR",
		Short: "Bring the database forward to the log after a restore",
		Long: `Rebuilds, batch by batch, what the database must hold from the log itself: after
the database was restored from an older copy, or with --all after it was lost or
damaged. Stop the service first and keep a copy of the directory as it is.

It changes nothing of the public log and signs only what was committed. It can be
interrupted and run again. Statements that neither the database nor the log's
staging area holds any more stay in the log; whoever made them keeps them, and
can send them again at any time.`,
		Example: "  trialnotary repair --dir /srv/notary",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return usageError(cmd, "which log is to be repaired?", "--dir /srv/notary")
			}
			return repair(cmd, dir, all)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "directory of the log, its keys and its database")
	cmd.Flags().BoolVar(&all, "all", false, "from the first batch, not from where the database stands")
	return cmd
}

func repair(cmd *cobra.Command, dir string, all bool) (err error) {
	l, err := openLog(cmd.Context(), dir, "", false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.store.Close()) }()
	s, err := notary.New(l.store, notary.Config{Origin: l.origin, Signers: l.signers, Policy: l.policy, Witnesses: l.witnesses,
		Alarm: func(kind, object string) { fmt.Fprintf(cmd.ErrOrStderr(), "ALARM %s: %s\n", kind, object) }})
	if err != nil {
		return err
	}
	p := repairProgress{out: cmd.ErrOrStderr()}
	if err := s.Repair(cmd.Context(), all, p.done); err != nil {
		if errors.Is(err, notary.ErrForked) {
			err = fmt.Errorf("%w. The log contradicts itself and no program can decide which part is right: "+
				"keep the directory as it is, serve nothing from it, and compare it with your copies", err)
		}
		return err
	}
	if wantsJSON(cmd) {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
			Batches uint64 `json:"batches_rebuilt"`
			Last    uint64 `json:"last_batch,omitempty"`
		}{p.batches, p.last})
	}
	if p.batches == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), "Nothing to repair: the database is where the log is.")
	} else {
		fmt.Fprintf(cmd.OutOrStdout(), "Repaired: %s rebuilt, the last is batch %d. Start the service again:\n  trialnotary serve --dir %s\n", rebuilt(p.batches), p.last, quote(dir))
	}
	return nil
}

func rebuilt(n uint64) string {
	if n == 1 {
		return "1 batch was"
	}
	return number(n) + " batches were"
}

// repairProgress says every second how far it is.
type repairProgress struct {
	out           io.Writer
	batches, last uint64
	said          time.Time
}

func (p *repairProgress) done(batch uint64) {
	p.batches, p.last = p.batches+1, batch
	if time.Since(p.said) >= time.Second {
		p.said = time.Now()
		fmt.Fprintf(p.out, "repaired up to batch %d\n", batch)
	}
}

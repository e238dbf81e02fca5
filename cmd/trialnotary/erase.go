package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"trialnotary/notary"
	"trialnotary/notary/statement"
)

// eraseCommand deletes a statement from the service.
func eraseCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "erase STREAM STATEMENT --dir DIR",
		Short: "Delete a statement that a sealed erasure asks for",
		Long: `Deletes what the service holds of a statement: its text, and with it the names,
labels and salts in it. It rests on a sealed statement of kind erasure about it, with
the reason, in the same stream or by the sponsor in the trial stream. The entry stays
in the public log, where it opens nothing; the log verifies as before, and histories
count the entry as closed. It cannot be undone. Registrations and statements that
grant or end keys are not erased: all other evidence of their trial rests on them.

STREAM and STATEMENT are the two ids in the address of the receipt, of 64 hex digits
each. Stop the service first. On AWS the function that seals does the same:

  aws lambda invoke --function-name NAME --cli-binary-format raw-in-base64-out \
    --payload '{"erase":{"stream":"STREAM","statement":"STATEMENT"}}' /dev/stdout

Copies of the database made before, point-in-time recovery among them, have the
statement for as long as they are kept. A repair after a restore erases it again.`,
		Example: "  trialnotary erase 5a8f… c07d… --dir /srv/notary",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir == "" {
				return usageError(cmd, "from which log is it to be erased?", "--dir /srv/notary")
			}
			var ref notary.Ref
			var err error
			if ref.Stream, err = statement.ParseStreamID(args[0]); err == nil {
				ref.Statement, err = statement.ParseID(args[1])
			}
			if err != nil {
				return &fault{code: exitUsage, err: err, safe: "Nothing was erased.", do: "Copy both ids from the address of the receipt: /receipts/STREAM/STATEMENT."}
			}
			return erase(cmd, dir, ref)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "directory of the log, its keys and its database")
	return cmd
}

func erase(cmd *cobra.Command, dir string, ref notary.Ref) (err error) {
	l, err := openLog(cmd.Context(), dir, "", false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.store.Close()) }()
	s, err := notary.New(l.store, notary.Config{Origin: l.origin, Signers: l.signers, Policy: l.policy})
	if err != nil {
		return err
	}
	e, err := s.Erase(cmd.Context(), ref)
	if err != nil {
		return notErased(err)
	}
	if wantsJSON(cmd) {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
			Erased  bool   `json:"erased"`
			Before  bool   `json:"before"`
			Erasure string `json:"erasure"`
			Index   uint64 `json:"index"`
			Reason  string `json:"reason"`
		}{true, e.Done, e.Statement.String(), e.Index, e.Reason})
	}
	done := "ERASED   the service no longer has this statement"
	if e.Done {
		done = "ERASED BEFORE   there was nothing left to delete"
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s\n  rests on   the erasure at log index %s: %q\n  stays      its entry in the public log, which opens nothing; and the copies of its author\n"+
		"  copies     backups made before have it for as long as you keep them\n", done, number(e.Index), e.Reason)
	return nil
}

// notErased says why, and what would help.
func notErased(err error) error {
	f := &fault{code: exitUsage, err: err, safe: "Nothing was erased."}
	switch {
	case errors.Is(err, notary.ErrNoErasure), errors.Is(err, notary.ErrKeyStatement):
		f.err = fmt.Errorf("this statement is not erased: %w", err)
	case errors.Is(err, notary.ErrPending):
		f.code, f.do = exitPending, "It waits to be sealed: let the service seal it, then erase it."
	case errors.Is(err, notary.ErrNotFound):
		f.err, f.do = errors.New("this log has no such statement in such a stream"), "Copy both ids from the address of the receipt: /receipts/STREAM/STATEMENT."
	default:
		f.code, f.safe = exitService, "It may be erased in part: erase it again, which is always safe."
	}
	return f
}

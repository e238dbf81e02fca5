package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

func (a *app) withdrawCommand() *cobra.Command {
	s := sealing{kind: string(statement.KindWithdrawal)}
	c := &cobra.Command{
		Use:   "withdraw RECEIPT --reason TEXT",
		Short: "Say that what was sealed no longer stands",
		Long: `Seal a withdrawal of what a receipt is about, in the same stream, with its reason.
Nothing disappears: what was sealed stays sealed, and whoever sees the stream's history
sees the withdrawal beside it. To replace something, seal the new version instead, with
--supersedes.`,
		Example: `  trialnotary withdraw export.20261122T132900Z.receipt --reason "wrong cut-off date"
  trialnotary withdraw protocol.receipt --reason "never approved" --trial NCT01234567.trial`,
		Args: args(1, 1, "the receipt"),
		RunE: func(c *cobra.Command, args []string) error {
			if s.reason == "" {
				return &fault{code: exitUsage, err: errors.New("a withdrawal gives its reason"), safe: "Nothing was sealed.",
					do: "For example: " + retyped(c, args, "reason", "wrong cut-off date")}
			}
			s.again = func(flags ...string) string { return retyped(c, args, flags...) }
			return a.withdraw(c, args[0], s)
		},
	}
	f := c.Flags()
	f.StringVar(&s.reason, "reason", "", "`WHY`, in at most 200 bytes")
	f.StringVar(&s.signer, "signer", "", "printed `NAME` of who signs (default: the name the key was enrolled with)")
	f.StringVar(&s.meaning, "meaning", "", "`MEANING`: what the signature stands for: authorship, review, approval, responsibility")
	f.StringVar(&s.invite, "invite", "", "sign under this invite `FILE`, instead of the one that join remembered")
	f.StringVar(&s.trial, "trial", "", "sign in the trial stream of this trial `FILE`, as its sponsor")
	f.StringVar(&s.out, "out", "", "`PREFIX` of what is written (default: beside the receipt)")
	f.BoolVar(&s.dryRun, "dry-run", false, "show what would be sealed, and write and send nothing")
	f.BoolVar(&s.yes, "yes", false, "do not ask on a terminal")
	f.BoolVar(&s.noWait, "no-wait", false, "submit, and leave the receipt for later")
	f.BoolVar(&s.offline, "offline", false, "do not submit either: leave PREFIX.pending, to be carried and submitted")
	a.keyFlag(c, "your key, if not the one that join remembered")
	a.serviceFlag(c, "the service, if not the one of the invite")
	a.timeoutFlag(c)
	return c
}

// withdrawn is what a withdrawal is about.
type withdrawn struct {
	file    string
	receipt *receipt.Receipt
	note    *statement.Note
}

// withdraw seals a withdrawal in the stream of what it is about.
func (a *app) withdraw(c *cobra.Command, file string, s sealing) error {
	r, n, err := readReceipt(file)
	if err != nil {
		return err
	}
	if n.Kind == statement.KindWithdrawal {
		return &fault{code: exitUsage, err: fmt.Errorf("%s is itself a withdrawal", file), safe: "Nothing was sealed.",
			do: "What was withdrawn by mistake is sealed again."}
	}
	if !sealable(n.Kind) {
		return &fault{code: exitUsage, err: fmt.Errorf("%s is about a key, of kind %s", file, n.Kind), safe: "Nothing was sealed.",
			do: "The sponsor ends a key with: trialnotary revoke"}
	}
	if s.invite == "" && s.trial == "" {
		if n.StreamName == statement.TrialStream {
			return &fault{code: exitUsage, err: fmt.Errorf("%s was sealed by the sponsor, in the trial stream of %s", file, n.Trial), safe: "Nothing was sealed.",
				do: "The sponsor withdraws it: " + s.again("trial", n.Trial+".trial")}
		}
		s.stream = n.Trial + ":" + n.StreamName
		inner := s.again
		s.again = func(flags ...string) string { // there is no --stream: the receipt names it
			if len(flags) > 1 && flags[0] == "stream" {
				flags = flags[2:]
			}
			return inner(flags...)
		}
	}
	s.of, s.about = &withdrawn{file, r, n}, []string{n.ID.String()}
	if s.out == "" {
		s.beside = filepath.Join(filepath.Dir(file), strings.TrimSuffix(filepath.Base(file), ".receipt")+".withdrawal")
	}
	return a.seal(c, s)
}

// readReceipt reads a receipt and its statement; nothing is verified.
func readReceipt(name string) (*receipt.Receipt, *statement.Note, error) {
	b, err := client.ReadFile(name, 2*receipt.MaxSize)
	if err != nil {
		return nil, nil, &fault{code: exitUsage, err: err, safe: "Nothing was sealed."}
	}
	b, _ = text.Outer(b)
	if err := isReceipt(name, b); err != nil {
		return nil, nil, err
	}
	r, err := receipt.Parse(b)
	if err == nil {
		var n *statement.Note
		if n, err = statement.Parse(r.Statement); err == nil {
			return r, n, nil
		}
	}
	return nil, nil, &fault{code: exitNotVerified, err: fmt.Errorf("%s: %w", name, err), safe: "Nothing was sealed."}
}

// ownStream refuses to withdraw what does not verify with the trust file of the
// author's invite, or stands in another stream than the author's.
func (s *sealing) ownStream(now time.Time) error {
	if s.of == nil {
		return nil
	}
	v, err := s.of.receipt.Verify(receipt.Options{Trust: s.from.trust, Now: now})
	var f *receipt.Failure
	switch {
	case errors.As(err, &f):
		return &fault{code: exitNotVerified, err: fmt.Errorf("that receipt does not verify: %s: %s", stepWords[f.Step], f.Reason), safe: "Nothing was sealed.",
			do: "Name the receipt that was written when it was sealed."}
	case err != nil:
		return kept(err, "Nothing was sealed.", "")
	}
	if n := v.Note; n.Log != s.from.log || n.Trial != s.from.trial || n.StreamName != s.from.stream || n.StreamSalt != s.from.salt {
		return &fault{code: exitUsage, err: fmt.Errorf("that was sealed in the stream %s of %s, and you sign in %s of %s", n.StreamName, n.Trial, s.from.stream, s.from.trial),
			safe: "Nothing was sealed.", do: "What was sealed is withdrawn in its own stream, by a key enrolled there."}
	}
	return nil
}

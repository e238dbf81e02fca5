package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

type recovering struct {
	trial, pin, out string
	from            []string
}

func (a *app) recoverCommand() *cobra.Command {
	var r recovering
	c := &cobra.Command{
		Use:   "recover TRIAL --key FILE --service URL --out TRIAL.trial",
		Short: "Rebuild a lost trial file",
		Long: `Rebuild the trial file from the service, with the sponsor key or the recovery key:
registration, enrolments and salts stand in statements that it holds. All of it is
verified before it is written.

For a private code, give what is left of the trial: any receipt or invite of it, or a
folder of them. The salt of a stream in which nothing was sealed yet is in its invite
only; without, its keys can be ended, and no other can be invited to it.`,
		Example: `  trialnotary recover NCT01234567 --key recovery.key --out NCT01234567.trial
  trialnotary recover ACME-17 --from receipts --from site-042.invite --out ACME-17.trial`,
		Args: args(1, 1, "the trial's id"),
		RunE: func(c *cobra.Command, args []string) error {
			r.trial = args[0]
			return a.recover(c, r)
		},
	}
	c.Flags().StringVar(&r.out, "out", "", "the trial `FILE`, created")
	c.Flags().StringArrayVar(&r.from, "from", nil, "a receipt or invite of the trial, or a `DIR` of them; may be repeated")
	c.Flags().StringVar(&r.pin, "trial", "", "the trial `FINGERPRINT`, as the protocol has it")
	a.keyFlag(c, "your sponsor key or recovery key")
	a.serviceFlag(c, "the notary service")
	a.trustFlag(c, "of the service, instead of the one it hands out")
	return c
}

func (a *app) recover(c *cobra.Command, r recovering) error {
	const safe = "Nothing was written."
	trial, err := statement.NormalizeTrial(r.trial)
	if err == nil && r.pin != "" {
		r.pin, err = statement.ParseFingerprint(r.pin)
	}
	switch {
	case err != nil:
		return &fault{code: exitUsage, err: err, safe: safe}
	case r.out == "":
		return usageError(c, "where is the trial file to be written?", "--out "+strings.ReplaceAll(r.trial, "/", "-")+".trial")
	case exists(r.out) == nil:
		return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", r.out, client.ErrExists), safe: safe, do: "Choose another name with --out."}
	}
	clues, err := readClues(r.from)
	if err != nil {
		return kept(err, safe, hint(err))
	}
	file, err := a.readKey(c, a.key)
	if err != nil {
		return err
	}
	m, err := a.memory()
	if err != nil {
		return err
	}
	srv, err := a.dial(c, "")
	if err != nil {
		return err
	}
	trust, err := a.serviceTrust(c.Context(), srv)
	if err != nil {
		return kept(err, safe, "")
	}
	key, err := a.openKey(file, a.key)
	if err != nil {
		return err
	}
	t, err := srv.Recover(c.Context(), client.Recovery{Trial: trial, Key: key, Trust: trust, Pin: r.pin, Clues: clues, Now: a.now()})
	switch {
	case errors.Is(err, client.ErrNoRegistration):
		return &fault{code: exitUsage, err: err, safe: safe, do: "Give any receipt or invite of the trial: --from FILE"}
	case errors.Is(err, client.ErrNoTrialSalt):
		return &fault{code: exitUsage, err: err, safe: safe, do: "Give any receipt of a statement of the trial stream, or an invite: --from FILE"}
	case err != nil:
		f := &fault{code: codeOf(err), err: err, safe: safe}
		if no, ok := errors.AsType[*client.Refused](err); ok && no.Status == statusForbidden {
			f.do = "Use the sponsor key or the recovery key of this trial, and look at its id."
		}
		return f
	}
	b, err := t.Bytes()
	if err == nil {
		_, err = client.ParseTrial(b) // what could not be read again is not written
	}
	if err == nil {
		err = client.WriteNew(r.out, b, client.Private)
	}
	if err != nil {
		return err
	}
	if err := m.Sponsor(t.Registration.Note.ID, a.key); err != nil {
		fmt.Fprintln(a.err, "trialnotary: the place of the key could not be remembered; name it with --key:", err)
	}
	return a.showRecovered(m, r, t)
}

// readClues reads receipts and invites, those below folders included.
func readClues(from []string) (c client.Clues, err error) {
	for _, ext := range []string{".receipt", ".invite"} {
		files, err := below(from, ext)
		if err != nil {
			return c, err
		}
		for _, name := range files {
			b, err := client.ReadFile(name, client.MaxProfile)
			if err != nil {
				return c, err
			}
			b, _ = text.Outer(b)
			switch kind, _, _ := strings.Cut(string(b[:min(len(b), 96)]), "\n"); {
			case kind == client.InviteVersion:
				i, err := client.ParseInvite(b)
				if err != nil {
					return c, fmt.Errorf("%s: %w", name, err)
				}
				c.Invite(i)
			case kind == receipt.Version:
				r, err := receipt.Parse(b)
				if err == nil {
					err = c.Receipt(r)
				}
				if err != nil {
					return c, fmt.Errorf("%s: %w", name, err)
				}
			default:
				return c, &fault{code: exitUsage, err: fmt.Errorf("%s is neither a receipt nor an invite", name)}
			}
		}
	}
	return c, nil
}

func (a *app) showRecovered(m client.Memory, r recovering, t *client.Recovered) error {
	s := &sheet{word: "RECOVERED", head: t.Trial.Trial}
	s.add("fingerprint", "%s", t.Fingerprint())
	if r.pin != "" {
		s.more("as you gave it")
	} else {
		s.more("compare it with the one in the protocol")
	}
	s.add("keys", "%d enrolments, revocations and successions, each verified in the log", len(t.Grants))
	s.add("streams", "%d with their salts", len(t.Streams))
	lost := []string{}
	for _, l := range t.Lost {
		lost = append(lost, l.Name)
	}
	if len(lost) > 0 {
		s.add("lost", "salts, of %s: nothing was sealed there that this key is shown.", names(lost))
		s.more("What is sealed there later has them; before, to enrol another key there, have an invite of")
		s.more("that stream sent back to you, and run this again with --from THAT.invite and another --out")
	}
	if t.Unreadable > 0 {
		s.add("missing", "%s of the trial stream, which the service no longer holds: keys they granted are not here", count(t.Unreadable, "statement"))
	}
	confirmed := a.addLog(s, m, t.Log, t.Trust, r.out)
	s.add("file", "%s (private: keep a copy elsewhere)", r.out)
	s.add("not here", "manifests and files: they were never sent. Receipts: trialnotary fetch %s --out DIR", quote(r.out))
	return a.print(s, struct {
		Trial       string   `json:"trial"`
		Fingerprint string   `json:"fingerprint"`
		Keys        int      `json:"key_statements"`
		Streams     int      `json:"streams"`
		Lost        []string `json:"lost"`
		Unreadable  int      `json:"unreadable"`
		Confirmed   bool     `json:"trust_confirmed"`
		File        string   `json:"file"`
	}{t.Trial.Trial, t.Fingerprint(), len(t.Grants), len(t.Streams), lost, t.Unreadable, confirmed, r.out})
}

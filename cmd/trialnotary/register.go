package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
)

type registration struct {
	trial, recovery, out string
	also, rules          []string
}

func (a *app) registerCommand() *cobra.Command {
	var r registration
	c := &cobra.Command{
		Use:   "register TRIAL --recovery VKEY --key FILE --service URL --out TRIAL.trial",
		Short: "Open a trial",
		Long: `Open a trial under its registry id or your own code. The trial file that this
writes is private: it holds the salts of the trial, and keys are enrolled with it.
The fingerprint that it prints tells this trial from any other that claims the id.

The recovery key is a second key of yours, kept elsewhere: it can enrol a new key
when the first is lost.`,
		Example: `  trialnotary register NCT01234567 --recovery recovery.key.pub --key acme.key --out acme.trial
  trialnotary register NCT01234567 --also 2026-501234-12 --rule "protocol before dataset" …`,
		Args: args(1, 1, "the trial's id"),
		RunE: func(c *cobra.Command, args []string) error {
			r.trial = args[0]
			return a.register(c, r)
		},
	}
	c.Flags().StringArrayVar(&r.also, "also", nil, "another `ID` of the same trial; may be repeated")
	c.Flags().StringArrayVar(&r.rules, "rule", nil, "an order this trial promises, `'KIND before KIND'`; may be repeated")
	c.Flags().StringVar(&r.recovery, "recovery", "", "verifier key, or its .pub `FILE`, of your recovery key")
	c.Flags().StringVar(&r.out, "out", "", "the trial `FILE`, created")
	a.keyFlag(c, "your sponsor key")
	a.serviceFlag(c, "the notary service")
	a.trustFlag(c, "of the service, instead of the one it hands out")
	a.timeoutFlag(c)
	return c
}

func (a *app) register(c *cobra.Command, r registration) error {
	switch {
	case r.out == "":
		return usageError(c, "where is the trial file to be written?", "--out "+strings.ReplaceAll(r.trial, "/", "-")+".trial")
	case r.recovery == "":
		return usageError(c, "a second key is needed, to recover the trial when the first is lost", "--recovery recovery.key.pub")
	}
	file, err := a.readKey(c, a.key)
	if err != nil {
		return err
	}
	s, err := r.statement(file.Public)
	if err != nil {
		return err
	}
	m, err := a.memory()
	if err != nil {
		return err
	}
	t, err := client.ReadTrial(r.out)
	if err != nil && !errors.Is(exists(r.out), fs.ErrNotExist) {
		return kept(fmt.Errorf("%s exists, and is no trial file of a registration that waits to be finished: %w", r.out, err), "It was left as it is.", "Choose another name with --out.")
	}
	if t != nil {
		if err := resumes(t, s); err != nil {
			return kept(fmt.Errorf("%s exists already: %w", r.out, err), "It was left as it is; nothing was registered.", "Choose another name with --out.")
		}
	} else if t, err = a.newTrial(c, r.out, file, s); err != nil {
		return err
	}
	srv, err := a.dial(c, t.Service)
	if err != nil {
		return err
	}
	if err := a.finishRegistration(c.Context(), srv, m, r.out, t); err != nil {
		var refused *client.Refused
		if errors.As(err, &refused) && refused.Status == http.StatusConflict {
			return kept(err, "The trial was registered before, and stays registered as it was; the registration in "+r.out+" has no effect.",
				"If you registered it, use the trial file of then. If nobody did who may, ask the operator who it was: the first registration of an id is final.")
		}
		return kept(err, fmt.Sprintf("Nothing was lost: %s holds the registration as it was signed.", r.out),
			"Run the same command again: it sends the same bytes and goes on from there. The trial is registered only once it says so.")
	}
	if err := m.Sponsor(t.Registration.Note.ID, a.key); err != nil {
		fmt.Fprintln(a.err, "trialnotary: the trial is registered, but the place of its key could not be remembered; name it with --key:", err)
	}
	return a.showRegistered(m, r.out, t)
}

// statement builds the registration, but for what the log gives it.
func (r registration) statement(sponsor statement.PublicKey) (*statement.Statement, error) {
	bad := func(err error) error { return &fault{code: exitUsage, err: err, safe: "Nothing was registered."} }
	trial, err := statement.NormalizeTrial(r.trial)
	if err != nil {
		return nil, bad(err)
	}
	for _, id := range append([]string{trial}, r.also...) {
		if mistyped(id) {
			return nil, &fault{code: exitUsage, err: fmt.Errorf("%q looks like a registry id, and is none: it has too few or too many digits", id), safe: "Nothing was registered.",
				do: "They read NCT01234567 or ISRCTN12345678. A code of your own begins with something else."}
		}
	}
	recovery, err := verifierKey(r.recovery)
	if err != nil {
		return nil, err
	}
	if recovery.Key == sponsor.Key {
		return nil, bad(errors.New("the recovery key is the sponsor key; it must be another one, kept elsewhere"))
	}
	s := &statement.Statement{Trial: trial, StreamName: statement.RegistrationStream, Kind: statement.KindRegistration,
		Keys: []statement.Key{
			{Role: statement.RoleSponsor, Name: statement.TrialStream, Key: sponsor},
			{Role: statement.RoleRecovery, Name: statement.TrialStream, Key: recovery},
		}}
	for _, id := range r.also {
		a := statement.Also{}
		if a.Trial, err = statement.NormalizeTrial(id); err != nil {
			return nil, bad(err)
		}
		if !statement.PublicTrial(a.Trial) {
			salt := random()
			a.Salt = &salt
		}
		s.Also = append(s.Also, a)
	}
	for _, rule := range r.rules {
		f := strings.Fields(rule)
		if len(f) != 3 || f[1] != "before" || !statement.Kind(f[0]).Known() || !statement.Kind(f[2]).Known() {
			return nil, &fault{code: exitUsage, err: fmt.Errorf("%q is not a rule", rule), safe: "Nothing was registered.",
				do: "A rule reads protocol before dataset, in quotes. The kinds: " + kindNames()}
		}
		s.Rules = append(s.Rules, statement.Rule{First: statement.Kind(f[0]), Then: statement.Kind(f[2])})
	}
	return s, nil
}

// mistyped reports whether an id is nearly that of a public registry: it would be
// taken for a private code, and the trial would not be found under its real id.
func mistyped(id string) bool {
	id = strings.ToUpper(id)
	for _, registry := range []string{"NCT", "ISRCTN"} {
		if digits, ok := strings.CutPrefix(id, registry); ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
			return !statement.PublicTrial(id)
		}
	}
	return false
}

func kindNames() string {
	var all []string
	for _, k := range statement.Kinds() {
		all = append(all, string(k))
	}
	return strings.Join(all, ", ")
}

// resumes returns nil if the trial file holds the same registration, not finished.
func resumes(t *client.Trial, s *statement.Statement) error {
	reg := t.Registration.Note
	same := func(x, y statement.Also) bool { return x.Trial == y.Trial }
	switch {
	case t.Registration.Sealed():
		return fmt.Errorf("it is the trial file of %s, which is registered", t.Trial)
	case reg.Trial != s.Trial, reg.Keys[0].Key != s.Keys[0].Key, reg.Keys[1].Key != s.Keys[1].Key,
		!slices.EqualFunc(reg.Also, s.Also, same), !slices.Equal(reg.Rules, s.Rules):
		return errors.New("it holds another registration that is not finished")
	}
	return nil
}

// newTrial signs the registration and writes the trial file, before anything is
// sent: its salts can be drawn once only.
func (a *app) newTrial(c *cobra.Command, out string, file *client.Key, s *statement.Statement) (*client.Trial, error) {
	srv, err := a.dial(c, "")
	if err != nil {
		return nil, err
	}
	trust, err := a.serviceTrust(c.Context(), srv)
	if err != nil {
		return nil, kept(err, "Nothing was registered or written.", "")
	}
	if a.trust != "" && trust.HasSponsors && !slices.Contains(trust.Sponsors, file.Public) {
		return nil, &fault{code: exitUsage, err: fmt.Errorf("the trust file %s does not list your key among its sponsors, and no invite would verify with it", a.trust), safe: "Nothing was registered or written.",
			do: "Have the operator admit the key, and name the trust file of after that; or leave --trust away."}
	}
	key, err := a.openKey(file, a.key)
	if err != nil {
		return nil, err
	}
	s.Log = trust.Policy.Origin()
	if !statement.PublicTrial(s.Trial) {
		s.StreamSalt = random()
	}
	t := &client.Trial{Service: srv.URL(), Log: s.Log, Trial: s.Trial, Trust: trust,
		Streams: []client.Stream{{Name: statement.TrialStream, Salt: random()}}}
	id, _ := t.StreamID(statement.TrialStream)
	s.Keys[0].Stream, s.Keys[1].Stream = id, id
	s.Time, s.Salt = a.now().UTC().Truncate(time.Second), random()
	n, err := statement.Sign(s, key)
	if err != nil {
		return nil, err
	}
	t.Registration = client.Logged{Note: n, Logged: receipt.Logged{Statement: n.Raw}}
	b, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	return t, client.WriteNew(out, b, client.Private)
}

// serviceTrust is the trust file given, or else the service's own.
func (a *app) serviceTrust(ctx context.Context, srv *client.Service) (*receipt.Trust, error) {
	if a.trust != "" {
		return readTrust(a.trust)
	}
	return srv.Trust(ctx)
}

func (a *app) finishRegistration(ctx context.Context, srv *client.Service, m client.Memory, out string, t *client.Trial) error {
	n := t.Registration.Note
	e, err := a.submitAndWait(ctx, srv, client.RefOf(n), n.Raw)
	if err != nil {
		return err
	}
	r := receipt.Receipt{Logged: receipt.Logged{Statement: n.Raw, Entry: e.Entry, Proof: e.Proof}}
	if _, err := r.Verify(receipt.Options{Trust: t.Trust, Trial: t.Fingerprint(), Now: a.now()}); err != nil {
		return fmt.Errorf("the service's answer does not verify: %w", err)
	}
	if t.Trust, err = a.listing(ctx, srv, t); err != nil {
		return err
	}
	_, err = m.UpdateTrial(out, func(now *client.Trial) error {
		now.Trust = t.Trust
		return now.Complete(map[statement.ID]receipt.Evidence{n.ID: e})
	})
	return err
}

// listing returns a trust file that lists the sponsor, if the trial's lists others:
// it was fetched before the operator admitted the key, and no invite would verify
// with it. The service hands out a newer one, which must be of the same log.
func (a *app) listing(ctx context.Context, srv *client.Service, t *client.Trial) (*receipt.Trust, error) {
	lacks := func(u *receipt.Trust) bool {
		return u.HasSponsors && !slices.Contains(u.Sponsors, t.Registration.Note.Keys[0].Key)
	}
	if !lacks(t.Trust) || a.trust != "" {
		return t.Trust, nil
	}
	u, err := srv.Trust(ctx)
	if err != nil {
		return nil, err
	}
	if lacks(u) || !bytes.Equal(u.Policy.Bytes(), t.Trust.Policy.Bytes()) {
		return t.Trust, nil
	}
	return u, nil
}

func (a *app) showRegistered(m client.Memory, out string, t *client.Trial) error {
	reg := t.Registration.Note
	s := &sheet{word: "REGISTERED", head: t.Trial}
	s.add("fingerprint", "%s", t.Fingerprint())
	s.more("to put in the protocol, the registry record and the ethics submission: who has it")
	s.more("there can tell this trial from any other that claims its id")
	for _, also := range reg.Also {
		s.add("also", "%s", also.Trial)
	}
	for _, rule := range reg.Rules {
		s.add("rule", "%s before %s", rule.First, rule.Then)
	}
	s.add("sponsor", "key %s; recovery key %s", reg.Keys[0].Key.Name, reg.Keys[1].Key.Name)
	confirmed := a.addLog(s, m, t.Log, t.Trust, out)
	s.add("file", "%s (private: keep a copy; without it no key can be enrolled)", out)
	return a.print(s, struct {
		Trial       string `json:"trial"`
		Fingerprint string `json:"fingerprint"`
		Log         string `json:"log"`
		Trust       string `json:"trust_fingerprint"`
		Confirmed   bool   `json:"trust_confirmed"`
		File        string `json:"file"`
		Statement   string `json:"statement"`
	}{t.Trial, t.Fingerprint(), t.Log, t.Trust.Fingerprint, confirmed, out, reg.ID.String()})
}

// addLog tells which log, and whether its trust file is the user's own yet; file
// is where it can be accepted from.
func (a *app) addLog(s *sheet, m client.Memory, log string, trust *receipt.Trust, file string) (confirmed bool) {
	s.add("log", "%s", log)
	acc, err := m.Accepted(log)
	if confirmed = err == nil && acc != nil && acc.Trust.Fingerprint == trust.Fingerprint; confirmed {
		s.add("trust", "%s (accepted by you)", trust.Fingerprint)
		return confirmed
	}
	s.add("trust", "%s (unconfirmed)", trust.Fingerprint)
	s.more("compare it with what the operator says, by telephone or in print, then:")
	s.more("trialnotary trust %s --fingerprint %s", quote(file), trust.Fingerprint)
	return confirmed
}

// exists returns nil if there is something of that name.
func exists(name string) error {
	_, err := os.Lstat(name)
	return err
}

package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

func (a *app) joinCommand() *cobra.Command {
	var pin string
	c := &cobra.Command{
		Use:   "join INVITE --key FILE",
		Short: "Check an enrolment and remember it",
		Long: `Check the invite that the sponsor sent you — that it enrols your key, in the stream
it names, by the sponsor of the trial — and remember it with your key, so that
'trialnotary seal DIR' alone works.`,
		Example: `  trialnotary join site-042.invite --key jdoe.key`,
		Args:    args(1, 1, "the invite"),
		RunE:    func(c *cobra.Command, args []string) error { return a.join(c, args[0], pin) },
	}
	c.Flags().StringVar(&pin, "trial", "", "the trial `FINGERPRINT`, as the protocol has it")
	a.keyFlag(c, "your key")
	return c
}

func readInvite(name string) (*client.Invite, error) {
	b, err := client.ReadFile(name, client.MaxProfile)
	if err != nil {
		return nil, err
	}
	b, _ = text.Outer(b)
	i, err := client.ParseInvite(b)
	if err != nil {
		return nil, wrongFile(name, b, kindOf(client.InviteVersion), err)
	}
	i.Trust = current(i.Trust)
	return i, nil
}

func (a *app) join(c *cobra.Command, name, pin string) error {
	if pin != "" {
		if _, err := statement.ParseFingerprint(pin); err != nil {
			return &fault{code: exitUsage, err: err, safe: "Nothing was remembered.", do: "A trial fingerprint has 40 hex digits: 41B7-…"}
		}
	}
	i, err := readInvite(name)
	if err != nil {
		return err
	}
	file, err := a.readKey(c, a.key)
	if err != nil {
		return err
	}
	v, err := i.Check(file.Public, pin, a.now())
	if err != nil {
		f := &fault{code: codeOf(err), err: err, safe: "Nothing was remembered."}
		var wrong *client.WrongKey
		if errors.As(err, &wrong) {
			f.do = "Name the invited key with --key, or send the sponsor this line to be enrolled:\n" + file.Public.String()
		}
		if failed, ok := errors.AsType[*receipt.Failure](err); ok {
			f.err = fmt.Errorf("%s does not verify: %s: %s", name, stepWords[failed.Step], failed.Reason)
			f.do = "Tell the sponsor what this says, and have the invite sent anew."
		}
		return f
	}
	m, err := a.memory()
	if err != nil {
		return err
	}
	if err := m.Join(i, a.key); err != nil {
		return err
	}
	k := i.Grant()
	s := &sheet{word: "JOINED", head: i.Stream + " · " + i.Trial}
	s.add("key", "%s, %s", k.Key.Name, roleLine(i.Person(), k.Role, v.Note.Until))
	s.add("by", "%s, %s, log index %s", v.Note.KeyName, day(v.Entry.Time), number(v.Entry.Index))
	s.add("trial", "fingerprint %s", v.TrialFingerprint)
	if v.Pinned {
		s.more("as you gave it")
	} else {
		s.more("compare it with the one in the protocol")
	}
	confirmed := a.addLog(s, m, i.Log, i.Trust, name)
	now := "trialnotary seal DIR"
	if all, err := m.Joins(); err == nil && len(all) > 1 { // then it has to be said which
		now += " --stream " + i.Trial + ":" + i.Stream + " --key " + quote(a.key)
	}
	s.add("now", "%s", now)
	return a.print(s, struct {
		Trial       string `json:"trial"`
		Stream      string `json:"stream"`
		Key         string `json:"key"`
		Role        string `json:"role"`
		Person      string `json:"person,omitempty"`
		Fingerprint string `json:"trial_fingerprint"`
		Log         string `json:"log"`
		Trust       string `json:"trust_fingerprint"`
		Confirmed   bool   `json:"trust_confirmed"`
	}{i.Trial, i.Stream, k.Key.String(), string(k.Role), i.Person(), v.TrialFingerprint, i.Log, i.Trust.Fingerprint, confirmed})
}

// joined returns the invite that was remembered for a stream, "NAME" or
// "TRIAL:NAME", and for the key given, if any; "": the only one. Where that is not
// clear, the error lists the commands to choose from, which again writes.
func (a *app) joined(stream string, again func(flags ...string) string) (*client.Joined, error) {
	m, err := a.memory()
	if err != nil {
		return nil, err
	}
	all, err := m.Joins()
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, &fault{code: exitUsage, err: errors.New("no enrolment is remembered here"), safe: "Nothing was sealed.",
			do: "At a site, first: trialnotary join STREAM.invite --key NAME.key\nor name the invite: trialnotary seal … --invite STREAM.invite --key NAME.key\nAs the sponsor: trialnotary seal … --trial TRIAL.trial"}
	}
	fits := slices.DeleteFunc(slices.Clone(all), func(j client.Joined) bool {
		return stream != "" && stream != j.Invite.Stream && stream != j.Invite.Trial+":"+j.Invite.Stream
	})
	if len(fits) > 1 && a.key != "" {
		if k, err := a.readKey(nil, a.key); err == nil {
			fits = slices.DeleteFunc(fits, func(j client.Joined) bool { return j.Invite.Grant().Key != k.Public })
		}
	}
	if len(fits) == 1 {
		return &fits[0], nil
	}
	what := fmt.Sprintf("%s are remembered here; type one of these:", count(len(fits), "enrolment"))
	if len(fits) == 0 {
		what, fits = "no such enrolment is remembered here; those that are:", all
	}
	var lines []string
	for _, j := range fits {
		lines = append(lines, again("stream", j.Invite.Trial+":"+j.Invite.Stream, "key", j.Key))
	}
	return nil, &fault{code: exitUsage, err: errors.New(what), list: lines, safe: "Nothing was sealed."}
}

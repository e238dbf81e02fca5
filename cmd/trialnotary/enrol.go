package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

type enrolment struct {
	stream, role, person, until, out string
}

func (a *app) enrolCommand() *cobra.Command {
	var e enrolment
	var l enrolList
	alone := args(3, 3, "the trial file, the stream and the verifier key")
	c := &cobra.Command{
		Use: `enrol TRIAL.trial STREAM VKEY [--role site] [--person NAME] [--until T]
  trialnotary enrol TRIAL.trial --csv LIST.csv --out DIR`,
		Short: "Let a key sign in a stream of the trial",
		Long: `Enrol the key of a site, a laboratory, a board: from then on it signs in the stream
of that name. The invite that this writes is for its holder, who joins with it; send
it by a private way. Check the key's fingerprint with its holder first.

With --csv, enrol a whole list at once. Its first line names the columns, in any
order: stream and key, and if wanted role, person and until. A key is the verifier
key or its .pub file. The list is checked whole before anything is sent. Run again,
with more lines or after it was interrupted, it does what is not done yet.`,
		Example: `  trialnotary enrol NCT01234567.trial site-042 jdoe.key.pub --person "Jane Doe"
  trialnotary enrol NCT01234567.trial --csv sites.csv --out invites

  sites.csv:  stream,key,person,until
              site-042,keys/jdoe.key.pub,Jane Doe,2027-12-31`,
		Args: func(c *cobra.Command, got []string) error {
			if l.csv != "" {
				return args(1, 1, "the trial file")(c, got)
			}
			return alone(c, got)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if l.csv != "" {
				l.dir = e.out
				return a.enrolWith(c, args[0], l)
			}
			if l.dryRun || l.yes {
				return usageError(c, "--dry-run and --yes are for a list, which --csv names", "")
			}
			e.stream = args[1]
			return a.enrol(c, args[0], args[2], e)
		},
	}
	c.Flags().StringVar(&e.role, "role", "site", "`ROLE` of the key: sponsor, recovery, site, monitor, board, inspector, laboratory, dsmb")
	c.Flags().StringVar(&e.person, "person", "", "printed `NAME` of its holder: then it signs under this name only")
	c.Flags().StringVar(&e.until, "until", "", "last day or `TIME` at which it may sign, as in 2027-12-31")
	c.Flags().StringVar(&e.out, "out", "", "the invite `FILE`, created (default STREAM.invite); with --csv, the folder of invites")
	c.Flags().StringVar(&l.csv, "csv", "", "enrol every key of this list, a CSV `FILE`")
	c.Flags().BoolVar(&l.dryRun, "dry-run", false, "with --csv: check the list, write and send nothing")
	c.Flags().BoolVar(&l.yes, "yes", false, "with --csv: do not ask")
	a.keyFlag(c, "your sponsor key, if not the one that registered the trial")
	a.serviceFlag(c, "the service, if not the trial's")
	a.timeoutFlag(c)
	return c
}

// enrolWith checks that what the list says is not said on the command line too.
func (a *app) enrolWith(c *cobra.Command, file string, l enrolList) error {
	for _, name := range []string{"role", "person", "until"} {
		if c.Flags().Changed(name) {
			return usageError(c, "with --csv, "+name+" is a column of the list", "")
		}
	}
	if l.dir == "" {
		return usageError(c, "in which folder are the invites to be written?", "--out invites")
	}
	return a.enrolListed(c, file, l)
}

func (a *app) enrol(c *cobra.Command, file, vkey string, e enrolment) error {
	key, err := verifierKey(vkey)
	if err != nil {
		return err
	}
	until, err := parseUntil(e.until)
	if err != nil {
		return err
	}
	if e.out == "" {
		e.out = e.stream + ".invite"
	}
	if err := e.check(until, a.now()); err != nil {
		return err
	}
	t, l, err := a.grant(c, granting{file, func(t *client.Trial) (*statement.Statement, *statement.ID, error) {
		return e.statement(t, key, until, a.now())
	}})
	if err != nil {
		return err
	}
	return a.writeInvite(t, l, e.out, "ENROLLED", func(*sheet) {})
}

// check refuses what cannot become an enrolment, or not leave its invite, before
// anything is signed.
func (e enrolment) check(until, now time.Time) error {
	bad := func(do, format string, of ...any) error {
		return &fault{code: exitUsage, err: fmt.Errorf(format, of...), safe: "Nothing was enrolled.", do: do}
	}
	switch {
	case !statement.ValidName(e.stream) || e.stream == statement.RegistrationStream:
		do := "A name is " + streamForm + "."
		if like := streamLike(e.stream); like != "" {
			do = "Write " + like + "."
		}
		return bad(do, "%q is no name of a stream that keys are enrolled for", text.Visible(e.stream))
	case !statement.Role(e.role).Known():
		return bad("The roles: "+roleNames()+".", "%q is no role", text.Visible(e.role))
	case inText(e.person) != "":
		return bad("Type it anew.", "the person's name %s", inText(e.person))
	case len(e.person) > statement.MaxPerson:
		return bad("Give a shorter form of it.", "the person's name has %d bytes, %d are allowed", len(e.person), statement.MaxPerson)
	case !until.IsZero() && until.Before(now):
		return bad("Give a later day, or leave --until away.", "--until %s is past", text.Visible(e.until))
	case exists(e.out) == nil:
		return bad("Choose another name with --out.", "%s: %w", e.out, client.ErrExists)
	}
	if err := cmp.Or(client.CheckName(e.out), client.Writable(filepath.Dir(e.out))); err != nil {
		return bad("Name another place with --out.", "the invite cannot be written: %w", err)
	}
	return nil
}

// statement returns the enrolment, or the id of the same one made before.
func (e enrolment) statement(t *client.Trial, key statement.PublicKey, until, now time.Time) (*statement.Statement, *statement.ID, error) {
	if e.lost(t) {
		return nil, nil, &fault{code: exitUsage, err: fmt.Errorf("the salt of the stream %s was lost, and its keys cannot be invited without", e.stream), do: lostDo}
	}
	fresh := e.fresh(t, key, until)
	k := fresh.Keys[0]
	for i := range t.Grants {
		n := t.Grants[i].Note
		if n.Kind != statement.KindEnrolment || n.Keys[0] != k || n.Person != e.person || !n.Until.Equal(until) {
			continue
		}
		_, _, err := t.InForce(e.stream, key, now)
		if !t.Grants[i].Sealed() || err == nil {
			return nil, &n.ID, nil
		}
	}
	for i := range t.Grants {
		n := t.Grants[i].Note
		if n.Kind == statement.KindRevocation && n.Keys[0].Key == key && n.Keys[0].Stream == k.Stream {
			return nil, nil, &fault{code: exitUsage, err: fmt.Errorf("the key %s was revoked for %s, and a revocation is for ever", key.Name, e.stream), do: "Have its holder make a new key, and enrol that."}
		}
	}
	if g, _, err := t.InForce(e.stream, key, now); err == nil && g.Person != "" && g.Person != e.person {
		return nil, nil, &fault{code: exitUsage, err: fmt.Errorf("the key %s is enrolled for %s already, as the key of %s, and a key has one holder", key.Name, e.stream, g.Person),
			do: "Enrol a key of the other person. If the name was mistyped, have its holder make a new key and hand the stream to it: revoke this one, enrol that."}
	}
	return fresh, nil, nil
}

const lostDo = "Have an invite of that stream sent back to you, and recover the trial file again with --from THAT.invite."

// lost reports whether recover found no salt of the stream.
func (e enrolment) lost(t *client.Trial) bool {
	return slices.ContainsFunc(t.Lost, func(l client.LostStream) bool { return l.Name == e.stream })
}

// fresh returns the statement of an enrolment. A stream that is new gets its salt,
// which is written to the file together with the statement and before it is sent.
func (e enrolment) fresh(t *client.Trial, key statement.PublicKey, until time.Time) *statement.Statement {
	if _, ok := t.Salt(e.stream); !ok {
		t.Streams = append(t.Streams, client.Stream{Name: e.stream, Salt: random()})
	}
	id, _ := t.StreamID(e.stream)
	k := statement.Key{Role: statement.Role(e.role), Name: e.stream, Stream: id, Key: key}
	return &statement.Statement{Kind: statement.KindEnrolment, Keys: []statement.Key{k}, Person: e.person, Until: until}
}

// writeInvite writes the invite of a sealed grant and shows it, with what else
// there is to say.
func (a *app) writeInvite(t *client.Trial, l *client.Logged, out, word string, more func(*sheet)) error {
	n := l.Note
	address := t.Service
	if a.service != "" {
		var err error
		if address, err = client.ParseURL(a.service); err != nil {
			return err
		}
	}
	in, err := t.Invite(n.ID, address)
	if err == nil {
		var b []byte
		if b, err = in.Bytes(); err == nil {
			err = client.WriteNew(out, b, client.Private)
		}
	}
	if err != nil {
		f := &fault{code: exitUsage, err: err, safe: "The key is enrolled all the same; only the invite was not written.", do: "Run the same command again with another --out."}
		if !errors.Is(err, client.ErrExists) {
			f.do = "Run the same command again."
		}
		return f
	}
	k := n.Keys[0]
	s := &sheet{word: word, head: strings.Join([]string{k.Key.Name, k.Name, t.Trial}, " · ")}
	s.add("key", "%s", k.Key.Fingerprint())
	s.more("have its holder read this to you, if they have not")
	s.add("role", "%s", roleLine(in.Person(), k.Role, n.Until))
	s.add("invite", "%s (private: for the holder of the key)", out)
	s.more("they run: trialnotary join %s --key THEIR.key", quote(out))
	more(s)
	return a.print(s, struct {
		Trial       string `json:"trial"`
		Stream      string `json:"stream"`
		StreamID    string `json:"stream_id"`
		Key         string `json:"verifier_key"`
		Fingerprint string `json:"key_fingerprint"`
		Role        string `json:"role"`
		Person      string `json:"person,omitempty"`
		Invite      string `json:"invite"`
		Statement   string `json:"statement"`
	}{t.Trial, k.Name, k.Stream.String(), k.Key.String(), k.Key.Fingerprint(), string(k.Role), in.Person(), out, n.ID.String()})
}

func roleLine(person string, role statement.Role, until time.Time) string {
	s := string(role)
	if person != "" {
		s += ", " + person
	}
	if !until.IsZero() {
		s += ", until " + moment(until)
	}
	return s
}

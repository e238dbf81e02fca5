package main

import (
	"bufio"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

func (a *app) trustCommand() *cobra.Command {
	var fingerprint string
	c := &cobra.Command{
		Use:   "trust FILE [--fingerprint X]",
		Short: "Accept a log's trust file",
		Long: `Accept the trust file of a log, or the one in a .trial or .invite: from then on,
receipts of that log are verified with it. Compare the fingerprint with the one the
operator publishes elsewhere: by telephone, in print, on a page you trust.`,
		Example: `  trialnotary trust acme.trust
  trialnotary trust site-042.invite --fingerprint 9F3C-…`,
		Args: args(1, 1, "the trust file"),
		RunE: func(c *cobra.Command, args []string) error { return a.acceptTrust(args[0], fingerprint) },
	}
	c.Flags().StringVar(&fingerprint, "fingerprint", "", "accept only this `FINGERPRINT`, and do not ask")
	return c
}

// readTrust reads a trust file, or takes it out of a file that carries one.
func readTrust(name string) (*receipt.Trust, error) {
	b, err := client.ReadFile(name, client.MaxProfile)
	if err != nil {
		return nil, err
	}
	b, _ = text.Outer(b)
	version, _, _ := strings.Cut(string(b[:min(len(b), 64)]), "\n")
	var t *receipt.Trust
	switch version {
	case client.TrialVersion:
		var p *client.Trial
		if p, err = client.ParseTrial(b); err == nil {
			t = p.Trust
		}
	case client.InviteVersion:
		var p *client.Invite
		if p, err = client.ParseInvite(b); err == nil {
			t = p.Trust
		}
	default:
		t, err = receipt.ParseTrust(b)
	}
	if err != nil {
		return nil, wrongFile(name, b, kindOf(receipt.TrustVersion), err)
	}
	return t, nil
}

func (a *app) acceptTrust(name, fingerprint string) error {
	t, err := readTrust(name)
	if err != nil {
		return err
	}
	m, err := a.memory()
	if err != nil {
		return err
	}
	origin := t.Policy.Origin()
	before, err := m.Accepted(origin)
	if err != nil {
		return err
	}
	s := &sheet{word: "TRUST", head: origin}
	describeTrust(s, t)
	if before != nil && before.Trust.Fingerprint != t.Fingerprint {
		s.add("replaces", "%s, accepted %s as %s", before.Trust.Fingerprint, day(before.Time), before.Name)
	}
	change := changeOfKeys(before, t)
	for _, l := range change.lines {
		s.add(l[0], "%s", l[1])
	}
	if fingerprint == "" {
		if !a.terminal {
			return &fault{code: exitUsage, err: fmt.Errorf("the trust file of %s has the fingerprint %s, and there is no terminal to ask whether that is right", origin, t.Fingerprint),
				safe: "It was not accepted.", do: "Compare it with what the operator publishes, then: trialnotary trust " + quote(name) + " --fingerprint " + t.Fingerprint}
		}
		fmt.Fprint(a.prompt, s.lines())
		fmt.Fprint(a.prompt, "Is this the fingerprint that the operator gave you, by another way than this file? Type yes: ")
		answer, err := bufio.NewReader(a.in).ReadString('\n')
		if err != nil || strings.TrimSpace(strings.ToLower(answer)) != "yes" {
			return &fault{code: exitUsage, err: fmt.Errorf("the trust file of %s was not accepted: the answer was not yes", origin), safe: "Nothing was changed.",
				do: "To accept it without being asked: trialnotary trust " + quote(name) + " --fingerprint FINGERPRINT"}
		}
	} else {
		want, err := statement.ParseFingerprint(fingerprint)
		if err != nil {
			return &fault{code: exitUsage, err: err, safe: "It was not accepted.", do: "A fingerprint has 40 hex digits: 9F3C-…"}
		}
		if want != t.Fingerprint {
			return &fault{code: exitNotVerified, err: fmt.Errorf("the fingerprint of %s is %s, not %s", name, t.Fingerprint, want),
				safe: "It was not accepted. It is another trust file than the one you were told of: do not rely on it."}
		}
	}
	if err := m.Accept(client.Accepted{Name: filepath.Base(name), Time: a.now(), Trust: t}); err != nil {
		return err
	}
	s.word = "ACCEPTED"
	return a.print(s, trustJSON(t, change))
}

// keyChange is how the keys of a trust file came from those of the one before.
type keyChange struct {
	lines   [][2]string
	sizes   []uint64
	crossed *bool // nil: the keys are the same, or none were accepted before
}

// changeOfKeys says it in words. Whoever has the old keys can sign a handover, so that
// even a good one is no reason not to compare the fingerprint.
func changeOfKeys(before *client.Accepted, t *receipt.Trust) (c keyChange) {
	if before == nil || slices.Equal(before.Trust.Policy.LogKeys(), t.Policy.LogKeys()) {
		return c
	}
	sizes, crossed := t.Policy.HandedOver(before.Trust.Policy.LogKeys())
	c.sizes, c.crossed = sizes, &crossed
	var at []string
	for _, n := range sizes {
		at = append(at, number(n))
	}
	add := func(name, words string) { c.lines = append(c.lines, [2]string{name, words}) }
	switch {
	case crossed:
		add("keys", "same log, keys handed over at size "+names(at)+", cross-signed by the keys you trusted")
	case len(sizes) > 0:
		add("WARNING", "the log has other keys since size "+names(at)+", and the keys you trusted did NOT sign that")
		add("", "change: they may have been stolen, or this file is not the operator's. Ask the operator by")
		add("", "telephone, and compare the fingerprint before you accept it")
	default:
		add("WARNING", "this file has OTHER KEYS and does not even name those you trusted: receipts of before will")
		add("", "not verify with it. Ask the operator by telephone, and compare the fingerprint")
	}
	return c
}

func trustJSON(t *receipt.Trust, c keyChange) any {
	_, witnesses := t.Policy.Origin(), t.Policy.Witnesses()
	return struct {
		Log         string   `json:"log"`
		Fingerprint string   `json:"fingerprint"`
		Keys        []string `json:"log_keys"`
		Witnesses   int      `json:"witnesses"`
		Sponsors    int      `json:"sponsors"`
		HandedOver  []uint64 `json:"keys_handed_over_at,omitempty"`
		Crossed     *bool    `json:"cross_signed,omitempty"`
	}{t.Policy.Origin(), t.Fingerprint, t.Policy.LogKeys(), len(witnesses), len(t.Sponsors), c.sizes, c.crossed}
}

// describeTrust adds what a trust file makes its user believe.
func describeTrust(s *sheet, t *receipt.Trust) {
	s.add("fingerprint", "%s", t.Fingerprint)
	var keys []string
	for _, k := range t.Policy.LogKeys() {
		keys = append(keys, shortKey(k))
	}
	s.add("log", "%s, signed with %s", t.Policy.Origin(), strings.Join(keys, " and "))
	for _, k := range t.Policy.Retired() {
		s.add("before", "%s, up to size %s", shortKey(k.Policy.LogKeys()[0]), number(k.Until))
	}
	var ws []string
	for _, w := range t.Policy.Witnesses() {
		ws = append(ws, w.Name+" ("+shortKey(w.Key)+")")
	}
	if len(ws) == 0 {
		s.add("witnesses", "none: no time is proved, only claimed")
	} else {
		s.add("witnesses", "%s", names(ws))
	}
	var auditors []string
	for _, k := range t.Auditors {
		auditors = append(auditors, shortKey(k))
	}
	if len(auditors) > 0 {
		s.add("auditors", "%s", names(auditors))
	}
	if !t.HasSponsors {
		s.add("sponsors", "not listed: a trial is shown as first to register only")
	} else {
		var sponsors []string
		for _, k := range t.Sponsors {
			sponsors = append(sponsors, k.Name)
		}
		if len(sponsors) == 0 {
			sponsors = []string{"none: only a trial fingerprint vouches for a trial"}
		}
		s.add("sponsors", "%s", names(sponsors))
	}
}

// shortKey writes a verifier key without its bytes.
func shortKey(vkey string) string {
	name, rest, _ := strings.Cut(vkey, "+")
	hash, _, _ := strings.Cut(rest, "+")
	return name + "+" + hash
}

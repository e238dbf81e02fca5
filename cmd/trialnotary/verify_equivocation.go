package main

import (
	"errors"
	"path/filepath"
	"strings"

	"trialnotary/notary/audit"
	"trialnotary/notary/client"
	"trialnotary/notary/text"
)

// isEquivocation reports whether a file says that it proves two histories.
func isEquivocation(name string) bool {
	b, _ := text.Outer(head(name))
	return strings.HasPrefix(string(b), audit.EquivocationVersion+"\n")
}

func readEquivocation(name string) (*audit.Equivocation, error) {
	b, err := client.ReadFile(name, 2*audit.MaxEquivocation)
	if err != nil {
		return nil, &fault{code: exitUsage, err: err}
	}
	b, _ = text.Outer(b)
	return audit.ParseEquivocation(b)
}

// verifyEquivocation checks a proof that a log signed two histories.
func (a *app) verifyEquivocation(name string, v verifying) error {
	if len(v.paths) > 0 || v.manifest != "" || v.opening != "" || v.history != "" || v.trial != "" {
		return &fault{code: exitUsage, err: errors.New("a proof that a log signed two histories is verified by itself"), do: "Type just: trialnotary verify " + quote(name)}
	}
	s := &sheet{word: notVerified, head: name}
	out := struct {
		File      string   `json:"file"`
		Verdict   string   `json:"verdict"`
		Log       string   `json:"log,omitempty"`
		Confirmed bool     `json:"confirmed"`
		Sizes     []uint64 `json:"sizes,omitempty"`
		Reason    string   `json:"reason,omitempty"`
	}{File: text.Visible(name)}
	fail := func(why error) error {
		s.add("failed", "%s", inWords(why))
		s.add("so", "this file proves nothing of the log")
		out.Verdict, out.Reason = strings.ToLower(notVerified), inWords(why)
		if err := a.print(s, out); err != nil {
			return err
		}
		return shown{exitNotVerified}
	}
	e, err := readEquivocation(name)
	if _, ok := errors.AsType[*fault](err); ok {
		return err
	} else if err != nil {
		return fail(err)
	}
	first, second := e.Checkpoints()
	beliefs, err := a.believe(filepath.Dir(name), first.Origin)
	if err != nil {
		return err
	}
	var b belief
	for _, b = range beliefs {
		own, _ := a.signatures(b.trust, first.Origin)
		if err = e.Verify(own); err == nil {
			break
		}
	}
	if err != nil {
		return fail(err)
	}
	s.word, s.head = verified, "two histories · "+first.Origin
	if !b.confirmed {
		s.word = unconfirmed
	}
	at := e.Root
	if first.Size == second.Size {
		at = second.Root
	}
	proved := "proved"
	if !b.confirmed {
		proved = "it shows" // to whom those are the log's keys
	}
	s.add(proved, "the log signed two histories: of its first %s, two roots", leaves(first.Size))
	s.more("%s", text.Base64(first.Root[:]))
	s.more("%s", text.Base64(at[:]))
	if first.Size != second.Size {
		s.more("the second by its checkpoint of size %s and a consistency proof", number(second.Size))
	}
	if b.confirmed {
		s.add("so", "whoever has the log's keys showed different logs to different people, or rewrote")
		s.more("its past. What rests on this log alone is in doubt; witnesses and time-stamps stand")
	} else {
		s.add("so", "nothing yet: anyone can make such a file, with keys that are not the log's")
	}
	(&audited{trust: b}).addTrust(s)
	out.Verdict, out.Log, out.Confirmed, out.Sizes = strings.ToLower(s.word), first.Origin, b.confirmed, []uint64{first.Size, second.Size}
	if err := a.print(s, out); err != nil {
		return err
	}
	if !b.confirmed {
		return shown{exitUnconfirmed}
	}
	return nil
}

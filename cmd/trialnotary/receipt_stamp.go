package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/timestamp"
)

// held is a receipt file whose time-stamps may become more, under the visitor's own
// trust file.
type held struct {
	file    string
	raw     []byte
	receipt *receipt.Receipt
	verdict *receipt.Verdict
	trust   *receipt.Trust
}

// hold reads and verifies a receipt file. Only what verifies is worth stamping, and
// only under a trust file that names authorities can anything more count.
func (a *app) hold(file string) (*held, error) {
	b, err := client.ReadFile(file, receipt.MaxSize)
	if err != nil {
		return nil, &fault{code: exitUsage, err: err}
	}
	if err := isReceipt(file, b); err != nil {
		return nil, err
	}
	h := &held{file: file, raw: b}
	if h.receipt, err = receipt.Parse(b); err != nil {
		return nil, &fault{code: exitNotVerified, err: err}
	}
	beliefs, err := a.believe(filepath.Dir(file), originOf(h.receipt.Proof))
	if err != nil {
		return nil, err
	}
	if h.trust = beliefs[0].trust; h.trust == nil || !beliefs[0].confirmed {
		return nil, &fault{code: exitUnconfirmed, err: errors.New("you have accepted no trust file of its log"), do: "Get the operator's trust file by a way you trust, then: trialnotary trust FILE"}
	}
	if h.verdict, err = h.receipt.Verify(receipt.Options{Trust: h.trust, Confirmed: true, Now: a.now()}); err != nil {
		return nil, err
	}
	return h, nil
}

// authorities returns whose time-stamps count; an error where there are none.
func (h *held) authorities() (*timestamp.Authorities, error) {
	if len(h.trust.TSA) == 0 {
		return nil, &fault{code: exitUsage, err: errors.New("the trust file you accepted names no time-stamping authority, so that none would count"),
			do: "If the operator has a newer trust file: trialnotary trust FILE"}
	}
	return timestamp.ParseAuthorities(h.trust.TSA)
}

// write replaces the file by the receipt with more tokens: everything else is the
// same bytes, and a crash leaves the one or the other.
func (h *held) write(r *receipt.Receipt) error {
	b, err := r.Bytes()
	if err != nil {
		return err
	}
	without := *r
	without.Timestamps, without.Renewals = h.receipt.Timestamps, h.receipt.Renewals
	if same, err := without.Bytes(); err != nil || string(same) != string(h.raw) {
		return fmt.Errorf("more than its time-stamps would change; it was left as it is")
	}
	mode := client.Public
	if info, err := os.Stat(h.file); err == nil && info.Mode().Perm()&0o077 == 0 {
		mode = client.Private // as its owner made it
	}
	return client.Exchange(h.file, h.raw, b, mode)
}

// refresh asks the service for the time-stamps that a receipt does not have yet. One
// that was found and not named is asked about only if that can bring it its first.
func (a *app) refresh(c *cobra.Command, file string, named bool, away silent) (o outcome, done bool) {
	o = outcome{File: file, Receipt: file, State: "unchanged"}
	h, err := a.hold(file)
	if err != nil {
		return o.failed(err), named
	}
	o.Statement, o.About = h.verdict.Note.ID.String(), headOf(h.verdict.Note)
	if len(h.receipt.Renewals) > 0 || !named && (h.verdict.Stamp() != nil || len(h.trust.TSA) == 0) {
		return o, named // a renewal is over all of it
	}
	authorities, err := h.authorities()
	if err != nil {
		return o.failed(err), named
	}
	address, err := a.serviceOf(h.verdict.Note)
	if err != nil || address == "" && a.service == "" && !named {
		return o.failed(err), named
	}
	s, err := a.dial(c, address)
	if err == nil {
		err = away[s.URL()]
	}
	if err != nil {
		return o.failed(err), true
	}
	e, err := s.Evidence(c.Context(), client.Ref{Stream: h.verdict.Entry.Stream, Statement: h.verdict.Note.ID})
	away.note(s, err)
	if err != nil {
		return o.failed(err), true
	}
	with, n, err := h.receipt.WithTimestamps(e, authorities)
	if err != nil {
		return o.failed(&fault{code: exitNotVerified, err: err}), true
	}
	if n == 0 {
		return o, named
	}
	if err := h.write(with); err != nil {
		return o.failed(err), true
	}
	o.State = "stamped"
	return o, true
}

// serviceOf returns the service of a statement's log as an invite remembered here
// names it, "" if none does: no address in evidence is ever followed.
func (a *app) serviceOf(n *statement.Note) (string, error) {
	m, err := a.memory()
	if err != nil {
		return "", err
	}
	joins, err := m.Joins()
	for _, j := range joins {
		if j.Invite.Log == n.Log {
			return j.Invite.Service, nil
		}
	}
	return "", err
}

// receiptsBelow returns the receipts that are named, and those found below
// directories.
func receiptsBelow(paths []string) (named, found []string, err error) {
	var dirs []string
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil && info.IsDir() {
			dirs = append(dirs, p)
		} else if filepath.Ext(p) == ".receipt" {
			named = append(named, p)
		}
	}
	found, err = below(dirs, ".receipt")
	return named, found, err
}

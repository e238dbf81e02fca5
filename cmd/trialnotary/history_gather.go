package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/spf13/cobra"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/entry"
	"trialnotary/notary/history"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
	"trialnotary/notary/tile"
)

// reader is who asks, and what their file knows of the trial.
type reader struct {
	service, log string
	trust        *receipt.Trust
	registration *statement.Note
	own          string                        // the stream of an invite, "" for a trial file
	streams      map[string]statement.StreamID // by name; grants may name more
	key          statement.PrivateKey
}

func (r *reader) fingerprint() string { return statement.TrialFingerprint(r.registration.ID) }

// readable reads a trial file or an invite, and opens the key that goes with it.
func (a *app) readable(c *cobra.Command, name string) (*reader, error) {
	b, err := client.ReadFile(name, client.MaxProfile)
	if err != nil {
		return nil, &fault{code: exitUsage, err: err}
	}
	m, err := a.memory()
	if err != nil {
		return nil, err
	}
	b, _ = text.Outer(b)
	var r *reader
	keyFile := a.key
	if in, err := client.ParseInvite(b); err == nil {
		r = &reader{service: in.Service, log: in.Log, trust: current(in.Trust), registration: in.Registration.Note, own: in.Stream,
			streams: map[string]statement.StreamID{in.Stream: in.StreamID()}}
		joins, _ := m.Joins()
		for _, j := range joins {
			if keyFile == "" && j.Invite.Grant() == in.Grant() {
				keyFile = j.Key
			}
		}
	} else {
		t, err := readTrial(name)
		if err != nil {
			return nil, err
		}
		r = &reader{service: t.Service, log: t.Log, trust: t.Trust, registration: t.Registration.Note, streams: map[string]statement.StreamID{}}
		for _, s := range t.Streams {
			r.streams[s.Name], _ = t.StreamID(s.Name)
		}
		if keyFile == "" {
			keyFile = m.SponsorKey(t.Registration.Note.ID)
		}
	}
	file, err := a.readKey(c, keyFile)
	if err != nil {
		return nil, err
	}
	r.key, err = a.openKey(file, keyFile)
	return r, err
}

// gatherer is one history being put together.
type gatherer struct {
	*reader
	ctx     context.Context
	srv     *client.Service
	at      uint64 // fixed by the first stream
	options receipt.Options
	h       *history.History
}

// gather asks the service for a history. First come the registrations and the
// grants, which say what other streams there are.
func (a *app) gather(c *cobra.Command, from *reader, g gathering) (*history.History, error) {
	srv, err := a.dial(c, from.service)
	if err != nil {
		return nil, err
	}
	t := &gatherer{reader: from, ctx: c.Context(), srv: srv, at: g.at, h: &history.History{},
		options: receipt.Options{Trust: from.trust, Trial: from.fingerprint(), Now: a.now()}}
	audits, err := readAuditors(g.auditors)
	if err != nil {
		return nil, err
	}
	if err := t.chooseBatch(audits); err != nil {
		return nil, err
	}
	registrations := from.registration.RegistrationStreams()
	own := len(registrations) - 1
	for _, id := range append([]statement.StreamID{registrations[own]}, registrations[:own]...) {
		read, err := t.add(id)
		if err != nil {
			return nil, t.explain(err, "the registration stream")
		}
		if !read {
			return nil, t.unreadable("the registration stream")
		}
	}
	if len(t.h.Streams[0].Entries) == 0 {
		return nil, &fault{code: exitUsage, err: fmt.Errorf("%s was not registered yet by batch %s", from.registration.Trial, number(t.at)), do: "Choose a later batch with --at."}
	}
	readsGrants, err := t.add(from.registration.Keys[0].Stream)
	if err != nil {
		return nil, t.explain(err, "the trial stream")
	}
	if !readsGrants && from.own == "" {
		return nil, t.unreadable("the trial stream")
	}
	wanted, err := t.wanted(g.streams)
	if err != nil {
		return nil, err
	}
	for _, s := range wanted {
		read, err := t.add(s.id)
		if err != nil {
			return nil, t.explain(err, "stream "+s.name)
		}
		if !read && slices.Contains(g.streams, s.name) {
			return nil, t.unreadable("the stream " + s.name)
		}
	}
	return t.h, t.addAuditors(audits)
}

func (t *gatherer) explain(err error, what string) error {
	if errors.Is(err, client.ErrNoBatch) {
		return &fault{code: exitPending, err: fmt.Errorf("the service has no batch %d under a final checkpoint, or not yet", t.at), do: "Leave --at away for the newest, or try again in a minute."}
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (t *gatherer) unreadable(what string) error {
	return &fault{code: exitService, err: fmt.Errorf("the service does not let the key %s read %s", t.key.Public().Name, what), safe: "Nothing was written.",
		do: "Ask the sponsor what the key was enrolled for, or name another with --key."}
}

// add reads one stream; false if the key may not read it, which looks like one that
// does not exist.
func (t *gatherer) add(id statement.StreamID) (bool, error) {
	at, err := t.srv.StreamAt(t.ctx, t.log, t.key, id, t.at)
	var refused *client.Refused
	if errors.As(err, &refused) && refused.Status == http.StatusForbidden {
		return false, nil
	} else if err != nil {
		return false, err
	}
	b, err := entry.ParseBatch(at.Batch)
	if err != nil {
		return false, err
	}
	if t.h.Batch == nil {
		t.at, t.h.Batch, t.h.Proof = b.Number, at.Batch, at.Proof
	}
	s := history.Stream{MapProof: at.MapProof}
	leaves, err := t.srv.Entries(t.ctx, t.log, t.key, id, 1)
	if err != nil {
		return false, err
	}
	seqs := uint64(0)
	for _, leaf := range leaves {
		// What came after the batch is no part of it.
		if e, err := entry.Parse(leaf); err != nil || e.Batch > t.at {
			break
		}
		s.Entries = append(s.Entries, leaf...)
		seqs++
	}
	notes, err := t.srv.Statements(t.ctx, t.log, t.key, id, 1)
	if err != nil {
		return false, err
	}
	for seq := uint64(1); seq <= seqs; seq++ {
		if n := notes[seq]; n != nil {
			s.Statements = append(s.Statements, history.Opened{Seq: seq, Note: n.Raw})
		}
	}
	t.h.Streams = append(t.h.Streams, s)
	return true, nil
}

// named is a stream to be read.
type named struct {
	name string
	id   statement.StreamID
}

// wanted returns the streams asked for by name, in order; all that grants name if
// none is.
func (t *gatherer) wanted(names []string) ([]named, error) {
	v, err := t.h.Verify(t.options)
	if err != nil {
		return nil, kept(fmt.Errorf("what the service shows does not verify: %w", err), "Nothing was written.", "")
	}
	known := t.streams
	for _, s := range v.Named() {
		known[s.Name] = s.ID
	}
	all := names
	if len(names) == 0 && t.own != "" {
		all = []string{t.own}
	} else if len(names) == 0 {
		for _, s := range v.Named() {
			all = append(all, s.Name)
		}
	}
	var out []named
	for _, name := range slices.Compact(slices.Sorted(slices.Values(all))) {
		id, ok := known[name]
		switch {
		case !ok:
			return nil, &fault{code: exitUsage, err: fmt.Errorf("no grant up to batch %s names a stream %q", number(t.at), name)}
		case name != statement.TrialStream:
			out = append(out, named{name, id})
		}
	}
	return out, nil
}

// vouched is an auditor's signed checkpoint.
type vouched struct {
	file string
	checkpoint.Signed
}

// batch returns the number of the batch with which the checkpoint ends.
func (v vouched) batch(ctx context.Context, srv *client.Service) (uint64, error) {
	if v.Size == 0 {
		return 0, &fault{code: exitUsage, err: fmt.Errorf("%s is of an empty log", v.file)}
	}
	leaf, err := srv.Leaf(ctx, v.Size-1, v.Size)
	if err != nil {
		return 0, err
	}
	b, err := entry.ParseBatch(leaf)
	if err != nil {
		return 0, &fault{code: exitUsage, err: fmt.Errorf("%s is of size %s, where no batch ends", v.file, number(v.Size))}
	}
	return b.Number, nil
}

func readAuditors(files []string) ([]vouched, error) {
	var all []vouched
	for _, f := range files {
		b, err := client.ReadFile(f, checkpoint.MaxSize)
		if err != nil {
			return nil, &fault{code: exitUsage, err: err}
		}
		s, err := checkpoint.Parse(b)
		if err != nil {
			return nil, &fault{code: exitUsage, err: fmt.Errorf("%s is no signed checkpoint: %w", f, err)}
		}
		if len(all) > 0 && s.Checkpoint != all[0].Checkpoint {
			return nil, &fault{code: exitUsage, err: fmt.Errorf("%s and %s are about different checkpoints; a history has one", all[0].file, f)}
		}
		all = append(all, vouched{f, s})
	}
	return all, nil
}

// chooseBatch fixes the batch where an auditor's checkpoint says how far they went.
// Otherwise it is the newest, which cannot be older than the public checkpoint.
func (t *gatherer) chooseBatch(audits []vouched) error {
	switch {
	case t.at > 0:
		return nil
	case len(audits) > 0:
		n, err := audits[0].batch(t.ctx, t.srv)
		t.at = n
		return err
	}
	raw, err := t.srv.Checkpoint(t.ctx)
	if err != nil {
		return err
	}
	public, err := checkpoint.Parse(raw)
	if err == nil {
		_, err = t.trust.Meets(public, t.options.Now)
	}
	if err != nil {
		return kept(fmt.Errorf("the public checkpoint of %s: %w", t.log, err), "Nothing was written.", "")
	}
	at, err := t.srv.StreamAt(t.ctx, t.log, t.key, t.registration.Stream(), 0)
	if err != nil {
		return t.explain(err, "the registration stream")
	}
	b, err := entry.ParseBatch(at.Batch)
	if err != nil {
		return err
	}
	if b.Index+1 < public.Size {
		return &fault{code: exitNotVerified, err: fmt.Errorf("the service shows batch %s as the newest, which ends at size %s, and its public checkpoint covers %s: it shows an old batch as the newest",
			number(b.Number), number(b.Index+1), number(public.Size)), safe: "Nothing was written.", do: "Ask again in a minute; if it stays so, the operator is hiding what is newer."}
	}
	t.at = b.Number
	return nil
}

// addAuditors adds the auditors' checkpoints, and proves the batch in the one that
// they signed.
func (t *gatherer) addAuditors(audits []vouched) error {
	if len(audits) == 0 {
		return nil
	}
	for _, s := range audits {
		t.h.Auditors = append(t.h.Auditors, s.Raw)
	}
	proof, err := audits[0].prove(t.ctx, t.srv, t.h.Proof)
	t.h.Proof = proof
	return err
}

// prove returns the proof of a batch in the checkpoint that was signed, given its
// proof in another.
func (v vouched) prove(ctx context.Context, srv *client.Service, proof []byte) ([]byte, error) {
	p, err := checkpoint.ParseProof(proof)
	if err != nil {
		return nil, err
	}
	have, err := checkpoint.Parse(p.Checkpoint)
	if err != nil {
		return nil, err
	}
	if have.Checkpoint == v.Checkpoint {
		return proof, nil
	}
	if v.Size <= p.Index {
		return nil, &fault{code: exitUsage, err: fmt.Errorf("%s is of size %s, and the batch ends after it, at size %s", v.file, number(v.Size), number(p.Index+1)), do: "Choose an older batch, or get a newer signature of the auditor."}
	}
	if p.Checkpoint, err = srv.Object(ctx, checkpoint.FinalName(v.Size)); err != nil {
		return nil, fmt.Errorf("the checkpoint that %s is about: %w", v.file, err)
	}
	p.Hashes, err = tile.Inclusion(p.Index, v.Size, func(name string) ([]byte, error) { return srv.Object(ctx, name) })
	if err != nil {
		return nil, err
	}
	return p.Bytes(), nil
}

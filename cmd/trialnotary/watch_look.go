package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"trialnotary/events"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/client"
	"trialnotary/notary/history"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/text"
	"trialnotary/notary/tile"
)

// lookout is a watch that is kept.
type lookout struct {
	app *app
	cmd *cobra.Command
	watching
	*reader
	hook *client.Webhook
}

// look looks once: what the service shows is verified whole, compared with what was
// seen before, and what is new in it and not one's own is told.
func (l *lookout) look(ctx context.Context) error {
	seen, err := l.remembered()
	if err != nil {
		return err
	}
	var g gathering
	if l.own != "" {
		g.streams = []string{l.own} // which it must be let read: else nothing was watched
	}
	h, err := l.app.gather(l.cmd, l.reader, g)
	var v *history.Verdict
	var trust belief
	if err == nil {
		v, trust, err = l.verify(h)
	}
	if err != nil {
		if codeOf(err) == exitNotVerified {
			return l.alarm(ctx, seen, nil, unverified, err.Error())
		}
		return err
	}
	now, err := watchedAt(h, v)
	if err != nil {
		return err
	}
	closed := now.Keep(seen)
	if what, why, err := l.contradiction(ctx, seen, now, v); err != nil {
		return err
	} else if what != "" {
		return l.alarm(ctx, seen, now, what, why)
	}
	known, err := l.known()
	if err != nil {
		return err
	}
	m := l.told(seen, v, known)
	if err := l.app.tellWatch(m, v, closed, trust, l.key.Public(), seen == nil || len(m.Data.Entries) > 0 || closed > 0 || l.once); err != nil {
		return err
	}
	if len(m.Data.Entries) > 0 {
		if err := l.deliver(ctx, m); err != nil {
			return err // and nothing is remembered: it is told again
		}
	}
	return l.remember(seen, now)
}

func (l *lookout) verify(h *history.History) (v *history.Verdict, b belief, err error) {
	b, failure, err := l.app.judge(os.DevNull, l.log, l.fingerprint(), "", func(o receipt.Options) (err error) {
		if o.Trust == nil {
			o.Trust = l.trust
		}
		v, err = h.Verify(o)
		return err
	})
	if err == nil && failure != nil {
		err = &fault{code: exitNotVerified, err: failure}
	}
	if b.trust == nil {
		b = belief{l.trust, l.file, "the file's own: not accepted by you", false}
	}
	return v, b, err
}

// remembered returns what was seen last, nil at the first look.
func (l *lookout) remembered() (*client.Watched, error) {
	b, err := os.ReadFile(l.state)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var w *client.Watched
	if err == nil {
		w, err = client.ParseWatched(b)
	}
	if err != nil {
		return nil, &fault{code: exitUsage, err: fmt.Errorf("%s: %w", l.state, err), safe: "Nothing was checked.",
			do: "It holds what was seen before, without which a changed past is not noticed. Put it back from a copy, or move it away to begin anew."}
	}
	return w, nil
}

func (l *lookout) remember(seen, now *client.Watched) error {
	b, err := now.Bytes()
	if err != nil {
		return err
	}
	if seen == nil {
		return client.WriteNew(l.state, b, client.Private)
	}
	old, err := seen.Bytes()
	if err != nil || string(old) == string(b) {
		return err
	}
	return client.Replace(l.state, old, b, client.Private)
}

// watchedAt is what is to be remembered of a history.
func watchedAt(h *history.History, v *history.Verdict) (*client.Watched, error) {
	p, err := checkpoint.ParseProof(h.Proof)
	if err != nil {
		return nil, err
	}
	w := &client.Watched{Batch: v.Batch.Number}
	if w.Checkpoint, err = checkpoint.Parse(p.Checkpoint); err != nil {
		return nil, err
	}
	for _, s := range v.Streams {
		w.Streams = append(w.Streams, client.WatchedStream{ID: s.ID, Value: folded(s, len(s.Items))})
	}
	slices.SortFunc(w.Streams, func(a, b client.WatchedStream) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return w, nil
}

// folded is how a stream stood after its first n entries.
func folded(s *history.StreamVerdict, n int) (v streammap.Value) {
	for _, i := range s.Items[:n] {
		v = streammap.Value{Count: v.Count + 1, Head: streammap.Fold(v.Head, tile.LeafHash(i.Entry.Append(nil)))}
	}
	return v
}

// What an alarm is about.
const (
	shrunk     = "shrunk"
	rewritten  = "rewritten"
	unverified = "unverified"
)

// contradiction says how what is shown now contradicts what was seen, in a word and in
// a sentence; "" if it does not.
func (l *lookout) contradiction(ctx context.Context, seen, now *client.Watched, v *history.Verdict) (what, why string, err error) {
	if seen == nil {
		return "", "", nil
	}
	old, new := seen.Checkpoint.Checkpoint, now.Checkpoint.Checkpoint
	switch {
	case old.Origin != new.Origin:
		return "", "", &fault{code: exitUsage, err: fmt.Errorf("%s is of the log %s, and the service shows %s", l.state, old.Origin, new.Origin), do: "Name another file with --state."}
	case now.Batch < seen.Batch || new.Size < old.Size:
		return shrunk, fmt.Sprintf("the log shrank: batch %s of size %s was seen, and now batch %s of size %s is shown as the newest", number(seen.Batch), number(old.Size), number(now.Batch), number(new.Size)), nil
	}
	for _, s := range seen.Streams {
		at := slices.IndexFunc(v.Streams, func(x *history.StreamVerdict) bool { return x.ID == s.ID })
		if at < 0 {
			continue // a key may cease to read a stream
		}
		shown := v.Streams[at]
		switch {
		case uint64(len(shown.Items)) < s.Count:
			return shrunk, fmt.Sprintf("%s shrank: it had %s, and has %s now", shown.Title(), entriesOf(int(s.Count)), entriesOf(len(shown.Items))), nil
		case folded(shown, int(s.Count)) != s.Value:
			return rewritten, fmt.Sprintf("the past of %s was rewritten: its first %s are not those that were seen", shown.Title(), entriesOf(int(s.Count))), nil
		}
	}
	srv, err := l.app.dial(l.cmd, l.service)
	if err != nil {
		return "", "", err
	}
	proof, err := tile.Consistency(old.Size, new.Size, func(name string) ([]byte, error) { return srv.Object(ctx, name) })
	if err != nil {
		return "", "", err
	}
	if err := tile.VerifyConsistency(old.Size, new.Size, proof, old.Root, new.Root); err != nil {
		return rewritten, fmt.Sprintf("the past of the log was rewritten: its checkpoint of size %s does not continue the one of size %s that was seen", number(new.Size), number(old.Size)), nil
	}
	return "", "", nil
}

// alarm tells of a contradiction, keeps what proves it, and ends the watch.
func (l *lookout) alarm(ctx context.Context, seen, now *client.Watched, what, why string) error {
	kept := ""
	var batch, size uint64
	if now != nil {
		batch, size = now.Batch, now.Checkpoint.Size
		var err error
		if kept, err = l.keep(now.Checkpoint.Raw); err != nil {
			return err
		}
	}
	m := newMessage(events.TypeWatchAlarm, l.log, batch, size, l.app.now())
	m.Data.Alarm = what // no name of a stream
	sent := l.deliver(ctx, m)
	do := "Ask the operator, and do not rely on this log until you know why."
	if kept != "" && seen != nil {
		do = fmt.Sprintf("Keep %s and %s: each holds a checkpoint that the log signed, for an auditor to compare with the log.\n%s", quote(l.state), quote(kept), do)
	}
	if sent != nil {
		do += "\nThe webhook was not reached: " + inWords(sent)
	}
	return &fault{code: exitNotVerified, err: errors.New("ALARM: " + why), safe: "Your receipts are as good as before: each proves itself.", do: do}
}

// keep writes a checkpoint that contradicts what was seen to a file of its own: that of
// an alarm before it stays.
func (l *lookout) keep(raw []byte) (name string, err error) {
	name = l.state + ".alarm"
	for n := 2; ; n++ {
		err = client.WriteNew(name, raw, client.Private)
		if !errors.Is(err, client.ErrExists) {
			return name, err
		}
		if b, err := os.ReadFile(name); err == nil && string(b) == string(raw) {
			return name, nil
		}
		name = fmt.Sprintf("%s.alarm-%d", l.state, n)
	}
}

// known returns the ids of the statements that this site holds.
func (l *lookout) known() (map[statement.ID]bool, error) {
	ids := map[statement.ID]bool{l.registration.ID: true}
	add := func(raw []byte) {
		if n, err := statement.Parse(raw); err == nil {
			ids[n.ID] = true
		}
	}
	files := []string{l.file}
	for _, ext := range []string{".receipt", ".pending", ".invite", ".trial"} {
		found, err := below(l.have, ext)
		if err != nil {
			return nil, &fault{code: exitUsage, err: err, safe: "Nothing was checked."}
		}
		files = append(files, found...)
	}
	for _, f := range files {
		b, err := client.ReadFile(f, 2*client.MaxProfile)
		if err != nil {
			continue // what cannot be read is not known
		}
		b, _ = text.Outer(b)
		if r, err := receipt.Parse(b); err == nil {
			add(r.Statement)
			for _, g := range r.Grants {
				add(g.Statement)
			}
		} else if p, err := client.ParsePending(b); err == nil {
			ids[p.Note.ID] = true
		} else if i, err := client.ParseInvite(b); err == nil {
			for _, g := range i.Grants {
				ids[g.Note.ID] = true
			}
		} else if t, err := client.ParseTrial(b); err == nil {
			for _, g := range t.Grants {
				ids[g.Note.ID] = true
			}
		}
	}
	return ids, nil
}

// told is what is to be told: the entries since the last look that are not known.
func (l *lookout) told(seen *client.Watched, v *history.Verdict, known map[statement.ID]bool) message {
	m := newMessage(events.TypeWatchEntries, l.log, v.Batch.Number, v.FinalSize, v.Batch.Time)
	for _, s := range v.Streams {
		from := min(seen.Of(s.ID).Count, uint64(len(s.Items)))
		for _, i := range s.Items[from:] {
			// The service's own statements, about who read what, are shown by reads.
			if known[i.Entry.Statement] || i.Note != nil && i.Note.Kind == statement.KindAccess && i.State == history.Valid {
				continue
			}
			m.Data.Entries = append(m.Data.Entries, events.WatchedEntry{Stream: s.ID.String(), Seq: i.Entry.Seq, Index: i.Entry.Index, Batch: i.Entry.Batch,
				Time: i.Entry.Time, Statement: i.Entry.Statement.String(), Signer: l.signer(i)})
		}
	}
	return m
}

// signer says who signed, without a name.
func (l *lookout) signer(i *history.Item) string {
	switch {
	case i.Note == nil:
		return events.SignerClosed
	case i.Note.VerifiedBy(l.key.Public()):
		return events.SignerYou
	case i.State == history.Invalid:
		return events.SignerInvalid
	}
	return events.SignerOther
}

// tellWatch prints what a look found.
func (a *app) tellWatch(m message, v *history.Verdict, closed int, trust belief, you statement.PublicKey, say bool) error {
	if !say {
		return nil
	}
	s := &sheet{word: "NOTHING NEW", head: m.Data.Log}
	if n := len(m.Data.Entries); n > 0 {
		s.word = "NEW ENTRIES"
	}
	s.add("as of", "batch %s (%s), size %s: everything up to here verified, and the past is the same", number(m.Data.Batch), moment(v.Batch.Time), number(m.Data.Size))
	if trust.trust != nil {
		s.add("trust", "%s (%s)", trust.name, trust.how)
	}
	for _, e := range m.Data.Entries {
		where, by := e.Stream[:9]+"…", ""
		for _, x := range v.Streams {
			if x.ID.String() == e.Stream {
				where = x.Title()
				by = signedBy(x.Items[e.Seq-1], e.Signer, you)
			}
		}
		s.add("entry", "%s in %s, %s: %s", ordinal(e.Seq), where, moment(e.Time), by)
	}
	if closed > 0 {
		s.add("NOT SHOWN", "%s that your key could read before: what is new there was not looked at", count(closed, "stream"))
	}
	if len(m.Data.Entries) == 0 {
		s.add("entries", "none but those whose receipts you hold, and those you were told of")
	}
	return a.print(s, m.Watch)
}

func signedBy(i *history.Item, signer string, you statement.PublicKey) string {
	switch signer {
	case events.SignerYou:
		return fmt.Sprintf("%s signed with YOUR key %s, and neither receipt nor pending statement is here. If nobody of yours made it, the key is in other hands: have it revoked", i.Note.Kind, you.Name)
	case events.SignerClosed:
		return "its statement is not shown to your key"
	case events.SignerInvalid:
		return "made by NO key in force: " + i.Why
	}
	return fmt.Sprintf("%s signed by %s", i.Note.Kind, i.Note.KeyName)
}

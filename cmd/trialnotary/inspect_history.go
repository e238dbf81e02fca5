package main

import (
	"fmt"
	"strings"

	"trialnotary/notary/audit"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/history"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/text"
)

// history adds what the file says of each stream; the verdict is for verify.
func (i *inspected) history(b []byte) error {
	h, err := history.Parse(b)
	if err != nil {
		return err
	}
	i.private = true
	leaf, err := entry.ParseBatch(h.Batch)
	if err != nil {
		return err
	}
	i.batch(leaf)
	if err := i.logged(receipt.Logged{Proof: h.Proof}); err != nil {
		return err
	}
	for _, a := range h.Auditors {
		c, err := checkpoint.Parse(a)
		if err != nil {
			return err
		}
		i.add("auditor", "a checkpoint of %s leaves", number(c.Size))
		for _, l := range c.Lines {
			i.more("a signature line of %s+%08x", l.Name, l.Hash)
		}
	}
	for n, s := range h.Streams {
		p, err := streammap.ParseProof(s.MapProof)
		if err != nil {
			return fmt.Errorf("stream %d: %w", n+1, err)
		}
		i.add("stream", "%s", p.Stream)
		i.more("%s, %d of them opened%s", entriesOf(int(min(p.Count, 1<<31))), len(s.Statements), kindsOf(s.Statements))
	}
	return nil
}

// kindsOf counts what opened statements say they are.
func kindsOf(opened []history.Opened) string {
	counts, order := map[statement.Kind]int{}, []statement.Kind{}
	for _, o := range opened {
		n, err := statement.Parse(o.Note)
		if err != nil {
			continue
		}
		if counts[n.Kind] == 0 {
			order = append(order, n.Kind)
		}
		counts[n.Kind]++
	}
	var all []string
	for _, k := range order {
		all = append(all, fmt.Sprintf("%d %s", counts[k], k))
	}
	if len(all) == 0 {
		return ""
	}
	return ": " + strings.Join(all, ", ")
}

func (i *inspected) batch(b entry.Batch) {
	i.add("batch", "%s, %s", number(b.Number), moment(b.Time))
	i.add("place", "log index %s; its first entry has index %s", number(b.Index), number(b.First))
	i.add("streams", "%s after it", number(b.Streams))
}

// equivocation adds what a log is said to have signed.
func (i *inspected) equivocation(b []byte) error {
	e, err := audit.ParseEquivocation(b)
	if err != nil {
		return err
	}
	first, second := e.Checkpoints()
	i.add("first", "%s, %s, root %s", first.Origin, leaves(first.Size), text.Base64(first.Root[:]))
	i.add("second", "%s, %s, root %s", second.Origin, leaves(second.Size), text.Base64(second.Root[:]))
	i.add("together", "they cannot both be true; whether the log signed them, verify says")
	return nil
}

// quiet shows the two ends of a quiet period.
func (i *inspected) quiet(b []byte) error {
	q, err := history.ParseQuiet(b)
	if err != nil {
		return err
	}
	for _, p := range []history.Point{q.From, q.To} {
		e, err := entry.ParseBatch(p.Batch)
		if err != nil {
			return err
		}
		i.batch(e)
		if err := i.logged(receipt.Logged{Proof: p.Proof}); err != nil {
			return err
		}
	}
	i.add("auditors", "%s", count(len(q.Auditors), "signed checkpoint"))
	return nil
}

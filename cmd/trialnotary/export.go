package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/entry"
	"trialnotary/notary/history"
	"trialnotary/notary/kit"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/web"
)

func (a *app) exportCommand() *cobra.Command {
	var e exporting
	c := &cobra.Command{
		Use:   "export TRIAL.trial --out KIT.zip",
		Short: "Make one zip of a trial that verifies for decades",
		Long: `Put into one zip all that is needed to check a trial when neither the service nor this
program is there any more: receipts, statements, a history, the trust file, the
verification page, a note on how to check it and a description of every format. It holds
no key, no manifest, and no name of a file. The bytes follow from the content: the same
again is the same zip. 'trialnotary verify KIT.zip' takes it, with the network off.

It is for readers who are blinded: statements of closed streams (a safety board's, a
laboratory's), those of kind randomisation-list and unblinding, and those that name one
of these, or one that is not known here, are left out; the histories count their
entries as closed. --unblinded puts in all that your key may read.

What the service still holds is asked for. With --from, nothing is asked: the receipts
and histories below a directory are taken, as fetch, receipt --log and history left them.
That is for when the operator is gone, and for large trials: fetch goes on where it was
interrupted.`,
		Example: `  trialnotary export NCT01234567.trial --out NCT01234567.zip
  trialnotary export NCT01234567.trial --streams site-042,site-043 --out sites.zip
  trialnotary export NCT01234567.trial --from tmf --out NCT01234567.zip`,
		Args: args(1, 1, "the trial file"),
		RunE: func(c *cobra.Command, args []string) error {
			e.file = args[0]
			if e.out == "" {
				return usageError(c, "where is the zip to be written?", "--out KIT.zip")
			}
			e.app, e.c = a, c
			return e.run()
		},
	}
	f := c.Flags()
	f.StringVar(&e.out, "out", "", "the `KIT.zip` to write")
	f.StringSliceVar(&e.streams, "streams", nil, "only these streams, with commas between `NAMES`")
	f.StringVar(&e.from, "from", "", "take receipts and histories from below `DIR`, and ask no service")
	f.BoolVar(&e.unblinded, "unblinded", false, "leave nothing out for the sake of blinding")
	f.BoolVar(&e.yes, "yes", false, "do not ask on a terminal")
	a.keyFlag(c, "your key, which may read the streams")
	a.serviceFlag(c, "the notary service, if not the file's")
	a.trustFlag(c, "to put into the kit, instead of the one you accepted")
	return c
}

// exporting is one call of export.
type exporting struct {
	*app
	c              *cobra.Command
	file, out      string
	from           string
	streams        []string
	unblinded, yes bool

	trial     *client.Trial
	trust     *receipt.Trust
	items     []exported
	histories []*history.History
	verdicts  []*history.Verdict // of histories, as they were got
	closed    map[statement.StreamID]bool
	entries   []entry.Entry // of statements that are known to be there, shown or not
	about     kit.About
	foreign   int // receipts and histories below --from that are not of this trial
}

// exported is a statement that has a receipt.
type exported struct {
	kit.Sealed
	receipt []byte
}

func (e *exporting) run() error {
	const safe = "Nothing was written."
	if exists(e.out) == nil {
		return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", e.out, client.ErrExists), safe: safe, do: "Choose another name with --out."}
	}
	var err error
	if e.trial, err = readTrial(e.file); err != nil {
		return err
	}
	if !e.trial.Registration.Sealed() {
		return &fault{code: exitUsage, err: fmt.Errorf("the registration of %s is not finished", e.trial.Trial), safe: safe, do: "Run the register command again; it goes on from where it stopped."}
	}
	if err := e.confirmUnblinded(); err != nil {
		return err
	}
	b, err := e.believe(os.DevNull, e.trial.Log)
	if err != nil {
		return err
	}
	if e.trust = b[0].trust; e.trust == nil {
		e.trust = e.trial.Trust
	}
	e.about = kit.About{Trial: e.trial.Trial, Fingerprint: e.trial.Fingerprint(), Log: e.trial.Log, TrustFingerprint: e.trust.Fingerprint,
		Streams: e.streams, Blinded: !e.unblinded, LeftOut: map[kit.Why]int{}}
	e.closed = map[statement.StreamID]bool{}
	if e.from != "" {
		err = e.gatherBelow()
	} else {
		err = e.gatherAll()
	}
	if err != nil {
		return kept(err, safe, hint(err))
	}
	k, at, err := e.pack()
	if err != nil {
		return kept(err, safe, "Name some of the streams with --streams, to make a kit of each part.")
	}
	// Who gets it verifies it; so does who makes it.
	checked, err := e.checkKit(e.out, k, belief{e.trust, kit.TrustName, "that goes into the kit", true}, e.about.Fingerprint)
	if err != nil {
		return kept(err, safe, "")
	}
	if f := checked.failed(); f != "" {
		return &fault{code: exitNotVerified, err: fmt.Errorf("what is here does not verify: %s", f), safe: safe,
			do: "If the log's keys or witnesses have changed, accept the operator's newest trust file: trialnotary trust FILE"}
	}
	z, err := k.Bytes(at)
	if err != nil {
		return &fault{code: exitUsage, err: err, safe: safe, do: "Name some of the streams with --streams, to make a kit of each part."}
	}
	if err := client.WriteNew(e.out, z, client.Public); err != nil {
		return kept(err, safe, "")
	}
	return e.show(k, len(z))
}

func (e *exporting) confirmUnblinded() error {
	if !e.unblinded {
		return nil
	}
	what := "--unblinded puts in what closed streams say, and statements of kind randomisation-list and unblinding: whoever reads the kit may learn who gets which treatment."
	if !e.terminal || e.yes {
		fmt.Fprintln(e.err, "trialnotary: "+what)
		return nil
	}
	s := &sheet{word: "ABOUT TO EXPORT, UNBLINDED", head: e.trial.Trial}
	s.add("careful", "%s", what)
	return e.confirm(s, "Make that kit?", "Nothing was written. Without --unblinded it is for blinded readers.")
}

// wants reports whether a stream goes into the kit.
func (e *exporting) wants(name string) bool {
	return len(e.streams) == 0 || name == statement.RegistrationStream || name == statement.TrialStream || slices.Contains(e.streams, name)
}

// learn remembers which streams a statement closes.
func (e *exporting) learn(n *statement.Note) {
	for _, k := range n.Keys {
		if k.Role.Closes() && k.Name != statement.TrialStream && n.Kind != statement.KindRevocation {
			e.closed[k.Stream] = true
		}
	}
}

// gatherBelow takes what an earlier run left below a directory.
func (e *exporting) gatherBelow() error {
	files, err := below([]string{e.from}, ".receipt")
	if err != nil {
		return err
	}
	v := receipt.NewVerifier(receipt.Options{Trust: e.trust, Confirmed: true, Trial: e.about.Fingerprint, Now: e.now()})
	for i := range e.trial.Grants {
		e.learn(e.trial.Grants[i].Note)
	}
	seen := map[uint64]bool{}
	show, done := e.counter("Read")
	defer done()
	for n, name := range files {
		show(n, len(files))
		b, err := client.ReadFile(name, 2*receipt.MaxSize)
		if err != nil {
			return err
		}
		r, _, err := receipt.ParseOuter(b)
		if err != nil {
			return &fault{code: exitNotVerified, err: fmt.Errorf("%s: %w", name, err), do: "Fetch it again, or take it away from there."}
		}
		if !e.ofTrial(r.Statement) {
			e.foreign++
			continue
		}
		verdict, err := v.Verify(r)
		if err != nil {
			return &fault{code: exitNotVerified, err: fmt.Errorf("%s: %w", name, err), do: "To see more: trialnotary verify " + quote(name)}
		}
		e.learn(verdict.Note)
		if verdict.Grant.Role.Closes() && verdict.Note.StreamName != statement.TrialStream {
			e.closed[verdict.Entry.Stream] = true // whatever this trial file knows
		}
		e.entries = append(e.entries, verdict.Entry)
		if !e.wants(verdict.Note.StreamName) || seen[verdict.Entry.Index] {
			continue
		}
		seen[verdict.Entry.Index] = true
		if b, err = r.Bytes(); err != nil {
			return err
		}
		e.items = append(e.items, exported{kit.Sealed{Note: verdict.Note, Entry: verdict.Entry}, b})
	}
	if len(e.items) == 0 {
		return &fault{code: exitUsage, err: fmt.Errorf("there is no receipt of %s below %s", e.trial.Trial, e.from), do: "To bring them back while the service is there: trialnotary fetch " + quote(e.file) + " --out " + quote(e.from)}
	}
	return e.historiesBelow()
}

func (e *exporting) ofTrial(raw []byte) bool {
	n, err := statement.Parse(raw)
	return err == nil && n.Log == e.trial.Log && n.Trial == e.trial.Trial
}

func (e *exporting) historiesBelow() error {
	files, err := below([]string{e.from}, ".history")
	if err != nil {
		return err
	}
	for _, name := range files {
		b, err := client.ReadFile(name, 2*history.MaxSize)
		if err != nil {
			return err
		}
		h, _, err := history.ParseOuter(b)
		if err != nil {
			return &fault{code: exitNotVerified, err: fmt.Errorf("%s: %w", name, err), do: "Ask for it again, or take it away from there."}
		}
		v, err := h.Verify(receipt.Options{Trust: e.trust, Confirmed: true, Now: e.now()})
		if err != nil {
			return &fault{code: exitNotVerified, err: fmt.Errorf("%s: %w", name, err), do: "To see more: trialnotary verify " + quote(name)}
		}
		if v.TrialFingerprint != e.about.Fingerprint {
			e.foreign++
			continue
		}
		e.addHistory(h, v)
	}
	return nil
}

// addHistory takes a history, once.
func (e *exporting) addHistory(h *history.History, v *history.Verdict) {
	same := func(o *history.History) bool {
		x, err := o.Bytes()
		y, err2 := h.Bytes()
		return err == nil && err2 == nil && bytes.Equal(x, y)
	}
	if slices.ContainsFunc(e.histories, same) {
		return
	}
	for _, i := range v.Items() {
		if i.Note != nil && i.State == history.Valid {
			e.learn(i.Note)
		}
	}
	e.histories, e.verdicts = append(e.histories, h), append(e.verdicts, v)
}

// unblinding returns what blinded readers must not see, of all that is known here.
func (e *exporting) unblinding() map[statement.ID]kit.Why {
	if e.unblinded {
		return nil
	}
	var all []kit.Sealed
	for _, i := range e.items {
		all = append(all, i.Sealed)
	}
	for _, v := range e.verdicts {
		for _, i := range v.Items() {
			e.entries = append(e.entries, i.Entry)
			if i.Note != nil {
				all = append(all, kit.Sealed{Note: i.Note, Entry: i.Entry})
			}
		}
	}
	return kit.Unblinding(all, func(id statement.StreamID) bool { return e.closed[id] }, e.inOpen())
}

// inOpen reports of a statement, by what is known here, whether it is of open streams alone.
func (e *exporting) inOpen() func(statement.ID) bool {
	open := map[statement.ID]bool{}
	for _, x := range e.entries {
		was, known := open[x.Statement]
		open[x.Statement] = (was || !known) && !e.closed[x.Stream]
	}
	return func(id statement.ID) bool { return open[id] }
}

// pack puts the kit together, without what is left out, and the time that it is dated.
func (e *exporting) pack() (*kit.Kit, time.Time, error) {
	out := e.unblinding()
	k := &kit.Kit{Formats: kit.Formats, Page: web.Page(), Trust: e.trust.Raw, TSA: e.trust.TSA}
	var last entry.Entry
	for _, why := range out {
		e.about.LeftOut[why]++
	}
	for _, i := range e.items {
		if i.Entry.Index >= last.Index {
			last = i.Entry
		}
		if out[i.Note.ID] != "" {
			continue
		}
		name, note := kit.ReceiptName(i.Note.StreamName, i.Entry.Index, i.Note.Kind)
		k.Receipts = append(k.Receipts, kit.File{Name: name, Data: i.receipt})
		k.Statements = append(k.Statements, kit.File{Name: note, Data: i.Note.Raw})
	}
	at := last.Time
	names := map[string]int{}
	for n, h := range e.histories {
		v := e.verdicts[n]
		shown := &history.History{Batch: h.Batch, Proof: h.Proof, Auditors: h.Auditors}
		for _, s := range h.Streams {
			s.Statements = slices.DeleteFunc(slices.Clone(s.Statements), func(o history.Opened) bool { return out[statement.IDOf(o.Note)] != "" })
			shown.Streams = append(shown.Streams, s)
		}
		b, err := shown.Bytes()
		if err != nil {
			return nil, at, err
		}
		name := fmt.Sprintf("batch-%08d", v.Batch.Number)
		if names[name]++; names[name] > 1 {
			name = fmt.Sprintf("%s-%d", name, names[name])
		}
		k.Histories = append(k.Histories, kit.File{Name: kit.HistoryName(name), Data: b})
		if v.Batch.Number > e.about.AsOf {
			e.about.AsOf, e.about.AsOfTime = v.Batch.Number, v.Batch.Time
		}
		if v.Batch.Time.After(at) {
			at = v.Batch.Time
		}
	}
	e.about.Receipts, e.about.Histories = len(k.Receipts), len(k.Histories)
	k.Note = e.about.Note()
	if len(k.Receipts) == 0 && len(k.Histories) == 0 {
		return nil, at, errors.New("nothing is left to put into the kit")
	}
	return k, at, nil
}

func (e *exporting) show(k *kit.Kit, size int) error {
	s := &sheet{word: "EXPORTED", head: e.trial.Trial}
	s.add("kit", "%s, %s", e.out, bytesOf(uint64(size)))
	holds := fmt.Sprintf("%s with their statements", count(len(k.Receipts), "receipt"))
	if n := len(k.Histories); n == 1 {
		holds += fmt.Sprintf(", a history up to batch %s", number(e.about.AsOf))
	} else if n > 1 {
		holds += fmt.Sprintf(", %d histories up to batch %s", n, number(e.about.AsOf))
	}
	s.add("holds", "%s; the trust file, the page, and every format in words", holds)
	if len(k.Histories) == 0 {
		s.add("lacks", "a history: nothing in it shows that no entry was left out. Put one below %s and export anew", e.from)
	}
	left := 0
	for _, why := range kit.Reasons() {
		if n := e.about.LeftOut[why]; n > 0 {
			word := ""
			if left == 0 {
				word = "left out"
			}
			s.add(word, "%s %s", count(n, "statement"), why)
			left += n
		}
	}
	switch {
	case e.unblinded:
		s.add("careful", "it may unblind its readers: nothing was left out for the sake of blinding")
	case left == 0:
		s.add("left out", "nothing that is known here would unblind; what people wrote into labels is as they wrote it")
	}
	if len(e.about.Unread) > 0 {
		s.add("not read", "%s: not shown to this key, and so not in the kit", names(e.about.Unread))
	}
	if e.about.Erased > 0 {
		s.add("erased", "%d entries whose statement the service does not hold", e.about.Erased)
	}
	if e.foreign > 0 {
		s.add("not taken", "%s below %s of another trial", count(e.foreign, "file"), e.from)
	}
	s.add("they type", "trialnotary verify %s", quote(e.out))
	return e.print(s, struct {
		Kit       string   `json:"kit"`
		Trial     string   `json:"trial"`
		Receipts  int      `json:"receipts"`
		Histories int      `json:"histories"`
		Batch     uint64   `json:"batch,omitempty"`
		LeftOut   int      `json:"left_out"`
		Unread    []string `json:"unread_streams"`
		Unblinded bool     `json:"unblinded"`
	}{e.out, e.trial.Trial, len(k.Receipts), len(k.Histories), e.about.AsOf, left, append([]string{}, e.about.Unread...), e.unblinded})
}

// named streams that no grant names are a mistake of typing.
func (e *exporting) unknownStreams(known []string) error {
	for _, name := range e.streams {
		if !slices.Contains(known, name) {
			return &fault{code: exitUsage, err: fmt.Errorf("no grant names a stream %q", name), do: "There are: " + strings.Join(known, ", ")}
		}
	}
	return nil
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"trialnotary/notary/entry"
	"trialnotary/notary/history"
	"trialnotary/notary/kit"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
	"trialnotary/notary/web"
)

// isKit reports whether a zip says that it is a kit.
func isKit(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	return err == nil && kit.Is(f, info.Size())
}

// readKit reads a zip that export made.
func readKit(name string) (*kit.Kit, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, &fault{code: exitUsage, err: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, &fault{code: exitUsage, err: err}
	}
	k, err := kit.Parse(f, info.Size())
	if err != nil {
		return nil, &fault{code: exitUsage, err: fmt.Errorf("%s: %w", name, err), safe: "Nothing in it was checked.",
			do: "Ask for the kit as 'trialnotary export' made it; or unpack it where that is safe, and verify the directory: what is damaged is then told apart."}
	}
	return k, nil
}

// checkedKit is the result of one kit.
type checkedKit struct {
	file      string
	trust     belief
	receipts  []*checked
	histories []*checkedHistory
	stray     []string // statements that no receipt in it is of
	page      bool     // its page is the one that this program has
	known     map[uint64]string
}

func (a *app) verifyKit(name string, v verifying) error {
	if len(v.paths) > 0 || v.manifest != "" || v.opening != "" || v.history != "" {
		return &fault{code: exitUsage, err: errors.New("a kit is verified with what is in it"), do: "To compare files, unpack it and name one receipt: trialnotary verify RECEIPT PATH --manifest FILE"}
	}
	k, err := readKit(name)
	if err != nil {
		return err
	}
	b, err := a.kitBelief(k)
	if err != nil {
		return err
	}
	c, err := a.checkKit(name, k, b, v.trial)
	if err != nil {
		return err
	}
	return a.showKit(c, k)
}

// kitBelief returns the visitor's own trust file of the kit's log or, where there is
// none, the kit's, which does not count.
func (a *app) kitBelief(k *kit.Kit) (belief, error) {
	own, err := receipt.ParseTrust(k.Trust)
	if err != nil {
		return belief{}, &fault{code: exitUsage, err: fmt.Errorf("the kit's %s: %w", kit.TrustName, err)}
	}
	all, err := a.believe(os.DevNull, own.Policy.Origin())
	if err != nil || all[0].trust != nil {
		return all[0], err
	}
	return belief{own, kit.TrustName, "came in the kit: not accepted by you", false}, nil
}

// checkKit verifies everything in a kit: each receipt and history for itself, that all
// are of one trial, and that none contradicts another.
func (a *app) checkKit(name string, k *kit.Kit, b belief, trial string) (*checkedKit, error) {
	c := &checkedKit{file: name, trust: b, page: bytes.Equal(k.Page, web.Page()), known: map[uint64]string{}}
	o := receipt.Options{Trust: b.trust, Confirmed: b.confirmed, Trial: trial, Now: a.now()}
	for _, f := range k.Histories {
		r := &checkedHistory{file: f.Name, trust: b}
		h, err := history.Parse(f.Data)
		if err == nil {
			r.verdict, err = h.Verify(o)
		}
		if err = r.fail(err); err != nil {
			return nil, err
		}
		if r.failure == nil {
			c.agree(r)
		}
		c.histories = append(c.histories, r)
	}
	notes := map[string][]byte{}
	for _, f := range k.Statements {
		notes[f.Name] = f.Data
	}
	one := receipt.NewVerifier(o)
	show, done := a.counter("Checked")
	for i, f := range k.Receipts {
		show(i, len(k.Receipts))
		r := &checked{file: f.Name, trust: b}
		rec, err := receipt.Parse(f.Data)
		if err != nil {
			r.failure = &receipt.Failure{Step: receipt.StepContainer, Reason: err.Error()}
		} else if r.verdict, err = one.Verify(rec); err != nil && !errors.As(err, &r.failure) {
			return nil, err
		}
		if r.failure == nil {
			c.fits(r, f.Name, notes)
		}
		delete(notes, kit.StatementOf(f.Name))
		c.receipts = append(c.receipts, r)
	}
	done()
	for name := range notes {
		c.stray = append(c.stray, name)
	}
	slices.Sort(c.stray)
	c.oneTrial()
	return c, nil
}

// fail records why a history does not verify; other errors it returns.
func (r *checkedHistory) fail(err error) error {
	if err == nil || errors.As(err, &r.failure) {
		return nil
	}
	r.failure = &receipt.Failure{Step: receipt.StepContainer, Reason: err.Error()}
	return nil
}

// agree compares a history with those before, and takes what it knows.
func (c *checkedKit) agree(r *checkedHistory) {
	for _, o := range c.histories {
		if o.failure == nil {
			if err := r.verdict.Agrees(o.verdict); err != nil {
				r.failure = &receipt.Failure{Step: stepHistory, Reason: fmt.Sprintf("%s contradicts it, and the log signed both: %v", o.file, err)}
				return
			}
		}
	}
	for _, e := range r.verdict.Timeline().Events {
		var now []string
		for _, by := range e.Ends {
			now = append(now, pastWords[by.Note.Kind])
		}
		if len(e.SupersededBy) > 0 {
			now = append(now, "replaced")
		}
		if len(now) > 0 {
			c.known[e.Entry.Index] = strings.Join(now, ", ")
		}
	}
}

// fits checks that a receipt that verifies is the one its name says, that the statement
// beside it is its own, and that no history contradicts it.
func (c *checkedKit) fits(r *checked, name string, notes map[string][]byte) {
	v := r.verdict
	want, note := kit.ReceiptName(v.Note.StreamName, v.Entry.Index, v.Note.Kind)
	bad := func(step, format string, a ...any) {
		if r.failure == nil {
			r.failure = &receipt.Failure{Step: step, Reason: fmt.Sprintf(format, a...)}
		}
	}
	if name != want {
		bad(receipt.StepContainer, "its name in the kit is not that of its statement, which is %s", want)
	}
	if raw, ok := notes[note]; ok && !bytes.Equal(raw, v.Note.Raw) {
		bad(receipt.StepParts, "%s is another statement than the receipt's", note)
	}
	for _, h := range c.histories {
		if h.failure != nil {
			continue
		}
		if _, err := h.verdict.Holds(v.Entry); err != nil {
			bad(stepHistory, "%s contradicts it, and the log signed both: %v", h.file, err)
		}
	}
}

// oneTrial fails what is of another trial than the kit's first history, or else its
// first receipt.
func (c *checkedKit) oneTrial() {
	trial := ""
	fits := func(of string) *receipt.Failure {
		if trial == "" {
			trial = of
		}
		if of == trial {
			return nil
		}
		return &receipt.Failure{Step: receipt.StepRegistration, Reason: "it is of another trial than the rest of the kit, with the fingerprint " + of}
	}
	for _, h := range c.histories {
		if h.failure == nil {
			h.failure = fits(h.verdict.TrialFingerprint)
		}
	}
	for _, r := range c.receipts {
		if r.failure == nil {
			r.failure = fits(r.verdict.TrialFingerprint)
		}
	}
}

// failed says what failed first, "" if nothing did.
func (c *checkedKit) failed() string {
	for _, h := range c.histories {
		if h.failure != nil {
			return fmt.Sprintf("%s: %s: %s", h.file, stepWords[h.failure.Step], h.failure.Reason)
		}
	}
	for _, r := range c.receipts {
		if r.failure != nil {
			return fmt.Sprintf("%s: %s: %s", r.file, stepWords[r.failure.Step], r.failure.Reason)
		}
	}
	if len(c.stray) > 0 {
		return c.stray[0] + ": no receipt in the kit is of this statement"
	}
	return ""
}

func (c *checkedKit) word() (string, int) {
	switch {
	case c.failed() != "":
		return notVerified, exitNotVerified
	case !c.trust.confirmed:
		return unconfirmed, exitUnconfirmed
	}
	return verified, exitDone
}

// kitRow is one receipt or history of the table.
func (c *checkedKit) rows() (rows [][]string) {
	word := func(failed bool) string {
		switch {
		case failed:
			return notVerified
		case !c.trust.confirmed:
			return "unconfirmed"
		}
		return verified
	}
	proved := func(v *receipt.Verdict) string {
		if at := v.NoLaterThan(); !at.IsZero() {
			return history.Moment(at)
		}
		return "not proved"
	}
	for _, h := range c.histories {
		row := []string{word(h.failure != nil), "", "", "history", "", "", h.file}
		if v := h.verdict; v != nil {
			row[1], row[2] = number(v.Batch.Index), count(len(v.Streams), "stream")
			if row[4] = "not proved"; v.Met.Witnessed {
				row[4] = history.Moment(v.Met.NoLaterThan)
			}
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(c.receipts, func(x, y *checked) int {
		if x.verdict == nil || y.verdict == nil {
			return b2i(x.verdict != nil) - b2i(y.verdict != nil)
		}
		return compareEntries(x.verdict.Entry, y.verdict.Entry)
	})
	for _, r := range c.receipts {
		row := []string{word(r.failure != nil), "", "", "", "", "", r.file}
		if v := r.verdict; v != nil {
			row[1], row[2], row[3], row[4], row[5] = number(v.Entry.Index), v.Note.StreamName, string(v.Note.Kind), proved(v), c.known[v.Entry.Index]
		}
		rows = append(rows, row)
	}
	return rows
}

func compareEntries(x, y entry.Entry) int {
	if x.Index < y.Index {
		return -1
	}
	return b2i(x.Index > y.Index)
}

func (a *app) showKit(c *checkedKit, k *kit.Kit) error {
	word, code := c.word()
	s := &sheet{word: word, head: "kit · " + c.file}
	var registered *receipt.Registered
	for _, r := range c.receipts {
		if r.failure == nil {
			registered = &r.verdict.Registered
			s.head = "kit · " + r.verdict.Note.Trial
			break
		}
	}
	for _, h := range c.histories {
		if h.failure == nil && registered == nil {
			registered = &h.verdict.Registered
		}
	}
	if f := c.failed(); f != "" {
		s.add("failed", "%s", f)
	}
	good := 0
	for _, r := range c.receipts {
		good += b2i(r.failure == nil)
	}
	s.add("receipts", "%d of %d verify", good, len(c.receipts))
	closed := 0
	for _, h := range c.histories {
		if h.failure != nil {
			continue
		}
		addAsOf(s, h.verdict)
		for n, stream := range h.verdict.Streams {
			closed += len(stream.Shown(history.Closed))
			if n == 0 {
				s.add("complete", "%s", h.verdict.Line(stream))
			} else {
				s.more("%s", h.verdict.Line(stream))
			}
		}
		addVouched(s, h.verdict)
		addWarnings(s, h.verdict)
		for _, what := range h.verdict.NotShown() {
			s.add("not shown", "%s", what)
		}
	}
	if len(c.histories) == 0 {
		s.add("not shown", "that nothing was left out: no history is in it")
	}
	if closed > 0 {
		s.add("closed", "%s in the log and not in the kit: README.txt says what its maker left out", entriesOf(closed))
	}
	if registered != nil {
		addBelief(s, c.trust, *registered, c.trust.confirmed)
	}
	aside := strings.Join([]string{kit.NoteName, kit.FormatsName, kit.PageName}, ", ")
	if c.page {
		s.add("not evidence", "%s: for people. The page is the one that this program has", aside)
	} else {
		s.add("not evidence", "%s: for people. The page is not the one that this program has: do not rely on it", aside)
	}
	s.add("not shown", "that the data are true, consent, clinical validity; what came later")
	if err := a.printKit(c, s, word, k); err != nil || code == exitDone {
		return err
	}
	return shown{code}
}

func (a *app) printKit(c *checkedKit, s *sheet, word string, k *kit.Kit) error {
	receipts, histories := []verdictOut{}, []historyOut{}
	single := map[bool]string{true: verified, false: unconfirmed}[c.trust.confirmed]
	rows := c.rows()
	for _, r := range c.receipts {
		w := single
		if r.failure != nil {
			w = notVerified
		}
		receipts = append(receipts, verdictJSON(r, w))
	}
	for _, h := range c.histories {
		w := single
		if h.failure != nil {
			w = notVerified
		}
		histories = append(histories, historyJSON(h, w))
	}
	verdict := strings.ToLower(word)
	if word == unconfirmed {
		verdict = "unconfirmed"
	}
	err := a.print(s, struct {
		Verdict   string       `json:"verdict"`
		File      string       `json:"file"`
		Failed    string       `json:"failed,omitempty"`
		Trust     string       `json:"trust_fingerprint"`
		Whose     string       `json:"trust_from"`
		Confirmed bool         `json:"trust_confirmed"`
		Page      bool         `json:"page_is_this_programs"`
		Receipts  []verdictOut `json:"receipts"`
		Histories []historyOut `json:"histories"`
		Stray     []string     `json:"statements_without_receipt,omitempty"`
	}{verdict, c.file, c.failed(), c.trust.trust.Fingerprint, c.trust.how, c.trust.confirmed, c.page, receipts, histories, c.stray})
	if err != nil || a.json {
		return err
	}
	t := newTable("RESULT", "INDEX", "STREAM", "KIND", "NO LATER THAN", "SINCE", "MEMBER")
	for _, row := range rows {
		t.row(row...)
	}
	fmt.Fprint(a.out, "\n"+t.String())
	for _, r := range c.receipts {
		if r.failure != nil {
			fmt.Fprintf(a.out, "  %s: %s: %s\n", text.Visible(r.file), stepWords[r.failure.Step], text.Visible(r.failure.Reason))
		}
	}
	return nil
}

// inspectKit says what a kit holds.
func (a *app) inspectKit(name string) error {
	k, err := readKit(name)
	if err != nil {
		return err
	}
	s := &sheet{word: "KIT", head: name}
	s.add("receipts", "%d", len(k.Receipts))
	s.add("histories", "%d", len(k.Histories))
	trials := []string{}
	for _, f := range k.Statements {
		if n, err := statement.Parse(f.Data); err == nil && !slices.Contains(trials, n.Trial) {
			trials = append(trials, n.Trial)
		}
	}
	s.add("trial", "%s", names(trials))
	if t, err := receipt.ParseTrust(k.Trust); err == nil {
		s.add("trust", "%s of the log %s: its maker's word", t.Fingerprint, t.Policy.Origin())
	}
	s.add("note", "this is what the zip says; nothing was verified: trialnotary verify %s", quote(name))
	rows := [][2]string{}
	for _, r := range s.rows {
		rows = append(rows, [2]string{r.word, r.text})
	}
	return a.print(s, struct {
		File   string      `json:"file"`
		Format string      `json:"format"`
		Rows   [][2]string `json:"rows"`
	}{name, "kit", rows})
}

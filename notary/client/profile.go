package client

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// MaxProfile bounds a .trial, .invite or .pending in bytes: a trial with some
// ten thousand enrolments.
const MaxProfile = 64 << 20

const trustPrefix = "trust."

// Logged is a statement of the sponsor with its place in the log. Entry and Proof
// are nil while it is submitted but not yet sealed.
type Logged struct {
	Note *statement.Note
	receipt.Logged
}

// Sealed reports whether its place in the log is known.
func (l *Logged) Sealed() bool { return l.Entry != nil }

// place returns the parsed entry; zero while there is none.
func (l *Logged) place() entry.Entry {
	e, err := entry.Parse(l.Entry)
	if err != nil {
		return entry.Entry{}
	}
	return e
}

// profileReader takes the parts of a profile in their order; the first error sticks.
type profileReader struct {
	what string
	left []text.Part
	err  error
}

// readProfile opens a container and hands the lines of its first part to profile.
func readProfile(b []byte, version, what string, profile func(*text.Reader)) *profileReader {
	a, err := text.ParseArchive(b, version, MaxProfile)
	r := &profileReader{what: what, left: a.Parts, err: err}
	lines := r.take("profile")
	if r.err == nil {
		t := text.NewReader(lines)
		profile(t)
		if err := t.Done(); err != nil {
			r.err = fmt.Errorf("part profile: %w", err)
		}
	}
	return r
}

func (r *profileReader) next(name string) bool {
	return r.err == nil && len(r.left) > 0 && r.left[0].Name == name
}

func (r *profileReader) take(name string) []byte {
	switch {
	case r.err != nil:
		return nil
	case len(r.left) == 0:
		r.err = fmt.Errorf("part %q is missing at the end: %w", name, text.ErrFormat)
		return nil
	case r.left[0].Name != name:
		r.err = fmt.Errorf("part %q stands where %q is due: %w", text.Visible(r.left[0].Name), name, text.ErrFormat)
		return nil
	}
	d := r.left[0].Data
	r.left = r.left[1:]
	return d
}

// trust takes the parts of a trust file, which stand here under a prefix since
// containers do not nest.
func (r *profileReader) trust() *receipt.Trust {
	var ps []text.Part
	for r.err == nil && len(r.left) > 0 && strings.HasPrefix(r.left[0].Name, trustPrefix) {
		ps = append(ps, text.Part{Name: strings.TrimPrefix(r.left[0].Name, trustPrefix), Data: r.left[0].Data})
		r.left = r.left[1:]
	}
	if r.err != nil {
		return nil
	}
	t, err := receipt.NewTrust(ps)
	r.err = err
	return t
}

// logged takes a statement and, unless it may lack them and does, entry and proof.
func (r *profileReader) logged(name string, mayWait bool) Logged {
	l := Logged{Logged: receipt.Logged{Statement: r.take(name)}}
	if r.err != nil {
		return l
	}
	var err error
	if l.Note, err = statement.Parse(l.Statement); err != nil {
		r.err = fmt.Errorf("part %s: %w", name, err)
		return l
	}
	if mayWait && !r.next(name+".entry") {
		return l
	}
	l.Entry, l.Proof = r.take(name+".entry"), r.take(name+".tlog-proof")
	if r.err == nil {
		if _, err := entry.Parse(l.Entry); err != nil {
			r.err = fmt.Errorf("part %s.entry: %w", name, err)
		}
	}
	return l
}

func (r *profileReader) grants(mayWait bool) (all []Logged) {
	for n := 1; r.next(grantName(n)); n++ {
		all = append(all, r.logged(grantName(n), mayWait))
	}
	return all
}

func grantName(n int) string { return "grant-" + strconv.Itoa(n) }

// done ends the reading: nothing is left, and again gives the same bytes.
func (r *profileReader) done(b []byte, again func() ([]byte, error)) error {
	if r.err == nil && len(r.left) > 0 {
		r.err = fmt.Errorf("part %q has no place here: %w", text.Visible(r.left[0].Name), text.ErrFormat)
	}
	if r.err == nil {
		var c []byte
		if c, r.err = again(); r.err == nil && !bytes.Equal(b, c) {
			r.err = text.ErrFormat
		}
	}
	if r.err != nil {
		return fmt.Errorf("%s: %w", r.what, r.err)
	}
	return nil
}

// profileWriter collects parts.
type profileWriter struct {
	text.Archive
	err error
}

func writeProfile(version string, profile ...string) *profileWriter {
	w := &profileWriter{Archive: text.Archive{Version: version}}
	for _, l := range profile {
		if text.IndexForbidden(l, false) >= 0 || l != strings.TrimSpace(l) {
			w.err = fmt.Errorf("%q cannot be written as one line", text.Visible(l))
		}
	}
	w.add("profile", []byte(strings.Join(profile, "\n")+"\n"))
	return w
}

func (w *profileWriter) add(name string, data []byte) {
	w.Parts = append(w.Parts, text.Part{Name: name, Data: data})
}

func (w *profileWriter) trust(t *receipt.Trust) {
	if t == nil {
		w.err = fmt.Errorf("no trust file")
		return
	}
	ps, err := t.Parts()
	if err != nil {
		w.err = err
	}
	for _, p := range ps {
		w.add(trustPrefix+p.Name, p.Data)
	}
}

func (w *profileWriter) logged(name string, l receipt.Logged) {
	w.add(name, l.Statement)
	if l.Entry != nil {
		w.add(name+".entry", l.Entry)
		w.add(name+".tlog-proof", l.Proof)
	}
}

func (w *profileWriter) grants(all []Logged) {
	for i, g := range all {
		w.logged(grantName(i+1), g.Logged)
	}
}

func (w *profileWriter) bytes() ([]byte, error) {
	if w.err != nil {
		return nil, w.err
	}
	b, err := w.Archive.Bytes()
	if err == nil && len(b) > MaxProfile {
		err = fmt.Errorf("%d bytes, at most %d are allowed", len(b), MaxProfile)
	}
	return b, err
}

// service reads the line of an address.
func service(r *text.Reader) string {
	v := r.Value("service")
	if r.Err() == nil {
		if one, err := ParseURL(v); err != nil || one != v {
			r.Fail("is not the address of a service in its one form")
		}
	}
	return v
}

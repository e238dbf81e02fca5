package main

import "slices"

func (f *fetching) sum(of func(*fetched) int) (n int) {
	for _, s := range f.streams {
		n += of(s)
	}
	return n
}

// show tells what was brought back, and what was not and why.
func (f *fetching) show() error {
	slices.Sort(f.failures)
	written, keptOnes := f.sum(func(s *fetched) int { return s.Written }), f.sum(func(s *fetched) int { return s.Kept })
	pending, erased := f.sum(func(s *fetched) int { return s.Pending }), f.sum(func(s *fetched) int { return s.Erased })
	unknown := f.sum(func(s *fetched) int { return s.Unknown })
	var closed []string
	for _, s := range f.streams {
		if s.Closed {
			closed = append(closed, s.Stream)
		}
	}
	o := &sheet{word: "FETCHED", head: entriesOf(f.sum(func(s *fetched) int { return s.Entries })) + " · " + f.trial}
	o.add("receipts", "%s written in %s, %d there before", number(uint64(written)), f.dir, keptOnes)
	if pending > 0 {
		o.add("pending", "%d not yet under a final checkpoint: run this again later", pending)
	}
	if erased > 0 {
		o.add("erased", "%d whose statement the service no longer holds: the log shows that something was sealed, not what", erased)
	}
	if unknown > 0 {
		o.add("others'", "%d by keys whose enrolment is not known here: their holders' invites bring those back, and the sponsor all", unknown)
	}
	if len(closed) > 0 {
		o.add("closed", "%s: not shown to this key; the keys of the stream itself can fetch", names(closed))
	}
	for _, l := range f.failures {
		o.add("failed", "%s", l)
	}
	o.add("check", "trialnotary verify %s", quote(f.dir))
	o.add("not here", "manifests and files: they were never sent. A manifest that is lost cannot be had again,")
	o.more("and without it the receipt shows that something was sealed, when and by whom, but not what")
	code := exitDone
	switch {
	case len(f.failures) > 0:
		code, o.word = exitNotVerified, "NOT ALL FETCHED"
	case pending > 0:
		code = exitPending
	}
	if f.failures == nil {
		f.failures = []string{}
	}
	if err := f.print(o, struct {
		Trial    string     `json:"trial"`
		Dir      string     `json:"dir"`
		Streams  []*fetched `json:"streams"`
		Failures []string   `json:"failures"`
	}{f.trial, f.dir, f.streams, f.failures}); err != nil || code == exitDone {
		return err
	}
	return shown{code}
}

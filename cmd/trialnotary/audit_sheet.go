package main

import (
	"strings"

	"trialnotary/notary/text"
)

// showAudit prints what an audit came to and returns its exit code.
func (a *app) showAudit(r *audited, v auditing, k *auditMemory) error {
	s := &sheet{word: verified, head: "log · " + r.origin}
	switch r.code() {
	case exitNotVerified:
		s.word = notVerified
		r.addFindings(s)
	case exitPending:
		if r.report.Final == nil {
			s.word, s.head = "NOTHING YET", v.target
			s.add("log", "it has no final checkpoint: nothing was sealed, or nothing has its quorum")
			break
		}
		s.word = "STOPPED"
		s.add("log", "verified up to size %s of %s, batch %s; nothing was found so far", number(r.report.To.Size), number(r.report.Final.Size), number(r.report.To.Batch))
		s.more("%s", k.again())
	case exitUnconfirmed:
		s.word = unconfirmed
		r.addLog(s)
	default:
		r.addLog(s)
	}
	if r.report.Final != nil {
		r.addTrust(s)
	}
	if r.cosigned != "" {
		s.add("signed", "%s: that %s recomputed all up to here", r.cosigned, v.signer.Name())
		s.more("for histories: trialnotary history TRIAL.trial --auditor %s", quote(r.cosigned))
		s.more("for trust files, under auditors: %s", v.signer.VerifierKey())
	}
	if r.code() == exitDone || r.code() == exitUnconfirmed {
		s.add("not shown", "that the log shows everyone the same: compare size and root with others,")
		s.more("or have witnesses; nor that any statement is true")
	}
	if err := a.print(s, r.json(s.word)); err != nil {
		return err
	}
	if code := r.code(); code != exitDone {
		return shown{code}
	}
	return nil
}

func (r *audited) addFindings(s *sheet) {
	const most = 8
	for i, f := range r.findings {
		if i == most {
			s.more("and %s", count(len(r.findings)-most, "more of these"))
			break
		}
		if i == 0 {
			s.add("failed", "%s: %s", f.Object, f.Reason)
		} else {
			s.more("%s: %s", f.Object, f.Reason)
		}
	}
	if r.report.To.Batch > 0 {
		s.add("before it", "up to batch %s, size %s, all was as it must be", number(r.report.To.Batch), number(r.report.To.Size))
	}
	if r.packet != "" {
		s.add("proof", "%s: the log signed two histories", r.packet)
		s.more("anyone can check it: trialnotary verify %s", quote(r.packet))
	}
	s.add("so", "do not rely on this log before its operator has explained it; keep a copy of it as it is")
}

func (r *audited) addLog(s *sheet) {
	at := r.report.To
	s.add("log", "every entry, seq, tile, map, head and checkpoint of %s, %s", batches(at.Batch), leaves(at.Size))
	if r.before.Batch > 0 {
		if r.before == at {
			s.more("nothing is new since the last audit")
		} else {
			s.more("from batch %s on; the log of the last audit is its beginning", number(r.before.Batch+1))
		}
	}
	s.add("streams", "%s, in each no statement twice", number(at.Streams))
	s.add("newest", "batch %s, %s by the log's clock", number(at.Batch), moment(at.Time))
	final := r.report.Final
	s.add("final", "size %s, root %s", number(final.Size), text.Base64(final.Root[:]))
	if final.Size < at.Size {
		s.more("what comes after is signed by the log and not final yet")
	}
}

func batches(n uint64) string {
	if n == 1 {
		return "1 batch"
	}
	return number(n) + " batches"
}

func leaves(n uint64) string {
	if n == 1 {
		return "1 leaf"
	}
	return number(n) + " leaves"
}

func (r *audited) addTrust(s *sheet) {
	b := r.trust
	if b.trust == nil {
		s.add("trust", "none: the signatures of the log were not checked")
	} else {
		s.add("trust", "%s %s (%s)", b.name, b.trust.Fingerprint, b.how)
	}
	if !b.confirmed {
		s.more("get the operator's trust file by a way you trust, then: trialnotary trust FILE")
	}
}

// auditOut is what --json prints.
type auditOut struct {
	Log          string       `json:"log"`
	Verdict      string       `json:"verdict"`
	Confirmed    bool         `json:"confirmed"`
	Batches      uint64       `json:"batches"`
	Size         uint64       `json:"size"`
	Root         string       `json:"root"`
	From         uint64       `json:"from_size"`
	FinalSize    uint64       `json:"final_size"`
	FinalRoot    string       `json:"final_root,omitempty"`
	Streams      uint64       `json:"streams"`
	Findings     []auditFault `json:"findings"`
	Equivocation string       `json:"equivocation,omitempty"`
	Cosigned     string       `json:"cosigned,omitempty"`
	Trust        string       `json:"trust,omitempty"`
}

type auditFault struct {
	Object string `json:"object"`
	Reason string `json:"reason"`
}

func (r *audited) json(word string) auditOut {
	at := r.report.To
	o := auditOut{Log: r.origin, Verdict: strings.ToLower(word), Confirmed: r.trust.confirmed, Batches: at.Batch, Size: at.Size, Root: text.Base64(at.Root[:]),
		From: r.before.Size, Streams: at.Streams, Findings: []auditFault{}, Equivocation: r.packet, Cosigned: text.Visible(r.cosigned)}
	if f := r.report.Final; f != nil {
		o.FinalSize, o.FinalRoot = f.Size, text.Base64(f.Root[:])
	}
	if r.trust.trust != nil {
		o.Trust = r.trust.trust.Fingerprint
	}
	for _, f := range r.findings {
		o.Findings = append(o.Findings, auditFault{f.Object, text.Visible(f.Reason)})
	}
	return o
}

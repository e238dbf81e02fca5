package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/manifest"
	"trialnotary/notary/receipt"
)

// progress returns what shows how far hashing has come, and what ends it.
func (a *app) progress(what string) (func(client.Progress), func()) {
	if !a.watched || a.json {
		return nil, func() {}
	}
	var bar *progressbar.ProgressBar
	return func(p client.Progress) {
			if bar == nil {
				bar = progressbar.NewOptions64(int64(p.BytesTotal), progressbar.OptionSetWriter(a.err),
					progressbar.OptionSetDescription(what), progressbar.OptionShowBytes(true), progressbar.OptionSetWidth(30),
					progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
			}
			_ = bar.Set64(int64(p.Bytes))
		}, func() {
			if bar != nil {
				_ = bar.Clear()
			}
		}
}

// finishSeal submits, waits, verifies and writes the receipt; or stops where it
// was told to.
func (a *app) finishSeal(c *cobra.Command, s sealing, p *client.Pending, m *manifest.Manifest) error {
	pending := s.prefix + ".pending"
	goOn := "To go on: trialnotary receipt " + quote(pending)
	if s.offline {
		return a.showSealed(s, p, m, nil, "offline", "Carry "+pending+" to a machine with a connection, then: trialnotary submit "+quote(pending))
	}
	srv, err := a.dial(c, p.Service)
	if err != nil {
		return err
	}
	safe := fmt.Sprintf("Nothing was lost: %s holds the signed statement.", pending)
	if m != nil {
		safe = fmt.Sprintf("Nothing was lost: %s holds the signed statement, %s.manifest the list of files.", pending, s.prefix)
	}
	if s.noWait {
		if _, err := srv.Submit(c.Context(), p.Submission()); err != nil {
			return kept(err, safe, afterRefusal(err, pending, goOn))
		}
		return a.showSealed(s, p, m, nil, "submitted", goOn)
	}
	e, err := a.submitAndWait(c.Context(), srv, client.RefOf(p.Note), p.Submission())
	if err != nil {
		return kept(err, safe, afterRefusal(err, pending, goOn))
	}
	v, err := a.writeReceipt(p, e, s.prefix)
	if err != nil {
		return kept(err, safe, goOn)
	}
	return a.showSealed(s, p, m, v, "sealed", "")
}

// afterRefusal returns how to go on: a statement that was refused for good will not
// be sealed by asking again.
func afterRefusal(err error, pending, goOn string) string {
	var refused *client.Refused
	if !errors.As(err, &refused) || refused.Temporary() {
		return goOn
	}
	return "Once the reason is put right, seal again; " + pending + " and its manifest are then of no use. What was refused when it was sent, not later, may also be sent once more: trialnotary submit " + quote(pending)
}

// writeReceipt completes a pending statement, writes its receipt and takes the
// pending file away, in this order: a crash between leaves both, and going on from
// there gives the same.
func (a *app) writeReceipt(p *client.Pending, e receipt.Evidence, prefix string) (*receipt.Verdict, error) {
	r, v, err := p.Complete(e, a.now())
	if err != nil {
		return nil, fmt.Errorf("the service's answer does not verify, and no receipt was written: %w", err)
	}
	b, err := r.Bytes()
	if err != nil {
		return nil, err
	}
	err = client.WriteNew(prefix+".receipt", b, client.Public)
	if errors.Is(err, client.ErrExists) {
		if err = sameReceipt(prefix+".receipt", r); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	if err := os.Remove(prefix + ".pending"); err != nil {
		fmt.Fprintln(a.err, "trialnotary: the receipt is written; its pending file could not be removed and is no longer needed:", err)
	}
	return v, nil
}

// sameReceipt returns nil if the file is a receipt of the same statement.
func sameReceipt(name string, r *receipt.Receipt) error { return sameStatement(name, r.Statement) }

func sameStatement(name string, note []byte) error {
	b, err := client.ReadFile(name, 2*receipt.MaxSize)
	if err == nil {
		var there *receipt.Receipt
		if there, _, err = receipt.ParseOuter(b); err == nil && string(there.Statement) == string(note) {
			return nil
		}
	}
	return fmt.Errorf("%s exists and is not the receipt of this statement; it was left as it is", name)
}

type sealedJSON struct {
	State     string `json:"state"` // sealed, submitted, offline
	Trial     string `json:"trial"`
	Stream    string `json:"stream"`
	Kind      string `json:"kind"`
	Statement string `json:"statement"`
	StreamID  string `json:"stream_id"`
	Files     int    `json:"files"`
	Bytes     uint64 `json:"bytes"`
	Manifest  string `json:"manifest,omitempty"`
	Receipt   string `json:"receipt,omitempty"`
	Pending   string `json:"pending,omitempty"`
	Index     uint64 `json:"index,omitempty"`
	Seq       uint64 `json:"seq,omitempty"`
	Sums      string `json:"sums,omitempty"`

	LeftOut []string `json:"left_out,omitempty"`
	Checked string   `json:"checked,omitempty"` // against which list
	Careful []string `json:"careful,omitempty"`
}

func (a *app) showSealed(s sealing, p *client.Pending, m *manifest.Manifest, v *receipt.Verdict, state, do string) error {
	n := p.Note
	j := sealedJSON{State: state, Trial: n.Trial, Stream: n.StreamName, Kind: string(n.Kind), Statement: n.ID.String(), StreamID: n.Stream().String(),
		LeftOut: s.leftOut(), Checked: s.checked, Careful: s.careful}
	head := strings.Join([]string{string(n.Kind), n.StreamName, n.Trial}, " · ")
	out := &sheet{word: map[string]string{"sealed": "SEALED", "submitted": "SUBMITTED, not yet sealed", "offline": "SIGNED, not submitted"}[state], head: head}
	if m != nil {
		j.Files, j.Bytes, j.Manifest = len(m.Files), m.Total(), s.prefix+".manifest"
		out.add("files", "%s, %s", count(j.Files, "file"), bytesOf(j.Bytes))
		s.addOutside(out)
	}
	if v != nil {
		j.Receipt, j.Index, j.Seq = s.prefix+".receipt", v.Entry.Index, v.Entry.Seq
		if t := v.Vouched(); t != nil {
			out.add("when", "no later than %s (RFC 3161 by %s)", moment(t.Time), t.Authority)
		} else if v.Met.Witnessed {
			out.add("when", "no later than %s (%d of %d witnesses)", moment(v.Met.NoLaterThan), v.Met.Witnesses, v.Met.Of)
		} else {
			out.add("when", "%s by the log's clock: a claim, for this log has no witnesses", moment(v.Entry.Time))
		}
		out.add("order", "%s entry of this stream, log index %s", ordinal(v.Entry.Seq), number(v.Entry.Index))
		out.add("receipt", "%s (to show)", j.Receipt)
	} else {
		j.Pending = s.prefix + ".pending"
		out.add("pending", "%s (private, and needed to get the receipt)", j.Pending)
	}
	if m != nil {
		out.add("manifest", "%s (private: keep it with the data; without it they cannot be checked)", j.Manifest)
	}
	if m != nil && s.sums {
		j.Sums = s.prefix + sumsExt
		out.add("sums", "%s (private: it names the files); in its directory: sha256sum -c %s", j.Sums, quote(filepath.Base(j.Sums)))
	}
	if do != "" {
		out.add("next", "%s", do)
	}
	return a.print(out, j)
}

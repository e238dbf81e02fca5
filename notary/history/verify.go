package history

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/tile"
)

// The steps of [History.Verify] that a receipt does not have, in their order among
// receipt.StepContainer, StepParts, StepCheckpoints and StepInclusion, which come
// before, and receipt.StepRegistration, which is the last.
const (
	StepAuditors   = "auditors"   // who recomputed the map
	StepMap        = "map"        // the map proofs, under the batch's root
	StepEntries    = "entries"    // they are all, and those the map folds
	StepStatements = "statements" // each is the one its entry names
)

func fail(step, reason string, a ...any) error {
	return &receipt.Failure{Step: step, Reason: fmt.Sprintf(reason, a...)}
}

// verification is one run of Verify.
type verification struct {
	h       *History
	o       receipt.Options
	proof   checkpoint.Proof
	head    checkpoint.Signed
	streams []*stream
	v       *Verdict
}

// stream is a Stream with its parts parsed.
type stream struct {
	n       int // from 1, for errors
	proof   streammap.Proof
	entries []entry.Entry
	leaves  []tile.Hash
	items   []*Item
}

// Verify checks everything a history shows: that the batch leaf is in the log,
// that the entries of each stream are all it had by then, and which of the
// statements were made by keys in force. The error is always a
// [*receipt.Failure]; it names every stream that is not as the log has it. A
// statement without authority fails nothing: the verdict shows it as what it is.
func (h *History) Verify(o receipt.Options) (*Verdict, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	t := &verification{h: h, o: o, v: &Verdict{Unsigned: o.Trust == nil, Confirmed: o.Trust != nil && o.Confirmed}}
	for _, step := range []func() error{
		t.parse, t.checkpoint, t.inclusion, t.auditors, t.maps, t.entries, t.onelog, t.statements, t.registration, t.order,
	} {
		if err := step(); err != nil {
			var f *receipt.Failure
			if o.Hint != "" && errors.As(err, &f) {
				f.Reason += "; " + o.Hint
			}
			return nil, err
		}
	}
	return t.v, nil
}

// parse: size limit and canonical container, then every part but the statements.
func (t *verification) parse() (err error) {
	if _, err := t.h.Bytes(); err != nil {
		return fail(receipt.StepContainer, "%v", err)
	}
	if t.v.Batch, err = entry.ParseBatch(t.h.Batch); err != nil {
		return fail(receipt.StepParts, "the batch leaf: %v", err)
	}
	if t.proof, err = checkpoint.ParseProof(t.h.Proof); err != nil {
		return fail(receipt.StepParts, "the proof of the batch: %v", err)
	}
	if t.head, err = checkpoint.Parse(t.proof.Checkpoint); err != nil {
		return fail(receipt.StepParts, "the proof of the batch: %v", err)
	}
	for i, s := range t.h.Streams {
		p := &stream{n: i + 1}
		if p.proof, err = streammap.ParseProof(s.MapProof); err != nil {
			return fail(receipt.StepParts, "%s: %v", mapProofName(i+1), err)
		}
		if err := p.parseEntries(s.Entries); err != nil {
			return fail(receipt.StepParts, "%s: %v", entriesName(i+1), err)
		}
		t.streams = append(t.streams, p)
	}
	return nil
}

// entryLines is the number of lines of an entry.
const entryLines = 6

func (p *stream) parseEntries(b []byte) error {
	for len(b) > 0 {
		end := 0
		for range entryLines {
			i := strings.IndexByte(string(b[end:min(len(b), end+512)]), '\n')
			if i < 0 {
				return fmt.Errorf("entry %d is cut off", len(p.entries)+1)
			}
			end += i + 1
		}
		e, err := entry.Parse(b[:end])
		if err != nil {
			return fmt.Errorf("entry %d: %w", len(p.entries)+1, err)
		}
		p.entries = append(p.entries, e)
		p.leaves = append(p.leaves, tile.LeafHash(b[:end]))
		b = b[end:]
	}
	return nil
}

// checkpoint: it is signed as the visitor's policy asks.
func (t *verification) checkpoint() (err error) {
	if t.o.Trust != nil {
		if t.v.Met, err = t.o.Trust.Meets(t.head, t.o.Now); err != nil {
			return fail(receipt.StepCheckpoints, "the checkpoint of the batch: %v", err)
		}
	}
	t.v.Origin, t.v.FinalSize, t.v.Root = t.head.Origin, t.head.Size, t.head.Root
	return nil
}

// inclusion: the exact bytes of the batch leaf are in the log, at its own index.
func (t *verification) inclusion() error {
	b := t.v.Batch
	if b.Index != t.proof.Index {
		return fail(receipt.StepInclusion, "the batch leaf says index %d, the proof is for index %d", b.Index, t.proof.Index)
	}
	if err := tile.VerifyInclusion(tile.LeafHash(t.h.Batch), b.Index, t.head.Size, t.proof.Hashes, t.head.Root); err != nil {
		return fail(receipt.StepInclusion, "the batch leaf is not in the log that the checkpoint signs: %v", err)
	}
	return nil
}

// auditors: each checkpoint is the proof's; who of the trust file's auditors
// signed it vouches for the map. What other keys signed counts for nothing.
func (t *verification) auditors() error {
	for i, raw := range t.h.Auditors {
		c, err := checkpoint.Parse(raw)
		switch {
		case err != nil:
			return fail(receipt.StepParts, "%s: %v", auditorName(i+1), err)
		case c.Checkpoint != t.head.Checkpoint:
			return fail(StepAuditors, "%s is another checkpoint than that of the batch's proof", auditorName(i+1))
		case t.o.Trust == nil:
			continue
		}
		for _, vkey := range t.o.Trust.Auditors {
			if err := t.auditor(c, vkey); err != nil {
				return fail(StepAuditors, "%s: %v", auditorName(i+1), err)
			}
		}
	}
	return nil
}

func (t *verification) auditor(c checkpoint.Signed, vkey string) error {
	at, signed, err := c.SignedBy(vkey)
	if err != nil || !signed {
		return err
	}
	k, algorithm, err := checkpoint.VerifierFor(vkey)
	if err != nil {
		return err
	}
	// An auditor's clock says nothing about when its algorithm fell: the time that
	// counts is the witnessed one, as for the log's own signatures.
	if !t.o.Trust.Accepts(algorithm, t.v.Met.NoLaterThan, t.o.Now) {
		return nil
	}
	for _, a := range t.v.Auditors {
		if a.Key == vkey {
			return nil
		}
	}
	t.v.Auditors = append(t.v.Auditors, Auditor{Name: k.Name(), Key: vkey, At: at})
	return nil
}

// statements: each is the one its entry names. Those that are not here stay closed.
func (t *verification) statements() error {
	var wrong problems
	for i, s := range t.streams {
		for _, e := range s.entries {
			s.items = append(s.items, &Item{Entry: e})
		}
		for _, o := range t.h.Streams[i].Statements {
			switch {
			case o.Seq > uint64(len(s.items)):
				wrong.add("%s%d is of an entry that the stream does not have", statementPrefix(s.n), o.Seq)
			case sha256.Sum256(o.Note) != s.items[o.Seq-1].Entry.Statement:
				wrong.add("%s%d is not the statement that its log entry commits to: one of them was changed", statementPrefix(s.n), o.Seq)
			default:
				s.items[o.Seq-1].open(o.Note)
			}
		}
	}
	return wrong.failure(StepStatements)
}

// open parses a note that its entry commits to. What is no statement of ours, a
// site may still have had sealed unseen: it is shown as what it is.
func (i *Item) open(note []byte) {
	n, err := statement.Parse(note)
	if err != nil {
		i.State, i.Why = Invalid, "what was sealed is no statement in the form of the formats"
		return
	}
	i.Note = n
}

// problems are what is wrong with several streams.
type problems []string

func (p *problems) add(format string, a ...any) { *p = append(*p, fmt.Sprintf(format, a...)) }

func (p problems) failure(step string) error {
	if len(p) == 0 {
		return nil
	}
	all := strings.Join(p[:min(len(p), 5)], "; ")
	if len(p) > 5 {
		all += fmt.Sprintf("; and %d more", len(p)-5)
	}
	return fail(step, "%s", all)
}

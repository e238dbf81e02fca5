package history

import (
	"errors"
	"fmt"
	"time"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/entry"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/streammap"
	"trialnotary/notary/text"
	"trialnotary/notary/tile"
)

// QuietVersion is the comment line of a quiet-period attestation, MaxQuietSize its
// bound in bytes.
const (
	QuietVersion = "trialnotary/quiet@v1"
	MaxQuietSize = 1 << 20
)

// Quiet is evidence that a stream had no entry for a while: how it stood after one
// batch and how after a later one, which is the same. It shows no entry and no
// statement. It is a txtar archive with these parts in this order:
//
//	trialnotary/quiet@v1
//	-- from --                  the leaf of the batch after which it was quiet
//	-- from.tlog-proof --       of it, in a final checkpoint
//	-- from.map-proof --        of the stream after that batch
//	-- to --                    the same of the batch up to which it was quiet
//	-- to.tlog-proof --
//	-- to.map-proof --
//	-- auditor-1.checkpoint --  the checkpoint of both proofs, signed by an auditor
//
// A count that is the same and a hash over all entries that is the same leave no
// room for one. That the maps are right, auditors say: see [History].
type Quiet struct {
	From, To Point
	Auditors [][]byte
}

// Point is how a stream stood after a batch, as bytes: nothing is verified.
type Point struct {
	Batch    []byte
	Proof    []byte // C2SP tlog-proof of the batch leaf
	MapProof []byte
}

// ParseQuiet parses the container of an attestation. Errors wrap [text.ErrFormat].
func ParseQuiet(b []byte) (*Quiet, error) {
	a, err := text.ParseArchive(b, QuietVersion, MaxQuietSize)
	if err != nil {
		return nil, fmt.Errorf("quiet period: %w", err)
	}
	p := text.NewPartReader(a.Parts)
	take := func(name string) Point {
		return Point{p.Take(name), p.Take(name + ".tlog-proof"), p.Take(name + ".map-proof")}
	}
	q := &Quiet{From: take("from"), To: take("to")}
	for p.Next(auditorName(len(q.Auditors) + 1)) {
		q.Auditors = append(q.Auditors, p.Take(auditorName(len(q.Auditors)+1)))
	}
	if err := p.Done(); err != nil {
		return nil, fmt.Errorf("quiet period: %w", err)
	}
	return q, nil
}

// Bytes returns the attestation. It fails if it could not be read back.
func (q *Quiet) Bytes() ([]byte, error) {
	a := text.Archive{Version: QuietVersion}
	add := func(name string, p Point) {
		a.Parts = append(a.Parts, text.Part{Name: name, Data: p.Batch},
			text.Part{Name: name + ".tlog-proof", Data: p.Proof}, text.Part{Name: name + ".map-proof", Data: p.MapProof})
	}
	add("from", q.From)
	add("to", q.To)
	for i, c := range q.Auditors {
		a.Parts = append(a.Parts, text.Part{Name: auditorName(i + 1), Data: c})
	}
	b, err := a.Bytes()
	if err == nil {
		_, err = ParseQuiet(b)
	}
	if err != nil {
		return nil, fmt.Errorf("quiet period: %w", err)
	}
	return b, nil
}

// QuietVerdict is what a verified attestation shows.
type QuietVerdict struct {
	Origin    string
	Stream    statement.StreamID
	Count     uint64 // entries of the stream, at both ends
	From, To  Standing
	Auditors  []Auditor // who recomputed the maps up to the later checkpoint
	Confirmed bool      // by a trust file of the visitor's own
	Unsigned  bool      // no trust file
}

// Standing is one end of a quiet period. The batch's time is the log's clock: a claim.
type Standing struct {
	Batch     entry.Batch
	FinalSize uint64
	Met       checkpoint.Met
}

// Line says it in words.
func (v *QuietVerdict) Line() string {
	return fmt.Sprintf("no entry in stream %s between %s and %s", v.Stream, upTo(v.From.Batch), upTo(v.To.Batch))
}

// ByWhom says on whose word the maps, and so the verdict, rest.
func (v *QuietVerdict) ByWhom() string {
	if len(v.Auditors) == 0 {
		return "according to the operator only: no auditor vouches for the map"
	}
	return (&Verdict{Auditors: v.Auditors}).ByWhom()
}

// standing is one end while it is verified.
type standing struct {
	Standing
	leaf  []byte
	head  checkpoint.Signed
	index checkpoint.Proof
	proof streammap.Proof
}

// Verify checks everything an attestation shows. The error is always a
// [*receipt.Failure].
func (q *Quiet) Verify(o receipt.Options) (*QuietVerdict, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	v, err := q.verify(o)
	var f *receipt.Failure
	if o.Hint != "" && errors.As(err, &f) {
		f.Reason += "; " + o.Hint
	}
	return v, err
}

func (q *Quiet) verify(o receipt.Options) (*QuietVerdict, error) {
	if _, err := q.Bytes(); err != nil {
		return nil, fail(receipt.StepContainer, "%v", err)
	}
	from, err := parsePoint("from", q.From)
	if err != nil {
		return nil, err
	}
	to, err := parsePoint("to", q.To)
	if err != nil {
		return nil, err
	}
	for _, s := range []*standing{from, to} {
		if err := s.verify(o); err != nil {
			return nil, err
		}
	}
	a, b := from.proof, to.proof
	switch {
	case from.head.Origin != to.head.Origin:
		return nil, fail(receipt.StepCheckpoints, "its two checkpoints are of different logs")
	case from.head.Size == to.head.Size && from.head.Root != to.head.Root:
		return nil, fail(receipt.StepCheckpoints, "the log signed two different roots at size %d", to.head.Size)
	case from.Batch.Number >= to.Batch.Number:
		return nil, fail(StepMap, "batch %d, with which the period begins, is not before batch %d, with which it ends", from.Batch.Number, to.Batch.Number)
	case from.Batch.Index >= to.Batch.First, from.Batch.Time.After(to.Batch.Time):
		return nil, fail(receipt.StepInclusion, "the batches of the log run backwards between batch %d and batch %d", from.Batch.Number, to.Batch.Number)
	case a.Stream != b.Stream:
		return nil, fail(StepMap, "its two map proofs are of different streams")
	case a.Count < b.Count:
		return nil, fail(StepMap, "the stream was not quiet: its count of entries was %d after batch %d and is %d after batch %d", a.Count, from.Batch.Number, b.Count, to.Batch.Number)
	case a.Value != b.Value:
		return nil, fail(StepMap, "the entries of the stream were changed between batch %d and batch %d: the log contradicts itself", from.Batch.Number, to.Batch.Number)
	}
	// Who vouches for the maps is checked as for a history that ends there.
	t := &verification{h: &History{Auditors: q.Auditors}, o: o, head: to.head, v: &Verdict{Met: to.Met}}
	if err := t.auditors(); err != nil {
		return nil, err
	}
	// Two checkpoints of different sizes may be of two pasts, of which an auditor saw one.
	if len(t.v.Auditors) > 0 && from.head.Checkpoint != to.head.Checkpoint {
		return nil, fail(StepAuditors, "the auditor vouches for the checkpoint of size %d, and batch %d is proved in another, of size %d", to.head.Size, from.Batch.Number, from.head.Size)
	}
	return &QuietVerdict{Origin: to.head.Origin, Stream: a.Stream, Count: a.Count, From: from.Standing, To: to.Standing,
		Auditors: t.v.Auditors, Confirmed: o.Trust != nil && o.Confirmed, Unsigned: o.Trust == nil}, nil
}

func parsePoint(name string, p Point) (s *standing, err error) {
	s = &standing{leaf: p.Batch}
	if s.Batch, err = entry.ParseBatch(p.Batch); err == nil {
		s.index, err = checkpoint.ParseProof(p.Proof)
	}
	if err == nil {
		s.head, err = checkpoint.Parse(s.index.Checkpoint)
	}
	if err == nil {
		s.proof, err = streammap.ParseProof(p.MapProof)
	}
	if err != nil {
		return nil, fail(receipt.StepParts, "%s: %v", name, err)
	}
	s.FinalSize = s.head.Size
	return s, nil
}

// verify: the batch leaf is in a log that is signed as the visitor asks, and commits
// to the map proof.
func (s *standing) verify(o receipt.Options) (err error) {
	if o.Trust != nil {
		if s.Met, err = o.Trust.Meets(s.head, o.Now); err != nil {
			return fail(receipt.StepCheckpoints, "the checkpoint of batch %d: %v", s.Batch.Number, err)
		}
	}
	if s.Batch.Index != s.index.Index {
		return fail(receipt.StepInclusion, "the batch leaf says index %d, the proof is for index %d", s.Batch.Index, s.index.Index)
	}
	if err := tile.VerifyInclusion(tile.LeafHash(s.leaf), s.Batch.Index, s.head.Size, s.index.Hashes, s.head.Root); err != nil {
		return fail(receipt.StepInclusion, "the leaf of batch %d is not in the log that the checkpoint signs: %v", s.Batch.Number, err)
	}
	if err := s.proof.Verify(s.Batch.MapRoot); err != nil {
		return fail(StepMap, "batch %d does not commit to its map proof", s.Batch.Number)
	}
	return nil
}

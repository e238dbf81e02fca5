package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/text"
	"trialnotary/notary/tile"
)

// EquivocationVersion is the comment line of an equivocation, MaxEquivocation its
// bound in bytes.
const (
	EquivocationVersion = "trialnotary/equivocation@v1"
	MaxEquivocation     = 2*checkpoint.MaxSize + 16<<10
)

// Equivocation is a proof, for anyone who has the log's keys, that the log signed two
// histories of which at most one can be true. It is a txtar archive:
//
//	trialnotary/equivocation@v1
//	-- first.checkpoint --       both signed by the log, the smaller one first
//	-- second.checkpoint --
//	-- consistency --            only where the sizes differ
//	root X/SpIIPzWbaJFdYttAEiYeh+Vi3mkNKFjyZ36XQXczY=
//	node L6zoouF8/4UkXkVo91Etiam+SiqWwzk8fZRjTy0yCVE=
//
// Of one size, the two have different roots. Of two sizes, the nodes are an RFC 6962
// consistency proof that the log of the second checkpoint had another root, `root`,
// when it had the size of the first.
type Equivocation struct {
	First, Second []byte
	Root          tile.Hash // of the second log at the size of the first
	Nodes         []tile.Hash

	first, second checkpoint.Signed
}

// ErrConsistent: the two checkpoints contradict each other in nothing.
var ErrConsistent = errors.New("the two checkpoints can both be true")

// Prove returns the equivocation of two checkpoints that the log signed. The tiles of
// the larger one are read from the log; if they are not its, there is no proof.
func Prove(ctx context.Context, log Reader, one, other *checkpoint.Signed) (*Equivocation, error) {
	if one.Size > other.Size {
		one, other = other, one
	}
	e := &Equivocation{First: one.Raw, Second: other.Raw}
	if one.Size < other.Size && one.Size > 0 {
		get := func(name string) ([]byte, error) { return log.Read(ctx, name) }
		var err error
		if e.Root, err = tile.RootAt(one.Size, other.Size, get); err != nil {
			return nil, err
		}
		if e.Nodes, err = tile.Consistency(one.Size, other.Size, get); err != nil {
			return nil, err
		}
	}
	b, err := e.Bytes()
	if err != nil {
		return nil, err
	}
	return ParseEquivocation(b)
}

// Bytes returns the archive.
func (e *Equivocation) Bytes() ([]byte, error) {
	a := text.Archive{Version: EquivocationVersion, Parts: []text.Part{{Name: "first.checkpoint", Data: e.First}, {Name: "second.checkpoint", Data: e.Second}}}
	if e.Root != (tile.Hash{}) || len(e.Nodes) > 0 {
		b := []byte("root " + text.Base64(e.Root[:]) + "\n")
		for _, n := range e.Nodes {
			b = append(b, "node "+text.Base64(n[:])+"\n"...)
		}
		a.Parts = append(a.Parts, text.Part{Name: "consistency", Data: b})
	}
	return a.Bytes()
}

// ParseEquivocation parses an equivocation and checks that its checkpoints contradict
// each other; [Equivocation.Verify], that the log signed them. Errors wrap
// [text.ErrFormat], [tile.ErrProof] or [ErrConsistent].
func ParseEquivocation(b []byte) (*Equivocation, error) {
	e, err := parseEquivocation(b)
	if err != nil {
		return nil, fmt.Errorf("equivocation: %w", err)
	}
	return e, nil
}

func parseEquivocation(b []byte) (*Equivocation, error) {
	a, err := text.ParseArchive(b, EquivocationVersion, MaxEquivocation)
	if err != nil {
		return nil, err
	}
	p := text.NewPartReader(a.Parts)
	e := &Equivocation{First: p.Take("first.checkpoint"), Second: p.Take("second.checkpoint")}
	if p.Next("consistency") {
		r := text.NewReader(p.Take("consistency"))
		e.Root = r.Hash("root")
		for r.More() && len(e.Nodes) <= 64 {
			e.Nodes = append(e.Nodes, r.Hash("node"))
		}
		if err := r.Done(); err != nil {
			return nil, fmt.Errorf("part \"consistency\": %w", err)
		}
	}
	if err := p.Done(); err != nil {
		return nil, err
	}
	if e.first, err = checkpoint.Parse(e.First); err != nil {
		return nil, fmt.Errorf("part \"first.checkpoint\": %w", err)
	}
	if e.second, err = checkpoint.Parse(e.Second); err != nil {
		return nil, fmt.Errorf("part \"second.checkpoint\": %w", err)
	}
	if back, err := e.Bytes(); err != nil || !bytes.Equal(back, b) {
		return nil, fmt.Errorf("it is not written canonically: %w", text.ErrFormat)
	}
	return e, e.contradict()
}

// contradict returns nil iff the two cannot both be true, whoever signed them.
func (e *Equivocation) contradict() error {
	one, other := e.first, e.second
	switch {
	case one.Origin != other.Origin:
		return fmt.Errorf("%w: they are of two logs", ErrConsistent)
	case one.Size == 0 || one.Size > other.Size:
		return fmt.Errorf("the first is of size %d and the second of %d: %w", one.Size, other.Size, text.ErrFormat)
	case one.Size == other.Size && (e.Root != tile.Hash{} || len(e.Nodes) > 0):
		return fmt.Errorf("a proof between two of one size: %w", text.ErrFormat)
	case one.Size == other.Size && one.Root == other.Root:
		return fmt.Errorf("%w: they have one size and one root", ErrConsistent)
	case one.Size == other.Size:
		return nil
	}
	if err := tile.VerifyConsistency(one.Size, other.Size, e.Nodes, e.Root, other.Root); err != nil {
		return err
	}
	if e.Root == one.Root {
		return fmt.Errorf("%w: the first is the beginning of the second", ErrConsistent)
	}
	return nil
}

// Verify returns nil iff the log signed both checkpoints, by what own says of each.
func (e *Equivocation) Verify(own func(checkpoint.Signed) error) error {
	for _, c := range []struct {
		what string
		checkpoint.Signed
	}{{"first", e.first}, {"second", e.second}} {
		if err := own(c.Signed); err != nil {
			return fmt.Errorf("the %s checkpoint: %w", c.what, err)
		}
	}
	return nil
}

// Checkpoints returns the two, unverified before [Equivocation.Verify].
func (e *Equivocation) Checkpoints() (first, second checkpoint.Checkpoint) {
	return e.first.Checkpoint, e.second.Checkpoint
}

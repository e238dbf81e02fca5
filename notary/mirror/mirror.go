// Package mirror keeps an exact copy of a public log in a directory: whoever has it
// has all that the operator published, whether the operator is still there or not.
//
// The directory holds the objects under the names that they have in the log, so that
// any web server can serve it and every tool for C2SP tlog-tiles can read it:
//
//	checkpoint                     replaced last, when all below it is there
//	checkpoints/00000000000000070321
//	heads/00000000000000000881     written last of its batch: what has a head is whole
//	signed/00000000000000000881
//	tile/0/…  tile/entries/…
//	handovers/00000000000000000001 changes of the log's keys, each kept as it is first
//	                               served: whoever relies on one verifies its signatures
//	trust                          the operator's own trust file, as it is served;
//	                               nobody believes it because it is here
//	refused/00000000000000070300-8c1f0f5be2d0a7c4/
//	    held.checkpoint            two checkpoints that cannot be of one log, or of one
//	    shown.checkpoint           that only grows
//
// [Update] brings it up to date. The newest checkpoint is verified first; from its
// root every tile, from the tiles every entry, and from the entries every head. That
// the log only grew since the last time is proved before anything is written.
//
// Invariants: nothing stands under a final name before it was verified and is
// durable; an object that is there is never changed; `checkpoint` covers nothing that
// is not there. An update that ended early, however it ended, is gone on with by the
// next one.
package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"trialnotary/notary"
	"trialnotary/notary/checkpoint"
	"trialnotary/notary/receipt"
	"trialnotary/notary/tile"
)

// The names of the two objects that change.
const (
	CheckpointName = "checkpoint"
	TrustName      = "trust"
)

// Source is the log that is mirrored. It is called by several at once, and bounds
// what it returns: nothing that comes from it is believed.
type Source interface {
	// Object returns an object by name, or notary.ErrNotFound.
	Object(ctx context.Context, name string) ([]byte, error)
}

// Options of an [Update].
type Options struct {
	Source Source
	Dir    string // made if it is not there
	// Trust is what the signatures are verified with: the visitor's trust file or, where
	// there is none, the operator's, which shows no more than that all is of one log.
	Trust *receipt.Trust
	// Operator is the operator's own trust file, to be kept; nil: none is served.
	Operator []byte
	Parallel int // requests at once; 0: 8
	// Show, if not nil, hears how many leaves are verified and durable, of how many.
	Show func(size, of uint64)
}

// Result of an [Update].
type Result struct {
	Origin   string
	Size     uint64 // of the newest checkpoint, which the directory now has
	Before   uint64 // of the one that it had; 0: none
	Batches  uint64
	Objects  int // written by this update
	Unquorum int // older checkpoints that do not have the signatures that the trust file asks for
}

// ErrEmpty: the log has no final checkpoint yet, so there is nothing to mirror.
var ErrEmpty = errors.New("the log has no checkpoint yet: nothing has been sealed")

// Refused: what the log shows is not what it must be. The mirror is as it was.
type Refused struct {
	Object string
	Reason string
	// Held and Shown are two signed checkpoints that contradict each other, Evidence the
	// directory in which both are kept; nil and "" where it is about something else.
	Held, Shown []byte
	Evidence    string
}

// Error returns the object and the reason.
func (r *Refused) Error() string { return r.Object + ": " + r.Reason }

func refuse(object, reason string, a ...any) error {
	return &Refused{Object: object, Reason: fmt.Sprintf(reason, a...)}
}

// update is one run.
type update struct {
	Options
	dir    Dir
	writer *writer
	own    *checkpoint.Policy // the log's own keys alone
	shown  checkpoint.Signed  // the newest of the log
	tree   *tree              // under it
	head   checkpoint.Head    // of the last batch that is here whole; zero: none
	result Result
}

// Update brings the directory up to date with the log. Errors are [*Refused],
// [ErrEmpty], those of the source, or those of the disk.
func Update(ctx context.Context, o Options) (Result, error) { return run(ctx, o, osDisk{}) }

func run(ctx context.Context, o Options, d disk) (Result, error) {
	if o.Parallel <= 0 {
		o.Parallel = 8
	}
	u := &update{Options: o, dir: Dir(o.Dir)}
	var err error
	if u.own, err = o.Trust.Policy.Own(); err != nil {
		return u.result, err
	}
	if u.writer, err = newWriter(o.Dir, d); err != nil {
		return u.result, err
	}
	for _, step := range []func(context.Context) error{u.newest, u.here, u.grown, u.batches, u.handovers, u.finish} {
		if err := step(ctx); err != nil {
			return u.result, err
		}
	}
	return u.result, nil
}

// newest gets the newest checkpoint, and the right edge of the tree under its root.
func (u *update) newest(ctx context.Context) error {
	raw, err := u.Source.Object(ctx, CheckpointName)
	if errors.Is(err, notary.ErrNotFound) {
		return ErrEmpty
	} else if err != nil {
		return err
	}
	if u.shown, err = checkpoint.Parse(raw); err != nil {
		return refuse(CheckpointName, "%v", err)
	}
	if _, err := u.Trust.Policy.Verify(u.shown, nil); err != nil {
		return refuse(CheckpointName, "%v", err)
	}
	u.result.Origin, u.result.Size = u.shown.Origin, u.shown.Size
	return nil
}

// here finds how far the directory has come.
func (u *update) here(ctx context.Context) error {
	raw, err := u.dir.Object(ctx, CheckpointName)
	if err == nil {
		held, err := checkpoint.Parse(raw)
		if err != nil {
			return fmt.Errorf("%s in %s is damaged: %w; remove that file, then run this again", CheckpointName, u.Dir, err)
		}
		if held.Origin != u.shown.Origin {
			return fmt.Errorf("%s holds a mirror of the log %s, and this is %s: choose another directory", u.Dir, held.Origin, u.shown.Origin)
		}
		u.result.Before = held.Size
	} else if !errors.Is(err, notary.ErrNotFound) {
		return err
	}
	u.head, err = u.dir.lastHead(ctx)
	if err == nil && u.head.Size < u.result.Before {
		err = fmt.Errorf("%s is damaged: its checkpoint covers %d leaves, and only %d are there; mirror the log anew into another directory", u.Dir, u.result.Before, u.head.Size)
	}
	u.result.Batches = u.head.Batch
	return err
}

// grown proves that the log only grew since the directory was last written.
func (u *update) grown(ctx context.Context) error {
	if u.shown.Size < u.head.Size {
		return u.contradiction(ctx, "the log shows %d leaves, and showed %d before: it was cut short, or an old checkpoint is shown as the newest", u.shown.Size, u.head.Size)
	}
	if u.shown.Size == u.head.Size && u.shown.Root != u.head.Root {
		return u.contradiction(ctx, "at size %d the log has another root than it had: it was rewritten", u.shown.Size)
	}
	var err error
	if u.tree, err = newTree(ctx, u.Source, u.shown.Checkpoint); err != nil || u.head.Size == 0 {
		return err
	}
	proof, err := tile.Consistency(u.head.Size, u.shown.Size, func(name string) ([]byte, error) { return u.tree.named(ctx, name) })
	if err != nil {
		return err
	}
	if err := tile.VerifyConsistency(u.head.Size, u.shown.Size, proof, u.head.Root, u.shown.Root); err != nil {
		return u.contradiction(ctx, "the %d leaves that are here are not the beginning of the %d that the log shows now: it was rewritten", u.head.Size, u.shown.Size)
	}
	return nil
}

// contradiction keeps both checkpoints: anyone can see from them that the operator
// signed what cannot both be true.
func (u *update) contradiction(ctx context.Context, reason string, a ...any) error {
	r := &Refused{Object: CheckpointName, Reason: fmt.Sprintf(reason, a...), Shown: u.shown.Raw}
	var err error
	if u.result.Before == u.head.Size {
		r.Held, err = u.dir.Object(ctx, CheckpointName)
	} else { // an update that did not reach its end saw a larger one
		r.Held, err = u.dir.Object(ctx, checkpoint.SignedName(u.head.Batch))
	}
	if err == nil {
		r.Evidence, err = u.writer.evidence(u.shown, r.Held)
	}
	if err != nil {
		return errors.Join(r, fmt.Errorf("the two checkpoints could not be kept: %w", err))
	}
	return r
}

// finish replaces the two objects that change, the checkpoint last.
func (u *update) finish(ctx context.Context) error {
	if u.head.Size != u.shown.Size {
		return refuse(CheckpointName, "it is of size %d, and no batch ends there: the last one before it ends at %d", u.shown.Size, u.head.Size)
	}
	final, err := u.dir.Object(ctx, checkpoint.FinalName(u.shown.Size))
	if err != nil || !bytes.Equal(final, u.shown.Raw) {
		return refuse(CheckpointName, "it is not the final checkpoint of its size, which %s holds", checkpoint.FinalName(u.shown.Size))
	}
	if u.Operator != nil {
		if err := u.writer.replace(TrustName, u.Operator); err != nil {
			return err
		}
	}
	// ── a crash here leaves the old checkpoint and more than it covers, all verified
	return u.writer.replace(CheckpointName, u.shown.Raw)
}

// Package audit verifies a whole log from its public objects alone, as anyone can:
// it recomputes what an operator might have got wrong or left out, and says in words
// where the log is not what it must be.
//
// [Auditor.Walk] goes through the log batch by batch. It reads the entries and
// recomputes everything else from them:
//
//	tile/entries/…       each entry at its index, of its batch and time, with the next
//	                     seq of its stream; each batch leaf at the end of its batch
//	tile/0/… tile/1/…    every tile, full or partial, that a batch published
//	the stream map       its root after every batch, in a [Map] of the auditor's own
//	heads/<batch>        size and root
//	signed/<batch>       size, root and the log's own signatures
//	checkpoints/<size>   the same, where the batch has a final checkpoint
//	checkpoint           the newest final one, byte for byte
//
// [Auditor.Audit] does so from where a [State] was left: what this auditor saw last
// must still be the beginning of the log. A log that signed two histories leaves an
// [Equivocation], which anyone can check; what it takes to keep the map is bounded by
// the number of streams, and everything else by a few megabytes.
//
// What is wrong with the log is a [Finding]; any other error is a fault on the way
// to it, and says nothing about the log. It is no fault of a log that a batch has no
// final checkpoint (it got no quorum, or not yet), nor that an old final checkpoint
// has not the quorum that is asked for today.
package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"trialnotary/notary/checkpoint"
)

// Reader reads the public objects of a log, "checkpoint" among them.
type Reader interface {
	// Read returns the object of a name; an error that wraps [fs.ErrNotExist] if
	// there is none. It may be called by several at once.
	Read(ctx context.Context, name string) ([]byte, error)
}

// Auditor verifies one log.
type Auditor struct {
	Log Reader
	// Final and Own verify the signatures of a final checkpoint and, without any
	// witness, of the log's own. nil: signatures are not looked at.
	Final, Own func(checkpoint.Signed) error
	// Heads are what the log is known to have been: at the changes of its keys, where old
	// ones may be in other hands. One with a root of zeros says no more than a size.
	Heads []checkpoint.Checkpoint
	// Map keeps the stream map; it stands where the walk begins.
	Map Map
	// Seen finds statements that stand twice in a stream. nil: only within a batch.
	Seen *Seen
	// Check, if not nil, is called for every object that the log published: what is
	// to be said of it beside its bytes. Its errors end the audit.
	Check func(ctx context.Context, name string) error
	// Stop, if not nil, is asked before every batch, also by two at once, whether to go
	// no further.
	Stop func() bool
	// Ahead audits also what is signed and not final yet.
	Ahead bool
	// Parallel is how many objects are read at once; 0: 8.
	Parallel int
	// Rereads is how often an object is read again that is not what it must be,
	// Pause the wait before. What differs from read to read is not the log's fault.
	Rereads int
	Pause   time.Duration

	ends []uint64 // sizes at which a batch ends, if not nil
}

// Finding is something wrong with the log itself.
type Finding struct {
	Object, Reason string
	// Signed is what the log signed although it is not the log's; nil where the
	// finding is no such thing.
	Signed *checkpoint.Signed
}

func (f *Finding) Error() string { return f.Object + ": " + f.Reason }

func found(object, format string, a ...any) *Finding {
	return &Finding{Object: object, Reason: fmt.Sprintf(format, a...)}
}

// maxFindings is how many are looked for before an audit ends.
const maxFindings = 32

// Findings is the error of an audit that found something: in the order of the log,
// at least one.
type Findings []*Finding

func (f Findings) Error() string {
	var all []string
	for _, one := range f[:min(len(f), 3)] {
		all = append(all, one.Error())
	}
	if len(f) > len(all) {
		all = append(all, fmt.Sprintf("and %d more", len(f)-len(all)))
	}
	return strings.Join(all, "; ")
}

// Unwrap makes each finding known to [errors.As].
func (f Findings) Unwrap() []error {
	all := make([]error, len(f))
	for i := range f {
		all[i] = f[i]
	}
	return all
}

// ErrUnsteady: an object was another one each time that it was read.
var ErrUnsteady = errors.New("it is another one each time that it is read")

// read reads an object that must be there and hands it to check, once more for each
// of the a.Rereads if that finds something.
func (a *Auditor) read(ctx context.Context, name string, check func([]byte) error) error {
	var before []byte
	for n := 0; ; n++ {
		b, err := a.Log.Read(ctx, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			b, err = nil, found(name, "it is missing")
		case err != nil:
			return fmt.Errorf("read %s: %w", name, err)
		default:
			err = check(b)
		}
		_, wrong := errors.AsType[*Finding](err)
		if !wrong {
			return err
		}
		if n > 0 && string(b) != string(before) {
			return fmt.Errorf("read %s: %w", name, ErrUnsteady)
		}
		if n >= a.Rereads {
			return err
		}
		before = b
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(a.Pause):
		}
	}
}

// Newest returns the public checkpoint, nil for a log without any. It is final, and
// the same under its own name.
func (a *Auditor) Newest(ctx context.Context) (*checkpoint.Signed, error) {
	if _, err := a.Log.Read(ctx, "checkpoint"); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var cp checkpoint.Signed
	err := a.read(ctx, "checkpoint", func(b []byte) (err error) {
		if cp, err = checkpoint.Parse(b); err != nil {
			return found("checkpoint", "%v", err)
		}
		if a.Final == nil {
			return nil
		}
		if err := a.Final(cp); errors.Is(err, checkpoint.ErrQuorum) {
			return found("checkpoint", "%v; if the witnesses of the policy were changed just now, the next batch ends this", err)
		} else if err != nil {
			return found("checkpoint", "%v", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	name := checkpoint.FinalName(cp.Size)
	err = a.read(ctx, name, func(b []byte) error {
		if string(b) != string(cp.Raw) {
			f := found("checkpoint", "it is not %s", name)
			f.Signed = a.signed(b)
			return f
		}
		return nil
	})
	return &cp, err
}

// signed returns a checkpoint that the log signed, nil if b is none.
func (a *Auditor) signed(b []byte) *checkpoint.Signed {
	cp, err := checkpoint.Parse(b)
	if err != nil || a.Own == nil || a.Own(cp) != nil {
		return nil
	}
	return &cp
}

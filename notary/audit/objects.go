package audit

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"sync"

	"trialnotary/notary/checkpoint"
	"trialnotary/notary/tile"
)

// checks compares objects with what they must be, several at once.
type checks struct {
	slots chan struct{}
	tasks sync.WaitGroup
	mu    sync.Mutex
	wrong []wrong
	err   error // the first that is no finding
}

type wrong struct {
	batch uint64
	*Finding
}

func newChecks(parallel int) *checks { return &checks{slots: make(chan struct{}, parallel)} }

// run runs a check of an object that a batch published, once there is a slot.
func (c *checks) run(batch uint64, check func() error) {
	c.slots <- struct{}{}
	c.tasks.Go(func() {
		defer func() { <-c.slots }()
		err := check()
		if f, ok := errors.AsType[*Finding](err); ok {
			c.found(batch, f)
		} else if err != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.err == nil {
				c.err = err
			}
		}
	})
}

func (c *checks) found(batch uint64, f *Finding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := len(c.wrong)
	for at > 0 && (c.wrong[at-1].batch > batch || c.wrong[at-1].batch == batch && c.wrong[at-1].Object > f.Object) {
		at--
	}
	c.wrong = append(c.wrong[:at], append([]wrong{{batch, f}}, c.wrong[at:]...)...)
}

// failed reports whether it is of no use to go on.
func (c *checks) failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err != nil || len(c.wrong) >= maxFindings
}

// wait waits for all checks that are running and returns what they found.
func (c *checks) wait() error {
	c.tasks.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wrong) == 0 {
		return c.err
	}
	var all Findings
	for _, w := range c.wrong {
		all = append(all, w.Finding)
	}
	return errors.Join(all, c.err)
}

// object has an object compared with the one that the log's entries give. same says
// whether they give the root that the batch has.
func (w *walk) object(ctx context.Context, batch uint64, o tile.Object, same bool) {
	raw, read := w.raws[o.Name]
	level, index, _, err := tile.ParsePath(o.Name)
	if err != nil {
		panic("audit: " + err.Error()) // a name that package tile made
	}
	w.checks.run(batch, func() error {
		if level < 0 {
			if read && !bytes.Equal(raw, o.Data) {
				return found(o.Name, "its first entries are not those that stood there at the end of the batch before")
			}
			return w.check(ctx, o.Name) // the entries come from it
		}
		err := w.read(ctx, o.Name, func(b []byte) error {
			if bytes.Equal(b, o.Data) {
				return nil
			}
			return differs(o, b, level, index, same)
		})
		if err != nil {
			return err
		}
		return w.check(ctx, o.Name)
	})
}

// differs says what is wrong with a tile b that is not o.
func differs(o tile.Object, b []byte, level int, index uint64, same bool) *Finding {
	if len(b) != len(o.Data) {
		return found(o.Name, "it has %d bytes, not %d", len(b), len(o.Data))
	}
	at := 0
	for b[at] == o.Data[at] {
		at++
	}
	n := index*tile.Width + uint64(at/tile.HashSize)
	switch {
	case level > 0:
		return found(o.Name, "hash %d is not that of the tile below it", at/tile.HashSize)
	case same:
		return found(o.Name, "the hash of entry %d is not that of the entry, which the root covers", n)
	}
	return found(o.Name, "entry %d does not hash to what stands here: the entry was changed, or the tile", n)
}

// signedObjects has the checkpoints of a batch verified: the signed one, and the final
// one where there is one.
func (w *walk) signedObjects(ctx context.Context, at Position) {
	name, final := checkpoint.SignedName(at.Batch), checkpoint.FinalName(at.Size)
	w.checks.run(at.Batch, func() error {
		err := w.read(ctx, name, func(b []byte) error { return w.signedBy(name, b, at) })
		if err != nil {
			return err
		}
		return w.check(ctx, name)
	})
	w.checks.run(at.Batch, func() error {
		if _, err := w.Log.Read(ctx, final); errors.Is(err, fs.ErrNotExist) {
			return nil // no quorum, or not yet
		}
		err := w.read(ctx, final, func(b []byte) error { return w.signedBy(final, b, at) })
		if err != nil {
			return err
		}
		return w.check(ctx, final)
	})
}

// signedBy verifies a checkpoint by the log's own keys. A final one was final under
// the witnesses of its day; under those of today the newest one must be, which
// [Auditor.Newest] sees to.
func (w *walk) signedBy(name string, b []byte, at Position) error {
	cp, err := checkpoint.Parse(b)
	if err == nil && w.Own != nil {
		err = w.Own(cp)
	}
	if err != nil {
		return found(name, "%v", err)
	}
	if cp.Size != at.Size || cp.Root != at.Root {
		f := found(name, "it is not the checkpoint of batch %d, which has size %d and another root", at.Batch, at.Size)
		if cp.Size != at.Size {
			f = found(name, "it is of size %d, and batch %d ends at size %d", cp.Size, at.Batch, at.Size)
		}
		if w.Own != nil {
			f.Signed = &cp
		}
		return f
	}
	return nil
}

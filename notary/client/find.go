package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"trialnotary/notary/entry"
	"trialnotary/notary/tile"
)

// NotInLog: no entry of the log is of the statement, in its stream. That was seen from
// all of them.
type NotInLog struct{ Size uint64 } // of the log's newest final checkpoint

func (e *NotInLog) Error() string {
	return fmt.Sprintf("it is not in the log, up to size %d", e.Size)
}

// ErrCopy is wrapped where a copy of a log does not hold what its checkpoint signs.
var ErrCopy = errors.New("this copy of the log is damaged or incomplete")

// Find returns the entry of a statement by reading the log from its beginning, in
// bounded memory: for where there is no service to ask. If none is its entry, the
// error is [*NotInLog] after all entries were found to be those that the newest final
// checkpoint signs. tell, if not nil, hears how far it has come.
func (c *Collector) Find(ctx context.Context, r Ref, tell func(n, of uint64)) ([]byte, error) {
	mark := []byte("\nstatement " + r.Statement.String() + "\n")
	edge := &tile.Edge{}
	for first := uint64(0); first < c.size; first += Parallel * tile.Width {
		bundles, err := c.bundles(ctx, first)
		if err != nil {
			return nil, err
		}
		for _, b := range bundles {
			leaves, err := tile.ParseBundle(b)
			if err != nil {
				return nil, fmt.Errorf("%s: %w: %w", c.log.URL(), ErrCopy, err)
			}
			hit := bytes.Contains(b, mark)
			for _, leaf := range leaves {
				if hit && bytes.Contains(leaf, mark) {
					if e, err := entry.Parse(leaf); err == nil && e.Stream == r.Stream && e.Statement == r.Statement {
						return bytes.Clone(leaf), nil // what it is worth, its proof shows
					}
				}
				edge.Append(leaf)
			}
			edge.Objects() // they are there already
		}
		if tell != nil {
			tell(min(first+Parallel*tile.Width, c.size), c.size)
		}
	}
	if edge.Size() != c.size || edge.Root() != c.root {
		return nil, fmt.Errorf("%s: %w: its %d entries are not those that its checkpoint signs, so whether the statement is in the log cannot be told", c.log.URL(), ErrCopy, c.size)
	}
	return nil, &NotInLog{c.size}
}

// bundles reads some bundles at once, from the leaf of that index on.
func (c *Collector) bundles(ctx context.Context, first uint64) ([][]byte, error) {
	n := (min(first+Parallel*tile.Width, c.size) - first + tile.Width - 1) / tile.Width
	all := make([][]byte, n)
	g, ctx := errgroup.WithContext(ctx)
	for i := range n {
		g.Go(func() (err error) {
			from := first + i*tile.Width
			name := tile.BundlePath(from/tile.Width, int(min(c.size-from, tile.Width)))
			if all[i], err = c.log.Object(ctx, name); errors.Is(err, ErrNoObject) {
				err = fmt.Errorf("%s: %w: it has no %s", c.log.URL(), ErrCopy, name)
			}
			return err
		})
	}
	return all, g.Wait()
}

package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"trialnotary/notary/manifest"
)

const (
	bufferBudget = 32 << 20  // bytes of read buffers, all workers together
	maxBuffer    = 256 << 10 // of one worker
	largeFile    = 8 << 20   // from here on two digests of one file may run side by side
	progressStep = 50 * time.Millisecond
)

// Progress is how far a hashing run has come.
type Progress struct {
	Files, FilesTotal int
	Bytes, BytesTotal uint64
}

// ErrChanged is wrapped by the error of a run in which a file or directory
// changed while it was being hashed.
var ErrChanged = errors.New("it changed while it was being hashed")

// Hash reads every file once, on all cores, and returns the manifest of the tree
// under a fresh secret, with content digests where a file has one (see package
// content). Files that change between [Scan] and the end of the run,
// or appear or vanish meanwhile, are an error wrapping [ErrChanged]: a manifest
// lists one state of the data or none.
//
// It uses at most 64 MiB beyond the list of the files, whatever their sizes.
// progress, if not nil, is called from one goroutine at a time, some 20 times a
// second, at the start and at the end. Errors are of type [*InputError].
func (t *Tree) Hash(ctx context.Context, progress func(Progress)) (*manifest.Manifest, error) {
	h := newHasher(t, progress)
	h.content = true
	digests := make([]manifest.File, len(t.files))
	err := h.run(ctx, func(i int, f manifest.File, err error) error {
		digests[i] = f
		if err != nil {
			return &InputError{Path: t.disk(&t.files[i]), What: hashFault(err), Safe: nothingSealed, Do: hashAdvice(err, "seal"), Err: err}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := t.unchanged(); err != nil {
		return nil, err
	}
	m, err := manifest.New(digests)
	if err != nil {
		return nil, &InputError{What: "the list of files cannot be written", Safe: nothingSealed, Do: "Rename the files it names, then seal again.", Err: err}
	}
	return m, nil
}

// unchanged looks at all files once more: while the last were hashed, the first
// may have been rewritten.
func (t *Tree) unchanged() error {
	w := walker{list: os.ReadDir, skip: t.skip, safe: nothingSealed, hint: "seal"}
	now, err := w.scan(t.args)
	if err != nil {
		return err
	}
	changed := func(path, what string) error {
		return &InputError{Path: path, What: what, Safe: nothingSealed, Do: hashAdvice(ErrChanged, "seal"), Err: ErrChanged}
	}
	for i, j := 0, 0; i < len(t.files) || j < len(now.files); {
		switch {
		case j == len(now.files) || i < len(t.files) && t.files[i].path < now.files[j].path:
			return changed(t.disk(&t.files[i]), "vanished while the files were being hashed")
		case i == len(t.files) || now.files[j].path < t.files[i].path:
			return changed(now.disk(&now.files[j]), "appeared while the files were being hashed")
		case t.files[i].size != now.files[j].size || t.files[i].mtime != now.files[j].mtime:
			return changed(t.disk(&t.files[i]), "was written to while the files were being hashed")
		}
		i, j = i+1, j+1
	}
	return nil
}

func hashFault(err error) string {
	switch {
	case errors.Is(err, ErrChanged):
		return "is not what it was when hashing began"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "was not hashed to its end"
	}
	return "cannot be read"
}

func hashAdvice(err error, verb string) string {
	switch {
	case errors.Is(err, ErrChanged):
		return fmt.Sprintf("Wait until nothing writes there any more, or copy the data aside, then %s again.", verb)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "Run the command again to start over."
	}
	return fmt.Sprintf("Make it readable or leave it out, then %s again.", verb)
}

// hasher is one run over a tree.
type hasher struct {
	tree    *Tree
	order   []int // which file when
	content bool  // compute content digests, too
	workers int
	buffer  int        // bytes, of one worker
	splits  chan split // idle pairs of goroutines' buffers: bounds how many files are split

	report      func(Progress)
	reporting   sync.Mutex
	reported    time.Time
	files       atomic.Int64
	bytes, left atomic.Int64 // read; of files not begun
	total       uint64
}

func newHasher(t *Tree, progress func(Progress)) *hasher {
	h := &hasher{tree: t, workers: min(runtime.GOMAXPROCS(0), 512), report: progress, total: t.Bytes()}
	h.buffer = min(maxBuffer, bufferBudget/h.workers)
	h.splits = make(chan split, 8)
	for range cap(h.splits) {
		h.splits <- split{}
	}
	h.left.Store(int64(h.total))
	// Large files first, the largest before all: no core waits at the end for one
	// that came last. The small ones in the order of their directories.
	for i := range t.files {
		if t.files[i].size >= largeFile {
			h.order = append(h.order, i)
		}
	}
	slices.SortStableFunc(h.order, func(a, b int) int { return int(min(max(t.files[b].size-t.files[a].size, -1), 1)) })
	for i := range t.files {
		if t.files[i].size < largeFile {
			h.order = append(h.order, i)
		}
	}
	return h
}

// run hashes every file and hands each to done, from one goroutine per core, in
// no order; the first error done returns, or of ctx, ends it.
func (h *hasher) run(ctx context.Context, done func(i int, f manifest.File, err error) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	h.show(true)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(h.workers, len(h.order)) {
		wg.Go(func() {
			w := newWorker(h)
			for n := int(next.Add(1)) - 1; n < len(h.order) && ctx.Err() == nil; n = int(next.Add(1)) - 1 {
				i := h.order[n]
				f, err := w.hash(ctx, &h.tree.files[i])
				if err != nil && ctx.Err() != nil {
					return // the end of the run, not of this file
				}
				if err := done(i, f, err); err != nil {
					cancel(err)
					return
				}
				h.files.Add(1)
				h.show(false)
			}
		})
	}
	wg.Wait()
	h.show(true)
	if ctx.Err() == nil {
		return nil
	}
	err := context.Cause(ctx)
	if _, ok := errors.AsType[*InputError](err); ok {
		return err
	}
	return &InputError{What: "hashing was stopped before its end", Safe: nothingSealed, Do: hashAdvice(ctx.Err(), ""), Err: err}
}

// show reports progress, now or when it is time; a worker never waits for it.
func (h *hasher) show(now bool) {
	if h.report == nil {
		return
	}
	if now {
		h.reporting.Lock()
	} else if !h.reporting.TryLock() {
		return
	}
	defer h.reporting.Unlock()
	if at := time.Now(); now || at.Sub(h.reported) >= progressStep {
		h.reported = at
		h.report(Progress{int(h.files.Load()), len(h.tree.files), uint64(h.bytes.Load()), h.total})
	}
}

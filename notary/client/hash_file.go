package client

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"sync"

	"trialnotary/notary/content"
	"trialnotary/notary/manifest"
)

const splitBuffer = 1 << 20

// worker hashes one file after another.
type worker struct {
	h              *hasher
	buf            []byte
	sha256, sha512 hash.Hash
	content        content.Digest // of the file being read; nil if it can have none
}

func newWorker(h *hasher) *worker {
	return &worker{h: h, buf: make([]byte, h.buffer), sha256: sha256.New(), sha512: sha512.New()}
}

// hash reads the file once and returns its line in a manifest. It fails with
// [ErrChanged] unless name, size and time of last writing are those of the scan,
// before the first byte and after the last, the bytes read are as many, and the
// name still stands for the file that was read.
func (w *worker) hash(ctx context.Context, s *source) (manifest.File, error) {
	out := manifest.File{Path: s.path, Size: uint64(s.size)}
	left := w.h.left.Add(-s.size)
	disk := w.h.tree.disk(s)
	f, err := w.h.tree.open(disk)
	switch {
	case errors.Is(err, fs.ErrNotExist): // the scan saw it
		return out, fmt.Errorf("it is gone: %w", ErrChanged)
	case err != nil:
		return out, err
	}
	defer f.Close() // read only: nothing to lose
	before, err := f.Stat()
	if err != nil {
		return out, err
	}
	if !before.Mode().IsRegular() || before.Size() != s.size || before.ModTime().UnixNano() != s.mtime {
		return out, fmt.Errorf("its size or time is not what it was: %w", ErrChanged)
	}
	w.sha256.Reset()
	w.sha512.Reset()
	profile := ""
	if w.content = nil; w.h.content {
		profile = content.Profile(s.path)
		w.content = content.New(profile)
	}
	n, err := w.read(ctx, f, s.size, left)
	if err != nil {
		return out, err
	}
	if n > s.size {
		return out, fmt.Errorf("it grew beyond its %d bytes: %w", s.size, ErrChanged)
	}
	if n != s.size {
		return out, fmt.Errorf("it has %d bytes, of which %d could be read: %w", s.size, n, ErrChanged)
	}
	after, err := os.Lstat(disk)
	switch {
	case err != nil:
		return out, fmt.Errorf("it is gone: %w", ErrChanged)
	case !os.SameFile(before, after):
		return out, fmt.Errorf("another file has its name now: %w", ErrChanged)
	case after.Size() != s.size || after.ModTime().UnixNano() != s.mtime:
		return out, fmt.Errorf("it was written to: %w", ErrChanged)
	}
	w.sha256.Sum(out.SHA256[:0])
	w.sha512.Sum(out.SHA512[:0])
	if w.content != nil {
		if sum, ok := w.content.Sum(); ok {
			out.Content = &manifest.Content{Profile: profile, SHA256: sum}
		}
	}
	return out, nil
}

// read feeds the digests and returns the number of bytes. A file that takes
// longer than this worker's share of what is left, while others would wait for
// it, has its digests computed side by side.
func (w *worker) read(ctx context.Context, f io.Reader, size, left int64) (int64, error) {
	if size >= largeFile && w.h.workers > 1 && size > (size+left)/int64(w.h.workers) {
		select {
		case s := <-w.h.splits:
			n, err := w.readSplit(ctx, f, size, &s)
			w.h.splits <- s
			return n, err
		default: // enough are split already
		}
	}
	var sum int64
	for sum <= size { // a file that grows for ever is read no further
		if ctx.Err() != nil {
			return sum, ctx.Err()
		}
		n, err := f.Read(w.buf)
		w.sha256.Write(w.buf[:n])
		w.sha512.Write(w.buf[:n])
		if w.content != nil {
			w.content.Write(w.buf[:n])
		}
		sum += int64(n)
		w.h.bytes.Add(int64(n))
		w.h.show(false)
		if err == io.EOF {
			break
		}
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// split is the two buffers of a file whose digests run side by side: one is read
// into while the digests take in the other.
type split [2][]byte

func (w *worker) readSplit(ctx context.Context, f io.Reader, size int64, s *split) (int64, error) {
	if s[0] == nil {
		s[0], s[1] = make([]byte, splitBuffer), make([]byte, splitBuffer)
	}
	var taking sync.WaitGroup // digests that still take in the other buffer
	var ends sync.WaitGroup
	var feeds []chan []byte
	digests := []io.Writer{w.sha256, w.sha512}
	if w.content != nil {
		digests = append(digests, w.content)
	}
	for _, d := range digests {
		feed := make(chan []byte, 1)
		feeds = append(feeds, feed)
		ends.Go(func() {
			for b := range feed {
				d.Write(b)
				taking.Done()
			}
		})
	}
	defer ends.Wait()
	defer func() {
		for _, feed := range feeds {
			close(feed)
		}
	}()
	var sum int64
	for turn := 0; sum <= size; turn ^= 1 {
		if ctx.Err() != nil {
			return sum, ctx.Err()
		}
		n, err := io.ReadFull(f, s[turn])
		taking.Wait()
		taking.Add(len(feeds))
		for _, feed := range feeds {
			feed <- s[turn][:n]
		}
		sum += int64(n)
		w.h.bytes.Add(int64(n))
		w.h.show(false)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

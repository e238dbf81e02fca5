package checkpoint

import (
	"bytes"
	"fmt"

	"trialnotary/notary/text"
)

// Head is the content of a heads/ object: what was committed as the head after a
// batch, unsigned, written before anything is signed.
//
//	trialnotary/head@v1
//	batch 1
//	size 3
//	root L6zoouF8/4UkXkVo91Etiam+SiqWwzk8fZRjTy0yCVE=
type Head struct {
	Batch uint64 // 1, 2, 3 …
	Size  uint64
	Root  [32]byte
}

const headVersion = "trialnotary/head@v1"

// Bytes returns the object.
func (h Head) Bytes() []byte {
	return fmt.Appendf(nil, "%s\nbatch %d\nsize %d\nroot %s\n", headVersion, h.Batch, h.Size, text.Base64(h.Root[:]))
}

// ParseHead parses a heads/ object. Batch and size are at least 1 (each batch
// has its own leaf), and the size is at least the batch.
func ParseHead(b []byte) (Head, error) {
	r := text.NewReader(b)
	r.Exact(headVersion)
	h := Head{Batch: r.Uint("batch"), Size: r.Uint("size"), Root: r.Hash("root")}
	err := r.Done()
	if err == nil && (h.Batch == 0 || h.Size < h.Batch || !bytes.Equal(h.Bytes(), b)) {
		err = fmt.Errorf("no batch %d ends at size %d: %w", h.Batch, h.Size, text.ErrFormat)
	}
	if err != nil {
		return Head{}, fmt.Errorf("head: %w", err)
	}
	return h, nil
}

// HeadName returns the name of the unsigned head of a batch.
func HeadName(batch uint64) string { return fmt.Sprintf("heads/%020d", batch) }

// SignedName returns the name of the log-signed checkpoint of a batch.
func SignedName(batch uint64) string { return fmt.Sprintf("signed/%020d", batch) }

// FinalName returns the name of the final checkpoint of that size.
func FinalName(size uint64) string { return fmt.Sprintf("checkpoints/%020d", size) }

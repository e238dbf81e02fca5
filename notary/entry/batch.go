package entry

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"trialnotary/notary/text"
)

// BatchVersion is the first line of a batch leaf.
const BatchVersion = "trialnotary/batch@v1"

// Batch is the leaf that ends a batch.
type Batch struct {
	Index   uint64    // of the leaf in the log
	Number  uint64    // of the batch, from 1
	Time    time.Time // whole seconds UTC, never before the previous batch's
	First   uint64    // index of the batch's first entry; Index if it has none
	Streams uint64    // keys in the stream map after the batch
	MapRoot [32]byte  // of that map
}

// Append appends the batch leaf to dst without further allocation. Its time must
// be a whole second of the years 1 to 9999; a fraction is dropped.
func (b Batch) Append(dst []byte) []byte {
	dst = append(dst, BatchVersion+"\nindex "...)
	dst = appendBatch(strconv.AppendUint(dst, b.Index, 10), b.Number, b.Time)
	dst = strconv.AppendUint(append(dst, "\nfirst "...), b.First, 10)
	dst = strconv.AppendUint(append(dst, "\nstreams "...), b.Streams, 10)
	dst = base64.StdEncoding.AppendEncode(append(dst, ' '), b.MapRoot[:])
	return append(dst, '\n')
}

// IsBatch reports whether a leaf begins as a batch leaf does; it need not parse.
func IsBatch(b []byte) bool {
	return strings.HasPrefix(string(b[:min(len(b), len(BatchVersion)+1)]), BatchVersion+"\n")
}

// ParseBatch parses a batch leaf. Errors wrap [text.ErrFormat] and name the line.
func ParseBatch(b []byte) (Batch, error) {
	leaf, err := parseBatch(b)
	if err != nil {
		return Batch{}, fmt.Errorf("parse batch leaf: %w", err)
	}
	return leaf, nil
}

func parseBatch(b []byte) (Batch, error) {
	r := text.NewReader(b)
	r.Exact(BatchVersion)
	leaf := Batch{Index: r.Uint("index")}
	leaf.Number, leaf.Time = readBatch(r)
	if leaf.First = r.Uint("first"); r.Err() == nil && leaf.First > leaf.Index {
		r.Fail("is after the batch leaf's own index, %d", leaf.Index)
	}
	if f := r.Fields("streams", 2, 2); r.Err() == nil {
		leaf.Streams, leaf.MapRoot = r.ParseUint(f[0]), r.ParseHash(f[1])
	}
	return leaf, canonical(r, b, leaf.Append)
}

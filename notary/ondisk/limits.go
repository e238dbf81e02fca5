package ondisk

import (
	"fmt"
	"strings"

	"trialnotary/notary"
)

// The limits of the contract. A call that breaks one is refused whole.
const (
	maxBatch = 1024     // statements of one Accept or Waiting, keys of one GetRows
	maxNote  = 8 << 10  // bytes of a note
	maxKey   = 256      // bytes of a row's partition and sort key together
	maxValue = 16 << 10 // bytes of a row's value
)

func checkAccepted(batch []notary.Accepted) error {
	if len(batch) > maxBatch {
		return fmt.Errorf("%d statements in one call, at most %d", len(batch), maxBatch)
	}
	for i := range batch {
		if n := len(batch[i].Note); n > maxNote {
			return fmt.Errorf("statement %d: a note of %d bytes, at most %d", i, n, maxNote)
		}
	}
	return nil
}

// checkName accepts slash-separated segments of [a-z0-9._-], none of them "" or
// "." or "..".
func checkName(name string) error {
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Errorf("object name %q: a segment is %q", name, segment)
		}
		for _, c := range []byte(segment) {
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-') {
				return fmt.Errorf("object name %q: %q is not one of [a-z0-9._-]", name, c)
			}
		}
	}
	return nil
}

// checkPublicName also keeps the one mutable object apart from those written
// once: in a bucket or a directory they would share a name.
func checkPublicName(name string) error {
	if name == "checkpoint" {
		return fmt.Errorf("object name %q: it is the mutable checkpoint, which SwapCheckpoint writes", name)
	}
	return checkName(name)
}

func checkKey(partition, sort string) error {
	if partition == "" || sort == "" {
		return fmt.Errorf("row %q %q: an empty key", partition, sort)
	}
	if n := len(partition) + len(sort); n > maxKey {
		return fmt.Errorf("row %.40q…: keys of %d bytes together, at most %d", partition, n, maxKey)
	}
	for _, key := range []string{partition, sort} {
		if err := checkPrintable(key); err != nil {
			return fmt.Errorf("row %q %q: %w", partition, sort, err)
		}
	}
	return nil
}

func checkPrintable(key string) error {
	for _, c := range []byte(key) {
		if c < ' ' || c > '~' {
			return fmt.Errorf("byte %#02x in a key is not printable ASCII", c)
		}
	}
	return nil
}

func checkRow(r notary.Row) error {
	if err := checkKey(r.Partition, r.Sort); err != nil {
		return err
	}
	if n := len(r.Value); n == 0 || n > maxValue {
		return fmt.Errorf("row %q %q: a value of %d bytes, not 1 to %d", r.Partition, r.Sort, n, maxValue)
	}
	return nil
}

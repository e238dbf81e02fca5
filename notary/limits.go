package notary

import (
	"fmt"
	"strings"
)

// The limits that the Store contract names. Every store refuses a whole call that
// breaks one of them, so that what one takes and another would not is never found
// out in production only.
const (
	MaxCall     = 1024     // statements of one Accept or Waiting, keys of one GetRows
	MaxNote     = 8 << 10  // bytes of a note
	MaxRowKey   = 256      // bytes of a row's partition and sort key together
	MaxRowValue = 16 << 10 // bytes of a row's value
)

// CheckAccepted checks one call's statements against the limits.
func CheckAccepted(batch []Accepted) error {
	if len(batch) > MaxCall {
		return fmt.Errorf("%d statements in one call, at most %d", len(batch), MaxCall)
	}
	for i := range batch {
		if n := len(batch[i].Note); n > MaxNote {
			return fmt.Errorf("statement %d: a note of %d bytes, at most %d", i, n, MaxNote)
		}
	}
	return nil
}

// CheckName accepts slash-separated segments of [a-z0-9._-], none of them "" or
// "." or "..".
func CheckName(name string) error {
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

// CheckPublicName also keeps the one mutable object apart from those written
// once: in a bucket or a directory they would share a name.
func CheckPublicName(name string) error {
	if name == "checkpoint" {
		return fmt.Errorf("object name %q: it is the mutable checkpoint, which SwapCheckpoint writes", name)
	}
	return CheckName(name)
}

// CheckRowKey checks a row's two keys.
func CheckRowKey(partition, sort string) error {
	if partition == "" || sort == "" {
		return fmt.Errorf("row %q %q: an empty key", partition, sort)
	}
	if n := len(partition) + len(sort); n > MaxRowKey {
		return fmt.Errorf("row %.40q…: keys of %d bytes together, at most %d", partition, n, MaxRowKey)
	}
	for _, key := range []string{partition, sort} {
		if err := CheckKeyPart(key); err != nil {
			return fmt.Errorf("row %q %q: %w", partition, sort, err)
		}
	}
	return nil
}

// CheckKeyPart checks that a key, or the start of one, is printable ASCII.
func CheckKeyPart(key string) error {
	for _, c := range []byte(key) {
		if c < ' ' || c > '~' {
			return fmt.Errorf("byte %#02x in a key is not printable ASCII", c)
		}
	}
	return nil
}

// CheckRow checks a row that is to be written.
func CheckRow(r Row) error {
	if err := CheckRowKey(r.Partition, r.Sort); err != nil {
		return err
	}
	if n := len(r.Value); n == 0 || n > MaxRowValue {
		return fmt.Errorf("row %q %q: a value of %d bytes, not 1 to %d", r.Partition, r.Sort, n, MaxRowValue)
	}
	return nil
}

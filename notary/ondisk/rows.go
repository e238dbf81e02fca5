package ondisk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"trialnotary/notary"
)

// Buckets of rows and cells.
//
//	cells   "head" → its bytes; "format" → the layout's name
//	rows    partition 0x00 sort → 0x00 value, or 0x01 number
//	values  number (8 bytes) → value
//
// Keys of rows are as good as random, and a commit rewrites each page it
// touches: long values (notes) are kept out of those pages, and are written one
// after the other.
var (
	cellsBucket  = []byte("cells")
	rowsBucket   = []byte("rows")
	valuesBucket = []byte("values")

	headCell   = []byte("head")
	formatCell = []byte("format")
)

const (
	maxInline = 256 // bytes of a value kept beside its key

	isInline  = 0
	isOutside = 1
)

// Head returns the head cell, nil if it was never written.
func (s *Store) Head(ctx context.Context) ([]byte, error) {
	var head []byte
	err := s.view(ctx, func(tx *bolt.Tx) error {
		head = bytes.Clone(tx.Bucket(cellsBucket).Get(headCell))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	return head, nil
}

// SwapHead replaces old (nil: never written) by new, or returns notary.ErrConflict.
func (s *Store) SwapHead(ctx context.Context, old, new []byte) error {
	if len(new) == 0 {
		return errors.New("swap head: the new bytes are empty")
	}
	err := s.update(ctx, func(tx *bolt.Tx) error {
		cells := tx.Bucket(cellsBucket)
		if !bytes.Equal(cells.Get(headCell), old) {
			return notary.ErrConflict
		}
		return cells.Put(headCell, new)
	})
	if err != nil {
		return fmt.Errorf("swap head: %w", err)
	}
	return nil
}

// table is the rows in one transaction.
type table struct{ rows, values *bolt.Bucket }

func tableOf(tx *bolt.Tx) table {
	t := table{tx.Bucket(rowsBucket), tx.Bucket(valuesBucket)}
	t.values.FillPercent = 1 // numbers only grow
	return t
}

func rowKey(partition, sort string) []byte {
	key := make([]byte, 0, len(partition)+1+len(sort))
	key = append(key, partition...)
	key = append(key, 0)
	return append(key, sort...)
}

// decode returns the value that a row's bytes stand for, as long as the
// transaction lasts; nil for nil.
func (t table) decode(stored []byte) ([]byte, error) {
	switch {
	case stored == nil:
		return nil, nil
	case stored[0] == isInline:
		return stored[1:], nil
	}
	value := t.values.Get(stored[1:])
	if value == nil {
		return nil, fmt.Errorf("the database has lost value %x", stored[1:])
	}
	return value, nil
}

// put writes value under key. stored is what key holds now, nil for nothing.
func (t table) put(key, stored, value []byte) error {
	if stored != nil && stored[0] == isOutside {
		if err := t.values.Delete(stored[1:]); err != nil {
			return err
		}
	}
	if len(value) <= maxInline {
		return t.rows.Put(key, append([]byte{isInline}, value...))
	}
	number, err := t.values.NextSequence()
	if err != nil {
		return err
	}
	outside := binary.BigEndian.AppendUint64([]byte{isOutside}, number)
	if err := t.values.Put(outside[1:], value); err != nil {
		return err
	}
	return t.rows.Put(key, outside)
}

// AddRows writes those rows that do not exist, all of them in one commit.
func (s *Store) AddRows(ctx context.Context, rows []notary.Row) error {
	for _, r := range rows {
		if err := notary.CheckRow(r); err != nil {
			return fmt.Errorf("add rows: %w", err)
		}
	}
	type keyed struct {
		key, value []byte
		i          int
	}
	sorted := make([]keyed, len(rows))
	for i, r := range rows {
		sorted[i] = keyed{rowKey(r.Partition, r.Sort), r.Value, i}
	}
	// In order of keys, each page is visited once. Equal keys keep their order.
	slices.SortFunc(sorted, func(a, b keyed) int { return cmp.Or(bytes.Compare(a.key, b.key), a.i-b.i) })
	err := s.update(ctx, func(tx *bolt.Tx) error {
		t := tableOf(tx)
		added := false
		for _, r := range sorted {
			if t.rows.Get(r.key) != nil {
				continue
			}
			if err := t.put(r.key, nil, r.value); err != nil {
				return err
			}
			added = true
		}
		if !added {
			return errUnchanged
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("add %d rows: %w", len(rows), err)
	}
	return nil
}

// SwapRow replaces the row's value old (nil: absent) by row.Value, or returns
// notary.ErrConflict.
func (s *Store) SwapRow(ctx context.Context, old []byte, row notary.Row) error {
	if err := notary.CheckRow(row); err != nil {
		return fmt.Errorf("swap row: %w", err)
	}
	key := rowKey(row.Partition, row.Sort)
	err := s.update(ctx, func(tx *bolt.Tx) error {
		t := tableOf(tx)
		stored := t.rows.Get(key)
		value, err := t.decode(stored)
		if err != nil {
			return err
		}
		if !bytes.Equal(value, old) { // no value is empty, so empty means absent
			return notary.ErrConflict
		}
		return t.put(key, stored, row.Value)
	})
	if err != nil {
		return fmt.Errorf("swap row %s %s: %w", row.Partition, row.Sort, err)
	}
	return nil
}

// GetRows returns the values under keys, nil where there is none.
func (s *Store) GetRows(ctx context.Context, keys []notary.Row) ([][]byte, error) {
	if len(keys) > notary.MaxCall {
		return nil, fmt.Errorf("get rows: %d keys in one call, at most %d", len(keys), notary.MaxCall)
	}
	for _, k := range keys {
		if err := notary.CheckRowKey(k.Partition, k.Sort); err != nil {
			return nil, fmt.Errorf("get rows: %w", err)
		}
	}
	values := make([][]byte, len(keys))
	err := s.view(ctx, func(tx *bolt.Tx) error {
		t := tableOf(tx)
		for i, k := range keys {
			value, err := t.decode(t.rows.Get(rowKey(k.Partition, k.Sort)))
			if err != nil {
				return err
			}
			values[i] = bytes.Clone(value)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("get rows: %w", err)
	}
	return values, nil
}

// ListRows returns at most max rows of a partition with Sort ≥ from, in order.
func (s *Store) ListRows(ctx context.Context, partition, from string, max int) ([]notary.Row, error) {
	if partition == "" {
		return nil, errors.New("list rows: an empty partition")
	}
	if err := errors.Join(notary.CheckKeyPart(partition), notary.CheckKeyPart(from)); err != nil {
		return nil, fmt.Errorf("list rows of %q: %w", partition, err)
	}
	prefix := rowKey(partition, "")
	var rows []notary.Row
	err := s.view(ctx, func(tx *bolt.Tx) error {
		t := tableOf(tx)
		c := t.rows.Cursor()
		for k, v := c.Seek(rowKey(partition, from)); bytes.HasPrefix(k, prefix) && len(rows) < max; k, v = c.Next() {
			value, err := t.decode(v)
			if err != nil {
				return err
			}
			rows = append(rows, notary.Row{
				Partition: partition,
				Sort:      string(k[len(prefix):]),
				Value:     bytes.Clone(value),
			})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list rows of %s: %w", partition, err)
	}
	return rows, nil
}

package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"trialnotary/notary"
)

// Memory is a Store in memory, for tests: strict about the contract's limits,
// and every slice that enters or leaves it is copied. Nothing is durable.
//
// It has two halves that a real deployment can lose separately: the database
// (inbox, head, rows), which Snapshot and Restore put back to an older time, and
// the objects, which stay.
type Memory struct {
	mu         sync.Mutex
	database   Snapshot
	objects    map[string][]byte
	checkpoint []byte
	state      map[string][]byte
}

// Snapshot is the database part of a Memory at one time.
type Snapshot struct {
	inbox map[notary.Ref]notary.Accepted
	head  []byte
	rows  map[[2]string][]byte
}

func (s Snapshot) clone() Snapshot {
	// The byte slices inside are never written to: sharing them is safe.
	return Snapshot{maps.Clone(s.inbox), s.head, maps.Clone(s.rows)}
}

// NewMemory returns an empty Memory.
func NewMemory() *Memory {
	return &Memory{
		database: Snapshot{inbox: map[notary.Ref]notary.Accepted{}, rows: map[[2]string][]byte{}},
		objects:  map[string][]byte{},
		state:    map[string][]byte{},
	}
}

// Snapshot returns a copy of inbox, head and rows as they are now.
func (m *Memory) Snapshot() Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.database.clone()
}

// Restore puts inbox, head and rows back to s, which stays usable; objects,
// checkpoint and private objects stay as they are. It is what an operator does
// who restores the database from a backup.
func (m *Memory) Restore(s Snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.database = s.clone()
}

// Objects returns the names of all objects of the public log, in order, without
// the checkpoint.
func (m *Memory) Objects() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.objects))
}

// Tamper replaces an object of the public log (nil: removes it), which no Store
// can do: it is what a broken or dishonest operator does.
func (m *Memory) Tamper(name string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if data == nil {
		delete(m.objects, name)
		return
	}
	m.objects[name] = bytes.Clone(data)
}

// begin locks m for one call, unless ctx has ended.
func (m *Memory) begin(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	m.mu.Lock()
	return nil
}

func (m *Memory) Accept(ctx context.Context, batch []notary.Accepted) error {
	if err := notary.CheckAccepted(batch); err != nil {
		return fmt.Errorf("accept: %w", err)
	}
	if err := m.begin(ctx, "accept"); err != nil {
		return err
	}
	defer m.mu.Unlock()
	for _, a := range batch {
		if _, ok := m.database.inbox[a.Ref]; !ok {
			a.Note = copied(a.Note)
			m.database.inbox[a.Ref] = a
		}
	}
	return nil
}

func (m *Memory) Pending(ctx context.Context, max int) ([]notary.Accepted, error) {
	if err := m.begin(ctx, "pending"); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	chosen := takeTurns(slices.Collect(maps.Values(m.database.inbox)), max)
	for i := range chosen {
		chosen[i].Note = copied(chosen[i].Note)
	}
	return chosen, nil
}

// takeTurns is the rule of Pending, written to be read and not to be fast.
func takeTurns(all []notary.Accepted, max int) []notary.Accepted {
	slices.SortFunc(all, compareAccepted)
	var order []uint64 // lanes, by their oldest statement
	lanes := map[uint64][]notary.Accepted{}
	for _, a := range all {
		if lanes[a.Lane] == nil {
			order = append(order, a.Lane)
		}
		lanes[a.Lane] = append(lanes[a.Lane], a)
	}
	var chosen []notary.Accepted
	for round := 0; len(chosen) < min(max, len(all)); round++ {
		for _, lane := range order {
			if round < len(lanes[lane]) && len(chosen) < max {
				chosen = append(chosen, lanes[lane][round])
			}
		}
	}
	slices.SortFunc(chosen, compareAccepted)
	return chosen
}

// compareAccepted orders by (Received, Statement, Stream).
func compareAccepted(a, b notary.Accepted) int {
	return cmp.Or(cmp.Compare(a.Received, b.Received),
		bytes.Compare(a.Statement[:], b.Statement[:]),
		bytes.Compare(a.Stream[:], b.Stream[:]))
}

func (m *Memory) Waiting(ctx context.Context, refs []notary.Ref) ([]bool, error) {
	if len(refs) > notary.MaxCall {
		return nil, fmt.Errorf("waiting: %d statements in one call, at most %d", len(refs), notary.MaxCall)
	}
	if err := m.begin(ctx, "waiting"); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	waiting := make([]bool, len(refs))
	for i, ref := range refs {
		_, waiting[i] = m.database.inbox[ref]
	}
	return waiting, nil
}

func (m *Memory) Clear(ctx context.Context, refs []notary.Ref) error {
	if err := m.begin(ctx, "clear"); err != nil {
		return err
	}
	defer m.mu.Unlock()
	for _, ref := range refs {
		delete(m.database.inbox, ref)
	}
	return nil
}

func (m *Memory) Head(ctx context.Context) ([]byte, error) {
	if err := m.begin(ctx, "head"); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	return bytes.Clone(m.database.head), nil
}

func (m *Memory) SwapHead(ctx context.Context, old, new []byte) error {
	if err := m.begin(ctx, "swap head"); err != nil {
		return err
	}
	defer m.mu.Unlock()
	return swap(&m.database.head, old, new, "swap head")
}

// swap replaces the cell's bytes. A cell is nil before its first write and never
// empty after it.
func swap(cell *[]byte, old, new []byte, op string) error {
	if len(new) == 0 {
		return fmt.Errorf("%s: the new bytes are empty", op)
	}
	if !bytes.Equal(*cell, old) {
		return fmt.Errorf("%s: %w", op, notary.ErrConflict)
	}
	*cell = copied(new)
	return nil
}

func (m *Memory) Put(ctx context.Context, name string, data []byte) error {
	if err := notary.CheckPublicName(name); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	if err := m.begin(ctx, "put "+name); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if there, ok := m.objects[name]; ok {
		if !bytes.Equal(there, data) {
			return fmt.Errorf("put %s: %w", name, notary.ErrDiffers)
		}
		return nil
	}
	m.objects[name] = copied(data)
	return nil
}

func (m *Memory) Get(ctx context.Context, name string) ([]byte, error) {
	if err := notary.CheckPublicName(name); err != nil {
		return nil, fmt.Errorf("get: %w", err)
	}
	if err := m.begin(ctx, "get "+name); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	data, ok := m.objects[name]
	if !ok {
		return nil, fmt.Errorf("get %s: %w", name, notary.ErrNotFound)
	}
	return copied(data), nil
}

func (m *Memory) Checkpoint(ctx context.Context) ([]byte, error) {
	if err := m.begin(ctx, "checkpoint"); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	return bytes.Clone(m.checkpoint), nil
}

func (m *Memory) SwapCheckpoint(ctx context.Context, old, new []byte) error {
	if err := m.begin(ctx, "swap checkpoint"); err != nil {
		return err
	}
	defer m.mu.Unlock()
	return swap(&m.checkpoint, old, new, "swap checkpoint")
}

func (m *Memory) PutState(ctx context.Context, name string, data []byte) error {
	if err := notary.CheckName(name); err != nil {
		return fmt.Errorf("put state: %w", err)
	}
	if err := m.begin(ctx, "put state "+name); err != nil {
		return err
	}
	defer m.mu.Unlock()
	m.state[name] = copied(data)
	return nil
}

func (m *Memory) GetState(ctx context.Context, name string, offset, length int64) ([]byte, error) {
	if err := notary.CheckName(name); err != nil {
		return nil, fmt.Errorf("get state: %w", err)
	}
	if offset < 0 {
		return nil, fmt.Errorf("get state %s: offset %d", name, offset)
	}
	if err := m.begin(ctx, "get state "+name); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	data, ok := m.state[name]
	if !ok {
		return nil, fmt.Errorf("get state %s: %w", name, notary.ErrNotFound)
	}
	data = data[min(offset, int64(len(data))):]
	if length >= 0 {
		data = data[:min(length, int64(len(data)))]
	}
	return copied(data), nil
}

func (m *Memory) ListState(ctx context.Context, prefix string) ([]string, error) {
	if err := m.begin(ctx, "list state"); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var names []string
	for name := range m.state {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (m *Memory) DeleteState(ctx context.Context, name string) error {
	if err := notary.CheckName(name); err != nil {
		return fmt.Errorf("delete state: %w", err)
	}
	if err := m.begin(ctx, "delete state "+name); err != nil {
		return err
	}
	defer m.mu.Unlock()
	delete(m.state, name)
	return nil
}

func (m *Memory) AddRows(ctx context.Context, rows []notary.Row) error {
	for _, r := range rows {
		if err := notary.CheckRow(r); err != nil {
			return fmt.Errorf("add rows: %w", err)
		}
	}
	if err := m.begin(ctx, "add rows"); err != nil {
		return err
	}
	defer m.mu.Unlock()
	for _, r := range rows {
		key := [2]string{r.Partition, r.Sort}
		if m.database.rows[key] == nil {
			m.database.rows[key] = copied(r.Value)
		}
	}
	return nil
}

func (m *Memory) SwapRow(ctx context.Context, old []byte, row notary.Row) error {
	if err := notary.CheckRow(row); err != nil {
		return fmt.Errorf("swap row: %w", err)
	}
	if err := m.begin(ctx, "swap row"); err != nil {
		return err
	}
	defer m.mu.Unlock()
	key := [2]string{row.Partition, row.Sort}
	value := m.database.rows[key]
	if err := swap(&value, old, row.Value, "swap row"); err != nil {
		return err
	}
	m.database.rows[key] = value
	return nil
}

func (m *Memory) GetRows(ctx context.Context, keys []notary.Row) ([][]byte, error) {
	if len(keys) > notary.MaxCall {
		return nil, fmt.Errorf("get rows: %d keys in one call, at most %d", len(keys), notary.MaxCall)
	}
	for _, k := range keys {
		if err := notary.CheckRowKey(k.Partition, k.Sort); err != nil {
			return nil, fmt.Errorf("get rows: %w", err)
		}
	}
	if err := m.begin(ctx, "get rows"); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	values := make([][]byte, len(keys))
	for i, k := range keys {
		values[i] = bytes.Clone(m.database.rows[[2]string{k.Partition, k.Sort}])
	}
	return values, nil
}

func (m *Memory) ListRows(ctx context.Context, partition, from string, max int) ([]notary.Row, error) {
	if partition == "" {
		return nil, errors.New("list rows: an empty partition")
	}
	if err := errors.Join(notary.CheckKeyPart(partition), notary.CheckKeyPart(from)); err != nil {
		return nil, fmt.Errorf("list rows of %q: %w", partition, err)
	}
	if err := m.begin(ctx, "list rows"); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var rows []notary.Row
	for key, value := range m.database.rows {
		if key[0] == partition && key[1] >= from {
			rows = append(rows, notary.Row{Partition: partition, Sort: key[1], Value: value})
		}
	}
	slices.SortFunc(rows, func(a, b notary.Row) int { return strings.Compare(a.Sort, b.Sort) })
	rows = rows[:clamp(max, len(rows))]
	for i := range rows {
		rows[i].Value = copied(rows[i].Value)
	}
	return rows, nil
}

// clamp returns n limited to 0 … limit.
func clamp(n, limit int) int { return max(0, min(n, limit)) }

// copied returns a copy of b that is not nil: an empty object is not an absent one.
func copied(b []byte) []byte { return append([]byte{}, b...) }

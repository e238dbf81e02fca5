package notary

import (
	"context"
	"errors"

	"trialnotary/notary/statement"
)

// Errors a Store answers with; everything else is a fault of the store, after
// which the caller cannot know whether the call took effect.
var (
	ErrNotFound = errors.New("not found")
	ErrDiffers  = errors.New("the name holds other bytes")
	ErrConflict = errors.New("changed by someone else")
)

// Ref names one statement in one stream: the unit of acceptance, of uniqueness
// and of idempotency. A registration is accepted once per registration stream.
type Ref struct {
	Stream    statement.StreamID
	Statement statement.ID
}

// Accepted is a statement in the inbox.
type Accepted struct {
	Ref
	Received int64  // Unix nanoseconds on the service's clock
	Lane     uint64 // whose turn it uses up: derived from the signing key
	Note     []byte // the whole signed note, ≤ 8 KiB
}

// Row is a small value under a partition and a sort key. Both keys are not
// empty, hold printable ASCII only, and are at most 256 bytes together.
type Row struct {
	Partition, Sort string
	Value           []byte // not empty, ≤ 16 KiB
}

// Store is all that the service asks of storage: bytes, and one compare-and-swap.
// It knows nothing of trees.
//
// Contract, proven for every implementation by [trialnotary/notary/storetest]:
//
//   - Durability: when a writing call returns nil, its effect survives the loss
//     of the process and of the machine's memory.
//   - Read after write: a call that starts after a writing call returned sees its
//     effect, from any process.
//   - A writing call that returns an error other than ErrDiffers or ErrConflict
//     may have taken effect, or part of it; calling it again is always safe.
//   - Slices passed in are not kept; slices returned belong to the caller.
//   - All methods may be called concurrently. ctx ends a call early, with an error.
type Store interface {
	// Accept puts statements into the inbox: all of them when it returns nil. A
	// Ref that is already there keeps its first acceptance. At most 1,024 a call.
	Accept(ctx context.Context, batch []Accepted) error
	// Pending returns at most max statements of the inbox, in order of (Received,
	// Statement, Stream). If more are waiting, lanes take turns, the lanes whose
	// oldest statement is oldest first, so that no lane waits for another's
	// backlog; within a lane the oldest come first.
	Pending(ctx context.Context, max int) ([]Accepted, error)
	// Waiting reports for each ref whether it is in the inbox. At most 1,024 a call.
	Waiting(ctx context.Context, refs []Ref) ([]bool, error)
	// Clear removes statements from the inbox. Absent ones are no error.
	Clear(ctx context.Context, refs []Ref) error

	// Head returns the head cell, nil if it was never written.
	Head(ctx context.Context) ([]byte, error)
	// SwapHead replaces old (nil: never written) by new, or returns ErrConflict
	// and changes nothing when the cell does not hold old.
	SwapHead(ctx context.Context, old, new []byte) error

	// Put writes an object of the public log once and for ever, whole or not at
	// all. Equal bytes already there are no error; others are ErrDiffers. Names
	// are slash-separated segments of [a-z0-9._-], never "." or "..".
	Put(ctx context.Context, name string, data []byte) error
	// Get returns an object of the public log, or ErrNotFound.
	Get(ctx context.Context, name string) ([]byte, error)

	// Checkpoint returns the public mutable object `checkpoint`, nil if absent.
	Checkpoint(ctx context.Context) ([]byte, error)
	// SwapCheckpoint replaces old (nil: absent) by new, or returns ErrConflict.
	SwapCheckpoint(ctx context.Context, old, new []byte) error

	// PutState writes a private object, replacing any under that name. Names as
	// for Put. Private objects can be deleted and are never public.
	PutState(ctx context.Context, name string, data []byte) error
	// GetState returns length bytes of a private object from offset on, fewer
	// where it ends, to its end when length < 0; ErrNotFound if there is none.
	GetState(ctx context.Context, name string, offset, length int64) ([]byte, error)
	// ListState returns, in order, the names of private objects that begin with
	// prefix.
	ListState(ctx context.Context, prefix string) ([]string, error)
	// DeleteState removes a private object. An absent one is no error.
	DeleteState(ctx context.Context, name string) error

	// AddRows writes those rows that do not exist; existing ones stay as they are.
	AddRows(ctx context.Context, rows []Row) error
	// SwapRow replaces the row's value old (nil: absent) by row.Value, or returns
	// ErrConflict.
	SwapRow(ctx context.Context, old []byte, row Row) error
	// GetRows returns the values under keys (their Value is ignored), nil where
	// there is none. At most 1,024 a call.
	GetRows(ctx context.Context, keys []Row) ([][]byte, error)
	// ListRows returns at most max rows of a partition with Sort ≥ from, in order
	// of Sort by bytes.
	ListRows(ctx context.Context, partition, from string, max int) ([]Row, error)
}

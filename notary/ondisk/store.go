// Package ondisk is the [notary.Store] of one machine: a database file and plain
// files, a real deployment for one hospital or CRO.
//
//	dir/log/tile/0/x001/234.p/5   objects of the public log, read-only, under the
//	dir/log/heads/…               very names they have in a bucket: the directory
//	dir/log/checkpoint            can be served or copied to a bucket as it is
//	dir/state/staging/…           private objects
//	dir/db/notary.db              bbolt: inbox, head, rows
//	dir/tmp/                      files being written; emptied by Open
//
// A file is written under dir/tmp, synced, and only then given its name, so that
// no name ever holds half an object; then the directory is synced. An object of
// the log gets its name only if nobody has it, by one system call, which keeps
// "written once" true even between processes.
//
// One process at a time: the database file is locked while the store is open.
// Statements that arrive together share one commit, led by one of the callers
// ([Store.Accept]); the package starts no goroutines. Where each waiting statement
// is, is also kept in memory, and read again by Open.
//
// When a commit fails for a reason other than a full disk, nobody can tell what
// the disk holds: every later call is refused until the store is opened again.
package ondisk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"trialnotary/notary"
)

// format is what the database says of itself, so that another layout is refused
// instead of misread.
const format = "trialnotary/ondisk@v1"

// lockPatience is how long Open waits for another process to end.
const lockPatience = 2 * time.Second

// ErrReopen is wrapped by every error after a commit failed: the store must be
// opened again, best by ending the process and starting it anew.
var ErrReopen = errors.New("open the store again")

// Store is a [notary.Store] in one directory.
type Store struct {
	dir    string
	db     *bolt.DB
	disk   disk
	temps  atomic.Uint64 // names under tmp
	closed atomic.Bool
	broken atomic.Pointer[error] // the commit that failed

	group   group
	waiting *waiting

	dirMu sync.RWMutex
	dirs  map[string]bool // directories known to survive a loss of power

	checkpointMu sync.Mutex   // read, compare and replace
	replaceMu    sync.RWMutex // Windows cannot replace or remove a file that is being read
}

var _ notary.Store = (*Store)(nil)

// Open opens the store in dir, creating what is missing. It fails when another
// process has it open.
func Open(dir string) (*Store, error) {
	return open(dir, osDisk{})
}

func open(dir string, d disk) (*Store, error) {
	s, err := openDir(dir, d)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, explain(err))
	}
	return s, nil
}

func openDir(dir string, d disk) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s := &Store{dir: dir, disk: d, dirs: map[string]bool{}, waiting: newWaiting()}
	s.group.lead = make(chan struct{}, 1)
	for _, sub := range []struct {
		name string
		perm fs.FileMode
	}{{"log", 0o755}, {"state", 0o700}, {"db", 0o700}, {"tmp", 0o700}} {
		if err := d.mkdir(filepath.Join(dir, sub.name), sub.perm); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	if err := errors.Join(d.syncDir(dir), d.syncDir(filepath.Dir(dir))); err != nil {
		return nil, err
	}
	if err := s.createDatabase(); err != nil {
		return nil, err
	}
	s.db, err = openDatabase(s.databaseFile())
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, errors.New("another process is using this directory; stop it first, or wait until it has ended")
	}
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	for _, step := range []func() error{s.checkFormat, s.emptyTemp, s.loadInbox} {
		if err := step(); err != nil {
			s.db.Close()
			return nil, err
		}
	}
	return s, nil
}

// Close ends the use of the store. It waits for database calls under way; later
// calls fail.
func (s *Store) Close() error {
	s.closed.Store(true)
	return s.db.Close()
}

func (s *Store) databaseFile() string { return filepath.Join(s.dir, "db", "notary.db") }

func openDatabase(name string) (*bolt.DB, error) {
	return bolt.Open(name, 0o600, &bolt.Options{
		Timeout: lockPatience,
		// The list of free pages is found by a scan at Open instead of being written
		// at every commit.
		NoFreelistSync:  true,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: initialMmapSize,
		NoStatistics:    true,
	})
}

// createDatabase gives a new directory its database, complete or not at all.
func (s *Store) createDatabase() error {
	if _, err := os.Stat(s.databaseFile()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	temp := filepath.Join(s.dir, "tmp", fmt.Sprintf("db-%d", os.Getpid()))
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := openDatabase(temp)
	if err != nil {
		return err
	}
	err = createBuckets(db, s.disk)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	// Another process may have been faster: then its database is the one.
	if err := s.disk.place(temp, s.databaseFile()); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.disk.syncDir(filepath.Dir(s.databaseFile()))
}

func createBuckets(db *bolt.DB, d disk) error {
	tx, err := db.Begin(true)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, name := range [][]byte{cellsBucket, inboxBucket, clearedBucket, rowsBucket, valuesBucket} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	if err := tx.Bucket(cellsBucket).Put(formatCell, []byte(format)); err != nil {
		return err
	}
	return d.commit(tx)
}

func (s *Store) checkFormat() error {
	return s.db.View(func(tx *bolt.Tx) error {
		cells := tx.Bucket(cellsBucket)
		if cells == nil {
			return errors.New("the database is not one of trialnotary's")
		}
		if got := cells.Get(formatCell); string(got) != format {
			return fmt.Errorf("the database has format %q, this program reads %q", got, format)
		}
		return nil
	})
}

// emptyTemp removes what a process left that ended in the middle of a write. The
// database's lock is held: nobody else is writing there.
func (s *Store) emptyTemp() error {
	entries, err := os.ReadDir(filepath.Join(s.dir, "tmp"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := s.disk.remove(filepath.Join(s.dir, "tmp", e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// ready returns why no call can be made, if so.
func (s *Store) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.closed.Load() {
		return errors.New("the store is closed")
	}
	if err := s.broken.Load(); err != nil {
		return fmt.Errorf("the database could not be written before (%w): %w", *err, ErrReopen)
	}
	return nil
}

// view runs a reading transaction. What fn returns must be copied out of it.
func (s *Store) view(ctx context.Context, fn func(*bolt.Tx) error) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	return s.db.View(fn)
}

// errUnchanged ends an update without a commit, and is no error.
var errUnchanged = errors.New("nothing to write")

// update runs a writing transaction: durable when it returns nil. Slices that fn
// puts must stay unchanged until then.
func (s *Store) update(ctx context.Context, fn func(*bolt.Tx) error) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	tx, err := s.db.Begin(true)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	// While this call waited for its turn, the one before may have failed.
	if err := s.ready(ctx); err != nil {
		return err
	}
	if err := fn(tx); errors.Is(err, errUnchanged) {
		return nil // whatever is visible was committed before
	} else if err != nil {
		return err
	}
	if err := s.disk.commit(tx); err != nil {
		// A full disk shows when pages are written, before the meta page that makes
		// them count: the database is what it was. After anything else, reads might
		// show what the disk does not hold, so there are none.
		if !isFull(err) {
			s.broken.CompareAndSwap(nil, &err)
		}
		return explain(err)
	}
	return nil
}

// explain puts into words what a caller can do something about.
func explain(err error) error {
	if isFull(err) {
		return fmt.Errorf("the disk is full, nothing of this call was accepted; make room and repeat it: %w", err)
	}
	return err
}

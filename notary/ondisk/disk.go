package ondisk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// disk is every call that changes what survives the process. Tests make each of
// them fail.
type disk interface {
	mkdir(dir string, perm fs.FileMode) error
	// create opens a new file for writing; perm may forbid writing it later.
	create(name string, perm fs.FileMode) (file, error)
	// place gives temp the name name unless that exists: fs.ErrExist, temp stays.
	place(temp, name string) error
	// replace gives temp the name name, whatever had it.
	replace(temp, name string) error
	remove(name string) error
	// syncDir makes the names in dir durable, as they are now.
	syncDir(dir string) error
	commit(tx *bolt.Tx) error
}

type file interface {
	io.Writer
	Sync() error
	Close() error
}

// osDisk is the operating system. place and syncDir differ by system.
type osDisk struct{}

func (osDisk) mkdir(dir string, perm fs.FileMode) error { return os.Mkdir(dir, perm) }

func (osDisk) create(name string, perm fs.FileMode) (file, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
}

func (osDisk) replace(temp, name string) error { return os.Rename(temp, name) }

func (osDisk) remove(name string) error { return os.Remove(name) }

func (osDisk) commit(tx *bolt.Tx) error { return tx.Commit() }

// isFull reports that the disk, or our share of it, is full.
func isFull(err error) bool {
	for _, full := range fullErrors() {
		// bbolt formats some errors of the system into its own without wrapping them.
		if err != nil && (errors.Is(err, full) || strings.Contains(err.Error(), full.Error())) {
			return true
		}
	}
	return false
}

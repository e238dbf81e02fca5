//go:build !windows

package ondisk

import (
	"errors"
	"os"
	"syscall"
)

// initialMmapSize is address space only; reads need not wait for the map to grow
// until the database is larger.
const initialMmapSize = 256 << 20

func (osDisk) place(temp, name string) error {
	if err := os.Link(temp, name); err != nil {
		return err
	}
	os.Remove(temp) // a second name of the object outside the log; Open removes it
	return nil
}

func (osDisk) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// fullErrors are what the system says when there is no room, or none for us.
func fullErrors() []error { return []error{syscall.ENOSPC, syscall.EDQUOT} }

// isNoDirectory reports that a part of the path is a file.
func isNoDirectory(err error) bool { return errors.Is(err, syscall.ENOTDIR) }

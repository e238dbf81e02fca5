package mirror

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
)

// disk is every call that changes what survives the process. Tests make each of them
// fail.
type disk interface {
	mkdir(dir string) error
	mkdirAll(dir string) error
	removeAll(dir string) error
	// write writes a new file; its bytes are durable when it returns nil.
	write(name string, data []byte) error
	rename(from, to string) error
	// syncDir makes the names in dir durable, as they are now.
	syncDir(dir string) error
}

// osDisk is the operating system.
type osDisk struct{}

func (osDisk) mkdir(dir string) error       { return os.Mkdir(dir, 0o755) }
func (osDisk) mkdirAll(dir string) error    { return os.MkdirAll(dir, 0o755) }
func (osDisk) removeAll(dir string) error   { return os.RemoveAll(dir) }
func (osDisk) rename(from, to string) error { return os.Rename(from, to) }

func (osDisk) write(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(0o644))
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (osDisk) syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // NTFS logs changes of names by itself
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

package client

import (
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// SyncDir does nothing: Windows keeps the names of a directory itself.
func SyncDir(string) error { return nil }

// openNew creates a file; a private one with an access list of its owner alone from
// its first moment on. File systems without access lists, as on most memory
// sticks, take no notice.
func openNew(name string, mode fs.FileMode) (*os.File, error) {
	if mode != Private {
		return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	}
	fail := func(err error) (*os.File, error) { return nil, &fs.PathError{Op: "create", Path: name, Err: err} }
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fail(err)
	}
	rules, err := windows.SecurityDescriptorFromString(privateRules(user.User.Sid.String()))
	if err != nil {
		return fail(err)
	}
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return fail(err)
	}
	with := windows.SecurityAttributes{SecurityDescriptor: rules}
	with.Length = uint32(unsafe.Sizeof(with))
	// The Go runtime lets the whole process have long paths.
	h, err := windows.CreateFile(path, windows.GENERIC_WRITE, windows.FILE_SHARE_READ, &with, windows.CREATE_NEW, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return fail(err)
	}
	return os.NewFile(uintptr(h), name), nil
}

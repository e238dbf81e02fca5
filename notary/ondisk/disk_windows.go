package ondisk

import (
	"os"

	"golang.org/x/sys/windows"
)

// initialMmapSize is 0: here the database file would at once be that long.
const initialMmapSize = 0

// place renames, because removing a second name of a read-only file would make
// the first one writable.
func (osDisk) place(temp, name string) error {
	from, err := windows.UTF16PtrFromString(temp)
	if err != nil {
		return err
	}
	to, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	if err := windows.MoveFileEx(from, to, windows.MOVEFILE_WRITE_THROUGH); err != nil {
		return &os.LinkError{Op: "rename", Old: temp, New: name, Err: err}
	}
	return nil
}

// syncDir does nothing: NTFS logs changes of names by itself.
func (osDisk) syncDir(string) error { return nil }

// fullErrors are what the system says when there is no room.
func fullErrors() []error {
	return []error{windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL}
}

// isNoDirectory is always false: such a path is reported as not found.
func isNoDirectory(error) bool { return false }

package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// terminalName is where questions go when err goes to a file.
const terminalName = "CONOUT$"

// escapes lets a console take colours and lines that are written over; false if it
// cannot. Before Windows 10 none could.
func escapes(f *os.File) bool {
	var mode uint32
	h := windows.Handle(f.Fd())
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}

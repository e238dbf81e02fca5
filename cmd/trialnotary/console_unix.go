//go:build !windows

package main

import "os"

// terminalName is where questions go when err goes to a file.
const terminalName = "/dev/tty"

// escapes reports whether a terminal takes colours and lines that are written over.
func escapes(*os.File) bool { return true }

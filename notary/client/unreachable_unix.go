//go:build !windows

package client

import "syscall"

// What the system says where there is no connection.
const (
	errRefused = syscall.ECONNREFUSED
	errNoRoute = syscall.ENETUNREACH
	errNoHost  = syscall.EHOSTUNREACH
	errReset   = syscall.ECONNRESET
)

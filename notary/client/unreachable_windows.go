package client

import "golang.org/x/sys/windows"

// What the system says where there is no connection.
const (
	errRefused = windows.WSAECONNREFUSED
	errNoRoute = windows.WSAENETUNREACH
	errNoHost  = windows.WSAEHOSTUNREACH
	errReset   = windows.WSAECONNRESET
)

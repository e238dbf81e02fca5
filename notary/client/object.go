package client

import (
	"context"
	"errors"
	"net/http"
)

// ErrNoObject: the public log has no object of that name, or not yet.
var ErrNoObject = errors.New("the log has no such object")

// maxObject bounds an object in bytes: a bundle of 256 entries has at most 16 MiB,
// and ours some 70 KiB.
const maxObject = 1 << 20

// Log is a public log, or a copy of one: a [Service], or a mirror. Safe for concurrent
// use.
type Log interface {
	// Object returns an object of the log by name, unverified, or [ErrNoObject].
	Object(ctx context.Context, name string) ([]byte, error)
	URL() string // where it is, for people
}

// Object returns an object of the public log, unverified.
func (s *Service) Object(ctx context.Context, name string) ([]byte, error) {
	a, err := s.do(ctx, request{method: http.MethodGet, path: "/" + name, limit: maxObject})
	switch {
	case err != nil:
		return nil, err
	case a.status == http.StatusNotFound && (a.problem() || a.header.Get("Content-Type") == "application/xml" || name != "checkpoint"):
		// A server of files has a page for it; that a log is there, its checkpoint showed.
		return nil, ErrNoObject
	case a.status != http.StatusOK:
		return nil, s.refused(a)
	}
	return a.body, nil
}
